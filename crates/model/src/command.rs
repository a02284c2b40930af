//! The seven commands that every door speaks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ActionId, ActionType, AgentId, GoalId, JsonObject, Payload, Timestamp};

/// Opens an action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// The client's own id; a repeat with the same id answers the same action. Made by accredit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_id: Option<ActionId>,
    /// Who acts.
    pub agent_id: AgentId,
    /// What kind of work it is.
    pub action_type: ActionType,
    /// The task that is attempted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<GoalId>,
    /// Metric → expected value or matcher (`{"$gte": 0.93}`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_outcome: Option<JsonObject>,
    /// CEL expressions over the outcome, or plain text that a judge decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance_criteria: Option<Vec<String>>,
    /// The action that this one is part of; it may arrive later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_action_id: Option<ActionId>,
    /// Whatever else describes the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<JsonObject>,
    /// The client's own time of the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What the agent says it did: one dense step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The step in words.
    pub description: String,
    /// The situation in which the agent decided; any JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Payload>,
    /// What the agent chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The agent's own confidence, in [0, 1]; clamped by the guard. Absent means not stated, and weighs as 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// A stable name of the decision, the same in every action where the same thing is chosen: a tool's name, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A stable name of the situation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_key: Option<String>,
    /// Whether the step changed the world, as against reading it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<bool>,
    /// The behaviour policy's probability of this decision, in (0, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propensity: Option<f64>,
    /// The part of the action's reward that arrived with this step; any finite number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<f64>,
    /// What the step cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The client's key for this step: however often it is sent, it is stored once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The client's own time of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What a step cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Tokens read by the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens written by the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Price in US dollars, not negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Wall-clock time in milliseconds, not negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
}

/// What the world says: a sensor, a probe, a tool's result, a user, a judge.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The kind of observation: `tool_result`, `sensor`, `user_feedback`, `judge`…
    pub observation_type: String,
    /// What was observed. The keys of an object decide over what the outcome claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Payload>,
    /// Who or what observed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Reliability of the source, in [0, 1]; clamped by the guard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// A judgement, in [0, 1]; clamped by the guard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Index, among the action's steps, of the step that this grounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// The acceptance criterion that this judges, word for word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<String>,
    /// The client's key for this observation: however often it is sent, it is stored once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The client's own time of the observation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Closes an action with what came out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// What came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<JsonObject>,
    /// Any finite number from the user's own evaluator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<f64>,
    /// The client's own time of the completion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Changes the outcome of a closed action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// The new outcome; the one that stands is kept where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<JsonObject>,
    /// The new reward; the one that stands is kept where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<f64>,
    /// Why it is revised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The client's own time of the revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Closes an action without an outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// Why it is cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One command of wire format v1. [`Command::from_json`] reads it, `Serialize` writes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Command {
    /// Opens an action.
    Begin(Begin),
    /// Records a step.
    Step {
        /// The action.
        action_id: ActionId,
        /// The step.
        #[serde(flatten)]
        step: Step,
    },
    /// Records an observation.
    Observe {
        /// The action.
        action_id: ActionId,
        /// The observation.
        #[serde(flatten)]
        observation: Observation,
    },
    /// Closes an action with its outcome.
    Complete {
        /// The action.
        action_id: ActionId,
        /// The outcome.
        #[serde(flatten)]
        completion: Completion,
    },
    /// Changes the outcome of a closed action.
    Revise {
        /// The action.
        action_id: ActionId,
        /// The new outcome.
        #[serde(flatten)]
        revision: Revision,
    },
    /// Closes an action without an outcome.
    Cancel {
        /// The action.
        action_id: ActionId,
        /// The reason.
        #[serde(flatten)]
        cancel: Cancel,
    },
    /// Says that the agent is still at work.
    Heartbeat {
        /// The action.
        action_id: ActionId,
    },
}

impl Command {
    /// The action that the command is about; `None` for a begin that leaves the id to accredit.
    #[must_use]
    pub const fn action_id(&self) -> Option<ActionId> {
        match self {
            Self::Begin(begin) => begin.action_id,
            Self::Step { action_id, .. }
            | Self::Observe { action_id, .. }
            | Self::Complete { action_id, .. }
            | Self::Revise { action_id, .. }
            | Self::Cancel { action_id, .. }
            | Self::Heartbeat { action_id } => Some(*action_id),
        }
    }
}
