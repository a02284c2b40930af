//! What the recorded actions say of each decision.

use std::collections::BTreeMap;

use accredit_model::ActionId;
use serde::{Deserialize, Serialize};

use super::{Learner, Model};
use crate::random::Random;
use crate::statistics::normal_cdf;
use crate::{Moments, benjamini_hochberg};

/// Actions that must show a decision.
const ACTIONS_MIN: u64 = 3;
/// Resamples of an interval.
const RESAMPLES: usize = 1_000;
/// Insights at most: those that matter most.
const INSIGHTS_MAX: usize = 1_000;

/// What one decision is worth, on average over the recorded actions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Insight {
    /// The decision's key.
    pub decision: String,
    /// The situation's key; `None` for all situations together.
    pub state: Option<String>,
    /// Mean advantage, in units of reward: how much the decision moves the expected outcome, against what else was done
    /// in the same situations.
    pub advantage: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// Actions that show it.
    pub n: u64,
    /// Probability of so large an advantage by chance, adjusted for how many decisions were looked at (Benjamini &
    /// Hochberg): of all with at most `q`, a share of at most `q` is false.
    pub q: f64,
    /// False where nothing else was ever done in these situations: then nobody can know what it is worth.
    pub identifiable: bool,
    /// Two actions that show it, those in which it mattered most.
    pub examples: Vec<ActionId>,
}

/// What was seen of one decision.
#[derive(Default)]
struct Seen {
    /// Per action: its mean advantage there.
    per_action: Vec<(ActionId, f64)>,
    std_error: Moments,
    n_unknown: u64,
}

impl Model {
    /// What the learner's trajectories say of each decision, and of each decision in each situation that recurs: the most
    /// certain first. Empty where the model is a prior.
    ///
    /// The mean is over actions, of the mean over the action's steps. The interval is a percentile bootstrap over actions
    /// (Efron 1979; 1,000 resamples, the same each time), in which each resample is moved by a draw of the model's own
    /// standard error: the model was fitted on the same actions, and its error does not average out over them. False
    /// discoveries are controlled over all rows together (Benjamini & Hochberg 1995).
    #[must_use]
    pub fn insights(&self, learner: &Learner) -> Vec<Insight> {
        let mut seen: BTreeMap<(u64, Option<u64>), Seen> = BTreeMap::new();
        for sample in learner.samples() {
            let Some(assessment) = self.assess(sample) else { return Vec::new() };
            let mut here: BTreeMap<(u64, Option<u64>), (Moments, Moments, u64)> = BTreeMap::new();
            let said = assessment.advantages.iter().zip(&assessment.std_errors);
            for (step, (advantage, std_error)) in sample.steps.iter().zip(said) {
                for state in [None, Some(step.state)] {
                    let (advantages, errors, n_unknown) = here.entry((step.decision, state)).or_default();
                    advantages.add(*advantage);
                    if std_error.is_finite() { errors.add(*std_error) } else { *n_unknown += 1 }
                }
            }
            for (key, (advantages, errors, n_unknown)) in here {
                let seen = seen.entry(key).or_default();
                seen.per_action.push((sample.action, advantages.mean));
                if errors.n > 0 {
                    seen.std_error.add(errors.mean);
                }
                seen.n_unknown += u64::from(errors.n == 0 && n_unknown > 0);
            }
        }
        let mut insights: Vec<(Insight, f64)> = seen
            .into_iter()
            .filter(|(_, seen)| seen.per_action.len() as u64 >= ACTIONS_MIN)
            .map(|((decision, state), seen)| summarise(learner, decision, state, seen))
            .collect();
        let q = benjamini_hochberg(&insights.iter().map(|(_, p)| *p).collect::<Vec<f64>>());
        insights.iter_mut().zip(q).for_each(|((insight, _), q)| insight.q = q);
        insights.sort_by(|(left, _), (right, _)| {
            let rank = |insight: &Insight| insight.advantage.abs();
            right
                .identifiable
                .cmp(&left.identifiable)
                .then((right.q <= 0.05).cmp(&(left.q <= 0.05)))
                .then(rank(right).total_cmp(&rank(left)))
                .then(right.n.cmp(&left.n))
        });
        insights.truncate(INSIGHTS_MAX);
        insights.into_iter().map(|(insight, _)| insight).collect()
    }
}

fn summarise(learner: &Learner, decision: u64, state: Option<u64>, mut seen: Seen) -> (Insight, f64) {
    let name = |key: u64| learner.label(key).map_or_else(|| format!("{key:016x}"), str::to_owned);
    let values: Vec<f64> = seen.per_action.iter().map(|(_, value)| *value).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let identifiable = seen.std_error.n > 0;
    let (low, high, deviation) = interval(&values, seen.std_error.mean, decision ^ state.unwrap_or(0));
    let p = if identifiable && deviation > 0.0 { 2.0 * normal_cdf(-(mean / deviation).abs()) } else { 1.0 };
    seen.per_action.sort_by(|left, right| right.1.abs().total_cmp(&left.1.abs()).then(left.0.cmp(&right.0)));
    let insight = Insight {
        decision: name(decision),
        state: state.map(name),
        advantage: mean,
        low: if identifiable { low } else { mean },
        high: if identifiable { high } else { mean },
        n: values.len() as u64,
        q: 1.0,
        identifiable,
        examples: seen.per_action.iter().take(2).map(|(action, _)| *action).collect(),
    };
    (insight, p)
}

/// The percentile interval and the standard deviation of the resampled means.
fn interval(values: &[f64], std_error: f64, seed: u64) -> (f64, f64, f64) {
    let mut random = Random::new(seed);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let sum: f64 = (0..values.len()).filter_map(|_| values.get(random.below(values.len()))).sum();
            sum / values.len() as f64 + std_error * random.normal()
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let mut moments = Moments::default();
    means.iter().for_each(|mean| moments.add(*mean));
    let at = |share: f64| means.get((share * (RESAMPLES - 1) as f64).round() as usize).copied().unwrap_or(0.0);
    (at(0.025), at(0.975), moments.variance().sqrt())
}
