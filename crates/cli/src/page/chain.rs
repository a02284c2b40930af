//! A chain as a person looks at it: each step with what grounds it and with its share.

use std::collections::HashMap;

use accredit_model::{Attribution, Entry, Observation, Step};

use crate::import::is_error;
use crate::text;

/// One step with everything that belongs to it.
pub(crate) struct StepView<'a> {
    /// Its index among the steps.
    pub(crate) index: usize,
    /// Its entry.
    pub(crate) entry: &'a Entry,
    /// What the agent said.
    pub(crate) step: &'a Step,
    /// Its share of the outcome, where the action is closed.
    pub(crate) credit: Option<f64>,
    /// Its signed contribution, where the action is closed.
    pub(crate) advantage: Option<f64>,
    /// Whether people or judges gave it a score, which is what its credit rests on.
    pub(crate) judged: bool,
    /// The observations that ground it.
    pub(crate) grounds: Vec<(&'a Entry, &'a Observation)>,
}

/// The mark of a step that changed the world.
pub(crate) const WROTE: &str = "●";

/// The mark behind the number of a step that was judged.
pub(crate) const JUDGED: &str = "◆";

/// The mark of a step of which an observation says that it went wrong.
pub(crate) const FAILED: &str = "✗";

impl<'a> StepView<'a> {
    /// Whether it changed the world.
    pub(crate) fn wrote(&self) -> bool {
        self.step.effect == Some(true)
    }

    /// The observation that says that it went wrong.
    pub(crate) fn error(&self) -> Option<&'a Observation> {
        self.grounds.iter().map(|(_, observation)| *observation).find(|observation| is_error(observation))
    }

    /// The mark in the margin.
    pub(crate) fn mark(&self) -> &'static str {
        match (self.error().is_some(), self.wrote()) {
            (true, _) => FAILED,
            (false, true) => WROTE,
            (false, false) => " ",
        }
    }

    /// Its name: the key, else the decision where it is short, else nothing.
    pub(crate) fn name(&self) -> &'a str {
        let short = |text: &&str| text.chars().nth(24).is_none();
        self.step.key.as_deref().or_else(|| self.step.decision.as_deref().filter(short)).unwrap_or_default()
    }

    /// What there is to say beside the name: the description, without the name where it begins with it.
    pub(crate) fn words(&self, columns: usize) -> String {
        let description = self.step.description.as_str();
        let name = self.name();
        let rest = if name.is_empty() { None } else { description.strip_prefix(name) };
        match rest {
            Some(rest) if rest.starts_with('(') && rest.ends_with([')', '…']) => {
                let inner = rest.trim_start_matches('(');
                text::line(inner.strip_suffix(')').unwrap_or(inner), columns)
            }
            Some(rest) if !rest.starts_with(char::is_alphanumeric) => {
                text::line(rest.trim_start_matches([':', ' ']), columns)
            }
            _ => text::line(description, columns),
        }
    }
}

/// Steps and free observations in the order of the chain.
pub(crate) enum Block<'a> {
    /// A step, with the observations that ground it.
    Step(StepView<'a>),
    /// An observation that grounds no step.
    Observation(&'a Entry, &'a Observation),
}

/// The chain in blocks.
pub(crate) fn blocks<'a>(chain: &'a [Entry], attribution: Option<&Attribution>) -> Vec<Block<'a>> {
    let n_steps = chain.iter().filter(|entry| entry.step().is_some()).count() as u64;
    let mut grounds: HashMap<u64, Vec<(&Entry, &Observation)>> = HashMap::new();
    for entry in chain {
        if let Some(observation) = entry.observation()
            && let Some(step) = observation.step.filter(|step| *step < n_steps)
        {
            grounds.entry(step).or_default().push((entry, observation));
        }
    }
    let mut blocks = Vec::new();
    let mut index = 0;
    for entry in chain {
        if let Some(step) = entry.step() {
            blocks.push(Block::Step(StepView {
                index,
                entry,
                step,
                credit: attribution.and_then(|it| it.credits.get(index)).copied(),
                advantage: attribution.and_then(|it| it.advantages.get(index)).copied(),
                judged: attribution.is_some_and(|it| it.judged.binary_search(&(index as u64)).is_ok()),
                grounds: grounds.remove(&(index as u64)).unwrap_or_default(),
            }));
            index += 1;
        } else if let Some(observation) = entry.observation().filter(|it| it.step.is_none_or(|step| step >= n_steps)) {
            blocks.push(Block::Observation(entry, observation));
        }
    }
    blocks
}

/// The steps alone.
pub(crate) fn steps<'a>(chain: &'a [Entry], attribution: &Attribution) -> Vec<StepView<'a>> {
    let steps = blocks(chain, Some(attribution)).into_iter().filter_map(|block| match block {
        Block::Step(step) => Some(step),
        Block::Observation(..) => None,
    });
    steps.collect()
}

/// An observation's data on one line; a text without its quotes.
pub(crate) fn data(observation: &Observation, columns: usize) -> String {
    let Some(data) = &observation.data else { return String::new() };
    let json = data.get();
    if json.starts_with('"')
        && let Ok(serde_json::Value::String(text)) = data.to_value()
    {
        return text::line(&text, columns);
    }
    text::line(json, columns)
}
