//! Sparse direct advantage estimation.

mod columns;
mod lasso;
mod policy;
mod prior;
mod reach;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use self::columns::{Candidates, Column, Contrasts};
use self::policy::{Policy, visits};
use self::prior::{KINDS, share};
use self::reach::Reach;
use crate::mixed::BuildMixed;
use crate::random::Random;
use crate::statistics::normal_cdf;
use crate::{Assessment, Sample};

/// Columns that survive the screening.
const COLUMNS_MAX: usize = 300;
/// Permutations of the rewards that the strongest column is compared with.
const PERMUTATIONS: usize = 199;
/// Samples that are permuted at most.
const PERMUTED_MAX: usize = 1_000;

/// Sparse direct advantage estimation: what single decisions in single contexts are worth, where states do not recur.
///
/// `R - R̄ ≈ Σ_t Σ_j w_j φ_j(t)`, `φ_j(t) = (1[a_t = a_j] - π̂(a_j | s_t)) · 1[context j holds at t]`
///
/// with `R` in units of reward and `π̂` the behaviour policy: the given propensities, else how often the decision was
/// made in the state, in other steps, with eight pseudo-counts of how often it is made at all, where the state is known to
/// leave more choices than were made in it. How many steps an action has been in a state without a break is part of the
/// state. Centred by the policy, a feature has mean 0 in every state, so `Σ_j w_j φ_j(t)` is an advantage: it takes nothing for being in a good state, and
/// a decision that the state leaves no choice about has none (Pan et al., "Direct Advantage Estimation", 2021). That the
/// sum over steps explains the whole return is return decomposition (Arjona-Medina et al., "RUDDER: Return
/// Decomposition for Delayed Rewards", 2019; Ren et al., "Learning Long-Term Reward Redistribution via Randomized Return
/// Decomposition", 2022).
///
/// A context is a feature of the step's situation or of the action's first one (`*` always, each categorical part, the
/// state's key once three actions were in it), alone or at a position: `floor(log2(t + 1))`, and the end where lengths
/// vary by less than 5 % (elsewhere the end is a collider: who ends early chose to). Columns that three actions do not
/// show are left out, and those in which an action's steps cancel; of equal ones the earliest stays, since a step that
/// only follows from another one cannot have caused it; and the 300 that correlate best with `R` are screened in. Their
/// weights are those of the scaled lasso with `λ = 0.8·σ̂·sqrt(2 ln p / n)` (Sun & Zhang, "Scaled Sparse Linear
/// Regression", 2012), half relaxed towards least squares on the columns that it chose (Meinshausen, "Relaxed Lasso",
/// 2007).
///
/// `baseline` is `R̄` less what the columns' means predict. Standard errors are those of the least squares on the chosen
/// columns, which do not know that they were chosen; infinite for a step with no chosen column. `n` is in how many actions
/// the decision was made in the context that weighs most.
///
/// O(steps · features) to collect, O(n · columns²) to screen and solve; O(features) a step to assess.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sdae {
    baseline: f64,
    /// Whether the end of an action is a position.
    knows_end: bool,
    policy: Policy,
    contrasts: Contrasts,
    columns: Columns,
    /// Covariance of the least-squares weights, row by row.
    covariance: Vec<f64>,
}

/// The chosen columns; on disk a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Chosen>", into = "Vec<Chosen>")]
struct Columns {
    list: Vec<Chosen>,
    /// Which of them a context has.
    by_context: HashMap<u64, Vec<usize>, BuildMixed>,
}

impl From<Vec<Chosen>> for Columns {
    fn from(list: Vec<Chosen>) -> Self {
        let mut by_context: HashMap<u64, Vec<usize>, BuildMixed> = HashMap::default();
        for (at, chosen) in list.iter().enumerate() {
            by_context.entry(chosen.column.context()).or_default().push(at);
        }
        Self { list, by_context }
    }
}

