//! Situations: what the states of an action's steps say.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Decisions, Domain, PATH, Told, hash, is_category};
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
pub(super) struct Situation<'a> {
    /// Its leaves, those that count.
    pub(super) label: String,
    pub(super) features: Vec<u64>,
    /// The state's own members that are texts.
    texts: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// The situations of one action: states repeat, and each distinct text is looked into once.
#[derive(Debug, Default)]
pub(super) struct Situations<'a> {
    list: Vec<Situation<'a>>,
    by_text: HashMap<u64, Option<usize>, BuildMixed>,
}

impl<'a> Situations<'a> {
    /// The number of the situation; `None` where the text is no JSON.
    pub(super) fn of(&mut self, state: &'a str) -> Option<usize> {
        let list = &mut self.list;
        // Equal hashes of 64 bits stand for equal texts here as everywhere.
        *self.by_text.entry(hash(Domain::Situation, state)).or_insert_with(|| {
            list.push(Situation::of(state)?);
            Some(list.len() - 1)
        })
    }

    pub(super) fn get(&self, at: usize) -> &Situation<'a> {
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
    pub(super) fn echoes(&self, told: &[Told], steps: &[StepFeatures<'_>], decisions: &Decisions<'_>) -> Vec<bool> {
        let texts = |told: &Told| told.situation.map_or(&[][..], |at| &self.list[at].texts);
        let label = |told: &Told| &*decisions.get(told.decision).label;
        // Per member that is a decision somewhere: whether it is everywhere, and whether it had another value.
        let mut members: Vec<(&str, bool, Option<&str>, bool)> = Vec::new();
        for told in told {
            for (name, text) in texts(told) {
                if text == label(told) && !members.iter().any(|member| member.0 == name) {
                    members.push((name, true, None, false));
                }
            }
        }
        if members.is_empty() {
            return vec![false; told.len()];
        }
        for told in told {
            for (name, text) in texts(told) {
                if let Some(member) = members.iter_mut().find(|member| member.0 == name) {
                    member.1 &= text == label(told);
                    member.3 |= member.2.is_some_and(|before| before != text);
                    member.2 = Some(text);
                }
            }
        }
        let is_echo = |told: &Told| {
            let is_echo = |name: &str| {
                let member = members.iter().find(|member| member.0 == name);
                member.is_some_and(|member| member.1 && (member.3 || steps[told.at].state_key.is_none()))
            };
            texts(told).iter().any(|(name, text)| text == label(told) && is_echo(name))
        };
        told.iter().map(is_echo).collect()
    }
}

impl<'a> Situation<'a> {
    /// `None` where the text is no JSON.
    fn of(state: &'a str) -> Option<Self> {
        let mut leaves = Leaves { label: String::with_capacity(state.len().min(256)), ..Leaves::default() };
        let mut json = serde_json::Deserializer::from_str(state);
        Walk { leaves: &mut leaves, depth: 0, name: None, counts: true }.deserialize(&mut json).ok()?;
        json.end().ok()?;
        let Leaves { features, label, texts, .. } = leaves;
        Some(Self { label, features, texts })
    }
}

#[derive(Default)]
struct Leaves<'a> {
    features: Vec<u64>,
    n: usize,
    /// What they say, one after the other.
    label: String,
    /// Where the walk is: names, each after a point.
    path: String,
    /// The state's own members that are texts.
    texts: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Leaves<'_> {
    fn leaf(&mut self, value: &str, is_category: bool) {
        if self.n > 0 {
            self.label.push(' ');
        }
        let start = self.label.len();
        self.label.push_str(self.path.trim_start_matches('.'));
        self.label.push('=');
        self.label.push_str(value);
        if is_category {
            self.features.push(feature(&self.path, self.label.get(start..).unwrap_or_default()));
        }
        self.n += 1;
    }
}

/// A member's name, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// One value of a state, taken in as it is read: the tree of values is never built, which would take longer than all else.
struct Walk<'a, 'de> {
    leaves: &'a mut Leaves<'de>,
    depth: usize,
    /// The name that the value has in the state itself.
    name: Option<Cow<'de, str>>,
    /// Whether it says something of the situation.
    counts: bool,
}

impl<'de> Walk<'_, 'de> {
    fn text<E>(mut self, text: Cow<'de, str>) -> Result<(), E> {
        let is_category = self.counts && is_category(&text);
        if is_category {
            self.leaves.leaf(&text, true);
        }
        if let Some(name) = self.name.take() {
            self.leaves.texts.push((name, text));
        }
        Ok(())
    }

    fn leaf<E>(self, value: &str, is_category: bool) -> Result<(), E> {
        if self.counts {
            self.leaves.leaf(value, is_category);
        }
        Ok(())
    }

    fn number<E>(self, number: f64) -> Result<(), E> {
        self.leaf(&bucket(number), number.fract() == 0.0 && number.abs() < 10.0)
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        let n = self.leaves.n.max(self.leaves.features.len());
        self.counts &= self.depth <= DEPTH_MAX && n < FEATURES_MAX;
        // Of what does not count only the state's own texts are of use.
        if self.counts || self.name.is_some() {
            deserializer.deserialize_any(self)
        } else {
            IgnoredAny::deserialize(deserializer).map(drop)
        }
    }
}

impl<'de> Visitor<'de> for Walk<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let n_bytes = self.leaves.path.len();
        while let Some(Name(name)) = members.next_key::<Name<'de>>()? {
            self.leaves.path.push('.');
            self.leaves.path.push_str(&name);
            let counts = self.counts && !is_ignored(&name);
            let name = (self.depth == 0).then_some(name);
            let walk = Walk { leaves: &mut *self.leaves, depth: self.depth + 1, name, counts };
            members.next_value_seed(walk)?;
            self.leaves.path.truncate(n_bytes);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let n_bytes = self.leaves.path.len();
        for index in 0_usize.. {
            self.leaves.path.push('.');
            self.leaves.path.push_str(&index.to_string());
            let walk = Walk { leaves: &mut *self.leaves, depth: self.depth + 1, name: None, counts: self.counts };
            let item = items.next_element_seed(walk)?;
            self.leaves.path.truncate(n_bytes);
            if item.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.text(text.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.text(text.to_owned().into())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.leaf(if value { "true" } else { "false" }, true)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.leaf("null", true)
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.number(number as f64)
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.number(number as f64)
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.number(number)
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
