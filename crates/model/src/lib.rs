//! The nouns of accredit: what an agent records, what the world answers, what came out, and who earned it.
//!
//! The serde forms of these types *are* wire format v1: the same JSON travels over HTTP, stands in NDJSON files and
//! lies in the store. [`json_schema`] derives their JSON Schema.
//!
//! What this crate is not: it does no IO, has no async code and reads no clock. It decides nothing: limits live in
//! `accredit-guard`, scores and credit in `accredit-credit`.
//!
//! Limits: times lie between the years 1 and 9999 at microsecond resolution; a [`Seq`] counts to 2^64.
//!
//! ```
//! use accredit_model::{Command, Step};
//!
//! let line = r#"{"op":"step","action_id":"018f0000-0000-7000-8000-000000000000","description":"search","confidence":0.8}"#;
//! let Command::Step { step, .. } = Command::from_json(line)? else { unreachable!() };
//! assert_eq!(step, Step { description: "search".into(), confidence: Some(0.8), ..Step::default() });
//! # Ok::<(), accredit_model::WireError>(())
//! ```

mod action;
mod attribution;
mod chain;
mod command;
mod entry;
mod event;
mod experience;
mod id;
mod line;
mod payload;
mod refusal;
mod schema;
mod stats;
mod time;
mod wire;

pub use action::{Action, Closing, Status};
pub use attribution::{
    Attribution, CriterionResult, CriterionVerdict, Evidence, ExpectationResult, Grounding, Source, Verdict,
};
pub use chain::{compat_chain, interaction_prompt, rounded_duration};
pub use command::{Begin, Cancel, Command, Completion, Observation, Revision, Step, Usage};
pub use entry::{Entry, EntryBody, EntryKind, Field};
pub use event::{Event, EventBody};
pub use experience::Experience;
pub use id::{ActionId, ActionType, AgentId, GoalId, Seq, Version};
pub use line::LineWriter;
pub use payload::{JsonObject, Payload};
pub use refusal::{Refusal, RefusalReason};
pub use schema::{json_schema, json_schemas};
pub use stats::{SinkStats, Stats};
pub use time::Timestamp;
pub use wire::{WireError, body_from_json};

#[cfg(test)]
mod tests;
