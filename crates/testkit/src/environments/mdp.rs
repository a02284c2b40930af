//! Finite Markov decision processes with exact advantages under their behaviour policy.

use std::collections::HashMap;
use std::hash::Hash;

use serde_json::Value;

use super::{Environment, Rollout, RolloutStep, Truth};
use crate::Random;

/// The discount under which the policy that behaviour is built around is optimal: below 1, so that it wants to arrive.
const DISCOUNT: f64 = 0.99;

/// The policy is sought until no value moves by more than this.
const TOLERANCE: f64 = 1e-12;

/// Decisions whose discounted values differ by less are equally good; the first of them is taken.
const TIE: f64 = 1e-9;

/// Advantages are multiples of 1 / this, so that equal ones are equal and not a rounding error apart.
const ADVANTAGE_GRID: f64 = 1e9;

/// Where a decision may lead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition<S = usize> {
    /// How likely, in (0, 1]; the transitions of one decision sum to 1.
    pub probability: f64,
    /// What it pays, before a penalty on time.
    pub reward: f64,
    /// The state after it; `None` where the episode has ended.
    pub next: Option<S>,
}

/// What holds for the whole process.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// The environment's name.
    pub(super) name: String,
    /// The names of the decisions, the same in every state.
    pub(super) decisions: &'static [&'static str],
    /// How many steps an episode may have: the last is cut off there, and what comes after is worth 0.
    pub(super) n_steps_max: usize,
    /// The share ε of decisions that are taken blindly, uniform over all, in [0, 1].
    pub(super) exploration: f64,
    /// A reward at step t, counted from 1, is paid `1 − time_penalty · t / n_steps_max` times; 0 where it is paid whole.
    pub(super) time_penalty: f64,
}

/// A process as its rules describe it, before its states are counted.
pub(super) trait Dynamics {
    /// All that the future depends on, except the time.
    type State: Clone + Eq + Hash;

    /// What holds for the whole process.
    fn rules(&self) -> Rules;

    /// The states that an episode starts in and their probabilities, which sum to 1.
    fn starts(&self) -> Vec<(Self::State, f64)>;

    /// Where a decision leads in a state.
    fn transitions(&self, state: &Self::State, decision: usize) -> Vec<Transition<Self::State>>;

    /// The state's key and what an agent sees of it.
    fn describe(&self, state: &Self::State) -> (String, Value);
}

/// A finite Markov decision process: the table of its transitions, a behaviour policy, and that policy's exact values.
///
/// **Behaviour policy.** ε-greedy: with probability 1 − ε the first decision that is optimal under a discount of 0.99
/// without a step limit, by value iteration (Bellman: "Dynamic programming", 1957) to 1e-12; else any decision, each
/// equally likely. Good enough to arrive, and every decision keeps at least the probability ε / n.
///
/// **Values.** The step limit H is part of the process, so values depend on the steps left, and backward induction is
/// exact: `V_0 = 0`, `Q_h(s, a) = Σ p · (r + V_{h−1}(s'))`, `V_h(s) = Σ_a π(a | s) · Q_h(s, a)`, undiscounted. Step t
/// (from 0) of an episode has `A_t = Q_{H−t}(s_t, a_t) − V_{H−t}(s_t)`, rounded to 1e-9 so that ties are ties. Far from
/// the limit this is the advantage of the process without one; a method that does not see the time cannot tell them
/// apart, and the difference bounds what it can reach.
///
/// Memory `O(H · states)`, time `O(H · transitions)`, once.
#[derive(Clone, Debug)]
pub struct Mdp {
    rules: Rules,
    described: Vec<(String, Value)>,
    starts: Vec<(usize, f64)>,
    /// `table[state][decision]`
    table: Vec<Vec<Vec<Transition>>>,
    /// `policy[state][decision]`
    policy: Vec<Vec<f64>>,
    /// `values[steps left][state]`
    values: Vec<Vec<f64>>,
}

