//! The behaviour policy, as it was seen.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::keys::combine;
use crate::mixed::BuildMixed;
use crate::{Sample, SampleStep};

/// Pseudo-counts of how often a decision is made at all, against how often it is made in one state.
const PSEUDO_COUNTS: f64 = 8.0;
/// A state's visits would all have fallen among its decisions with at most this probability, were the choice there the same
/// as everywhere: then there is no other choice in it.
const CHANCE_OF_CLOSED: f64 = 0.05;
/// Steps in a row in one state that are told apart; above, powers of two.
const VISITS_MAX: u32 = 16;
/// States that are kept at most, those of the most actions.
const STATES_MAX: usize = 65_536;

/// How often which decision was made, at all and in each state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Policy {
    decisions: BTreeMap<u64, f64>,
    states: HashMap<u64, State, BuildMixed>,
}

/// What was done in a state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Actions that were in it.
    pub(super) n_actions: u64,
    n: f64,
    decisions: Vec<(u64, f64)>,
    /// How often its decisions are made at all, where there is no other choice in it.
    closed: Option<f64>,
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
        let mut last_made: HashMap<u64, (usize, bool)> = HashMap::new();
        for (at, sample) in samples.iter().enumerate() {
            for (step, name) in sample.steps.iter().zip(visits(sample)) {
                *policy.decisions.entry(step.decision).or_default() += 1.0;
                let (last, by_others) = last_made.entry(step.decision).or_insert((at, false));
                *by_others |= *last != at;
                n += 1.0;
                let state = policy.states.entry(name).or_default();
                state.n += 1.0;
                match state.decisions.iter_mut().find(|(name, _)| *name == step.decision) {
                    Some((_, count)) => *count += 1.0,
                    None => state.decisions.push((step.decision, 1.0)),
                }
                if last_in.insert(name, at) != Some(at) {
                    state.n_actions += 1;
                }
            }
        }
        policy.decisions.values_mut().for_each(|count| *count /= f64::max(n, 1.0));
        // A state, or a decision, of one action says nothing about the others.
        policy.decisions.retain(|decision, _| last_made.get(decision).is_some_and(|(_, by_others)| *by_others));
        policy.states.retain(|_, state| state.n_actions >= 2);
        for state in policy.states.values_mut() {
            let share: f64 = state.decisions.iter().filter_map(|(decision, _)| policy.decisions.get(decision)).sum();
            let by_chance = state.n * share.min(1.0).ln();
            state.closed = (by_chance <= CHANCE_OF_CLOSED.ln()).then_some(share);
        }
        if policy.states.len() > STATES_MAX {
            let mut names: Vec<(u64, u64)> =
                policy.states.iter().map(|(name, state)| (u64::MAX - state.n_actions, *name)).collect();
            names.sort_unstable();
            names.into_iter().skip(STATES_MAX).for_each(|(_, name)| drop(policy.states.remove(&name)));
        }
        policy
    }

    /// The state of this name of [`visits`], where at least two actions were in it.
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
        self.given(step, decision).unwrap_or_else(|| match state {
            Some(state) => self.within(step, decision, state, false),
            // A decision that nobody else made, where nobody else was, chose against nothing.
            None if !self.decisions.contains_key(&step.decision) => 0.0,
            None => self.share(decision),
        })
    }

    /// `π̂(decision | state)` in a known state; `is_own` where the step is one of those that were counted, which it is then
    /// taken out of.
    ///
    /// `(n(s,a) + 8·p(a)) / (n(s) + 8)`, with `p(a)` how often the decision is made at all: among those of the state where
    /// there is no other choice in it. So a state with a single decision expects it with certainty, and what follows
    /// from the situation has no advantage: a small remainder would do, since columns are scaled to one deviation.
    pub(super) fn within(&self, step: &SampleStep, decision: u64, state: &State, is_own: bool) -> f64 {
        let own = f64::from(is_own);
        let n = (state.n - own).max(0.0);
        let counted = state.count(decision);
        let share = match state.closed {
            Some(_) if counted == 0.0 => 0.0,
            Some(all) => self.share(decision) / all,
            None => self.share(decision),
        };
        let count = (counted - if step.decision == decision { own } else { 0.0 }).max(0.0);
        (count + PSEUDO_COUNTS * share) / (n + PSEUDO_COUNTS)
    }

    /// The weight of the decisions' shares in those that were never made in the state.
    pub(super) fn unseen(&self, step: &SampleStep, state: Option<&State>) -> f64 {
        match state {
            None => f64::from(u8::from(self.decisions.contains_key(&step.decision))),
            Some(state) if state.closed.is_some() => 0.0,
            Some(state) => PSEUDO_COUNTS / ((state.n - 1.0).max(0.0) + PSEUDO_COUNTS),
        }
    }
}

/// Per step the name of its state: how many steps the action has been in it without a break is part of it. What is done on
/// coming to a state and what is done after that are two policies, and one for both would expect of either step what
/// the other one does.
pub(super) fn visits(sample: &Sample) -> impl Iterator<Item = u64> + '_ {
    let mut last = None;
    let mut n_before = 0_u32;
    sample.steps.iter().map(move |step| {
        n_before = if last == Some(step.state) { n_before + 1 } else { 0 };
        last = Some(step.state);
        let visit = if n_before < VISITS_MAX { n_before } else { VISITS_MAX + n_before.ilog2() };
        if visit == 0 { step.state } else { combine(&[step.state, u64::from(visit)]) }
    })
}
