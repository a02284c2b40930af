//! What insights need of statistics: spreads, intervals, false discoveries, ranks.

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// Count, mean and sum of squared deviations of a stream of numbers.
///
/// `mean_n = mean_{n-1} + (x_n - mean_{n-1})/n`, `m2_n = m2_{n-1} + (x_n - mean_{n-1})(x_n - mean_n)`
///
/// Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products" (1962). O(1) a number; no
/// cancellation where the mean is large next to the spread, and exactly no spread where all numbers are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// How many numbers.
    pub n: u64,
    /// Their mean; 0 without numbers.
    pub mean: f64,
    /// Sum of squared deviations from the mean.
    pub m2: f64,
}

impl Moments {
    /// Takes one more number in.
    pub fn add(&mut self, x: f64) {
        self.n += 1;
        let change = x - self.mean;
        self.mean += change / self.n as f64;
        self.m2 += change * (x - self.mean);
    }

    /// The unbiased variance; 0 below two numbers.
    #[must_use]
    pub fn variance(&self) -> f64 {
        if self.n < 2 { 0.0 } else { self.m2 / (self.n - 1) as f64 }
    }
}

/// Which ends of the bootstrap distribution an interval takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BootstrapKind {
    /// The `α` and `1-α` quantiles.
    Percentile,
    /// Those moved for bias and for a spread that changes with the value.
    #[default]
    BiasCorrectedAccelerated,
}

/// How a bootstrap interval is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// How many resamples, 1 at least.
    pub n_resamples: usize,
    /// The share of cases in which the interval is to hold the truth, in (0, 1).
    pub level: f64,
    /// The same seed draws the same resamples.
    pub seed: u64,
    /// Which ends.
    pub kind: BootstrapKind,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { n_resamples: 2_000, level: 0.95, seed: 0, kind: BootstrapKind::default() }
    }
}

/// A bootstrap interval of any statistic of a sample.
///
/// `[θ*_(α₁), θ*_(α₂)]`, `α_i = Φ(z₀ + (z₀ + z_i) / (1 - a (z₀ + z_i)))`, `z₁ = -z₂ = Φ⁻¹((1 - level)/2)`
///
/// with `θ*` the statistic of samples drawn with replacement, `z₀ = Φ⁻¹(share of θ* below θ̂)`, ties counted half, and
/// `a = Σ d³ / (6 (Σ d²)^1.5)`, `d` the mean of the leave-one-out values minus each (Efron & Tibshirani, "An Introduction
/// to the Bootstrap", 1993, chapter 14). With `z₀ = a = 0` it is the percentile interval. Quantiles are interpolated
/// linearly. `n_resamples + n` evaluations of the statistic. Too narrow in samples of fewer than about 20, and of no
/// use for extremes. `None` where the sample is empty or a value of the statistic is not finite.
#[must_use]
pub fn bootstrap_interval(
    sample: &[f64],
    statistic: impl Fn(&[f64]) -> f64,
    bootstrap: Bootstrap,
) -> Option<(f64, f64)> {
    let mut random = Random::new(bootstrap.seed);
    let mut drawn = vec![0.0; sample.len()];
    let mut values = Vec::with_capacity(bootstrap.n_resamples.max(1));
    for _ in 0..bootstrap.n_resamples.max(1) {
        drawn.iter_mut().for_each(|slot| *slot = sample.get(random.below(sample.len())).copied().unwrap_or(f64::NAN));
        values.push(statistic(&drawn));
    }
    values.sort_by(f64::total_cmp);
    let alpha = (1.0 - bootstrap.level.clamp(0.0, 1.0)) / 2.0;
    let (low, high) = match bootstrap.kind {
        BootstrapKind::Percentile => (alpha, 1.0 - alpha),
        BootstrapKind::BiasCorrectedAccelerated => corrected(sample, &statistic, &values, alpha),
    };
    let finite = !sample.is_empty() && values.iter().all(|value| value.is_finite()) && low.is_finite();
    finite.then(|| (quantile(&values, low), quantile(&values, high)))
}