impl Mdp {
    /// Counts the states that can be reached, finds the behaviour policy, and values it.
    pub(super) fn new<D: Dynamics>(dynamics: &D) -> Self {
        let rules = dynamics.rules();
        let mut states = Numbered::default();
        let starts = dynamics.starts().into_iter().map(|(state, share)| (states.number(state), share)).collect();
        let mut table = Vec::new();
        // Grows while it is walked: a state's number is given when it is first seen.
        while let Some(state) = states.known.get(table.len()).cloned() {
            let of_state = (0..rules.decisions.len()).map(|decision| {
                let number = |to: Transition<D::State>| Transition {
                    probability: to.probability,
                    reward: to.reward,
                    next: to.next.map(|next| states.number(next)),
                };
                dynamics.transitions(&state, decision).into_iter().map(number).collect()
            });
            table.push(of_state.collect());
        }
        let described = states.known.iter().map(|state| dynamics.describe(state)).collect();
        let policy = behaviour(&table, rules.exploration);
        let mut mdp = Self { rules, described, starts, table, policy, values: Vec::new() };
        mdp.value();
        mdp
    }

    /// How many states can be reached.
    #[must_use]
    pub fn n_states(&self) -> usize {
        self.table.len()
    }

    /// How many steps an episode may have.
    #[must_use]
    pub const fn n_steps_max(&self) -> usize {
        self.rules.n_steps_max
    }

    /// The names of the decisions.
    #[must_use]
    pub const fn decisions(&self) -> &'static [&'static str] {
        self.rules.decisions
    }

    /// The state of this key.
    #[must_use]
    pub fn state(&self, key: &str) -> Option<usize> {
        self.described.iter().position(|(of_state, _)| of_state == key)
    }

    /// The key of a state.
    #[must_use]
    pub fn key(&self, state: usize) -> &str {
        &self.described[state].0
    }

    /// Where a decision leads in a state.
    #[must_use]
    pub fn transitions(&self, state: usize, decision: usize) -> &[Transition] {
        &self.table[state][decision]
    }

    /// The behaviour policy's probability of every decision in a state.
    #[must_use]
    pub fn policy(&self, state: usize) -> &[f64] {
        &self.policy[state]
    }

    /// The states that an episode starts in and their probabilities.
    #[must_use]
    pub fn starts(&self) -> &[(usize, f64)] {
        &self.starts
    }

    /// `V`: what the policy expects from a state with this many steps left, at most [`Mdp::n_steps_max`].
    #[must_use]
    pub fn state_value(&self, state: usize, n_left: usize) -> f64 {
        self.values[n_left][state]
    }

    /// `Q`: what the policy expects when it makes this decision first; at least one step is left.
    #[must_use]
    pub fn decision_value(&self, state: usize, decision: usize, n_left: usize) -> f64 {
        let after = &self.values[n_left - 1];
        let paid = self.paid_share(n_left);
        let value = |to: &Transition| to.probability * (to.reward * paid + to.next.map_or(0.0, |next| after[next]));
        self.table[state][decision].iter().map(value).sum()
    }

    /// `A = Q − V`, rounded to 1e-9.
    #[must_use]
    pub fn advantage(&self, state: usize, decision: usize, n_left: usize) -> f64 {
        let advantage = self.decision_value(state, decision, n_left) - self.state_value(state, n_left);
        // Adding 0 turns −0 into 0.
        (advantage * ADVANTAGE_GRID).round() / ADVANTAGE_GRID + 0.0
    }

    /// One episode: per step the number of the state, that of the decision, and what it paid.
    #[must_use]
    pub fn episode(&self, random: &mut Random) -> Vec<(usize, usize, f64)> {
        let start = random.weighted(self.starts.iter().map(|&(_, share)| share));
        let mut state = self.starts[start].0;
        let mut steps = Vec::new();
        for n_left in (1..=self.rules.n_steps_max).rev() {
            let decision = random.weighted(self.policy[state].iter().copied());
            let transitions = &self.table[state][decision];
            let to = transitions[random.weighted(transitions.iter().map(|to| to.probability))];
            steps.push((state, decision, to.reward * self.paid_share(n_left)));
            match to.next {
                Some(next) => state = next,
                None => break,
            }
        }
        steps
    }

    /// The share of a reward that is paid with so many steps left, this one among them.
    fn paid_share(&self, n_left: usize) -> f64 {
        let n_steps = self.rules.n_steps_max;
        1.0 - self.rules.time_penalty * (n_steps - n_left + 1) as f64 / n_steps as f64
    }

    /// Backward induction over the steps left.
    fn value(&mut self) {
        self.values = Vec::with_capacity(self.rules.n_steps_max + 1);
        self.values.push(vec![0.0; self.n_states()]);
        for n_left in 1..=self.rules.n_steps_max {
            let of_state = |state: usize| {
                let policy = self.policy[state].iter().enumerate();
                policy.map(|(decision, share)| share * self.decision_value(state, decision, n_left)).sum()
            };
            let row = (0..self.n_states()).map(of_state).collect();
            self.values.push(row);
        }
    }
}

