//! Stated confidence against what came of it.

/// The 97.5 % point of the normal distribution.
const NORMAL_975: f64 = 1.959_963_984_540_054;

/// What was stated before, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Forecast {
    /// The stated probability of success, in \[0, 1\].
    pub confidence: f64,
    /// What came of it, in \[0, 1\]: 0 or 1 where it is success or failure, a score in between otherwise.
    pub outcome: f64,
}

/// One bin of a reliability diagram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReliabilityBin {
    /// How many forecasts it holds; at least 1.
    pub n: usize,
    /// Mean stated confidence, in \[0, 1\].
    pub mean_confidence: f64,
    /// Mean outcome, in \[0, 1\].
    pub mean_outcome: f64,
    /// Lower end of a 95 % interval of the mean outcome.
    pub outcome_low: f64,
    /// Upper end of it.
    pub outcome_high: f64,
}

/// How far stated confidence can be trusted.
///
/// All but the bins are mean squares or means over forecasts, so without units, and each in \[0, 1\] except
/// `within_bin_covariance`.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// How many forecasts were used.
    pub n: usize,
    /// Mean squared difference of confidence and outcome; lower is better.
    pub brier: f64,
    /// What miscalibration costs; 0 is best.
    pub reliability: f64,
    /// How far outcomes differ between bins: what telling apart gains.
    pub resolution: f64,
    /// Variance of the outcomes: the score of one who always states the mean.
    pub uncertainty: f64,
    /// Variance of confidence inside bins.
    pub within_bin_variance: f64,
    /// Twice the covariance of confidence and outcome inside bins.
    pub within_bin_covariance: f64,
    /// Expected calibration error: the mean distance of mean confidence and mean outcome, over bins of equal mass.
    pub ece: f64,
    /// Mean stated confidence.
    pub mean_confidence: f64,
    /// Mean outcome.
    pub mean_outcome: f64,
    /// In increasing order of confidence.
    pub bins: Vec<ReliabilityBin>,
}

/// Brier score, its decomposition, calibration error and reliability diagram of stated confidences.
///
/// ```text
/// BS  = (1/n) Σ_i (f_i - o_i)²  =  REL - RES + UNC + WBV - WBC
/// REL = (1/n) Σ_k n_k (f̄_k - ō_k)²       RES = (1/n) Σ_k n_k (ō_k - ō)²       UNC = (1/n) Σ_i (o_i - ō)²
/// WBV = (1/n) Σ_k Σ_{i ∈ k} (f_i - f̄_k)²  WBC = (2/n) Σ_k Σ_{i ∈ k} (f_i - f̄_k)(o_i - ō_k)
/// ECE = (1/n) Σ_k n_k |f̄_k - ō_k|
/// ```
///
/// with `f_i`, `o_i` in \[0, 1\] the `n` confidences and outcomes, and `k` the bins with `n_k` forecasts and means `f̄_k`,
/// `ō_k`. The first three terms are those of Murphy, "A New Vector Partition of the Probability Score" (1973), to which
/// the sum reduces where all confidences of a bin are equal; the terms within bins, which make the identity exact
/// otherwise, are from Stephenson, Coelho & Jolliffe, "Two Extra Components in the Brier Score Decomposition" (2008).
/// `UNC` is written as a variance, so that the identity holds for outcomes between 0 and 1 too; for 0 and 1 it is
/// `ō (1 - ō)`.
///
/// Bins have equal mass: after sorting, bin `k` begins at forecast `k·n/n_bins`, moved up where equal confidences would be
/// parted, so there may be fewer than `n_bins` and forecasts in tenths get a bin for each. The interval is that of Wilson,
/// "Probable Inference, the Law of Succession, and Statistical Inference" (1927); for outcomes between 0 and 1 it is too
/// wide rather than too narrow, since no variable in \[0, 1\] varies more than 0 and 1 do. In small samples `REL`, `RES`
/// and `ECE` are biased upwards, about by `n_bins / n` of the variance inside bins.
///
/// `O(n log n)`. Values outside \[0, 1\] are moved to its ends, NaN is left out; the order of the forecasts does not matter,
/// to the last bit. `None` where no forecast is left; 0 bins are taken for 1.
#[must_use]
pub fn calibration(forecasts: &[Forecast], n_bins: usize) -> Option<Calibration> {
    let mut sorted: Vec<(f64, f64)> = forecasts
        .iter()
        .filter(|forecast| !forecast.confidence.is_nan() && !forecast.outcome.is_nan())
        .map(|forecast| (forecast.confidence.clamp(0.0, 1.0), forecast.outcome.clamp(0.0, 1.0)))
        .collect();
    sorted.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1)));
    let n = sorted.len() as f64;
    let (mean_confidence, mean_outcome) = means(&sorted)?;
    let mean = |term: &dyn Fn(&(f64, f64)) -> f64| sorted.iter().map(term).sum::<f64>() / n;
    let mut result = Calibration {
        n: sorted.len(),
        brier: mean(&|(confidence, outcome)| (confidence - outcome).powi(2)),
        reliability: 0.0,
        resolution: 0.0,
        uncertainty: mean(&|(_, outcome)| (outcome - mean_outcome).powi(2)),
        within_bin_variance: 0.0,
        within_bin_covariance: 0.0,
        ece: 0.0,
        mean_confidence,
        mean_outcome,
        bins: Vec::new(),
    };
    for part in equal_mass(&sorted, n_bins.max(1)) {
        let Some((confidence, outcome)) = means(part) else { continue };
        let mass = part.len() as f64 / n;
        result.reliability += mass * (confidence - outcome).powi(2);
        result.resolution += mass * (outcome - mean_outcome).powi(2);
        result.ece += mass * (confidence - outcome).abs();
        for (f, o) in part {
            result.within_bin_variance += (f - confidence).powi(2) / n;
            result.within_bin_covariance += 2.0 * (f - confidence) * (o - outcome) / n;
        }
        let (outcome_low, outcome_high) = wilson(outcome, part.len() as f64);
        let n = part.len();
        let bin = ReliabilityBin { n, mean_confidence: confidence, mean_outcome: outcome, outcome_low, outcome_high };
        result.bins.push(bin);
    }
    Some(result)
}

fn means(pairs: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = pairs.len() as f64;
    let (first, second) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    (!pairs.is_empty()).then_some((first / n, second / n))
}

/// Parts of about equal size that never part equal confidences.
fn equal_mass(sorted: &[(f64, f64)], n_bins: usize) -> Vec<&[(f64, f64)]> {
    let n_bins = n_bins.min(sorted.len());
    let mut parts = Vec::with_capacity(n_bins);
    let mut start = 0;
    for bin in 1..=n_bins {
        let mut end = bin * sorted.len() / n_bins;
        while end < sorted.len() && end > 0 && sorted[end].0 <= sorted[end - 1].0 {
            end += 1;
        }
        if end > start {
            parts.push(&sorted[start..end]);
            start = end;
        }
    }
    parts
}

/// Where `|p - mean| = z·sqrt(p (1-p) / n)`.
fn wilson(mean: f64, n: f64) -> (f64, f64) {
    let z2 = NORMAL_975 * NORMAL_975;
    let center = (mean + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = NORMAL_975 * (mean * (1.0 - mean) / n + z2 / (4.0 * n * n)).max(0.0).sqrt() / (1.0 + z2 / n);
    ((center - half).clamp(0.0, mean), (center + half).clamp(mean, 1.0))
}

#[cfg(test)]
mod tests;
