//! Methods by name, with their options. What is not in [`METHODS`] cannot be asked for anywhere.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{CreditMethod, Decay, First, Last, Uniform};

/// A method that can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MethodInfo {
    /// The name, everywhere: in the configuration, in queries, in attributions.
    pub name: &'static str,
    /// What it does, in a few words.
    pub what: &'static str,
    /// What can be set.
    pub options: &'static [MethodOption],
}

/// A number that can be set for a method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MethodOption {
    /// The name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub what: &'static str,
    /// Its value where it is not given.
    pub default: f64,
    /// The least value that is allowed.
    pub min: f64,
    /// The largest value that is allowed.
    pub max: f64,
}

const fn info(name: &'static str, what: &'static str, options: &'static [MethodOption]) -> MethodInfo {
    MethodInfo { name, what, options }
}

const fn lambda(default: f64) -> MethodOption {
    MethodOption { name: "lambda", what: "how far a step answers for what follows it", default, min: 0.0, max: 1.0 }
}

const TD_LAMBDA: MethodOption = lambda(0.9);
const GAE: MethodOption = lambda(0.95);
const GIGPO: MethodOption = MethodOption {
    name: "weight",
    what: "how much the comparison within a situation counts beside that of whole actions",
    default: 1.0,
    min: 0.0,
    max: 100.0,
};

/// Every method that can be asked for, the default first.
pub const METHODS: [MethodInfo; 14] = [
    info("auto", "chooses among td_ce, sdae, ridge_rd and decay by evidence", &[]),
    info("decay", "later and more confident steps earn more", &[]),
    info("uniform", "all steps earn the same", &[]),
    info("first", "the first step earns everything", &[]),
    info("last", "the last step earns everything", &[]),
    info("mc", "what came, against the mean from the same situation", &[]),
    info("td_lambda", "the change of the expected reward from situation to situation", &[TD_LAMBDA]),
    info("gae", "generalised advantages on the means of situations", &[GAE]),
    info("gigpo", "the action among attempts at its goal, and the step among visits of its situation", &[GIGPO]),
    info("td_ce", "certainty equivalence on counts of situations and decisions", &[]),
    info("sdae", "the few decisions that go with the reward", &[]),
    info("ridge_rd", "the reward split over free-form decisions", &[]),
    info("hca", "decisions that their outcome makes more likely", &[]),
    info("ochiai", "decisions found where actions fail", &[]),
];

/// The names of [`METHODS`], in their order.
pub const METHOD_NAMES: [&str; METHODS.len()] = {
    let mut names = [""; METHODS.len()];
    let mut at = 0;
    while at < METHODS.len() {
        names[at] = METHODS[at].name;
        at += 1;
    }
    names
};

/// A method with its options: how credit is shared out among steps.
///
/// Written as its name or, with options that are not the default ones, as an object: `"gae"`,
/// `{"name": "gae", "lambda": 0.9}`. Its [`Display`](fmt::Display) form names every option: `gae(lambda=0.9)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Later steps earn more, and confident ones. Knows nothing of other actions.
    Decay,
    /// All steps earn the same.
    Uniform,
    /// The first step earns everything.
    First,
    /// The last step earns everything.
    Last,
    /// What was learned from other actions of the type.
    Learned(LearnedMethod),
}

/// A method that learns, or the rule that chooses among them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum LearnedMethod {
    /// Chooses by evidence.
    #[default]
    Auto,
    /// Every-visit Monte Carlo: [`Mc`](crate::Mc).
    Mc,
    /// Batch TD(λ): [`TdLambda`](crate::TdLambda).
    TdLambda {
        /// λ, in \[0, 1\].
        lambda: f64,
    },
    /// Generalised advantage estimation: [`Gae`](crate::Gae).
    Gae {
        /// λ, in \[0, 1\].
        lambda: f64,
    },
    /// Group-in-group: [`Gigpo`](crate::Gigpo), the attempts at one goal being a group.
    Gigpo {
        /// ω, in \[0, 100\].
        weight: f64,
    },
    /// Certainty equivalence.
    TdCe,
    /// Sparse direct advantage estimation.
    Sdae,
    /// Return decomposition by ridge regression, for free-form decisions.
    RidgeRd,
    /// Hindsight credit: [`Hca`](crate::Hca).
    Hca,
    /// Spectrum-based fault localisation: [`Ochiai`](crate::Ochiai).
    Ochiai,
}

/// What is asked for is no method, or not one with these options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// No method has this name.
    #[error("`{name}` is no credit method; there are {}", listed(METHOD_NAMES))]
    UnknownName {
        /// What was given, its first 64 characters.
        name: String,
    },
    /// The method has no such option.
    #[error("`{method}` has no option `{option}`; {}", takes(.method))]
    UnknownOption {
        /// The method.
        method: &'static str,
        /// What was given, its first 64 characters.
        option: String,
    },
    /// The option is given twice.
    #[error("`{option}` is given more than once")]
    Repeated {
        /// The option.
        option: &'static str,
    },
    /// The option cannot have this value.
    #[error("`{option}` of `{method}` must be a number from {} to {}", bounds(.method, .option).0, bounds(.method, .option).1)]
    OutOfRange {
        /// The method.
        method: &'static str,
        /// The option.
        option: &'static str,
    },
}

fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn takes(method: &str) -> String {
    match options_of(method) {
        [] => "it takes none".to_owned(),
        options => format!("it takes {}", listed(options.iter().map(|option| option.name))),
    }
}

fn bounds(method: &str, option: &str) -> (f64, f64) {
    let option = options_of(method).iter().find(|known| known.name == option);
    option.map_or((f64::NEG_INFINITY, f64::INFINITY), |option| (option.min, option.max))
}

