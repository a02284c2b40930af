//! What can be written, and what is answered.

use accredit_model::{
    Action, ActionId, ActionType, AgentId, Closing, EntryKind, Field, GoalId, JsonObject, RefusalReason, Seq,
    Timestamp, Verdict, Version,
};
use serde::{Deserialize, Serialize};

/// One command of a batch.
#[derive(Debug)]
pub enum Write {
    /// Opens an action. Answered by [`Answer::Begun`], [`Answer::AtCapacity`] or [`Answer::Refused`].
    Begin(Box<NewAction>),
    /// Appends entries to an open action. Answered by [`Answer::Entries`].
    Append(Append),
    /// Notes that an open action's agent is alive. Answered by [`Answer::Done`] or [`Answer::Refused`].
    Heartbeat {
        /// The action.
        action: ActionId,
        /// Wall-clock time of the call.
        received_at: Timestamp,
        /// The same on the clock that never jumps.
        steady: Timestamp,
    },
    /// Stops an open action from taking entries, so that its chain can be read and attributed; not durable, and lifted
    /// by [`Write::Thaw`]. Answered by [`Answer::Frozen`], [`Answer::Busy`] or [`Answer::Refused`].
    Freeze {
        /// The action.
        action: ActionId,
    },
    /// Freezes an open action for good, durably, with the completion that it will be closed by: whoever opens the store
    /// next finds both again. Answered as [`Write::Freeze`].
    Accept {
        /// The action.
        action: ActionId,
        /// The completion, in the engine's own words.
        completion: Vec<u8>,
    },
    /// Lets a frozen action take entries again, unless its completion was accepted. Answered by [`Answer::Done`].
    Thaw {
        /// The action.
        action: ActionId,
    },
    /// Closes a frozen action. Answered by [`Answer::Attributed`] or [`Answer::Busy`].
    Close(Box<Close>),
    /// Adds to a closed action. Answered by [`Answer::Attributed`], [`Answer::Busy`] or [`Answer::Refused`].
    Amend(Box<Amend>),
    /// What a sink did with experiences. Answered by [`Answer::Done`].
    Deliveries(Deliveries),
    /// Gives dead letters another life. Answered by [`Answer::Count`].
    Replay {
        /// Of this sink alone.
        sink: Option<String>,
        /// When the next attempt is due.
        due_at: Timestamp,
    },
    /// What was learned of the feed. Answered by [`Answer::Done`].
    Learned(Box<crate::Learned>),
    /// Counts entries that were refused before they came here. Answered by [`Answer::Done`].
    CountRefused {
        /// Why.
        reason: RefusalReason,
        /// How many.
        n: u64,
    },
    /// Makes the counters durable. Answered by [`Answer::Done`].
    Flush,
}

/// What was given at the beginning and is only read as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActionSpec {
    /// Metric → expected value or matcher.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub expected_outcome: JsonObject,
    /// The acceptance criteria.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acceptance_criteria: Vec<String>,
    /// Whatever else was said.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub attributes: JsonObject,
    /// Fields that were cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub truncated: Vec<Field>,
}

/// An action to open.
#[derive(Clone, Debug)]
pub struct NewAction {
    /// Its identity.
    pub id: ActionId,
    /// The id was made just now: no other action can have it.
    pub fresh: bool,
    /// Who acts.
    pub agent_id: AgentId,
    /// What kind of work it is.
    pub action_type: ActionType,
    /// The task attempted.
    pub goal_id: Option<GoalId>,
    /// The action that it is part of.
    pub parent: Option<ActionId>,
    /// The rest.
    pub spec: ActionSpec,
    /// When it began, for people to read.
    pub begun_at: Timestamp,
    /// Wall-clock time of the call.
    pub received_at: Timestamp,
    /// The same on the clock that never jumps.
    pub steady: Timestamp,
    /// Open actions that the store may hold.
    pub open_max: u64,
}

impl NewAction {
    /// An action with nothing but the needful, all times alike.
    #[must_use]
    pub fn new(id: ActionId, agent: &str, action_type: &str, at: Timestamp) -> Self {
        Self {
            id,
            fresh: false,
            agent_id: agent.into(),
            action_type: action_type.into(),
            goal_id: None,
            parent: None,
            spec: ActionSpec::default(),
            begun_at: at,
            received_at: at,
            steady: at,
            open_max: u64::MAX,
        }
    }
}

/// Entries of one action, as lines of JSON one after another.
#[derive(Clone, Debug)]
pub struct Append {
    /// The action.
    pub action: ActionId,
    /// The lines, each ended by a line break.
    pub lines: Vec<u8>,
    /// One mark a line, in order.
    pub marks: Vec<EntryMark>,
    /// Wall-clock time of the call.
    pub received_at: Timestamp,
    /// The same on the clock that never jumps.
    pub steady: Timestamp,
    /// Entries that the action may hold.
    pub entries_max: u64,
    /// Steps that it may hold, below `entries_max` by the reserve for observations.
    pub steps_max: u64,
    /// What becomes of observations of a closed action.
    pub late: LateObservations,
}

