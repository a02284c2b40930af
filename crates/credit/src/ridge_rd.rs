//! Return decomposition for free-form decisions.

mod dual;
mod runs;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use self::dual::{Dual, Prior};
use self::runs::{Keys, Runs, keys_of};
use crate::{Assessment, Sample};

/// Before anything is learned, each level of keys and the goals explain this share of the variance of rewards.
const PRIOR_SHARE: f64 = 0.2;

/// Shares of the variance of rewards that may be luck.
const NOISE_SHARES: [f64; 3] = [0.25, 0.5, 1.0];

/// Samples that are fitted at most: half a second. The inverse grows with their cube.
const FIT_SAMPLES_MAX: usize = 1_280;

/// Samples on which variances are learned at most; the weights are fitted on all.
const VARIANCE_SAMPLES_MAX: usize = 320;

/// Passes over the variances of the names, for each share of luck, and further ones for the chosen share.
const PASSES: usize = 3;

/// Rewards that differ by less than this part of the largest are all the same.
const SPREAD_MIN: f64 = 1e-9;

/// Return decomposition for free-form decisions: what decisions with arguments are worth, where situations do not recur.
///
/// `R - R̄ = u_g + Σ_{a ∈ decisions} (w_{g,a} + w_a) + Σ_{d ∈ names} w_d + luck`,
/// `A_t = (1 - π_a)·(w_{g,a} + w_a) + (1 - π_d)·w_d`
///
/// in units of reward, with `g` the goal of the action, `a` what step `t` did (tool and arguments, in general the
/// decision's detail) and `d` its name (the tool). The sums go over what was done at all, once each: a reward is split
/// over the steps (Ren et al., "Learning Long-Term Reward Redistribution via Randomized Return Decomposition", 2022), here
/// by ridge regression, and each level is shrunk to the one above it, for the weight of an argument is what its tool's
/// weight leaves, and that at a goal what both leave (hierarchical shrinkage: Gelman & Hill, "Data Analysis Using
/// Regression and Multilevel/Hierarchical Models", 2007). Where something is known of effects, a decision that changed
/// the world and one of the same name that did not are two decisions.
///
/// *Shrinkage.* `w ~ N(0, v_d)` at all three levels, `u_g ~ N(0, s²/5)`, luck `~ N(0, σ²)`, with `s²` the variance of
/// rewards. Each name has its own `v_d`, from `s²/5` by MacKay's rule with one pseudo-weight,
/// `v_d ← (Σ w² + s²/5) / (γ_d + 1)`, `γ_d` the number of weights of that name that the data determine (MacKay, "Bayesian
/// Interpolation", 1992; Tipping, "Sparse Bayesian Learning and the Relevance Vector Machine", 2001). That is what tells a
/// tool whose arguments matter (cancelling this booking or that one) from one whose arguments only follow what the agent
/// is about to do (looking at it), and so parts decisions that always come together. `σ²` is the one of `s²/4`, `s²/2`, `s²`
/// whose leave-one-out error `Σ (α_i / (K⁻¹)_ii)²` is the least (PRESS: Allen, "The Relationship between Variable
/// Selection and Data Augmentation and a Method for Prediction", 1974). With one name, no goals and `v → ∞` it is least
/// squares on indicators.
///
/// *What is identifiable.* `π` is how often actions with this goal make the decision, with one pseudo-action that makes it
/// as often as all do: an advantage is against what else is done about the goal. A decision that every action makes has
/// none, and an infinite error; of one that all `n` actions of its goal make and others do not, only `1/(n+1)` of what
/// other goals say remains. `baseline` is `R̄ + u_g` and what the decisions are worth at those rates, so what an action
/// did *not* do is in the residual: where one decision takes the place of another, the weight may lie on the one that is
/// missing.
///
/// *Repeats.* A decision made several times counts once, at the last of them: the earlier ones were done again. So telling
/// one step as eight moves nothing. The forecast, which knows what came before it alone, counts it at the first.
///
/// *Effects.* A step that is known not to have changed the world has advantage 0; what it says of the situation stays in
/// the fit and in the forecast.
///
/// *Own outcome.* Of an action that the model was fitted on, its own outcome is part of what is said;
/// [`assess_with_outcome`](Self::assess_with_outcome) adds it for another one. A failed first attempt blames what it did
/// alone, in the measure in which others leave it open.
///
/// Solved in the dual, `K = X Λ Xᵀ + σ² I`, `w = Λ Xᵀ K⁻¹ (R - R̄)`, for keys outnumber actions: O(n³) for n samples, once;
/// at most 1,280 samples are fitted, and variances learned on 320, of goals taken whole. Standard errors are those of the posterior, `Λ - Λ Xᵀ K⁻¹ X Λ`,
/// given the variances; `n` is in how many actions the decision was made, with the goal where it was seen there. Of one
/// action the last 256 decisions count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RidgeRd {
    /// Mean reward; all below is in units of reward.
    mean: f64,
    n_samples: u64,
    /// The variance of luck, and that of the weights of a name that was never seen and of a goal.
    noise: f64,
    prior: f64,
    names: BTreeMap<u64, Name>,
    /// Decisions with arguments.
    details: BTreeMap<u64, Weight>,
    /// The same with one goal; the weight is that of both, the variance too.
    paths: BTreeMap<u64, Weight>,
    goals: BTreeMap<u64, Goal>,
    /// In how many actions with one goal a name was used.
    goal_names: BTreeMap<u64, u64>,
    /// What decisions are worth at the rate at which all actions make them.
    typical: f64,
    /// Hashes of the actions it was fitted on, ascending.
    fitted: Vec<u64>,
    /// Squared error of leave-one-out predictions, and of the mean's.
    press: (f64, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Weight {
    weight: f64,
    variance: f64,
    /// Covariance with the weight of the name.
    with_name: f64,
    n: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Name {
    weight: f64,
    variance: f64,
    /// Prior variance of the weights of this name, `v_d`.
    prior: f64,
    n: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Goal {
    weight: f64,
    variance: f64,
    baseline: f64,
    n: u64,
}

/// What one decision of a sample adds, before it is known where it goes.
struct Part {
    first: usize,
    last: usize,
    /// `1 - π`, the weight that it multiplies, and the prior variance where nothing is known.
    surprise: f64,
    weight: f64,
    variance: f64,
    n: u64,
}

impl RidgeRd {
    /// The model of these samples; those without steps or a finite reward say nothing. Where all rewards are equal, or
    /// there are fewer than three, it knows the mean alone.
    #[must_use]
    pub fn fit(samples: &[&Sample]) -> Self {
        let mut samples: Vec<&Sample> =
            samples.iter().copied().filter(|sample| sample.reward.is_finite() && !sample.steps.is_empty()).collect();
        // Goals one after another, those without one at the end: a prefix holds whole goals.
        samples.sort_by_key(|sample| (sample.goal.is_none(), sample.goal, sample.action));
        samples.truncate(whole_goals(&samples, FIT_SAMPLES_MAX));
        let unit = samples.iter().map(|sample| sample.reward.abs()).fold(0.0, f64::max);
        let n = samples.len() as f64;
        let share = |sample: &&Sample| if unit > 0.0 { sample.reward / unit } else { 0.0 };
        let mean = samples.iter().map(share).sum::<f64>() / n.max(1.0);
        let squares = samples.iter().map(|sample| (share(sample) - mean).powi(2)).sum::<f64>();
        let spread = (squares / n.max(1.0)).sqrt();
        let mut fitted: Vec<u64> = samples.iter().map(|sample| xxh3_64(sample.action.as_bytes())).collect();
        fitted.sort_unstable();
        let mut model = Self { mean: mean * unit, n_samples: samples.len() as u64, fitted, ..Self::default() };
        if samples.len() < 3 || spread <= SPREAD_MIN {
            return model;
        }
        let runs = Runs::of(&samples);
        let rewards: Vec<f64> = samples.iter().map(|sample| (share(sample) - mean) / spread).collect();
        let (prior, dual) = learn(&runs, whole_goals(&samples, VARIANCE_SAMPLES_MAX), &rewards);
        let scale = spread * unit;
        model.noise = prior.noise * scale * scale;
        model.prior = PRIOR_SHARE * scale * scale;
        if let Some(dual) = dual {
            let errors = dual.leave_one_out();
            model.press =
                (errors.iter().map(|error| (error * scale).powi(2)).sum::<f64>() / n, (spread * unit).powi(2));
            model.take(&runs, &prior, &dual, scale);
        }
        model
    }

    /// Weights and covariances, in units of reward, and what actions of a goal are worth before their first step.
    fn take(&mut self, runs: &Runs, prior: &Prior, dual: &Dual<'_>, scale: f64) {
        let square = scale * scale;
        let with_name: Vec<Vec<f64>> = runs.names.iter().map(|column| dual.solve_rows(&column.rows)).collect();
        for (index, column) in runs.names.iter().enumerate() {
            let v = prior.names[index];
            let variance = v - v * v * dual::sum(&with_name[index], &column.rows);
            let weight = v * dual.explain(&column.rows) * scale;
            let name =
                Name { weight, variance: variance.max(0.0) * square, prior: v * square, n: column.rows.len() as u64 };
            self.names.insert(column.key, name);
            self.typical += weight * runs.share(column.rows.len());
        }
        for column in &runs.details {
            let v = prior.names[column.name];
            let variance = v - v * v * dual.quadratic(&column.rows, &column.rows);
            let weight = Weight {
                weight: v * dual.explain(&column.rows) * scale,
                variance: variance.max(0.0) * square,
                with_name: -v * v * dual::sum(&with_name[column.name], &column.rows) * square,
                n: column.rows.len() as u64,
            };
            self.typical += weight.weight * runs.share(column.rows.len());
            self.details.insert(column.key, weight);
        }
        for column in &runs.paths {
            let (v, detail) = (prior.names[column.name], &runs.details[column.above]);
            let variance = 2.0 * v
                - v * v
                    * (dual.quadratic(&column.rows, &column.rows)
                        + 2.0 * dual.quadratic(&column.rows, &detail.rows)
                        + dual.quadratic(&detail.rows, &detail.rows));
            let both = dual.explain(&column.rows) + dual.explain(&detail.rows);
            let covered =
                dual::sum(&with_name[column.name], &column.rows) + dual::sum(&with_name[column.name], &detail.rows);
            let weight = Weight {
                weight: v * both * scale,
                variance: variance.max(0.0) * square,
                with_name: -v * v * covered * square,
                n: column.rows.len() as u64,
            };
            self.paths.insert(column.key, weight);
        }
        self.take_goals(runs, dual, scale);
    }

    fn take_goals(&mut self, runs: &Runs, dual: &Dual<'_>, scale: f64) {
        for goal in &runs.goals {
            let v = PRIOR_SHARE;
            let n = goal.rows.len() as f64;
            let weight = v * dual.explain(&goal.rows) * scale;
            let variance = (v - v * v * dual.quadratic(&goal.rows, &goal.rows)).max(0.0) * scale * scale;
            // What the goal's own actions did, and one more that does what all do, at the goal's weights.
            let mut done = 0.0;
            let mut typical = self.typical;
            for column in goal.paths.iter().map(|path| &runs.paths[*path]) {
                let detail = &runs.details[column.above];
                let own = self.paths.get(&column.key).map_or(0.0, |path| path.weight);
                let above = self.details.get(&detail.key).map_or(0.0, |detail| detail.weight);
                done += column.rows.len() as f64 * own;
                typical += (own - above) * runs.share(detail.rows.len());
            }
            for (name, count) in &goal.names {
                let column = &runs.names[*name];
                done += *count as f64 * self.names.get(&column.key).map_or(0.0, |name| name.weight);
                self.goal_names.insert(runs::at_goal(goal.key, column.key), *count);
            }
            let baseline = self.mean + weight + (done + typical) / (n + 1.0);
            self.goals.insert(goal.key, Goal { weight, variance, baseline, n: goal.rows.len() as u64 });
        }
    }

    /// What the model says of one action. Each list is as long as the sample's steps. The forecast of an action that the
    /// model was fitted on knows its reward; that of others does not.
    #[must_use]
    pub fn assess(&self, sample: &Sample) -> Assessment {
        self.judge(sample, 0.0)
    }

    /// The same, with the action's own outcome as one more observation where the model has not seen it:
    ///
    /// `w_k ← w_k + C_kk / (σ² + Σ C_jj) · (R - R̂)`
    ///
    /// over the action's weights `k`, their posterior variances `C` and the prediction `R̂`: Kalman's update with what the
    /// posterior says of pairs of decisions left out. Exact where no two of them were ever seen together.
    #[must_use]
    pub fn assess_with_outcome(&self, sample: &Sample) -> Assessment {
        if !sample.reward.is_finite() || self.contains(sample) || self.noise <= 0.0 {
            return self.judge(sample, 0.0);
        }
        let keys = keys_of(sample);
        let goal = sample.goal.and_then(|goal| self.goals.get(&goal));
        let mut predicted = self.mean + goal.map_or(0.0, |goal| goal.weight);
        let mut variance = self.noise + goal.map_or(self.prior, |goal| goal.variance);
        for part in self.parts(&keys, sample.goal) {
            predicted += part.weight;
            variance += part.variance;
        }
        self.judge(sample, (sample.reward - predicted) / variance)
    }

    /// Whether the model was fitted on this action.
    #[must_use]
    pub fn contains(&self, sample: &Sample) -> bool {
        self.fitted.binary_search(&xxh3_64(sample.action.as_bytes())).is_ok()
    }

    /// Mean squared error of the leave-one-out predictions of whole actions, their variances given, and the variance of
    /// rewards: how much is learned. Both 0 where nothing is.
    #[must_use]
    pub const fn press(&self) -> (f64, f64) {
        self.press
    }

    /// `surplus` is what is unexplained of the outcome, per unit of variance.
    fn judge(&self, sample: &Sample, surplus: f64) -> Assessment {
        let n_steps = sample.steps.len();
        let goal = sample.goal.and_then(|goal| self.goals.get(&goal));
        let baseline = goal.map_or(self.mean + self.typical, |goal| goal.baseline);
        let mut result = Assessment {
            baseline,
            advantages: vec![0.0; n_steps],
            std_errors: vec![f64::INFINITY; n_steps],
            n: vec![0; n_steps],
            forecast: Vec::with_capacity(n_steps),
        };
        let keys = keys_of(sample);
        let mut arriving = vec![0.0; n_steps];
        for part in self.parts(&keys, sample.goal) {
            arriving[part.first] += part.surprise * part.weight;
            result.advantages[part.last] += part.surprise * (part.weight + part.variance * surplus);
            result.n[part.last] = result.n[part.last].max(part.n);
        }
        for (index, variance) in self.variances(&keys, sample.goal) {
            if variance > 0.0 && result.n[index] > 0 {
                result.std_errors[index] = variance.sqrt();
            }
        }
        for (index, step) in sample.steps.iter().enumerate() {
            if step.effect == Some(false) {
                result.advantages[index] = 0.0;
            }
        }
        let mut expected = baseline;
        result.forecast.extend(arriving.iter().map(|change| {
            expected += change;
            expected
        }));
        result
    }

    /// How often actions of the goal do what was done `n` times in all and `n_goal` times there.
    fn rate(&self, goal: Option<&Goal>, n: u64, n_goal: u64) -> f64 {
        let share = n as f64 / (self.n_samples.max(1)) as f64;
        goal.map_or(share, |goal| (n_goal as f64 + share) / (goal.n as f64 + 1.0)).min(1.0)
    }

    /// What each decision and each name of an action adds.
    fn parts(&self, keys: &Keys, goal: Option<u64>) -> Vec<Part> {
        let mut parts = Vec::with_capacity(keys.details.len() + keys.names.len());
        let known_goal = goal.and_then(|goal| self.goals.get(&goal));
        for at in &keys.details {
            let (path, detail) = (at.path.and_then(|path| self.paths.get(&path)), self.details.get(&at.detail));
            let v = self.names.get(&at.name).map_or(self.prior, |name| name.prior);
            let rate = self.rate(known_goal, detail.map_or(0, |detail| detail.n), path.map_or(0, |path| path.n));
            // A goal that did not show the decision has a weight of its own for it, of which nothing is known.
            let unknown = if goal.is_some() { v } else { 0.0 };
            let (weight, variance) = match (path, detail) {
                (Some(path), _) => (path.weight, path.variance),
                (None, Some(detail)) => (detail.weight, detail.variance + unknown),
                (None, None) => (0.0, v + unknown),
            };
            let n = path.or(detail).map_or(0, |seen| seen.n);
            parts.push(Part { first: at.first, last: at.last, surprise: 1.0 - rate, weight, variance, n });
        }
        for at in &keys.names {
            let name = self.names.get(&at.name);
            let (weight, variance) = name.map_or((0.0, self.prior), |name| (name.weight, name.variance));
            let there = goal.and_then(|goal| self.goal_names.get(&runs::at_goal(goal, at.name)));
            let rate = self.rate(known_goal, name.map_or(0, |name| name.n), there.copied().unwrap_or(0));
            parts.push(Part { first: at.first, last: at.last, surprise: 1.0 - rate, weight, variance, n: 0 });
        }
        parts
    }

    /// Posterior variance of each advantage, at the steps that have one.
    fn variances(&self, keys: &Keys, goal: Option<u64>) -> Vec<(usize, f64)> {
        let parts = self.parts(keys, goal);
        let (details, names) = parts.split_at(keys.details.len());
        let mut variances: BTreeMap<usize, f64> = BTreeMap::new();
        for (at, part) in keys.details.iter().zip(details) {
            let path = at.path.and_then(|path| self.paths.get(&path));
            let seen = path.or_else(|| self.details.get(&at.detail));
            let of_name =
                keys.names.iter().zip(names).find(|(name, part)| name.name == at.name && part.last == at.last);
            let (surprise, with_name) = (part.surprise, seen.map_or(0.0, |seen| seen.with_name));
            let mut variance = surprise * surprise * part.variance;
            if let Some((_, name)) = of_name {
                variance += 2.0 * surprise * name.surprise * with_name + name.surprise * name.surprise * name.variance;
            }
            *variances.entry(at.last).or_default() += variance;
        }
        variances.into_iter().collect()
    }
}

/// How many of the sorted samples to take, so that no goal is cut unless it would cost more than a third of them.
fn whole_goals(samples: &[&Sample], n_max: usize) -> usize {
    let is_end = |at: &usize| samples[*at].goal.is_none() || samples[*at].goal != samples[*at - 1].goal;
    if samples.len() <= n_max { samples.len() } else { (n_max * 2 / 3..=n_max).rev().find(is_end).unwrap_or(n_max) }
}

/// The variances that predict left-out samples best, and the solution at them on all samples.
fn learn<'a>(runs: &'a Runs, whole: usize, rewards: &[f64]) -> (Prior, Option<Dual<'a>>) {
    let small = runs.prefix(whole);
    let small_rewards = &rewards[..small.n];
    let mut best: Option<(f64, Prior)> = None;
    for noise in NOISE_SHARES {
        let start = Prior { noise, goal: PRIOR_SHARE, names: vec![PRIOR_SHARE; runs.names.len()] };
        let prior = passed(&small, start, small_rewards);
        let Some(dual) = Dual::of(&small, &prior, small_rewards) else { continue };
        let press = dual.leave_one_out().iter().map(|error| error * error).sum::<f64>();
        if best.as_ref().is_none_or(|(least, _)| press < *least) {
            best = Some((press, prior));
        }
    }
    let Some((_, prior)) = best else { return (Prior::default(), None) };
    let prior = passed(&small, prior, small_rewards);
    let dual = Dual::of(runs, &prior, rewards);
    (prior, dual)
}

fn passed(runs: &Runs, mut prior: Prior, rewards: &[f64]) -> Prior {
    for _ in 0..PASSES {
        let Some(dual) = Dual::of(runs, &prior, rewards) else { break };
        prior.names = dual.variances(&prior, PRIOR_SHARE);
    }
    prior
}

#[cfg(test)]
mod tests;
