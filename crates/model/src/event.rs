//! What live subscribers hear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ActionId, ActionType, AgentId, Closing, GoalId, Seq, Verdict, Version};

/// One committed fact, for dashboards and learners that watch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Position in this engine's stream; a subscriber resumes after it.
    pub id: String,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// The kinds of events, by topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "topic", content = "data")]
pub enum EventBody {
    /// An action was opened.
    #[serde(rename = "agent.action.begun")]
    Begun {
        /// The action.
        action_id: ActionId,
        /// Who acts.
        agent_id: AgentId,
        /// What kind of work it is.
        action_type: ActionType,
        /// The task attempted.
        goal_id: Option<GoalId>,
        /// The action that it is part of.
        parent_action_id: Option<ActionId>,
    },
    /// Entries of one action became durable.
    #[serde(rename = "agent.action.recorded")]
    Recorded {
        /// The action.
        action_id: ActionId,
        /// Position of the first of them.
        first_seq: Seq,
        /// How many they are.
        entries: u64,
    },
    /// An action was closed, or its attribution revised (`version` above 1).
    #[serde(rename = "agent.action.completed")]
    Completed {
        /// The action.
        action_id: ActionId,
        /// Who acted.
        agent_id: AgentId,
        /// What kind of work it was.
        action_type: ActionType,
        /// The task attempted.
        goal_id: Option<GoalId>,
        /// From beginning to closing, in seconds, rounded to two decimals.
        duration_seconds: f64,
        /// Steps recorded.
        step_count: u64,
        /// In [0, 1].
        success_score: f64,
        /// The score in one word.
        verdict: Verdict,
        /// The attribution's version.
        version: Version,
        /// How it ended.
        closing: Closing,
    },
    /// The subscriber was too slow, or resumes from before this engine's memory: `missed` events are lost to it
    /// (`null` where nobody can tell how many). What they were about is in the store.
    #[serde(rename = "gap")]
    Gap {
        /// How many were lost.
        missed: Option<u64>,
    },
}

impl EventBody {
    /// The topic, as in the JSON form.
    #[must_use]
    pub const fn topic(&self) -> &'static str {
        match self {
            Self::Begun { .. } => "agent.action.begun",
            Self::Recorded { .. } => "agent.action.recorded",
            Self::Completed { .. } => "agent.action.completed",
            Self::Gap { .. } => "gap",
        }
    }

    /// The action that it is about; `None` for a gap.
    #[must_use]
    pub const fn action_id(&self) -> Option<ActionId> {
        match self {
            Self::Begun { action_id, .. } | Self::Recorded { action_id, .. } | Self::Completed { action_id, .. } => {
                Some(*action_id)
            }
            Self::Gap { .. } => None,
        }
    }
}
