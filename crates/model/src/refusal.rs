//! Why something was not recorded.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal),+ $(,)?) => {
        /// The named reasons for which a command is refused. Each refusal is counted under its reason.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum RefusalReason {
            $($(#[$doc])* $name,)+
        }

        impl RefusalReason {
            /// Every reason, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code on the wire and in the counters.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }
        }
    };
}

reasons! {
    /// No action has this id.
    UnknownAction = "unknown_action",
    /// The action is closed; only observations, revisions and true completions may follow.
    ClosedAction = "closed_action",
    /// The action has as many entries as the limit allows.
    ActionFull = "action_full",
    /// The text is not JSON, or not of the shape of the command.
    Malformed = "malformed",
    /// A field that the command does not have.
    UnknownField = "unknown_field",
    /// A field whose value is of the wrong type or outside its range.
    InvalidField = "invalid_field",
    /// A number that is NaN or infinite.
    InvalidNumber = "invalid_number",
    /// An id that is empty, too long, or no UUID where one is needed.
    InvalidId = "invalid_id",
    /// JSON nested deeper than the limit.
    TooDeep = "too_deep",
    /// An observation grounds a step that the action does not have.
    UnknownStep = "unknown_step",
    /// The action would be its own ancestor.
    ParentCycle = "parent_cycle",
    /// The action is closed with another outcome; a revision may change it.
    Conflict = "conflict",
    /// The queue was full for longer than the recorder may block.
    Overloaded = "overloaded",
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A command that was not carried out: the reason as a code, and a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Refusal {
    /// The code that is counted.
    pub reason: RefusalReason,
    /// What was wrong and what the caller can do; never contains recorded data.
    pub detail: String,
}

impl Refusal {
    /// A refusal with its explanation.
    #[must_use]
    pub fn new(reason: RefusalReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}
