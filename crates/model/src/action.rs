//! An action as it is read back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::entry::Field;
use crate::{ActionId, ActionType, AgentId, GoalId, JsonObject, Timestamp, Verdict, Version};

/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// The agent completed it.
    Completed,
    /// It was idle for longer than the limit.
    TimedOut,
    /// It gave way when too many were open.
    Evicted,
    /// Somebody cancelled it.
    Cancelled,
}

impl Closing {
    /// Every closing, in the order of the counters.
    pub const ALL: [Self; 4] = [Self::Completed, Self::TimedOut, Self::Evicted, Self::Cancelled];

    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::TimedOut => "timed_out",
            Self::Evicted => "evicted",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Open, or closed in one of four ways. On the wire one word: `open`, `completed`, `timed_out`, `evicted`, `cancelled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Entries may be recorded.
    Open,
    /// The chain is sealed and has an attribution.
    #[serde(untagged)]
    Closed(Closing),
}

impl Status {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed(closing) => closing.code(),
        }
    }

    /// The status with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        if code == "open" {
            return Some(Self::Open);
        }
        Closing::ALL.into_iter().find(|closing| closing.code() == code).map(Self::Closed)
    }

    /// How it ended, where it has.
    #[must_use]
    pub const fn closing(self) -> Option<Closing> {
        match self {
            Self::Open => None,
            Self::Closed(closing) => Some(closing),
        }
    }
}

/// One action: what was given at its beginning, how far it is, and what stands now where it is closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// Its identity.
    pub action_id: ActionId,
    /// Who acts.
    pub agent_id: AgentId,
    /// What kind of work it is.
    pub action_type: ActionType,
    /// The task attempted.
    pub goal_id: Option<GoalId>,
    /// The action that this one is part of, whether or not that one has appeared.
    pub parent_action_id: Option<ActionId>,
    /// Metric → expected value or matcher.
    pub expected_outcome: JsonObject,
    /// The acceptance criteria.
    pub acceptance_criteria: Vec<String>,
    /// Whatever else was said of it.
    pub attributes: JsonObject,
    /// Open or closed.
    pub status: Status,
    /// When it began: the client's time where given, else the time of recording.
    pub begun_at: Timestamp,
    /// When the last call for it was received.
    pub last_activity_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// From beginning to closing, in seconds; `None` while open.
    pub duration_seconds: Option<f64>,
    /// Steps recorded.
    pub step_count: u64,
    /// Observations recorded.
    pub observation_count: u64,
    /// How many steps the parent had when this action began; `None` where it has no parent or it was not open here.
    pub parent_step_count: Option<u64>,
    /// The outcome that stands.
    pub outcome: Option<JsonObject>,
    /// The reward that stands.
    pub reward: Option<f64>,
    /// The version of the attribution that stands; 0 while open.
    pub version: Version,
    /// The success score that stands.
    pub success_score: Option<f64>,
    /// The verdict that stands.
    pub verdict: Option<Verdict>,
    /// Which fields were cut to their limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub truncated: Vec<Field>,
}