impl Environment for Mdp {
    fn name(&self) -> String {
        self.rules.name.clone()
    }

    fn rollout(&self, random: &mut Random) -> Rollout {
        let episode = self.episode(random);
        let total = episode.iter().map(|&(_, _, reward)| reward).sum();
        let mut steps = Vec::with_capacity(episode.len());
        let mut advantages = Vec::with_capacity(episode.len());
        for (step_idx, (state, decision, reward)) in episode.into_iter().enumerate() {
            let (key, seen) = &self.described[state];
            steps.push(RolloutStep {
                state_key: key.clone(),
                decision: self.rules.decisions[decision].to_owned(),
                state: seen.clone(),
                reward,
            });
            advantages.push(self.advantage(state, decision, self.rules.n_steps_max - step_idx));
        }
        Rollout { steps, reward: total, truth: Truth::Advantages(advantages) }
    }
}

/// States in the order in which they were first seen.
struct Numbered<S> {
    known: Vec<S>,
    numbers: HashMap<S, usize>,
}

impl<S> Default for Numbered<S> {
    fn default() -> Self {
        Self { known: Vec::new(), numbers: HashMap::new() }
    }
}

impl<S: Clone + Eq + Hash> Numbered<S> {
    fn number(&mut self, state: S) -> usize {
        if let Some(&number) = self.numbers.get(&state) {
            return number;
        }
        let number = self.known.len();
        self.known.push(state.clone());
        self.numbers.insert(state, number);
        number
    }
}

/// The ε-greedy policy of [`Mdp`].
fn behaviour(table: &[Vec<Vec<Transition>>], exploration: f64) -> Vec<Vec<f64>> {
    fn discounted(transitions: &[Transition], values: &[f64]) -> f64 {
        let worth =
            |to: &Transition| to.probability * (to.reward + DISCOUNT * to.next.map_or(0.0, |next| values[next]));
        transitions.iter().map(worth).sum()
    }
    let mut values = vec![0.0; table.len()];
    // Each sweep brings the values closer by DISCOUNT, so a tenth of these are enough; rounding cannot make it hang.
    for _ in 0..50_000 {
        // In place: a sweep already uses what it has found.
        let mut moved = 0.0;
        for (state, decisions) in table.iter().enumerate() {
            let best = decisions.iter().map(|to| discounted(to, &values)).fold(f64::NEG_INFINITY, f64::max);
            moved = f64::max(moved, (best - values[state]).abs());
            values[state] = best;
        }
        if moved <= TOLERANCE {
            break;
        }
    }
    let policy = |decisions: &Vec<Vec<Transition>>| {
        let worth: Vec<f64> = decisions.iter().map(|to| discounted(to, &values)).collect();
        let best = worth.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let greedy = worth.iter().position(|&value| value >= best - TIE);
        let blind = exploration / worth.len() as f64;
        let share = |decision| if Some(decision) == greedy { 1.0 - exploration + blind } else { blind };
        (0..worth.len()).map(share).collect()
    };
    table.iter().map(policy).collect()
}

#[cfg(test)]
mod tests;
