//! What is read besides actions and chains.

use accredit_model::{ActionId, ActionType, AgentId, GoalId, Status, Timestamp, Verdict, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which actions a list holds; every condition given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Of this agent.
    pub agent_id: Option<AgentId>,
    /// Of this type.
    pub action_type: Option<ActionType>,
    /// Attempting this goal.
    pub goal_id: Option<GoalId>,
    /// Open, or closed in this way.
    pub status: Option<Status>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// Begun at this time or later.
    pub from: Option<Timestamp>,
    /// Begun before this time.
    pub to: Option<Timestamp>,
}

/// Which open action is the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oldest {
    /// The one whose last call is longest ago.
    Activity,
    /// The one that was begun first.
    Start,
}

/// From when idle time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleFrom {
    /// From the last call.
    Activity,
    /// From the beginning.
    Start,
}

/// One version of an attribution as it is stored.
#[derive(Clone, Debug)]
pub struct StoredAttribution {
    /// Position in the feed.
    pub cursor: u64,
    /// The action.
    pub action: ActionId,
    /// Its version.
    pub version: Version,
    /// The attribution as JSON.
    pub body: Vec<u8>,
}

/// A delivery whose next attempt is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The experience.
    pub cursor: u64,
    /// Attempts so far.
    pub attempts: u32,
}

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// The sink's name.
    pub sink: String,
    /// The experience's position in the feed.
    pub cursor: u64,
    /// The action.
    pub action_id: ActionId,
    /// The attribution's version.
    pub version: Version,
    /// Attempts made.
    pub attempts: u32,
    /// What the last one failed with.
    pub error: String,
    /// When it was given up.
    pub failed_at: Timestamp,
}

/// What `verify` saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VerifyReport {
    /// Actions in all.
    pub actions: u64,
    /// Open ones among them.
    pub open: u64,
    /// Entries in all.
    pub entries: u64,
    /// Chunks of open actions and of late observations.
    pub chunks: u64,
    /// Compressed blocks of closed actions.
    pub sealed_blocks: u64,
    /// Attribution versions.
    pub attributions: u64,
    /// What is wrong; empty for a sound store.
    pub problems: Vec<Problem>,
}

/// Something that `verify` found wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// Where it concerns one action.
    pub action_id: Option<ActionId>,
    /// What is wrong.
    pub what: String,
}

/// Where the bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Of the file, with its write-ahead log.
    pub file_bytes: u64,
    /// JSON in chunks.
    pub chunk_bytes: u64,
    /// Compressed chains.
    pub sealed_bytes: u64,
    /// The JSON that those chains hold.
    pub sealed_json_bytes: u64,
}
