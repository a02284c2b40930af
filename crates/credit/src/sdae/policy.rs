//! The behaviour policy, as it was seen.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::{Sample, SampleStep};

/// Pseudo-counts of how often a decision is made at all, against how often it is made in one state.
const PSEUDO_COUNTS: f64 = 8.0;
/// States that are kept at most, those of the most actions.
const STATES_MAX: usize = 65_536;

/// How often which decision was made, at all and in each state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Policy {
    decisions: BTreeMap<u64, f64>,
    states: HashMap<u64, State>,
}

/// What was done in a state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Actions that were in it.
    pub(super) n_actions: u64,
    n: f64,
    decisions: Vec<(u64, f64)>,
}

impl State {
    fn count(&self, decision: u64) -> f64 {
        self.decisions.iter().find(|(name, _)| *name == decision).map_or(0.0, |(_, n)| *n)
    }

    pub(super) fn decisions(&self) -> impl Iterator<Item = u64> + '_ {
        self.decisions.iter().map(|(decision, _)| *decision)
    }
}

impl Policy {
    pub(super) fn of(samples: &[&Sample]) -> Self {
        let mut policy = Self::default();
        let mut n = 0.0;
        let mut last_in: HashMap<u64, usize> = HashMap::new();
        for (at, sample) in samples.iter().enumerate() {
            for step in &sample.steps {
                *policy.decisions.entry(step.decision).or_default() += 1.0;
                n += 1.0;
                let state = policy.states.entry(step.state).or_default();
                state.n += 1.0;
                match state.decisions.iter_mut().find(|(name, _)| *name == step.decision) {
                    Some((_, count)) => *count += 1.0,
                    None => state.decisions.push((step.decision, 1.0)),
                }
                if last_in.insert(step.state, at) != Some(at) {
                    state.n_actions += 1;
                }
            }
        }
        policy.decisions.values_mut().for_each(|count| *count /= f64::max(n, 1.0));
        // A state of one action says nothing about the others.
        policy.states.retain(|_, state| state.n_actions >= 2);
        if policy.states.len() > STATES_MAX {
            let mut names: Vec<(u64, u64)> =
                policy.states.iter().map(|(name, state)| (u64::MAX - state.n_actions, *name)).collect();
            names.sort_unstable();
            names.into_iter().skip(STATES_MAX).for_each(|(_, name)| drop(policy.states.remove(&name)));
        }
        policy
    }

    /// The state, where at least two actions were in it.
    pub(super) fn state(&self, name: u64) -> Option<&State> {
        self.states.get(&name)
    }

    pub(super) fn decisions(&self) -> impl Iterator<Item = (u64, f64)> + '_ {
        self.decisions.iter().map(|(decision, share)| (*decision, *share))
    }

    /// How often the decision is made at all.
    pub(super) fn share(&self, decision: u64) -> f64 {
        self.decisions.get(&decision).copied().unwrap_or(0.0)
    }

    /// The probability that the caller gave, where it is of this decision.
    pub(super) fn given(&self, step: &SampleStep, decision: u64) -> Option<f64> {
        let given = step.propensity.filter(|given| given.is_finite() && step.decision == decision)?;
        Some(given.clamp(0.0, 1.0))
    }

    /// `π̂(decision | state)` for a step that was not counted.
    pub(super) fn probability(&self, step: &SampleStep, decision: u64, state: Option<&State>) -> f64 {
        let (weight, counted) = state.map_or((1.0, 0.0), |state| mixture(step, decision, state, false));
        self.given(step, decision).unwrap_or(weight * self.share(decision) + counted)
    }
}

/// The weight of the decisions' shares, and what the state's own counts add.
pub(super) fn mixture(step: &SampleStep, decision: u64, state: &State, is_own: bool) -> (f64, f64) {
    let own = f64::from(is_own);
    let n = (state.n - own).max(0.0);
    let count = (state.count(decision) - if step.decision == decision { own } else { 0.0 }).max(0.0);
    (PSEUDO_COUNTS / (n + PSEUDO_COUNTS), count / (n + PSEUDO_COUNTS))
}
