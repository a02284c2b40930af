//! What the world said: the latest observed value of every key, and who judged.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use accredit_model::{Observation, Source};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Observation types that are judgements: a person or a judge looked at the result.
const JUDGEMENT_TYPES: [&str; 7] =
    ["judge", "judgement", "human", "user_feedback", "review", "evaluation", "annotation"];

/// Keys that tell of failure. Observations that ground a step report on that step and do not override them.
pub(crate) const SIGNALS: [&str; 3] = ["status", "error", "success"];

/// The observations of one action, indexed.
pub(crate) struct Observed<'a> {
    latest: HashMap<Cow<'a, str>, Seen<'a>>,
    signals: HashMap<&'static str, Seen<'a>>,
    judgements: HashMap<&'a str, f64>,
}

/// A value that an observation supplied, not parsed.
#[derive(Clone, Copy)]
struct Seen<'a> {
    json: &'a RawValue,
    source: Source,
}

impl Seen<'_> {
    /// `None` where the text holds a number beyond what an `f64` can: such a value was not observed.
    fn value(self) -> Option<(Value, Source)> {
        Some((serde_json::from_str(self.json.get()).ok()?, self.source))
    }
}

impl<'a> Observed<'a> {
    /// Indexes observations that stand in the order of their recording.
    pub(crate) fn of(observations: &[&'a Observation]) -> Self {
        let mut observed = Self { latest: HashMap::new(), signals: HashMap::new(), judgements: HashMap::new() };
        for observation in observations {
            if let (Some(criterion), Some(score)) = (&observation.criterion, observation.score) {
                observed.judgements.insert(criterion, score);
            }
            let source = source_of(observation);
            for (key, json) in members(observation) {
                let seen = Seen { json, source };
                if observation.step.is_none()
                    && let Some(signal) = SIGNALS.into_iter().find(|signal| *signal == key)
                {
                    observed.signals.insert(signal, seen);
                }
                observed.latest.insert(key, seen);
            }
        }
        observed
    }

    /// The latest observed value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<(Value, Source)> {
        self.latest.get(key)?.value()
    }

    /// The latest value of a key that tells of failure, observations of single steps left out.
    pub(crate) fn signal(&self, key: &str) -> Option<(Value, Source)> {
        self.signals.get(key)?.value()
    }

    /// The latest score that a judge gave to a criterion.
    pub(crate) fn judgement(&self, criterion: &str) -> Option<f64> {
        self.judgements.get(criterion).copied()
    }

    /// What supplied a key, or the strongest of all where no single key is asked for.
    pub(crate) fn source(&self, key: Option<&str>) -> Option<Source> {
        match key {
            Some(key) => self.latest.get(key).map(|seen| seen.source),
            None => self.latest.values().map(|seen| seen.source).max(),
        }
    }

    /// All latest values as one object.
    pub(crate) fn to_value(&self) -> Value {
        let values = self.latest.iter().filter_map(|(key, seen)| Some((key.to_string(), seen.value()?.0)));
        Value::Object(values.collect())
    }
}

/// A score, or a type that says so, makes an observation a judgement.
fn source_of(observation: &Observation) -> Source {
    if observation.score.is_some() || JUDGEMENT_TYPES.contains(&observation.observation_type.as_str()) {
        Source::Judged
    } else {
        Source::Observed
    }
}

/// The keys and values of an observation's data; none where it is no object.
fn members(observation: &Observation) -> Vec<(Cow<'_, str>, &RawValue)> {
    let Some(text) = observation.data.as_ref().map(accredit_model::Payload::get) else { return Vec::new() };
    serde_json::from_str(text).map(|Members(members)| members).unwrap_or_default()
}

/// The members of a JSON object, values unparsed, keys borrowed unless they hold an escape.
struct Members<'de>(Vec<(Cow<'de, str>, &'de RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}
