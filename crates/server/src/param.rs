//! Query parameters: described once, for reading and for the OpenAPI document.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Display;
use std::str::FromStr;

use accredit::Timestamp;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Value, json};

use crate::problem::Problem;

/// A parameter in the query or a header.
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) kind: Kind,
}

/// What a parameter holds.
pub(crate) enum Kind {
    Text,
    Count { min: u64, max: u64, default: Option<u64> },
    Seconds { max: f64 },
    Number { min: f64, max: f64 },
    Time,
    OneOf(&'static [&'static str]),
}

impl Kind {
    /// Its JSON Schema.
    pub(crate) fn schema(&self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Count { min, max, default: None } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Self::Count { min, max, default } => {
                json!({ "type": "integer", "minimum": min, "maximum": max, "default": default })
            }
            Self::Seconds { max } => json!({ "type": "number", "minimum": 0, "maximum": max, "default": 0 }),
            Self::Number { min, max } => json!({ "type": "number", "minimum": min, "maximum": max }),
            Self::Time => json!({ "$ref": "#/components/schemas/Timestamp" }),
            Self::OneOf(values) => json!({ "type": "string", "enum": values }),
        }
    }
}

/// The query of a request, decoded.
pub(crate) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query()))
    }
}

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// Refuses names that are not among `known` and names given twice.
    pub(crate) fn check(&self, known: &[Param]) -> Result<(), Problem> {
        let mut seen = BTreeSet::new();
        for (name, _) in &self.0 {
            if !known.iter().any(|param| param.name == name) {
                return Err(unknown(name, known));
            }
            if !seen.insert(name) {
                return Err(invalid(name, "given more than once"));
            }
        }
        Ok(())
    }

    pub(crate) fn text(&self, param: &Param) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == param.name).map(|(_, value)| value.as_str())
    }

    /// The value of a [`Kind::Count`], or its default.
    pub(crate) fn count(&self, param: &Param) -> Result<Option<u64>, Problem> {
        let Kind::Count { min, max, default } = param.kind else { return Ok(None) };
        let Some(text) = self.text(param) else { return Ok(default) };
        match text.parse() {
            Ok(count) if (min..=max).contains(&count) => Ok(Some(count)),
            _ => Err(invalid(param.name, format!("not a whole number from {min} to {max}"))),
        }
    }

    /// The value of a [`Kind::Count`] as a size.
    pub(crate) fn size(&self, param: &Param) -> Result<usize, Problem> {
        Ok(self.count(param)?.and_then(|count| count.try_into().ok()).unwrap_or(usize::MAX))
    }

    /// The value of a [`Kind::Seconds`]; 0 where it is not given.
    pub(crate) fn seconds(&self, param: &Param) -> Result<f64, Problem> {
        let Kind::Seconds { max } = param.kind else { return Ok(0.0) };
        let Some(text) = self.text(param) else { return Ok(0.0) };
        match text.parse() {
            Ok(seconds) if (0.0..=max).contains(&seconds) => Ok(seconds),
            _ => Err(invalid(param.name, format!("not a number of seconds from 0 to {max}"))),
        }
    }

    /// The value of a [`Kind::Number`].
    pub(crate) fn number(&self, param: &Param) -> Result<Option<f64>, Problem> {
        let Kind::Number { min, max } = param.kind else { return Ok(None) };
        let Some(text) = self.text(param) else { return Ok(None) };
        match text.parse() {
            Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => Err(invalid(param.name, format!("not a number from {min} to {max}"))),
        }
    }

    pub(crate) fn time(&self, param: &Param) -> Result<Option<Timestamp>, Problem> {
        let read = |text| Timestamp::from_str(text).map_err(|error| invalid(param.name, error));
        self.text(param).map(read).transpose()
    }

    /// The value of a [`Kind::OneOf`], as `read` understands it.
    pub(crate) fn one_of<T>(&self, param: &Param, read: fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(param) else { return Ok(None) };
        let Kind::OneOf(values) = param.kind else { return Ok(None) };
        read(text).map(Some).ok_or_else(|| invalid(param.name, format!("not one of {}", values.join(", "))))
    }
}

pub(crate) fn invalid(name: &str, why: impl Display) -> Problem {
    Problem::bad_request("invalid_parameter", format!("parameter `{name}`: {why}"))
}

fn unknown(name: &str, known: &[Param]) -> Problem {
    let name: String = name.chars().take(64).collect();
    let known: Vec<&str> = known.iter().map(|param| param.name).collect();
    let takes = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Problem::bad_request("invalid_parameter", format!("unknown parameter `{name}`; this call takes {takes}"))
}
