//! The scaled lasso, half relaxed.

use super::columns::Design;
use super::prior::share;
use crate::cholesky::{Cholesky, dot};

/// The part of the universal penalty that is taken.
const PENALTY: f64 = 0.8;
/// How far the weights go from the lasso's to those of least squares.
const RELAXATION: f64 = 0.5;
const SCALE_ROUNDS_MAX: usize = 50;
const SWEEPS_MAX: usize = 1_000;
/// Noise is taken to be at least this part of the rewards' deviation: less is rounding.
const NOISE_MIN: f64 = 1e-3;

pub(super) struct Fit {
    /// Columns with a weight, by their place in the design.
    pub(super) chosen: Vec<usize>,
    /// In units of reward per unit of the column.
    pub(super) weights: Vec<f64>,
    /// Covariance of the least-squares weights, in the same units.
    pub(super) covariance: Vec<f64>,
}

/// `min_w ‖y - Xw‖²/2n + λ‖w‖₁` by coordinate descent, with `λ = 0.8 σ̂ sqrt(2 ln p / n)` and `σ̂` that of its own residuals.
pub(super) fn fit(design: &Design, rewards: &[f64]) -> Fit {
    let (weights, _) = solve(design, rewards);
    relax(design, rewards, &weights)
}

/// The lasso's weights, per deviation of the column, and the penalty at which they are.
pub(super) fn solve(design: &Design, rewards: &[f64]) -> (Vec<f64>, f64) {
    let n = rewards.len() as f64;
    let p = design.columns.len();
    let column = |j: usize| design.columns[j].values.as_slice();
    let with_rewards: Vec<f64> = (0..p).map(|j| dot(column(j), rewards) / n).collect();
    let gram: Vec<Vec<f64>> = (0..p).map(|j| (0..p).map(|k| dot(column(j), column(k)) / n).collect()).collect();
    let mut weights = vec![0.0; p];
    // X'X·w / n, kept up to date.
    let mut fitted = vec![0.0; p];
    let deviation = (dot(rewards, rewards) / n).sqrt();
    let unit = PENALTY * (2.0 * (design.n_candidates.max(2) as f64).ln() / n).sqrt();
    let parts = penalty_parts(design, unit, n);
    let (mut noise, mut penalty) = (deviation, 0.0);
    for _ in 0..SCALE_ROUNDS_MAX {
        penalty = unit * noise;
        descend(&mut weights, &mut fitted, &with_rewards, (penalty, &parts), &gram);
        let mut residual = rewards.to_vec();
        for (j, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
            residual.iter_mut().zip(column(j)).for_each(|(r, x)| *r -= weight * x);
        }
        let next = (dot(&residual, &residual) / n).sqrt().max(NOISE_MIN * deviation);
        let is_settled = (next - noise).abs() < 1e-6 * deviation;
        noise = next;
        if is_settled {
            break;
        }
    }
    (weights, penalty)
}

/// The part of the penalty that each column takes: all of it, or where something is expected of columns that of a test with
/// the column's part of the chance of an error: `σ̂·sqrt(2 ln(2·n_kind/share_kind) / n)` in all.
fn penalty_parts(design: &Design, unit: f64, n: f64) -> Vec<f64> {
    let part = |kind: usize, n_of_kind: &[usize]| (-2.0 * (share(kind, n_of_kind[kind]) / 2.0).ln() / n).sqrt() / unit;
    let columns = design.columns.iter();
    columns.map(|column| design.n_of_kind.map_or(1.0, |n_of_kind| part(column.kind, &n_of_kind))).collect()
}

/// Sweeps over all columns until nothing changes.
fn descend(
    weights: &mut [f64],
    fitted: &mut [f64],
    with_rewards: &[f64],
    (penalty, parts): (f64, &[f64]),
    gram: &[Vec<f64>],
) {
    for _ in 0..SWEEPS_MAX {
        let mut moved = 0.0_f64;
        for j in 0..weights.len() {
            let free = with_rewards[j] - fitted[j] + weights[j];
            let next = free.signum() * (free.abs() - penalty * parts[j]).max(0.0);
            let change = next - weights[j];
            if change != 0.0 {
                weights[j] = next;
                gram[j].iter().zip(fitted.iter_mut()).for_each(|(g, f)| *f += change * g);
                moved = moved.max(change.abs());
            }
        }
        if moved < 1e-9 {
            return;
        }
    }
}

/// Half-way to least squares on the chosen columns.
fn relax(design: &Design, rewards: &[f64], weights: &[f64]) -> Fit {
    let n = rewards.len() as f64;
    let mut chosen: Vec<usize> = (0..weights.len()).filter(|j| weights[*j] != 0.0).collect();
    // Least squares needs more samples than columns.
    chosen.sort_by(|left, right| weights[*right].abs().total_cmp(&weights[*left].abs()).then(left.cmp(right)));
    chosen.truncate(rewards.len() / 2);
    let k = chosen.len();
    let column = |j: usize| design.columns[j].values.as_slice();
    let mut normal = vec![0.0; k * k];
    for (a, i) in chosen.iter().enumerate() {
        for (b, j) in chosen.iter().enumerate() {
            normal[a * k + b] = dot(column(*i), column(*j)) / n + if a == b { 1e-8 } else { 0.0 };
        }
    }
    let inverse = Cholesky::of(normal, k).map(|factor| factor.inverse());
    let with_rewards: Vec<f64> = chosen.iter().map(|j| dot(column(*j), rewards) / n).collect();
    let squares: Vec<f64> = match &inverse {
        Some(inverse) => (0..k).map(|a| dot(&inverse[a * k..(a + 1) * k], &with_rewards)).collect(),
        None => chosen.iter().map(|j| weights[*j]).collect(),
    };
    let mut residual = rewards.to_vec();
    for (j, weight) in chosen.iter().zip(&squares) {
        residual.iter_mut().zip(column(*j)).for_each(|(r, x)| *r -= weight * x);
    }
    let noise = dot(&residual, &residual) / (n - k as f64 - 1.0).max(1.0);
    let deviation = |a: usize| design.columns[chosen[a]].deviation;
    let covariance = match &inverse {
        Some(inverse) => {
            (0..k * k).map(|at| noise * inverse[at] / n / (deviation(at / k) * deviation(at % k))).collect()
        }
        None => vec![0.0; k * k],
    };
    let weights = chosen
        .iter()
        .zip(&squares)
        .enumerate()
        .map(|(a, (j, square))| (weights[*j] + RELAXATION * (square - weights[*j])) / deviation(a))
        .collect();
    Fit { chosen, weights, covariance }
}
