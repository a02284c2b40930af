//! Spectrum-based fault localisation.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{Assessment, Episode, TabularModel, usable};
use crate::statistics::Moments;

/// The Ochiai coefficient over decision keys: which decisions are found where episodes fail, and which where they do not.
///
/// `o_f(a) = n_f(a) / sqrt(N_f · n(a))`, `o_s(a) = n_s(a) / sqrt(N_s · n(a))`,
/// `A = ½·(R̄_s - R̄_f)·[(o_s(a) - sqrt(N_s/N)) - (o_f(a) - sqrt(N_f/N))]`
///
/// with `N_f` episodes whose reward is at most the mean and `N_s` above it, `R̄_f` and `R̄_s` their mean rewards, `n(a)` the
/// episodes that hold the decision and `n_f(a)`, `n_s(a)` those among each. `o_f` is the suspiciousness of Abreu, Zoeteweij
/// & van Gemund, "On the Accuracy of Spectrum-based Fault Localization" (2007). What a decision has that is part of every
/// episode is subtracted, so that such a one gets 0, and the difference makes it signed and in units of reward: a ranking,
/// not an estimate, blind to states, order and repetition. A decision made twice counts once for the table and is
/// given the same advantage both times.
///
/// Rewards that are all alike say nothing: every advantage is 0. `n` is `n(a)`; the standard error is that of the mean
/// reward of `n(a)` episodes. The forecast is the baseline, which is the mean reward. O(steps).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ochiai {
    rewards: Moments,
    /// Per decision: in how many episodes it is, and its advantage.
    #[serde(with = "super::rows")]
    decisions: HashMap<u64, (u64, f64)>,
}

impl Ochiai {
    /// The table of these episodes.
    #[must_use]
    pub fn fit(episodes: &[Episode]) -> Self {
        let mut rewards = Moments::default();
        usable(episodes).for_each(|episode| rewards.add(episode.reward));
        let mut classes = [Moments::default(); 2];
        let mut counts = HashMap::<u64, [f64; 2]>::new();
        for episode in usable(episodes) {
            let class = usize::from(episode.reward > rewards.mean);
            classes[class].add(episode.reward);
            for decision in episode.steps.iter().map(|step| step.decision).collect::<HashSet<_>>() {
                counts.entry(decision).or_default()[class] += 1.0;
            }
        }
        let [failed, succeeded] = classes;
        let known = rewards.m2 > 0.0 && failed.n > 0 && succeeded.n > 0;
        let gap = if known { (succeeded.mean - failed.mean) / 2.0 } else { 0.0 };
        let share = |n: f64, held: f64, class: Moments| {
            let class_n = (class.n as f64).max(1.0);
            n / (class_n * held).sqrt() - (class_n / rewards.n as f64).sqrt()
        };
        let decisions = counts
            .into_iter()
            .map(|(decision, [n_failed, n_succeeded])| {
                let held = n_failed + n_succeeded;
                let difference = share(n_succeeded, held, succeeded) - share(n_failed, held, failed);
                (decision, (held as u64, gap * difference))
            })
            .collect();
        Self { rewards, decisions }
    }
}

impl TabularModel for Ochiai {
    fn assess(&self, episode: &Episode) -> Assessment {
        let mut result = Assessment { baseline: self.rewards.mean, ..Assessment::default() };
        for step in &episode.steps {
            let known = self.decisions.get(&step.decision);
            let (n, advantage) = known.copied().unwrap_or((0, 0.0));
            result.advantages.push(advantage);
            result.n.push(n);
            let varies = n > 0 && n < self.rewards.n;
            let error = if varies { (self.rewards.variance() / n as f64).sqrt() } else { f64::INFINITY };
            result.std_errors.push(error);
            result.forecast.push(self.rewards.mean);
        }
        result
    }
}
