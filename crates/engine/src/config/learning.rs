//! How credit is shared out, and what is learned for it.

use std::fmt;

use accredit_credit::LearnedMethod;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How credit is shared out among steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Later steps earn more, and confident ones. Knows nothing of other actions.
    Decay,
    /// All steps earn the same.
    Uniform,
    /// What was learned from other actions of the type.
    Learned(LearnedMethod),
}

impl Method {
    /// The method that learns, where it is one.
    #[must_use]
    pub const fn learned(self) -> Option<LearnedMethod> {
        match self {
            Self::Decay | Self::Uniform => None,
            Self::Learned(method) => Some(method),
        }
    }
}

impl Default for Method {
    fn default() -> Self {
        Self::Learned(LearnedMethod::Auto)
    }
}

/// The name in the configuration.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decay => f.write_str("decay"),
            Self::Uniform => f.write_str("uniform"),
            // A unit variant writes its name.
            Self::Learned(method) => method.serialize(f),
        }
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match name.as_str() {
            "decay" => Ok(Self::Decay),
            "uniform" => Ok(Self::Uniform),
            other => LearnedMethod::deserialize(StrDeserializer::<ValueError>::new(other))
                .map(Self::Learned)
                .map_err(|error| serde::de::Error::custom(format!("{error}, `decay`, `uniform`"))),
        }
    }
}

/// What is learned from closed actions, and what becomes of those that are closed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Learning {
    /// Whether to learn, and to use what was learned. Off, every action is credited by the prior.
    pub enabled: bool,
    /// Which closed actions are credited anew when a model replaces another. For learners that are to hear what is now
    /// known of old actions; each costs a version and a delivery.
    pub on_refit: OnRefit,
    /// For `open_window`: how long after its closing an action is credited anew, in seconds.
    pub open_window_secs: u64,
}

impl Default for Learning {
    fn default() -> Self {
        Self { enabled: true, on_refit: OnRefit::None, open_window_secs: 24 * 60 * 60 }
    }
}

/// Which closed actions are credited anew when a model replaces another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRefit {
    /// None: an attribution stays as it was made until somebody asks.
    #[default]
    None,
    /// Those that were closed not long ago.
    OpenWindow,
    /// All of the type.
    All,
}
