//! Hindsight credit.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::values::ValueTable;
use super::{Assessment, Episode, TabularModel, arrivals, usable};

/// Returns are told apart by this many classes of equal mass at most.
const RETURN_CLASSES_MAX: usize = 8;

/// Hindsight credit assignment, conditioned on the return, on tables.
///
/// `A_t = (1 - π(a_t | s_t) / h(a_t | s_t, z)) · (G_t - V(s_t))`
///
/// with `G_t` the return from step `t` and `z` its class, `π` the behaviour policy (the step's propensity, else counted) and
/// `h = (n(s,a,z) + π) / (n(s,z) + 1)` the probability of the decision given how it came out, with one pseudo-count of
/// `π` (Harutyunyan et al., "Hindsight Credit Assignment", 2019, theorem 2). The paper multiplies by `G_t`; subtracting
/// `V(s)` leaves the mean over outcomes as it is, since `Σ_z P(z | s, a)·(1 - π/h) = 0`, lowers the variance, and makes
/// blame visible. A decision that its outcome makes no more likely has none: `h = π`. Averaged over visits of `(s, a)`
/// it is `Q(s,a) - V(s)`.
///
/// Classes: each value of the return where there are at most 8, else 8 of equal mass. `n` counts visits of `(s, a)`; keys
/// that were never seen get 0. The standard error takes `h` for a binomial share and `V` for a mean, independent of one
/// another. O(steps log steps) to fit, O(steps) to assess; `π/h` is at most `n(s,z) + 1`, so a single step can get a large
/// advantage where an outcome is rare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hca {
    values: ValueTable,
    /// The highest return of each class but the last.
    edges: Vec<f64>,
    #[serde(with = "super::rows")]
    decisions: HashMap<(u64, u64), u64>,
    #[serde(with = "super::rows")]
    outcomes: HashMap<(u64, usize), u64>,
    #[serde(with = "super::rows")]
    both: HashMap<(u64, u64, usize), u64>,
}

impl Hca {
    /// The tables of these episodes.
    #[must_use]
    pub fn fit(episodes: &[Episode]) -> Self {
        let mut returns: Vec<f64> = usable(episodes).flat_map(returns).collect();
        let mut model = Self {
            values: ValueTable::of(episodes),
            edges: edges(&mut returns),
            decisions: HashMap::new(),
            outcomes: HashMap::new(),
            both: HashMap::new(),
        };
        for episode in usable(episodes) {
            for (step, return_) in episode.steps.iter().zip(self::returns(episode)) {
                let class = model.class(return_);
                *model.decisions.entry((step.state, step.decision)).or_default() += 1;
                *model.outcomes.entry((step.state, class)).or_default() += 1;
                *model.both.entry((step.state, step.decision, class)).or_default() += 1;
            }
        }
        model
    }

    fn class(&self, return_: f64) -> usize {
        self.edges.partition_point(|edge| *edge < return_)
    }
}

/// The return from each step.
fn returns(episode: &Episode) -> Vec<f64> {
    let mut rest = episode.reward;
    let mut returns = Vec::with_capacity(episode.steps.len());
    for arrival in arrivals(episode) {
        returns.push(rest);
        rest -= arrival;
    }
    returns
}

fn edges(returns: &mut Vec<f64>) -> Vec<f64> {
    returns.sort_by(f64::total_cmp);
    let quantiles: Vec<f64> =
        (1..RETURN_CLASSES_MAX).filter_map(|k| returns.get(k * returns.len() / RETURN_CLASSES_MAX).copied()).collect();
    returns.dedup();
    if returns.len() > RETURN_CLASSES_MAX {
        *returns = quantiles;
        returns.dedup();
    } else {
        returns.pop();
    }
    std::mem::take(returns)
}

impl TabularModel for Hca {
    fn assess(&self, episode: &Episode) -> Assessment {
        let walk = self.values.walk(episode);
        let n_steps = episode.steps.len();
        let mut result = Assessment {
            baseline: walk.baseline,
            advantages: vec![0.0; n_steps],
            std_errors: vec![f64::INFINITY; n_steps],
            n: vec![0; n_steps],
            forecast: walk.forecast(),
        };
        if !episode.reward.is_finite() {
            return result;
        }
        for ((index, step), return_) in episode.steps.iter().enumerate().zip(returns(episode)) {
            let Some(n) = self.decisions.get(&(step.state, step.decision)) else { continue };
            let standing = walk.before[index];
            let counted = *n as f64 / standing.n as f64;
            let policy = step.propensity.filter(|p| *p > 0.0 && *p <= 1.0).unwrap_or(counted);
            let class = self.class(return_);
            let n_outcome = self.outcomes.get(&(step.state, class)).copied().unwrap_or(0) as f64 + 1.0;
            let n_both = self.both.get(&(step.state, step.decision, class)).copied().unwrap_or(0) as f64;
            let hindsight = (n_both + policy) / n_outcome;
            let part = 1.0 - policy / hindsight;
            let surprise = walk.reward - standing.value;
            let of_hindsight = policy / hindsight.powi(2) * surprise;
            let spread = (hindsight * (1.0 - hindsight)).max(0.0) / n_outcome;
            result.n[index] = *n;
            result.advantages[index] = part * surprise;
            if *n < standing.n {
                result.std_errors[index] = (of_hindsight.powi(2) * spread + part * part * standing.variance).sqrt();
            }
        }
        result
    }
}