fn options_of(method: &str) -> &'static [MethodOption] {
    METHODS.iter().find(|known| known.name == method).map_or(&[], |known| known.options)
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

impl Method {
    /// The method of this name with these options, the others at their defaults.
    ///
    /// # Errors
    /// When there is no such method, it has no such option, or a value is not allowed; the message says what is.
    pub fn new<'a>(name: &str, options: impl IntoIterator<Item = (&'a str, f64)>) -> Result<Self, MethodError> {
        let Some(info) = METHODS.iter().find(|known| known.name == name) else {
            return Err(MethodError::UnknownName { name: cut(name) });
        };
        let mut values: Vec<Option<f64>> = vec![None; info.options.len()];
        for (option, value) in options {
            let Some(at) = info.options.iter().position(|known| known.name == option) else {
                return Err(MethodError::UnknownOption { method: info.name, option: cut(option) });
            };
            let MethodOption { name: option, min, max, .. } = info.options[at];
            if !(min..=max).contains(&value) {
                return Err(MethodError::OutOfRange { method: info.name, option });
            }
            if values[at].replace(value).is_some() {
                return Err(MethodError::Repeated { option });
            }
        }
        let value = |at: usize| values.get(at).copied().flatten().unwrap_or_else(|| info.options[at].default);
        Ok(match name {
            "decay" => Self::Decay,
            "uniform" => Self::Uniform,
            "first" => Self::First,
            "last" => Self::Last,
            "mc" => Self::Learned(LearnedMethod::Mc),
            "td_lambda" => Self::Learned(LearnedMethod::TdLambda { lambda: value(0) }),
            "gae" => Self::Learned(LearnedMethod::Gae { lambda: value(0) }),
            "gigpo" => Self::Learned(LearnedMethod::Gigpo { weight: value(0) }),
            "td_ce" => Self::Learned(LearnedMethod::TdCe),
            "sdae" => Self::Learned(LearnedMethod::Sdae),
            "ridge_rd" => Self::Learned(LearnedMethod::RidgeRd),
            "hca" => Self::Learned(LearnedMethod::Hca),
            "ochiai" => Self::Learned(LearnedMethod::Ochiai),
            _ => Self::Learned(LearnedMethod::Auto),
        })
    }

    /// The name, without options.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decay => "decay",
            Self::Uniform => "uniform",
            Self::First => "first",
            Self::Last => "last",
            Self::Learned(method) => method.name(),
        }
    }

    /// Every option with its value, in the order of [`METHODS`].
    #[must_use]
    pub fn options(self) -> Vec<(&'static str, f64)> {
        let values = match self {
            Self::Learned(LearnedMethod::TdLambda { lambda } | LearnedMethod::Gae { lambda }) => vec![lambda],
            Self::Learned(LearnedMethod::Gigpo { weight }) => vec![weight],
            _ => Vec::new(),
        };
        options_of(self.name()).iter().map(|option| option.name).zip(values).collect()
    }

    /// Whether the options are such as may be asked for.
    ///
    /// # Errors
    /// When a value is out of its range.
    pub fn validate(self) -> Result<(), MethodError> {
        Self::new(self.name(), self.options()).map(drop)
    }

    /// The method that learns, where it is one.
    #[must_use]
    pub const fn learned(self) -> Option<LearnedMethod> {
        match self {
            Self::Learned(method) => Some(method),
            Self::Decay | Self::Uniform | Self::First | Self::Last => None,
        }
    }

    /// What shares out where nothing was learned: the method itself where it never learns, else [`Decay`].
    #[must_use]
    pub fn prior(self) -> &'static dyn CreditMethod {
        match self {
            Self::Uniform => &Uniform,
            Self::First => &First,
            Self::Last => &Last,
            Self::Decay | Self::Learned(_) => &Decay,
        }
    }
}

impl LearnedMethod {
    /// The name, without options.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Mc => "mc",
            Self::TdLambda { .. } => "td_lambda",
            Self::Gae { .. } => "gae",
            Self::Gigpo { .. } => "gigpo",
            Self::TdCe => "td_ce",
            Self::Sdae => "sdae",
            Self::RidgeRd => "ridge_rd",
            Self::Hca => "hca",
            Self::Ochiai => "ochiai",
        }
    }
}

impl Default for Method {
    fn default() -> Self {
        Self::Learned(LearnedMethod::default())
    }
}

/// The name with every option: `auto`, `gae(lambda=0.95)`.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        for (at, (option, value)) in self.options().into_iter().enumerate() {
            write!(f, "{}{option}={value}", if at == 0 { "(" } else { ", " })?;
        }
        if self.options().is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if Self::new(self.name(), []).is_ok_and(|plain| plain == *self) {
            return serializer.serialize_str(self.name());
        }
        let options = self.options();
        let mut map = serializer.serialize_map(Some(options.len() + 1))?;
        map.serialize_entry("name", self.name())?;
        for (option, value) in options {
            map.serialize_entry(option, &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;

        impl<'de> Visitor<'de> for NameOrTable {
            type Value = Method;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a credit method, or a table with `name` and its options")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Method, E> {
                Method::new(name, []).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Method, A::Error> {
                let mut name: Option<String> = None;
                let mut options: Vec<(String, f64)> = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "name" => name = Some(map.next_value()?),
                        _ => options.push((key, map.next_value()?)),
                    }
                }
                let name = name.ok_or_else(|| A::Error::missing_field("name"))?;
                let options = options.iter().map(|(option, value)| (option.as_str(), *value));
                Method::new(&name, options).map_err(A::Error::custom)
            }
        }

        deserializer.deserialize_any(NameOrTable)
    }
}

#[cfg(test)]
mod tests;