/// What becomes of observations of a closed action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateObservations {
    /// Answered by [`EntryAnswer::Late`].
    Accept,
    /// Refused and counted, like steps.
    Refuse,
}

/// What the store needs to know of a line without reading it.
#[derive(Clone, Copy, Debug)]
pub struct EntryMark {
    /// Where the line ends in `lines`, its line break included.
    pub end: usize,
    /// Step or observation.
    pub kind: EntryKind,
    /// Hash of the client's key.
    pub key: Option<[u8; 16]>,
    /// Index of the step that it grounds.
    pub grounds: Option<u64>,
}

/// Closes an action.
#[derive(Debug)]
pub struct Close {
    /// The action.
    pub action: ActionId,
    /// How it ends.
    pub closing: Closing,
    /// When, for people to read.
    pub closed_at: Timestamp,
    /// From beginning to closing.
    pub duration_micros: i64,
    /// The whole chain, compressed.
    pub sealed: crate::SealedChain,
    /// Its attribution.
    pub attribution: NewAttribution,
    /// Wall-clock time of the call.
    pub received_at: Timestamp,
}

/// One version of an attribution, with what the action's row shows of it.
#[derive(Clone, Debug)]
pub struct NewAttribution {
    /// 1 at closing.
    pub version: Version,
    /// The attribution as JSON.
    pub body: Vec<u8>,
    /// The outcome that stands, as JSON.
    pub outcome: String,
    /// The reward that stands.
    pub reward: Option<f64>,
    /// The score that stands.
    pub score: f64,
    /// The verdict that stands.
    pub verdict: Verdict,
}

/// Adds a late observation, a new attribution, or both to a closed action.
#[derive(Debug)]
pub struct Amend {
    /// The action.
    pub action: ActionId,
    /// The version that it was computed from; another one now is answered by [`Answer::Busy`].
    pub expect_version: Version,
    /// The number of entries that it was computed from.
    pub expect_entries: u64,
    /// The late observation.
    pub late: Option<Append>,
    /// The next version.
    pub attribution: Option<NewAttribution>,
    /// A true completion after an engine closing: the action now stands as completed, with this time and duration.
    pub completed: Option<(Timestamp, i64)>,
}

/// What one sink did.
#[derive(Clone, Debug)]
pub struct Deliveries {
    /// The sink's name.
    pub sink: String,
    /// Experiences up to this cursor have been taken from the feed.
    pub taken_to: Option<u64>,
    /// What became of each.
    pub outcomes: Vec<Delivery>,
}

/// What became of one delivery.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The experience.
    pub cursor: u64,
    /// Its fate.
    pub fate: Fate,
}

/// How a delivery ended.
#[derive(Clone, Debug)]
pub enum Fate {
    /// The sink acknowledged it.
    Delivered,
    /// It failed and is tried again.
    Retry {
        /// Attempts so far.
        attempts: u32,
        /// When the next one is due.
        due_at: Timestamp,
        /// What went wrong.
        error: String,
    },
    /// It is given up.
    Dead {
        /// Attempts made.
        attempts: u32,
        /// When.
        failed_at: Timestamp,
        /// What went wrong.
        error: String,
    },
}

/// The store's answer to one [`Write`].
#[derive(Debug)]
pub enum Answer {
    /// The action is there; `repeat` where it was before.
    Begun {
        /// It was there already.
        repeat: bool,
    },
    /// As many actions are open as may be: close one, then try again.
    AtCapacity,
    /// One answer per entry, in order.
    Entries(Vec<EntryAnswer>),
    /// The action takes no entries now, and this is how it stands.
    Frozen(Box<Action>, Timestamp),
    /// Somebody else is closing or changing it: look again.
    Busy,
    /// The attribution is stored under this cursor of the feed; `None` where none was given.
    Attributed {
        /// Position in the feed.
        cursor: Option<u64>,
        /// Answer to the late observation.
        late: Option<EntryAnswer>,
    },
    /// How many were touched.
    Count(u64),
    /// Done.
    Done,
    /// Not done, and why.
    Refused(RefusalReason),
}

/// The answer to one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryAnswer {
    /// It is stored at this position; `repeat` where it was before.
    Stored {
        /// Position in the action.
        seq: Seq,
        /// The client's key was known.
        repeat: bool,
    },
    /// It is not, and why.
    Refused(RefusalReason),
    /// The action is closed: this observation goes into an [`Amend`]. Not counted yet.
    Late {
        /// The line, given back.
        line: String,
    },
}
