//! Methods on a table of state values.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Assessment, Episode, TabularModel, arrivals, usable};
use crate::statistics::Moments;

/// Sweeps of [`TdLambda`] end here at the latest.
const SWEEPS_MAX: usize = 10_000;

/// And earlier where no value changes by more than this part of the largest return.
const CHANGE_MIN: f64 = 1e-12;

/// Every-visit Monte Carlo: what came, against what comes from this state on average.
///
/// `V(s) = mean of G_t over every visit s_t = s`, `A_t = G_t - V(s_t)`, `G_t = R - Σ_{k<t} r_k`
///
/// with `r_k` the part of `R` that arrived with step `k`; no discount (Sutton & Barto, "Reinforcement Learning: An
/// Introduction", 2018, chapter 5). It is [`Gae`] with λ = 1. Every step answers for all luck that follows it, so the
/// advantages do not telescope and the residual takes back what is counted more than once; a step after which nothing is
/// decided still gets credit for luck. A state never seen before is worth what the state before it was.
///
/// `n` counts visits of the state; the standard error is that of `V`, from the returns at its visits and one
/// pseudo-visit with the variance of all rewards. Fit and assess are O(steps), memory O(states).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mc(ValueTable);

/// Batch TD(λ): state values that agree with one another, and the change from each state to the next.
///
/// `V(s) = mean of G_t^λ over visits s_t = s`, `G_t^λ = r_t + (1-λ)·V(s_{t+1}) + λ·G_{t+1}^λ`,
/// `A_t = r_t + V(s_{t+1}) - V(s_t)`
///
/// with λ in \[0, 1\], no discount, and `V` after the last step 0 (Sutton, "Learning to Predict by the Methods of Temporal
/// Differences", 1988; the forward view of Sutton & Barto, 2018, section 12.1). λ = 1 gives the values of [`Mc`], λ = 0
/// those of [`TdCe`](super::TdCe). Advantages telescope: the residual is 0 wherever the reward is finite.
///
/// Sweeps over all steps until no value changes, 10,000 at most: O(steps · sweeps). At λ = 0 information moves one step
/// per sweep; use [`TdCe`](super::TdCe), which solves the same equations directly. Standard errors are those of Monte
/// Carlo, which bound these from above where the states are Markov.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TdLambda(ValueTable);

/// Generalised advantage estimation on the Monte Carlo values.
///
/// `A_t = Σ_l λ^l δ_{t+l}`, `δ_t = r_t + V(s_{t+1}) - V(s_t)`
///
/// with λ in \[0, 1\] and no discount (Schulman et al., "High-Dimensional Continuous Control Using Generalized Advantage
/// Estimation", 2016). λ = 0 charges each step with the change it made, λ = 1 is [`Mc`]. O(steps). Standard errors take
/// the values of different states for independent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gae {
    values: ValueTable,
    lambda: f64,
}

/// Group-in-group: how the episode did in its group, and the step among visits of the same state.
///
/// `A_t = (R - R̄) + ω·(G_t - mean of G over visits of s_t)`, the second term 0 where the state does not recur
///
/// with ω ≥ 0 and all terms in units of reward: the form without division by a standard deviation (Feng et al.,
/// "Group-in-Group Policy Optimization for LLM Agent Training", 2025, with `F_norm = 1`). The group is what it is
/// fitted to: attempts at one goal. ω = 0 is the group-relative advantage of GRPO, alike for all steps. The baseline is
/// `R̄`; since the first term is part of every step's advantage, the residual takes back what is counted more than once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gigpo {
    values: ValueTable,
    weight: f64,
}

impl Mc {
    /// The table of these episodes.
    #[must_use]
    pub fn fit(episodes: &[Episode]) -> Self {
        Self(ValueTable::of(episodes))
    }

    /// The expected return from a state, where it was seen.
    #[must_use]
    pub fn value(&self, state: u64) -> Option<f64> {
        self.0.states.get(&state).map(|moments| moments.mean)
    }
}

