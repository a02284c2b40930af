//! Clocks and ids under the test's control.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use accredit::{ActionId, Clock, Environment, IdSource, Timestamp};

use crate::Random;

/// A clock that stands still until it is set. The wall may be set apart from the steady clock, as when somebody
/// corrects the time of day.
#[derive(Debug)]
pub struct FakeClock {
    wall_micros: AtomicI64,
    steady_micros: AtomicI64,
}

impl FakeClock {
    /// Both clocks at this time.
    #[must_use]
    pub const fn at(time: Timestamp) -> Self {
        Self { wall_micros: AtomicI64::new(time.micros()), steady_micros: AtomicI64::new(time.micros()) }
    }

    /// Sets both clocks.
    pub fn set(&self, time: Timestamp) {
        self.wall_micros.store(time.micros(), Ordering::SeqCst);
        self.steady_micros.store(time.micros(), Ordering::SeqCst);
    }

    /// Lets time pass.
    pub fn advance_secs(&self, secs: i64) {
        self.jump_wall_secs(secs);
        self.steady_micros.fetch_add(secs * 1_000_000, Ordering::SeqCst);
    }

    /// Corrects the time of day; no time passes.
    pub fn jump_wall_secs(&self, secs: i64) {
        self.wall_micros.fetch_add(secs * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_micros(self.wall_micros.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Timestamp {
        Timestamp::from_micros(self.steady_micros.load(Ordering::SeqCst))
    }
}

/// Ids from a seed: the same in every run.
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    made: AtomicU64,
}

impl SeededIds {
    /// The ids of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, made: AtomicU64::new(0) }
    }
}

impl IdSource for SeededIds {
    fn next_id(&self) -> ActionId {
        let n = self.made.fetch_add(1, Ordering::SeqCst);
        let mut random = Random::new(self.seed ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let bytes = (u128::from(random.bits()) << 64 | u128::from(random.bits())).to_be_bytes();
        ActionId::new(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}

/// An environment with the given clock and the ids of seed 1.
#[must_use]
pub fn environment(clock: &Arc<FakeClock>) -> Environment {
    Environment { clock: Arc::clone(clock) as Arc<dyn Clock>, ids: Arc::new(SeededIds::new(1)) }
}
