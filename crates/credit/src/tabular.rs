//! Methods that learn from finished episodes, by tables over keys.

mod counts;
mod elsewhere;
mod hindsight;
mod policy;
mod rows;
mod solve;
mod spectrum;
mod table;
mod td_ce;
mod time;
mod values;

use serde::{Deserialize, Serialize};

pub use counts::{Counts, KEYS_MAX};
pub use hindsight::Hca;
pub use spectrum::Ochiai;
pub(crate) use table::Table;
pub use td_ce::TdCe;
pub use values::{Gae, Gigpo, Mc, TdLambda};

/// One finished action, as the tables see it: 64 bit keys instead of texts, 48 bytes a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// `R`: what all of it was worth. A model leaves episodes out whose reward is not finite.
    pub reward: f64,
    /// Its steps in order.
    pub steps: Vec<EpisodeStep>,
}

/// One step of an [`Episode`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpisodeStep {
    /// Hash of the situation's key.
    pub state: u64,
    /// Hash of the decision's key.
    pub decision: u64,
    /// The part of `R` that arrived with this step; not given or not finite is 0. What the steps' rewards do not account
    /// for arrives with the last step, so that they always sum to `R`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<f64>,
    /// The behaviour policy's probability of the decision, in (0, 1]. [`Hca`] alone reads it; the others count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propensity: Option<f64>,
}

/// What a model says of one episode: `R = baseline + Σ advantages + residual`. All but `n` in units of reward.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assessment {
    /// Expected reward before the first step.
    pub baseline: f64,
    /// Per step: expected reward after the decision minus before it.
    pub advantages: Vec<f64>,
    /// Per step: standard error of the advantage; infinite where the data say nothing of it, because its keys were never
    /// seen or the decision never varies there.
    pub std_errors: Vec<f64>,
    /// Per step: how many observations the advantage rests on.
    pub n: Vec<u64>,
    /// Per step: expected reward of the whole episode after the step. It never knows the episode's own reward, beyond
    /// what had arrived before the step.
    pub forecast: Vec<f64>,
}

impl Assessment {
    /// What baseline and advantages leave unexplained of this reward.
    #[must_use]
    pub fn residual(&self, reward: f64) -> f64 {
        reward - self.baseline - self.advantages.iter().sum::<f64>()
    }
}

/// A fitted table.
pub trait TabularModel: Send + Sync {
    /// Each list as long as the episode's steps. An episode without steps has a baseline only.
    fn assess(&self, episode: &Episode) -> Assessment;
}

/// The credits of advantages: non-negative shares that sum to 1.
///
/// `credit_t ∝ max(0, sign(R - baseline) · A_t)`
///
/// with `A_t`, `R` and `baseline` in units of reward. A step that worked against the outcome has none. Where no step has
/// any, the prior's shares stand: also where `R = baseline`, and where the lists differ in length. What is not finite
/// counts as 0. O(n); dividing by the largest weight first keeps the sum from overflowing.
#[must_use]
pub fn credit_shares(advantages: &[f64], reward: f64, baseline: f64, prior: &[f64]) -> Vec<f64> {
    let outcome = reward - baseline;
    let sign = if outcome > 0.0 {
        1.0
    } else if outcome < 0.0 {
        -1.0
    } else {
        0.0
    };
    let weight = |advantage: &f64| if advantage.is_finite() { (sign * advantage).max(0.0) } else { 0.0 };
    let largest = advantages.iter().map(weight).fold(0.0, f64::max);
    if largest <= 0.0 || advantages.len() != prior.len() {
        return prior.to_vec();
    }
    let scaled: Vec<f64> = advantages.iter().map(|advantage| weight(advantage) / largest).collect();
    let sum: f64 = scaled.iter().sum();
    scaled.into_iter().map(|weight| weight / sum).collect()
}

/// What arrives with each step: the steps' own rewards, and with the last one what they leave of `R`.
fn arrivals(episode: &Episode) -> Vec<f64> {
    let mut arrivals: Vec<f64> =
        episode.steps.iter().map(|step| step.reward.filter(|reward| reward.is_finite()).unwrap_or(0.0)).collect();
    if let Some((last, before)) = arrivals.split_last_mut() {
        *last = episode.reward - before.iter().sum::<f64>();
    }
    arrivals
}

/// The episodes that say something.
fn usable(episodes: &[Episode]) -> impl Iterator<Item = &Episode> {
    episodes.iter().filter(|episode| episode.reward.is_finite() && !episode.steps.is_empty())
}

#[cfg(test)]
mod tests;
