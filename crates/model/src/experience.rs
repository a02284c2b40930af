//! What a learner gets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Action, Attribution, Entry, Step};

/// The whole chain of one closed action with its attribution. Nothing is dropped: every step has its state and time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Experience {
    /// Position in the feed of experiences: 1, 2, 3… A revision is a new experience with a position of its own.
    pub cursor: u64,
    /// The action as it stands.
    pub action: Action,
    /// One version of its attribution.
    pub attribution: Attribution,
    /// Its entries in order, late observations last.
    pub chain: Vec<Entry>,
}

impl Experience {
    /// The steps in order, aligned with `attribution.credits` and `attribution.advantages`.
    pub fn steps(&self) -> impl Iterator<Item = (&Entry, &Step)> {
        self.chain.iter().filter_map(|entry| entry.step().map(|step| (entry, step)))
    }
}
