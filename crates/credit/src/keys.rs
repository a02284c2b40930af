//! Keys: what of a step counts as the same situation and the same decision in another action.
//!
//! The keys decide everything: a decisive step is found when its key marks it. Callers who know theirs give `state_key` and
//! `key`; for the others this is the best guess. Texts become 64-bit hashes (xxh3, which mixes well: a linear checksum
//! makes sums of hashes collide, and sparse regression then fails without a sign).

mod situation;

use std::borrow::Cow;
use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use self::situation::Situations;
use crate::StepFeatures;
use crate::mixed::BuildMixed;

/// Steps of an action that learning looks at; of a longer one the first and the last of them, half each.
pub(crate) const STEPS_MAX: usize = 4_096;

/// Characters of a text that still names a category.
const CATEGORY_CHARS_MAX: usize = 48;
/// Words of a text that still names a category.
const CATEGORY_WORDS_MAX: usize = 4;
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
    Situation = 8,
    Description = 9,
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
    /// The number of the situation in its action, and its features; `None` where nothing is known of it.
    pub(crate) situation: Option<(usize, Cow<'a, [u64]>)>,
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

/// The keys of an action's steps, in order; `say` hears each with its place in `steps`.
///
/// Decision: `key`; else the decision where it is categorical; else tool and arguments, as the decision names them; else
/// the description without digits and identifiers. Situation: `state_key`; else the state without identifiers, times
/// and free text, its numbers in buckets, unless one of its members is an echo of the decisions; else the previous decision.
/// O(bytes of the distinct states + steps).
pub(crate) fn action_keys(steps: &[StepFeatures<'_>], wants: Wants, say: &mut dyn FnMut(usize, StepKeys<'_>)) {
    let mut situations = Situations::default();
    let mut decisions = Decisions::default();
    let mut told = Vec::with_capacity(steps.len().min(STEPS_MAX));
    for (at, step) in steps.iter().enumerate().filter(|(at, _)| is_looked_at(*at, steps.len())) {
        let is_wanted = wants.features || step.state_key.is_none();
        let situation = step.state.filter(|_| is_wanted).and_then(|state| situations.of(state));
        told.push(Told { at, decision: decisions.of(step), situation });
    }
    let is_echo = situations.echoes(&told, steps, &decisions);
    let mut previous = None;
    for (told, is_echo) in told.into_iter().zip(is_echo) {
        let step = &steps[told.at];
        let situation = told.situation.filter(|_| !is_echo).map(|at| (at, situations.get(at)));
        let state_label: Cow<'_, str> = match (step.state_key, situation) {
            (Some(key), _) => key.into(),
            (None, Some((_, situation))) if !situation.label.is_empty() => situation.label.as_str().into(),
            (None, _) => format!("after {}", previous.unwrap_or("the beginning")).into(),
        };
        let Decision { label, hash: decision } = decisions.get(told.decision);
        let detail =
            if wants.details { combine(&[*decision, hash(Domain::Detail, step.decision.unwrap_or(label))]) } else { 0 };
        let state = hash(Domain::State, &state_label);
        previous = Some(&**label);
        let decision_label = Cow::Borrowed(&**label);
        let situation = situation.map(|(at, situation)| (at, Cow::Borrowed(&*situation.features)));
        say(told.at, StepKeys { state, state_label, decision: *decision, decision_label, detail, situation });
    }
}

/// What was told of one step: its place, and the numbers of its decision and situation.
struct Told {
    at: usize,
    decision: usize,
    situation: Option<usize>,
}

/// A decision's name.
struct Decision<'a> {
    label: Cow<'a, str>,
    hash: u64,
}

/// The decisions of one action: they repeat, and each distinct text is looked into once.
#[derive(Default)]
struct Decisions<'a> {
    list: Vec<Decision<'a>>,
    by_text: HashMap<u64, usize, BuildMixed>,
}

impl<'a> Decisions<'a> {
    /// The number of a step's decision.
    fn of(&mut self, step: &StepFeatures<'a>) -> usize {
        let text = match (step.key, step.decision) {
            (Some(key), _) => hash(Domain::Decision, key),
            (None, Some(decision)) => hash(Domain::Detail, decision),
            (None, None) => hash(Domain::Description, step.description),
        };
        *self.by_text.entry(text).or_insert_with(|| {
            let label = decision_label(step);
            self.list.push(Decision { hash: hash(Domain::Decision, &label), label });
            self.list.len() - 1
        })
    }

    fn get(&self, at: usize) -> &Decision<'a> {
        &self.list[at]
    }
}

/// Of a longer action the first and the last steps are looked at, half each.
fn is_looked_at(at: usize, n: usize) -> bool {
    n <= STEPS_MAX || !(STEPS_MAX / 2..n - STEPS_MAX / 2).contains(&at)
}

fn decision_label<'a>(step: &StepFeatures<'a>) -> Cow<'a, str> {
    match (step.key, step.decision) {
        (Some(key), _) => key.into(),
        (None, Some(decision)) if is_category(decision) || decision.contains(['(', '{']) => decision.into(),
        (None, Some(decision)) => without_identifiers(decision).into(),
        (None, None) => without_identifiers(step.description).into(),
    }
}

/// Whether a text names one of a few things, rather than saying something.
fn is_category(text: &str) -> bool {
    if text.is_ascii() {
        return text.len() <= CATEGORY_CHARS_MAX && is_ascii_category(text.as_bytes());
    }
    text.chars().count() <= CATEGORY_CHARS_MAX
        && text.split_whitespace().count() <= CATEGORY_WORDS_MAX
        && !is_identifier(text)
}

/// The same of words and identifiers in one pass, for most texts are ASCII.
fn is_ascii_category(text: &[u8]) -> bool {
    let (mut words, mut digits, mut letters) = (0, 0, 0);
    let (mut has_space, mut in_word) = (false, false);
    for byte in text {
        let is_space = char::from(*byte).is_whitespace();
        words += usize::from(!is_space && !in_word);
        in_word = !is_space;
        has_space |= *byte == b' ';
        digits += usize::from(byte.is_ascii_digit());
        letters += usize::from(byte.is_ascii_alphabetic());
    }
    let is_identifier = digits >= 4 || (digits >= 2 && letters >= 2 && text.len() >= 6 && !has_space);
    words <= CATEGORY_WORDS_MAX && !is_identifier
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

#[cfg(test)]
mod tests;