impl TdLambda {
    /// The table of these episodes; λ is moved into \[0, 1\].
    #[must_use]
    pub fn fit(episodes: &[Episode], lambda: f64) -> Self {
        let lambda = lambda.clamp(0.0, 1.0);
        let mut table = ValueTable::of(episodes);
        let mut indices = HashMap::new();
        let paths: Vec<Vec<(usize, f64)>> = usable(episodes)
            .map(|episode| {
                let arrivals = arrivals(episode);
                episode
                    .steps
                    .iter()
                    .zip(arrivals)
                    .map(|(step, arrival)| {
                        let n_states = indices.len();
                        (*indices.entry(step.state).or_insert(n_states), arrival)
                    })
                    .collect()
            })
            .collect();
        for (state, value) in &settle(&indices, &paths, lambda, &table) {
            if let Some(moments) = table.states.get_mut(state) {
                moments.mean = *value;
            }
        }
        Self(table)
    }

    /// The expected return from a state, where it was seen.
    #[must_use]
    pub fn value(&self, state: u64) -> Option<f64> {
        self.0.states.get(&state).map(|moments| moments.mean)
    }
}

/// The fixed point of the λ-returns, from the Monte Carlo values.
fn settle(
    indices: &HashMap<u64, usize>,
    paths: &[Vec<(usize, f64)>],
    lambda: f64,
    table: &ValueTable,
) -> Vec<(u64, f64)> {
    let mut values = vec![0.0; indices.len()];
    let mut visits = vec![0.0; indices.len()];
    for (state, index) in indices {
        let moments = table.states.get(state).copied().unwrap_or_default();
        (values[*index], visits[*index]) = (moments.mean, moments.n as f64);
    }
    let scale = values.iter().fold(0.0, |scale: f64, value| scale.max(value.abs()));
    let mut sums = vec![0.0; values.len()];
    for _ in 0..SWEEPS_MAX {
        sums.fill(0.0);
        for path in paths {
            let (mut after, mut value_after) = (0.0, 0.0);
            for (state, arrival) in path.iter().rev() {
                after = arrival + (1.0 - lambda) * value_after + lambda * after;
                value_after = values[*state];
                sums[*state] += after - value_after;
            }
        }
        let mut change = 0.0_f64;
        for ((value, sum), n) in values.iter_mut().zip(&sums).zip(&visits) {
            *value += sum / n;
            change = change.max((sum / n).abs());
        }
        if change <= CHANGE_MIN * scale {
            break;
        }
    }
    indices.iter().map(|(state, index)| (*state, values[*index])).collect()
}

impl Gae {
    /// The table of these episodes; λ is moved into \[0, 1\].
    #[must_use]
    pub fn fit(episodes: &[Episode], lambda: f64) -> Self {
        Self { values: ValueTable::of(episodes), lambda: lambda.clamp(0.0, 1.0) }
    }
}

impl Gigpo {
    /// The table of one group of episodes; `weight` is ω.
    #[must_use]
    pub fn fit(episodes: &[Episode], weight: f64) -> Self {
        Self { values: ValueTable::of(episodes), weight: weight.max(0.0) }
    }
}

impl TabularModel for Mc {
    fn assess(&self, episode: &Episode) -> Assessment {
        self.0.walk(episode).estimate(1.0)
    }
}

impl TabularModel for TdLambda {
    fn assess(&self, episode: &Episode) -> Assessment {
        self.0.walk(episode).estimate(0.0)
    }
}

impl TabularModel for Gae {
    fn assess(&self, episode: &Episode) -> Assessment {
        self.values.walk(episode).estimate(self.lambda)
    }
}