/// The shares at which the corrected interval ends.
fn corrected(sample: &[f64], statistic: &impl Fn(&[f64]) -> f64, values: &[f64], alpha: f64) -> (f64, f64) {
    let estimate = statistic(sample);
    let n = values.len() as f64;
    let below = values.iter().map(|value| if *value < estimate { 1.0 } else { f64::from(*value == estimate) / 2.0 });
    let bias = normal_quantile((below.sum::<f64>() / n).clamp(0.5 / n, 1.0 - 0.5 / n));
    let mut rest = sample.to_vec();
    let without: Vec<f64> = (0..sample.len())
        .map(|index| {
            let left_out = rest.swap_remove(index);
            let value = statistic(&rest);
            rest.push(left_out);
            let last = rest.len() - 1;
            rest.swap(index, last);
            value
        })
        .collect();
    let mean = without.iter().sum::<f64>() / without.len() as f64;
    let power = |power: i32| without.iter().map(|value| (mean - value).powi(power)).sum::<f64>();
    let acceleration = if power(2) > 0.0 { power(3) / (6.0 * power(2).powf(1.5)) } else { 0.0 };
    let end = |alpha: f64| {
        let z = bias + normal_quantile(alpha);
        normal_cdf(bias + z / (1.0 - acceleration * z))
    };
    (end(alpha), end(1.0 - alpha))
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

/// `Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/(3·5) + …)` (Marsaglia, "Evaluating the Normal Distribution", 2004), to 1e-15 absolute;
/// 0 and 1 beyond ±8.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    if x.abs() > 8.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut sum, mut term, mut odd) = (x, x, 1.0);
    while term.abs() > sum.abs() * 1e-17 {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    0.5 + sum * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

/// The inverse by bisection, within ±8.
fn normal_quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if normal_cdf(middle) < share { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// Adjusted p-values: those at most `q` are discoveries of which a share of at most `q` is false, on average.
///
/// `q_(i) = min_{j ≥ i} min(1, m·p_(j)/j)`
///
/// with `p_(1) ≤ … ≤ p_(m)` (Benjamini & Hochberg, "Controlling the False Discovery Rate: A Practical and Powerful Approach
/// to Multiple Testing", 1995). Holds for independent tests and for those that depend positively. In the order given;
/// NaN counts as 1, and others are moved into \[0, 1\]. O(m log m).
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let m = p_values.len();
    let p = |index: usize| if p_values[index].is_nan() { 1.0 } else { p_values[index].clamp(0.0, 1.0) };
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|left, right| p(*left).total_cmp(&p(*right)));
    let mut adjusted = vec![1.0; m];
    let mut least = 1.0_f64;
    for (rank, index) in order.iter().enumerate().rev() {
        least = least.min(m as f64 * p(*index) / (rank + 1) as f64);
        adjusted[*index] = least;
    }
    adjusted
}

/// Spearman's rank correlation, in \[-1, 1\].
///
/// `ρ = Σ (r_i - r̄)(s_i - s̄) / sqrt(Σ (r_i - r̄)² · Σ (s_i - s̄)²)`
///
/// with `r`, `s` the ranks of both lists, equal values sharing the mean of their ranks (Spearman, "The Proof and Measurement
/// of Association between Two Things", 1904). Without ties it is `1 - 6 Σ d²/(n³ - n)`. O(n log n). `None` where the lists
/// differ in length, hold a NaN, or one of them is constant.
#[must_use]
pub fn spearman(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() || left.iter().chain(right).any(|value| value.is_nan()) {
        return None;
    }
    let middle = (left.len() as f64 + 1.0) / 2.0;
    let (mut both, mut of_left, mut of_right) = (0.0, 0.0, 0.0);
    for (left, right) in ranks(left).into_iter().zip(ranks(right)) {
        both += (left - middle) * (right - middle);
        of_left += (left - middle).powi(2);
        of_right += (right - middle).powi(2);
    }
    (of_left > 0.0 && of_right > 0.0).then(|| (both / (of_left * of_right).sqrt()).clamp(-1.0, 1.0))
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|left, right| values[*left].total_cmp(&values[*right]));
    let mut ranks = vec![0.0; values.len()];
    let mut n_before = 0;
    for ties in order.chunk_by(|left, right| values[*left] == values[*right]) {
        let rank = n_before as f64 + (ties.len() as f64 + 1.0) / 2.0;
        ties.iter().for_each(|index| ranks[*index] = rank);
        n_before += ties.len();
    }
    ranks
}

#[cfg(test)]
mod tests;
