//! What tests of accredit need: clocks and ids that replay, the runner of parity scenarios, the crash harness,
//! environments and games whose credit is known, and the measures that compare a method with that truth.
//!
//! What this crate is not: a part of the product. Nothing but tests, benchmarks and `xtask` depends on it.

mod clock;
pub mod crash;
pub mod credit_table;
pub mod environments;
pub mod games;
pub mod measures;
pub mod parity;
mod random;
pub mod tau_bench;
pub mod who_and_when;

pub use clock::{FakeClock, SeededIds, environment};
pub use random::Random;
