//! The suites of bsuite in which one decision earns the outcome (Osband et al.: "Behaviour Suite for Reinforcement
//! Learning", 2020; package `bsuite` 0.3.6).
//!
//! The behaviour policy is uniform over the decisions at every step: it favours nothing, and every decision is seen in
//! every situation. The state is what the package's observation shows, with its numbers by name; the key is all of it.
//! `cargo xtask environments` replays episodes in the package: observations and rewards are the same, but for the coins
//! that `umbrella_length` and `umbrella_distract` leave out on purpose.

use serde_json::json;

use super::{Environment, Rollout, RolloutStep, Truth};
use crate::Random;

/// The package's 23 roughly log-spaced numbers: lengths of a chain, or counts of distractors.
pub const LOG_SPACED: [usize; 23] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100];

/// The umbrella chains of each length, 20 distractors, the outcome without noise.
#[must_use]
pub fn umbrella_length() -> Vec<UmbrellaChain> {
    LOG_SPACED.map(|n_steps| UmbrellaChain::new("umbrella_length", n_steps, n_steps, 20, UmbrellaReward::Last)).into()
}

/// The umbrella chains of length 20 with each count of distractors, the outcome without noise.
#[must_use]
pub fn umbrella_distract() -> Vec<UmbrellaChain> {
    LOG_SPACED.map(|n| UmbrellaChain::new("umbrella_distract", n, 20, n, UmbrellaReward::Last)).into()
}

/// The umbrella chain of this length, 20 distractors, with all the noise that the package puts into its rewards.
///
/// This reads "noisy umbrella, L = 20" of the table of goals: 19 of the 20 rewards are coins of ±1, so the first
/// decision's ±1 stands against a standard deviation of 4.4 and is hard to see in 300 episodes (4 standard errors,
/// among hundreds of candidate features), and plain in 1000 (7 standard errors).
#[must_use]
pub fn noisy_umbrella(n_steps: usize) -> UmbrellaChain {
    UmbrellaChain::new("noisy_umbrella", n_steps, n_steps, 20, UmbrellaReward::Sum)
}

/// The memory chains of each length.
#[must_use]
pub fn memory_len() -> Vec<MemoryChain> {
    LOG_SPACED.map(|length| MemoryChain { length }).into()
}

/// The discounting chain with each place of its bonus. The package's 20 settings are these five, four times.
#[must_use]
pub fn discounting_chain() -> Vec<DiscountingChain> {
    (0..REWARDED_AT.len()).map(|bonus| DiscountingChain { bonus }).collect()
}

/// What of an umbrella chain's rewards makes the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UmbrellaReward {
    /// The last step's ±1 alone: whether the agent got wet.
    Last,
    /// The sum of all rewards: to the last step's ±1 every earlier step adds a coin of ±1 that no decision moves.
    Sum,
}

/// Take an umbrella or not in the morning; stay dry or get wet in the evening (`umbrella_chain.py`).
///
/// The state shows whether an umbrella is needed, whether one is there (by chance before the first decision), the share
/// of the day that is left, and distractors, which are fair coins thrown anew at each step. The decision is `take` or
/// `leave`; only the first has any effect. The last reward is +1 where the umbrella that is there is needed or the one
/// that is not there is not, else −1; every earlier reward is a coin of ±1.
///
/// Truth: the first step.
#[derive(Clone, Debug)]
pub struct UmbrellaChain {
    suite: &'static str,
    setting: usize,
    n_steps: usize,
    n_distractors: usize,
    reward: UmbrellaReward,
}

impl UmbrellaChain {
    /// A chain of `n_steps`, at least 1; `setting` tells it from the others of its suite.
    #[must_use]
    pub fn new(
        suite: &'static str,
        setting: usize,
        n_steps: usize,
        n_distractors: usize,
        reward: UmbrellaReward,
    ) -> Self {
        Self { suite, setting, n_steps: n_steps.max(1), n_distractors, reward }
    }

    fn step(&self, needed: bool, there: bool, step_idx: usize, random: &mut Random) -> RolloutStep {
        let distractors: Vec<bool> = (0..self.n_distractors).map(|_| random.coin()).collect();
        let bits: String = distractors.iter().map(|&bit| if bit { '1' } else { '0' }).collect();
        RolloutStep {
            state_key: format!("needed={needed} there={there} step={step_idx} distractors={bits}"),
            decision: if random.coin() { "take" } else { "leave" }.to_owned(),
            state: json!({
                "needed": needed,
                "there": there,
                "left": 1.0 - step_idx as f64 / self.n_steps as f64,
                "distractors": distractors,
            }),
            reward: 0.0,
        }
    }
}

