//! The entries of an action, as they are stored and read back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Observation, Payload, Seq, Step, Timestamp, Usage};

/// Which of the two an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// The agent spoke.
    Step,
    /// The world answered.
    Observation,
}

/// A part of an entry or action that was cut to its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the field of that name")]
pub enum Field {
    Description,
    Decision,
    Key,
    StateKey,
    State,
    ObservationType,
    Source,
    Data,
    Criterion,
    ActionType,
    ExpectedOutcome,
    AcceptanceCriteria,
    Attributes,
    Outcome,
    Reason,
}

/// One recorded entry: a step or an observation with what the recording added.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "FlatEntry")]
#[schemars(!try_from, with = "FlatEntry")]
pub struct Entry {
    /// Position in the action. Absent in the stored line, whose position tells it.
    pub seq: Seq,
    /// Wall-clock time at which it was received.
    pub recorded_at: Timestamp,
    /// It came after the action had been closed.
    pub late: bool,
    /// Which fields were cut to their limits.
    pub truncated: Vec<Field>,
    /// What was said.
    pub body: EntryBody,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryBody {
    /// By the agent.
    Step(Step),
    /// By the world.
    Observation(Observation),
}

impl EntryBody {
    /// Step or observation.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        match self {
            Self::Step(_) => EntryKind::Step,
            Self::Observation(_) => EntryKind::Observation,
        }
    }

    /// The client's own time, where given.
    #[must_use]
    pub const fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Step(step) => step.at,
            Self::Observation(observation) => observation.at,
        }
    }

    /// The client's key, where given.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        match self {
            Self::Step(step) => step.idempotency_key.as_deref(),
            Self::Observation(observation) => observation.idempotency_key.as_deref(),
        }
    }
}

impl Entry {
    /// The step, where it is one.
    #[must_use]
    pub const fn step(&self) -> Option<&Step> {
        match &self.body {
            EntryBody::Step(step) => Some(step),
            EntryBody::Observation(_) => None,
        }
    }

    /// The observation, where it is one.
    #[must_use]
    pub const fn observation(&self) -> Option<&Observation> {
        match &self.body {
            EntryBody::Step(_) => None,
            EntryBody::Observation(observation) => Some(observation),
        }
    }

    /// When it happened: the client's time where given, else the time of recording.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.body.at().unwrap_or(self.recorded_at)
    }

    /// Reads a stored line; `seq` is its position.
    ///
    /// # Errors
    /// When the line is no entry.
    pub fn from_line(line: &str, seq: Seq) -> Result<Self, serde_json::Error> {
        let mut entry: Self = serde_json::from_str(line)?;
        entry.seq = seq;
        Ok(entry)
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FlatEntryRef::new(self.seq, self.recorded_at, self.late, &self.truncated, &self.body).serialize(serializer)
    }
}

#[derive(Serialize)]
struct FlatEntryRef<'a> {
    seq: Seq,
    kind: EntryKind,
    recorded_at: Timestamp,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    late: bool,
    #[serde(flatten)]
    body: FlatBody<'a>,
    #[serde(skip_serializing_if = "<[Field]>::is_empty")]
    truncated: &'a [Field],
}

#[derive(Serialize)]
#[serde(untagged)]
enum FlatBody<'a> {
    Step(&'a Step),
    Observation(&'a Observation),
}

impl<'a> FlatEntryRef<'a> {
    const fn new(seq: Seq, recorded_at: Timestamp, late: bool, truncated: &'a [Field], body: &'a EntryBody) -> Self {
        let (kind, body) = match body {
            EntryBody::Step(step) => (EntryKind::Step, FlatBody::Step(step)),
            EntryBody::Observation(observation) => (EntryKind::Observation, FlatBody::Observation(observation)),
        };
        Self { seq, kind, recorded_at, late, body, truncated }
    }
}

/// The flat JSON form: the fields of both kinds, told apart by `kind`. Serde's own `flatten` cannot carry unparsed
/// JSON, so the two sets of fields are merged here and separated again.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Entry")]
struct FlatEntry {
    #[serde(default)]
    seq: Seq,
    kind: Option<EntryKind>,
    recorded_at: Timestamp,
    #[serde(default)]
    late: bool,
    #[serde(default)]
    truncated: Vec<Field>,
    confidence: Option<f64>,
    idempotency_key: Option<String>,
    at: Option<Timestamp>,
    description: Option<String>,
    state: Option<Payload>,
    decision: Option<String>,
    key: Option<String>,
    state_key: Option<String>,
    effect: Option<bool>,
    propensity: Option<f64>,
    reward: Option<f64>,
    usage: Option<Usage>,
    observation_type: Option<String>,
    data: Option<Payload>,
    source: Option<String>,
    score: Option<f64>,
    step: Option<u64>,
    criterion: Option<String>,
}

impl TryFrom<FlatEntry> for Entry {
    type Error = &'static str;

    fn try_from(flat: FlatEntry) -> Result<Self, Self::Error> {
        let body = match flat.kind.ok_or("missing field `kind`")? {
            EntryKind::Step => EntryBody::Step(Step {
                description: flat.description.ok_or("missing field `description`")?,
                state: flat.state,
                decision: flat.decision,
                confidence: flat.confidence,
                key: flat.key,
                state_key: flat.state_key,
                effect: flat.effect,
                propensity: flat.propensity,
                reward: flat.reward,
                usage: flat.usage,
                idempotency_key: flat.idempotency_key,
                at: flat.at,
            }),
            EntryKind::Observation => EntryBody::Observation(Observation {
                observation_type: flat.observation_type.ok_or("missing field `observation_type`")?,
                data: flat.data,
                source: flat.source,
                confidence: flat.confidence,
                score: flat.score,
                step: flat.step,
                criterion: flat.criterion,
                idempotency_key: flat.idempotency_key,
                at: flat.at,
            }),
        };
        Ok(Self { seq: flat.seq, recorded_at: flat.recorded_at, late: flat.late, truncated: flat.truncated, body })
    }
}
