//! What a decision is worth where nothing is known of it: what it is worth elsewhere.

use std::collections::BTreeMap;

/// Fewer situations in which a decision was compared say nothing of others.
const STATES_MIN: usize = 10;

/// A decision in a situation where it was made at least twice, and others were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared {
    pub(super) decision: u64,
    pub(super) n: f64,
    /// `Q(s,a) - V(s)`
    pub(super) difference: f64,
}

/// What is expected of a decision in a situation where it was not compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Elsewhere {
    pub(super) advantage: f64,
    pub(super) std_error: f64,
    /// How often it was made where it was compared.
    pub(super) n: u64,
}

/// Per decision that was compared in at least ten situations, what the next one may be expected to add:
///
/// `A(·,a) = max(0, 1 - 4·e²/m²)·m`, `m = Σ_s w_s·(Q(s,a) - V(s)) / Σ_s w_s`, `w_s = n(s,a)/(n(s,a)+1)`,
/// `e² = Σ_s w_s²·(Q(s,a) - V(s) - m)² / (Σ_s w_s)²`
///
/// in units of reward: the mean over situations, each weighing as much as it is believed, shrunk to 0 as far as it may be
/// chance and to 0 altogether below twice its error (positive-part shrinkage: James & Stein, "Estimation with Quadratic
/// Loss", 1961). Its error is that of a single situation, `sqrt(e² + Σ_s w_s·(Q(s,a) - V(s) - m)² / Σ_s w_s)`. What was made
/// once in its situation takes no part, so that no outcome speaks for its own step alone. O(n log n).
pub(super) fn elsewhere(mut compared: Vec<Compared>) -> BTreeMap<u64, Elsewhere> {
    // Stable, so that sums are added in the order of the states.
    compared.sort_by_key(|of| of.decision);
    let by_decision = compared.chunk_by(|left, right| left.decision == right.decision);
    by_decision.filter(|of| of.len() >= STATES_MIN).filter_map(|of| Some((of[0].decision, mean(of)?))).collect()
}

fn mean(compared: &[Compared]) -> Option<Elsewhere> {
    let weight = |of: &Compared| of.n / (of.n + 1.0);
    let weights: f64 = compared.iter().map(weight).sum();
    let mean = compared.iter().map(|of| weight(of) * of.difference).sum::<f64>() / weights;
    let deviations =
        |power: i32| compared.iter().map(|of| weight(of).powi(power) * (of.difference - mean).powi(2)).sum::<f64>();
    let of_mean = deviations(2) / (weights * weights);
    let part = 1.0 - 4.0 * of_mean / (mean * mean);
    // Not a number where all is 0.
    (part > 0.0).then(|| Elsewhere {
        advantage: part * mean,
        std_error: (of_mean + deviations(1) / weights).sqrt(),
        n: compared.iter().map(|of| of.n as u64).sum(),
    })
}

#[cfg(test)]
mod tests;
