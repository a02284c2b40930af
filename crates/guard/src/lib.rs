//! The guard of accredit: a command goes in, a clean command or a refusal comes out.
//!
//! [`Guard`] holds one set of [`Limits`] and has one method for each command. What can be repaired without changing
//! its meaning is repaired and marked: numbers in \[0, 1\] are clamped, text is cut at a character boundary, JSON is
//! cut to size and stays JSON. What cannot is refused by name. A [`Clean`] value can be made here and nowhere else, so
//! whatever asks for one never sees an unguarded command.
//!
//! What this crate is not: it does no IO, has no async code, reads no clock and knows no action. Whether an action is
//! open, full or known is the engine's question; whether an expectation's matchers make sense is `accredit-credit`'s.
//! It never repeats recorded data: the detail of a refusal names the field and the limit, nothing else.
//!
//! Limits: those of [`Limits::default`]; 64 KiB of JSON a field, 64 levels deep, strings of 8,000 characters. JSON
//! within the limits costs one scan over its bytes, without parsing and without copying. Only JSON that breaks a limit
//! is rewritten, token by token, so that digits and key order stay the sender's.
//!
//! The place for redaction and policy is the private `Limit::leaf`: when JSON is rewritten every string leaf passes
//! through that function, decoded, and what it answers is what is written; a rule pack that finds something in the
//! scanned bytes sends the JSON down the same way. Description, decision, criterion and the other plain texts pass
//! through `Guard::text`.
//!
//! ```
//! use accredit_guard::{Guard, Limits};
//! use accredit_model::{Field, Step};
//!
//! let guard = Guard::new(Limits { description_chars_max: 6, ..Limits::default() });
//! let step = Step { description: "search the web".into(), confidence: Some(7.0), ..Step::default() };
//! let clean = guard.step(step)?;
//! assert_eq!(clean.value().description, "search");
//! assert_eq!(clean.value().confidence, Some(1.0));
//! assert_eq!(clean.truncated(), [Field::Description]);
//!
//! let nan = Step { confidence: Some(f64::NAN), ..Step::default() };
//! assert_eq!(guard.step(nan).unwrap_err().detail, "field `confidence`: must be a finite number");
//! # Ok::<(), accredit_model::Refusal>(())
//! ```

mod clean;
mod fields;
mod guard;
mod limits;
mod rewrite;
mod scan;

pub use clean::Clean;
pub use guard::Guard;
pub use limits::{EvictionOrder, IdleFrom, Limits, LimitsError};