impl From<Columns> for Vec<Chosen> {
    fn from(columns: Columns) -> Self {
        columns.list
    }
}

/// A column with a weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Chosen {
    column: Column,
    weight: f64,
    /// Actions in which the decision was made in the context.
    n: u64,
}

impl Sdae {
    /// The model of these samples. With fewer than four, or where all rewards are equal, it knows the mean alone.
    #[must_use]
    pub fn fit(samples: &[&Sample]) -> Self {
        Self::fitted(samples, false)
    }

    /// The same for a faint signal: columns of which more is to be expected before any reward is looked at, as
    /// [`Sdae::p_value`] expects it, are penalised less, and the others more; unless that leaves none.
    #[must_use]
    pub(crate) fn fit_faint(samples: &[&Sample]) -> Self {
        let model = Self::fitted(samples, true);
        if model.n_columns() > 0 { model } else { Self::fit(samples) }
    }

    fn fitted(samples: &[&Sample], is_faint: bool) -> Self {
        let samples = usable(samples);
        let mean = mean(&samples);
        let policy = Policy::of(&samples);
        let knows_end = lengths_agree(&samples);
        let contrasts = Contrasts::of(&samples);
        let mut model = Self { baseline: mean, knows_end, policy, contrasts, ..Self::default() };
        let varies = samples.iter().any(|sample| (sample.reward - mean).abs() > 1e-12 * (1.0 + mean.abs()));
        if samples.len() < 4 || !varies {
            return model;
        }
        let rewards: Vec<f64> = samples.iter().map(|sample| sample.reward - mean).collect();
        let mut candidates = Candidates::of(&samples, &model.policy, &model.contrasts, knows_end);
        if is_faint {
            candidates = candidates.with_prior(&samples, &model.contrasts);
        }
        let design = candidates.design(&rewards, COLUMNS_MAX);
        let fit = lasso::fit(&design, &rewards);
        model.covariance = fit.covariance;
        let mut columns = Vec::with_capacity(fit.chosen.len());
        for (at, weight) in fit.chosen.iter().zip(&fit.weights) {
            let column = &design.columns[*at];
            model.baseline -= weight * column.mean;
            columns.push(Chosen { column: column.column, weight: *weight, n: column.n_shown });
        }
        model.columns = columns.into();
        model
    }

    /// How likely the strongest column would be at least as strong if no decision had anything to do with the rewards: a
    /// permutation test of `min_j 2Φ(-|z_j|)·n_k/share_k`, with `z_j` the column's product with the rewards over their
    /// length, and `n_k` the columns of its kind `k` (see [`Prior`](self::prior::Prior)). It knows how many columns there
    /// are and how they hang together (Westfall & Young, "Resampling-Based Multiple Testing", 1993). On the first
    /// `PERMUTED_MAX` samples; `None` of fewer than four, or of equal rewards. At least `1/(1 + PERMUTATIONS)`;
    /// O(permutations · columns · n).
    #[must_use]
    pub(crate) fn p_value(samples: &[&Sample]) -> Option<f64> {
        let samples = usable(samples);
        if samples.len() < 4 {
            return None;
        }
        let samples = &samples[..samples.len().min(PERMUTED_MAX)];
        let mean = mean(samples);
        let (policy, contrasts) = (Policy::of(samples), Contrasts::of(samples));
        let candidates =
            Candidates::of(samples, &policy, &contrasts, lengths_agree(samples)).with_prior(samples, &contrasts);
        let spread = samples.iter().map(|sample| (sample.reward - mean).powi(2)).sum::<f64>().sqrt();
        if spread <= 0.0 {
            return None;
        }
        let mut rewards: Vec<f64> = samples.iter().map(|sample| sample.reward - mean).collect();
        let mut random = Random::new(0);
        let mut lists = vec![rewards.clone()];
        for _ in 0..PERMUTATIONS {
            random.shuffle(&mut rewards);
            lists.push(rewards.clone());
        }
        let (strongest, n_of_kind) = candidates.strongest(&lists);
        // The least p value, each divided by its part of the chance of an error.
        let least = |strongest: &[f64; KINDS]| {
            let kinds = strongest.iter().zip(&n_of_kind).enumerate();
            kinds.map(|(kind, (strongest, n))| ln_tail(strongest / spread) - share(kind, *n).ln()).fold(0.0, f64::min)
        };
        let (observed, permuted) = strongest.split_first()?;
        let observed = least(observed);
        let n_stronger = permuted.iter().filter(|strongest| least(strongest) <= observed).count();
        Some((n_stronger + 1) as f64 / (permuted.len() + 1) as f64)
    }

