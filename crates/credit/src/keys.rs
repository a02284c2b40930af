//! Keys: what of a step counts as the same situation and the same decision in another action.
//!
//! The keys decide everything: a decisive step is found when its key marks it. Callers who know theirs give `state_key` and
//! `key`; for the others this is the best guess. Texts become 64-bit hashes (xxh3, which mixes well: a linear checksum
//! makes sums of hashes collide, and sparse regression then fails without a sign).

use std::borrow::Cow;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::StepFeatures;

/// Features of one step at most; the first ones count.
pub(crate) const FEATURES_MAX: usize = 160;

/// Characters of a text that still names a category.
const CATEGORY_CHARS_MAX: usize = 48;
/// Words of a text that still names a category.
const CATEGORY_WORDS_MAX: usize = 4;
/// Nesting of a state that is looked at.
const DEPTH_MAX: usize = 6;

/// Last parts of paths whose values tell one action from another and nothing of the situation.
const IGNORED: [&str; 12] =
    ["id", "uuid", "guid", "time", "timestamp", "date", "datetime", "nonce", "seed", "token", "hash", "said"];
/// Endings of such names.
const IGNORED_ENDINGS: [&str; 5] = ["_id", "_at", "_time", "_uuid", "_ts"];

/// The part of a feature's hash that names its path.
pub(crate) const PATH: u64 = 0xffff_ffff_0000_0000;

/// What a hash is of: the same text as a decision and as a state are two keys.
#[derive(Clone, Copy)]
pub(crate) enum Domain {
    State = 1,
    Decision = 2,
    Detail = 3,
    Feature = 4,
    Goal = 5,
    Agent = 6,
    Column = 7,
}

pub(crate) fn hash(domain: Domain, text: &str) -> u64 {
    xxh3_64_with_seed(text.as_bytes(), domain as u64)
}

/// Several hashes in one, in order.
pub(crate) fn combine(parts: &[u64]) -> u64 {
    let bytes_of = |parts: &[u64], bytes: &mut [u8]| {
        for (part, bytes) in parts.iter().zip(bytes.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&part.to_le_bytes());
        }
    };
    // Most are of two, and no memory is worth asking for.
    if parts.len() <= 4 {
        let mut bytes = [0; 32];
        bytes_of(parts, &mut bytes);
        return xxh3_64_with_seed(bytes.get(..parts.len() * 8).unwrap_or_default(), Domain::Column as u64);
    }
    let mut bytes = vec![0; parts.len() * 8];
    bytes_of(parts, &mut bytes);
    xxh3_64_with_seed(&bytes, Domain::Column as u64)
}

/// The keys of one step, as text where people will read them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepKeys<'a> {
    pub(crate) state: u64,
    pub(crate) state_label: Cow<'a, str>,
    pub(crate) decision: u64,
    pub(crate) decision_label: Cow<'a, str>,
    pub(crate) detail: u64,
    pub(crate) features: Vec<u64>,
}

/// What of the keys is wanted: the rest is left out, for looking into every state takes most of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wants {
    /// The parts of the situation.
    pub(crate) features: bool,
    /// The decision with its arguments.
    pub(crate) details: bool,
}

impl Wants {
    pub(crate) const ALL: Self = Self { features: true, details: true };
}