impl TabularModel for Gigpo {
    fn assess(&self, episode: &Episode) -> Assessment {
        let walk = self.values.walk(episode);
        let mut result = walk.estimate(1.0);
        let group = self.values.rewards;
        let group_variance = group.variance() / (group.n.max(1)) as f64;
        result.baseline = group.mean;
        for (step, before) in walk.before.iter().enumerate() {
            let recurs = result.n[step] >= 2;
            let anchored = if recurs { walk.reward - before.value } else { 0.0 };
            let anchored_variance = if recurs { before.variance } else { 0.0 };
            result.advantages[step] = walk.reward - group.mean + self.weight * anchored;
            result.std_errors[step] = (group_variance + self.weight * self.weight * anchored_variance).sqrt();
        }
        result
    }
}

/// Returns by state, and rewards of whole episodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ValueTable {
    #[serde(with = "super::rows")]
    pub(super) states: HashMap<u64, Moments>,
    pub(super) rewards: Moments,
}

/// What is expected of the whole episode at a state, and how surely.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) value: f64,
    pub(super) variance: f64,
    pub(super) n: u64,
}

/// An episode beside what was expected of it at each of its states.
pub(super) struct Walk {
    pub(super) reward: f64,
    pub(super) baseline: f64,
    pub(super) before: Vec<Standing>,
}

impl ValueTable {
    pub(super) fn of(episodes: &[Episode]) -> Self {
        let mut table = Self::default();
        for episode in usable(episodes) {
            table.rewards.add(episode.reward);
            let mut rest = episode.reward;
            for (step, arrival) in episode.steps.iter().zip(arrivals(episode)) {
                table.states.entry(step.state).or_default().add(rest);
                rest -= arrival;
            }
        }
        table
    }

    pub(super) fn walk(&self, episode: &Episode) -> Walk {
        let reward = if episode.reward.is_finite() { episode.reward } else { self.rewards.mean };
        let mut value = self.rewards.mean;
        let mut arrived = 0.0;
        let mut before = Vec::with_capacity(episode.steps.len());
        for (step, arrival) in episode.steps.iter().zip(arrivals(episode)) {
            let (mut variance, mut n) = (f64::INFINITY, 0);
            if let Some(state) = self.states.get(&step.state) {
                n = state.n;
                value = arrived + state.mean;
                variance = (state.m2 + self.rewards.variance()) / (n as f64).powi(2);
            }
            before.push(Standing { value, variance, n });
            arrived += arrival;
        }
        Walk { reward, baseline: before.first().map_or(self.rewards.mean, |first| first.value), before }
    }
}

impl Walk {
    /// `A_t = Σ_l λ^l δ_{t+l}` with `δ_t` the change of what is expected of the whole episode.
    fn estimate(&self, lambda: f64) -> Assessment {
        let n_steps = self.before.len();
        let mut result = Assessment {
            baseline: self.baseline,
            advantages: vec![0.0; n_steps],
            std_errors: vec![0.0; n_steps],
            n: self.before.iter().map(|before| before.n).collect(),
            forecast: self.forecast(),
        };
        // A_t = -V_t + (1-λ) Σ_{l≥1} λ^(l-1) V_{t+l} + λ^(n-1-t) R, so its variance is V_t's and those of the later ones.
        let (mut advantage, mut later, mut after) = (0.0, 0.0, self.reward);
        for (step, before) in self.before.iter().enumerate().rev() {
            advantage = after - before.value + lambda * advantage;
            result.advantages[step] = advantage;
            let part = (1.0 - lambda).powi(2);
            result.std_errors[step] = (before.variance + if part > 0.0 { part * later } else { 0.0 }).sqrt();
            later = before.variance + if lambda > 0.0 { lambda * lambda * later } else { 0.0 };
            after = before.value;
        }
        result
    }

    /// What is expected at the next state; after the last step what was expected before it.
    pub(super) fn forecast(&self) -> Vec<f64> {
        let next = self.before.iter().skip(1).chain(self.before.last());
        next.map(|standing| standing.value).collect()
    }
}