    /// How many columns it chose.
    #[must_use]
    pub fn n_columns(&self) -> usize {
        self.columns.list.len()
    }

    /// What the model says of one action.
    #[must_use]
    pub fn assess(&self, sample: &Sample) -> Assessment {
        let n = sample.steps.len();
        let mut result = Assessment {
            baseline: self.baseline,
            advantages: Vec::with_capacity(n),
            std_errors: Vec::with_capacity(n),
            n: Vec::with_capacity(n),
            forecast: Vec::with_capacity(n),
        };
        let mut expected = self.baseline;
        let mut reach = Reach::of(self, sample);
        let mut hits: Vec<(usize, f64)> = Vec::new();
        for (at, name) in visits(sample).enumerate() {
            hits.clear();
            reach.hits(at, name, &mut hits);
            let advantage: f64 = hits.iter().map(|(column, x)| self.columns.list[*column].weight * x).sum();
            let variance: f64 =
                hits.iter().flat_map(|(i, x)| hits.iter().map(move |(j, y)| x * y * self.covariance_of(*i, *j))).sum();
            let heaviest = hits.iter().max_by(|left, right| {
                let weight = |(column, x): &(usize, f64)| (self.columns.list[*column].weight * x).abs();
                weight(left).total_cmp(&weight(right))
            });
            expected += advantage;
            result.advantages.push(advantage);
            result.std_errors.push(if hits.is_empty() { f64::INFINITY } else { variance.max(0.0).sqrt() });
            result.n.push(heaviest.map_or(0, |(column, _)| self.columns.list[*column].n));
            result.forecast.push(expected);
        }
        result
    }

    fn covariance_of(&self, i: usize, j: usize) -> f64 {
        self.covariance.get(i * self.columns.list.len() + j).copied().unwrap_or(0.0)
    }
}

/// `ln 2Φ(-z)`, for z ≥ 0; above 6 by the first terms of its expansion, to 1e-4.
fn ln_tail(z: f64) -> f64 {
    if z < 6.0 {
        return (2.0 * normal_cdf(-z)).ln();
    }
    -z * z / 2.0 - (z * (std::f64::consts::TAU.sqrt() / 2.0)).ln() - 1.0 / (z * z)
}

fn usable<'a>(samples: &[&'a Sample]) -> Vec<&'a Sample> {
    samples.iter().copied().filter(|sample| sample.reward.is_finite() && !sample.steps.is_empty()).collect()
}

fn mean(samples: &[&Sample]) -> f64 {
    samples.iter().map(|sample| sample.reward).sum::<f64>() / samples.len().max(1) as f64
}

/// Whether the lengths vary by less than 5 %: standard deviation over mean.
fn lengths_agree(samples: &[&Sample]) -> bool {
    let n = samples.len().max(1) as f64;
    let length = |sample: &&Sample| sample.steps.last().map_or(0.0, |step| f64::from(step.index) + 1.0);
    let mean = samples.iter().map(length).sum::<f64>() / n;
    let variance = samples.iter().map(|sample| (length(sample) - mean).powi(2)).sum::<f64>() / n;
    variance.sqrt() < 0.05 * mean
}

#[cfg(test)]
mod tests;