/// The keys of a step; `previous` is the decision before it, which stands for a situation that nobody described.
///
/// Decision: `key`; else the decision where it is categorical; else tool and arguments, as the decision names them; else
/// the description without digits and identifiers. Situation: `state_key`; else the state without identifiers, times
/// and free text, its numbers in buckets, unless one of its fields is the decision itself; else the previous decision.
/// O(bytes of the state).
pub(crate) fn step_keys<'a>(step: &StepFeatures<'a>, previous: Option<&str>, wants: Wants) -> StepKeys<'a> {
    let decision_label: Cow<'a, str> = match (step.key, step.decision) {
        (Some(key), _) => key.into(),
        (None, Some(decision)) if is_category(decision) || decision.contains(['(', '{']) => decision.into(),
        (None, Some(decision)) => without_identifiers(decision).into(),
        (None, None) => without_identifiers(step.description).into(),
    };
    let mut leaves = Leaves::default();
    let is_state_wanted = wants.features || step.state_key.is_none();
    let state = step.state.filter(|_| is_state_wanted).and_then(|state| serde_json::from_str::<Value>(state).ok());
    // A state that names the decision tells what was done, not the situation in which it was chosen: seen so, no other
    // decision was ever made there.
    if let Some(state) = state.filter(|state| !names(state, &decision_label)) {
        leaves.walk("", &state, 0);
    }
    let state_label: Cow<'a, str> = match step.state_key {
        Some(key) => key.into(),
        None if !leaves.situation.is_empty() => leaves.situation.join(" ").into(),
        None => format!("after {}", previous.unwrap_or("the beginning")).into(),
    };
    let decision = hash(Domain::Decision, &decision_label);
    let detail = match step.decision {
        _ if !wants.details => 0,
        Some(arguments) => combine(&[decision, hash(Domain::Detail, arguments)]),
        None => combine(&[decision, hash(Domain::Detail, &without_identifiers(step.description))]),
    };
    StepKeys {
        state: hash(Domain::State, &state_label),
        decision,
        detail,
        features: leaves.features,
        state_label,
        decision_label,
    }
}

/// Whether a state has the text as the value of one of its own fields.
fn names(state: &Value, text: &str) -> bool {
    state.as_object().is_some_and(|state| state.values().any(|value| value.as_str() == Some(text)))
}

/// Whether a text names one of a few things, rather than saying something.
fn is_category(text: &str) -> bool {
    text.chars().count() <= CATEGORY_CHARS_MAX
        && text.split_whitespace().count() <= CATEGORY_WORDS_MAX
        && !is_identifier(text)
}

/// Whether a word is an identifier: long digits, hexadecimal, a UUID, a time.
fn is_identifier(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    digits >= 4 || (digits >= 2 && letters >= 2 && word.len() >= 6 && !word.contains(' '))
}

/// The words of a text in lower case, without those that are or hold numbers.
fn without_identifiers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(256));
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
        if word.is_empty() || word.chars().any(|c| c.is_ascii_digit()) {
            continue;
        }
        if kept.len() > 240 {
            break;
        }
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.extend(word.chars().flat_map(char::to_lowercase));
    }
    kept
}

#[derive(Default)]
struct Leaves {
    features: Vec<u64>,
    situation: Vec<String>,
}

impl Leaves {
    fn walk(&mut self, path: &str, value: &Value, depth: usize) {
        if depth > DEPTH_MAX || self.features.len() >= FEATURES_MAX || self.situation.len() >= FEATURES_MAX {
            return;
        }
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    if !is_ignored(name) {
                        self.walk(&format!("{path}.{name}"), value, depth + 1);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.walk(&format!("{path}.{index}"), item, depth + 1);
                }
            }
            Value::String(text) if is_category(text) => self.leaf(path, text, true),
            Value::String(_) => {}
            Value::Bool(_) | Value::Null => self.leaf(path, &value.to_string(), true),
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or_default();
                self.leaf(path, &bucket(number), number.fract() == 0.0 && number.abs() < 10.0);
            }
        }
    }

    fn leaf(&mut self, path: &str, value: &str, is_category: bool) {
        let text = format!("{}={value}", path.trim_start_matches('.'));
        if is_category {
            self.features.push(feature(path, &text));
        }
        self.situation.push(text);
    }
}

/// The upper half names the path, the lower one the value there, so that values of one path are known as such.
fn feature(path: &str, text: &str) -> u64 {
    (hash(Domain::Feature, path) & PATH) | (hash(Domain::Feature, text) >> 32)
}

fn is_ignored(name: &str) -> bool {
    let name = name.to_lowercase();
    IGNORED.contains(&name.as_str()) || IGNORED_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whole numbers below 10 as they are, shares in tenths, others by their power of two.
fn bucket(number: f64) -> String {
    // Of the two zeros the positive one.
    let number = number + 0.0;
    if number.fract() == 0.0 && number.abs() < 10.0 {
        format!("{number}")
    } else if number.abs() <= 1.0 {
        format!("{:.1}", number)
    } else {
        format!("{}2^{}", if number < 0.0 { "-" } else { "" }, number.abs().log2().floor())
    }
}

#[cfg(test)]
mod tests;
