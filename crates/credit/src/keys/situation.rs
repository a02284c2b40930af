//! Situations: what the states of an action's steps say.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;

use super::{Domain, PATH, hash, is_category};
use crate::StepFeatures;
use crate::mixed::BuildMixed;

/// Features of one step at most; the first ones count.
pub(super) const FEATURES_MAX: usize = 160;

/// Nesting of a state that is looked at.
pub(super) const DEPTH_MAX: usize = 6;

/// Last parts of paths whose values tell one action from another and nothing of the situation.
const IGNORED: [&str; 12] =
    ["id", "uuid", "guid", "time", "timestamp", "date", "datetime", "nonce", "seed", "token", "hash", "said"];
/// Endings of such names.
const IGNORED_ENDINGS: [&str; 5] = ["_id", "_at", "_time", "_uuid", "_ts"];

/// What one state says.
#[derive(Debug, Default)]
pub(super) struct Situation {
    /// Its leaves, those that count.
    pub(super) label: String,
    pub(super) features: Vec<u64>,
    /// The state's own members that are texts.
    texts: Vec<(String, String)>,
}

/// The situations of one action: states repeat, and each distinct text is looked into once.
#[derive(Debug, Default)]
pub(super) struct Situations {
    list: Vec<Situation>,
    by_text: HashMap<u64, Option<usize>, BuildMixed>,
}

impl Situations {
    /// The number of the situation; `None` where the text is no JSON.
    pub(super) fn of(&mut self, state: &str) -> Option<usize> {
        let list = &mut self.list;
        // Equal hashes of 64 bits stand for equal texts here as everywhere.
        *self.by_text.entry(hash(Domain::Situation, state)).or_insert_with(|| {
            list.push(Situation::of(serde_json::from_str::<Value>(state).ok()?));
            Some(list.len() - 1)
        })
    }

    pub(super) fn get(&self, at: usize) -> &Situation {
        &self.list[at]
    }

    /// Per step whether its state tells what was done, not the situation in which it was chosen: seen so, no other decision
    /// was ever made there.
    ///
    /// It does where a member of the state is the decision, and an echo: in every state of the action that has it, it is
    /// the decision of that step. A member that is another text once shows something of its own, and is the decision by
    /// chance where the two are equal. Where the caller named the situation, an echo must also have had two values: one
    /// that never changed while the decision was the same may be either, and what the situation's name leaves out is
    /// then kept. O(steps · members).
    pub(super) fn echoes(
        &self,
        told: &[(usize, Cow<'_, str>, Option<usize>)],
        steps: &[StepFeatures<'_>],
    ) -> Vec<bool> {
        let naming = |situation: usize, label: &str| {
            let texts = self.list[situation].texts.iter().filter(move |(_, text)| text == label);
            texts.map(|(name, _)| name.as_str()).collect::<Vec<&str>>()
        };
        // Per member that is a decision somewhere: whether it is everywhere, and whether it had another value.
        let mut members: Vec<(&str, bool, Option<&str>, bool)> = Vec::new();
        for (_, label, situation) in told {
            for name in situation.map_or_else(Vec::new, |at| naming(at, label)) {
                if !members.iter().any(|member| member.0 == name) {
                    members.push((name, true, None, false));
                }
            }
        }
        if members.is_empty() {
            return vec![false; told.len()];
        }
        for (_, label, situation) in told {
            let Some(situation) = situation else { continue };
            for (name, text) in &self.list[*situation].texts {
                if let Some(member) = members.iter_mut().find(|member| member.0 == name) {
                    member.1 &= text == label;
                    member.3 |= member.2.is_some_and(|before| before != text);
                    member.2 = Some(text);
                }
            }
        }
        let is_echo = |(at, label, situation): &(usize, Cow<'_, str>, Option<usize>)| {
            let names = situation.map_or_else(Vec::new, |at| naming(at, label));
            let is_echo = |name: &str| {
                let member = members.iter().find(|member| member.0 == name);
                member.is_some_and(|member| member.1 && (member.3 || steps[*at].state_key.is_none()))
            };
            names.into_iter().any(is_echo)
        };
        told.iter().map(is_echo).collect()
    }
}

impl Situation {
    fn of(state: Value) -> Self {
        let mut leaves = Leaves::default();
        leaves.walk(&mut String::new(), &state, 0);
        let Value::Object(members) = state else {
            return Self { label: leaves.label, features: leaves.features, texts: Vec::new() };
        };
        let text = |(name, value): (String, Value)| match value {
            Value::String(text) => Some((name, text)),
            _ => None,
        };
        Self { label: leaves.label, features: leaves.features, texts: members.into_iter().filter_map(text).collect() }
    }
}

#[derive(Default)]
struct Leaves {
    features: Vec<u64>,
    n: usize,
    /// What they say, one after the other.
    label: String,
}

impl Leaves {
    /// `path` is as it was when this returns.
    fn walk(&mut self, path: &mut String, value: &Value, depth: usize) {
        if depth > DEPTH_MAX || self.features.len() >= FEATURES_MAX || self.n >= FEATURES_MAX {
            return;
        }
        let n_bytes = path.len();
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    if !is_ignored(name) {
                        path.push('.');
                        path.push_str(name);
                        self.walk(path, value, depth + 1);
                        path.truncate(n_bytes);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push('.');
                    path.push_str(&index.to_string());
                    self.walk(path, item, depth + 1);
                    path.truncate(n_bytes);
                }
            }
            Value::String(text) if is_category(text) => self.leaf(path, text, true),
            Value::String(_) => {}
            Value::Bool(value) => self.leaf(path, if *value { "true" } else { "false" }, true),
            Value::Null => self.leaf(path, "null", true),
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or_default();
                self.leaf(path, &bucket(number), number.fract() == 0.0 && number.abs() < 10.0);
            }
        }
    }

    fn leaf(&mut self, path: &str, value: &str, is_category: bool) {
        if self.n > 0 {
            self.label.push(' ');
        }
        let start = self.label.len();
        self.label.push_str(path.trim_start_matches('.'));
        self.label.push('=');
        self.label.push_str(value);
        if is_category {
            self.features.push(feature(path, self.label.get(start..).unwrap_or_default()));
        }
        self.n += 1;
    }
}

/// The upper half names the path, the lower one the value there, so that values of one path are known as such.
fn feature(path: &str, text: &str) -> u64 {
    (hash(Domain::Feature, path) & PATH) | (hash(Domain::Feature, text) >> 32)
}

fn is_ignored(name: &str) -> bool {
    if name.is_ascii() {
        let name = name.as_bytes();
        let ends = |ending: &str| {
            let start = name.len().checked_sub(ending.len());
            start.is_some_and(|start| name[start..].eq_ignore_ascii_case(ending.as_bytes()))
        };
        return IGNORED.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
            || IGNORED_ENDINGS.iter().copied().any(ends);
    }
    let name = name.to_lowercase();
    IGNORED.contains(&name.as_str()) || IGNORED_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whole numbers below 10 as they are, shares in tenths, others by their power of two.
pub(super) fn bucket(number: f64) -> String {
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