impl Environment for UmbrellaChain {
    fn name(&self) -> String {
        format!("{}/{}", self.suite, self.setting)
    }

    fn rollout(&self, random: &mut Random) -> Rollout {
        let needed = random.coin();
        let mut there = random.coin();
        let mut steps = Vec::with_capacity(self.n_steps);
        for step_idx in 0..self.n_steps {
            let mut step = self.step(needed, there, step_idx, random);
            if step_idx == 0 {
                there = step.decision == "take";
            }
            // The coin is thrown either way, so that a seed gives the same day with and without noise.
            let coin = sign(random.coin());
            step.reward = match self.reward {
                _ if step_idx + 1 == self.n_steps => sign(there == needed),
                UmbrellaReward::Last => 0.0,
                UmbrellaReward::Sum => coin,
            };
            steps.push(step);
        }
        Rollout { reward: total(&steps), steps, truth: Truth::DecisiveStep(0) }
    }
}

/// See a bit, wait, say the bit (`memory_chain.py` with one bit).
///
/// The state shows the share of time that is left and the bit, `-` once it is hidden. A chain of length L has L + 1
/// decisions, `0` or `1`: as in the package the first two see the bit (its first step shows the start once more), the
/// others do not. Only the last has any effect: the reward is +1 where it repeats the bit, else −1.
///
/// Truth: the last step. Beyond L = 1 it cannot be valued from its own state, which has forgotten the bit.
#[derive(Clone, Copy, Debug)]
pub struct MemoryChain {
    /// L: how long the bit must be remembered.
    pub length: usize,
}

impl Environment for MemoryChain {
    fn name(&self) -> String {
        format!("memory_len/{}", self.length)
    }

    fn rollout(&self, random: &mut Random) -> Rollout {
        let bit = random.coin();
        let steps: Vec<RolloutStep> = (0..=self.length)
            .map(|step_idx| {
                let time = step_idx.saturating_sub(1);
                let shown = match (time, bit) {
                    (0, false) => "0",
                    (0, true) => "1",
                    _ => "-",
                };
                let decided = random.coin();
                RolloutStep {
                    state_key: format!("bit={shown} time={time}"),
                    decision: if decided { "1" } else { "0" }.to_owned(),
                    state: json!({ "bit": shown, "left": 1.0 - time as f64 / self.length.max(1) as f64 }),
                    reward: if step_idx == self.length { sign(decided == bit) } else { 0.0 },
                }
            })
            .collect();
        Rollout { reward: total(&steps), steps, truth: Truth::DecisiveStep(self.length) }
    }
}

/// When each of the five chains pays, counted from 1.
const REWARDED_AT: [usize; 5] = [1, 3, 10, 30, 100];

/// Choose one of five chains; each pays once, sooner or later (`discounting_chain.py`).
///
/// The state shows the chain, `-` before it is chosen, and the share of time that has passed. The decision is one of
/// `chain 0`…`chain 4`; only the first of the 100 has any effect. The chains pay 1 after 1, 3, 10, 30 and 100 steps,
/// and the one with the bonus 1.1: undiscounted, nothing but the bonus tells them apart.
///
/// Truth: the first step.
#[derive(Clone, Copy, Debug)]
pub struct DiscountingChain {
    /// The chain that pays 1.1, 0…4: what the package calls the mapping.
    pub bonus: usize,
}

impl Environment for DiscountingChain {
    fn name(&self) -> String {
        format!("discounting_chain/{}", self.bonus)
    }

    fn rollout(&self, random: &mut Random) -> Rollout {
        let mut chain = None;
        let mut steps = Vec::with_capacity(100);
        for step_idx in 0..100 {
            let shown = chain.map_or_else(|| "-".to_owned(), |chain: usize| chain.to_string());
            let decided = random.below(5) as usize;
            let chosen = *chain.get_or_insert(decided);
            let paid = if chosen == self.bonus { 1.1 } else { 1.0 };
            steps.push(RolloutStep {
                state_key: format!("chain={shown} step={step_idx}"),
                decision: format!("chain {decided}"),
                state: json!({ "chain": shown, "passed": step_idx as f64 / 100.0 }),
                reward: if step_idx + 1 == REWARDED_AT[chosen] { paid } else { 0.0 },
            });
        }
        Rollout { reward: total(&steps), steps, truth: Truth::DecisiveStep(0) }
    }
}

fn total(steps: &[RolloutStep]) -> f64 {
    steps.iter().map(|step| step.reward).sum()
}

const fn sign(positive: bool) -> f64 {
    if positive { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests;
