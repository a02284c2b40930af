//! The ridge in the space of the samples.

use super::runs::{Column, Runs};
use crate::cholesky::{Cholesky, dot};

/// Variances, in units of the variance of rewards.
#[derive(Clone, Debug, Default)]
pub(super) struct Prior {
    /// Of luck.
    pub(super) noise: f64,
    /// Of a goal.
    pub(super) goal: f64,
    /// Of a weight, per name.
    pub(super) names: Vec<f64>,
}

/// `K = X Λ Xᵀ + σ² I`, its inverse, and `α = K⁻¹ y`. Symmetric and at least `σ²` in every direction.
#[derive(Debug)]
pub(super) struct Dual<'a> {
    runs: &'a Runs,
    n: usize,
    inverse: Vec<f64>,
    alpha: Vec<f64>,
}

impl<'a> Dual<'a> {
    /// `None` where the numbers are not finite.
    pub(super) fn of(runs: &'a Runs, prior: &Prior, y: &[f64]) -> Option<Self> {
        let n = runs.n;
        let mut kernel = vec![0.0; n * n];
        let mut add = |rows: &[usize], variance: f64| {
            for row in rows {
                for column in rows {
                    kernel[row * n + column] += variance;
                }
            }
        };
        for (index, column) in runs.names.iter().enumerate() {
            add(&column.rows, prior.names[index]);
        }
        for column in runs.details.iter().chain(&runs.paths) {
            add(&column.rows, prior.names[column.name]);
        }
        for goal in &runs.goals {
            add(&goal.rows, prior.goal);
        }
        (0..n).for_each(|row| kernel[row * n + row] += prior.noise);
        let inverse = Cholesky::of(kernel, n)?.inverse();
        let alpha: Vec<f64> = (0..n).map(|row| dot(&inverse[row * n..(row + 1) * n], y)).collect();
        alpha.iter().all(|value| value.is_finite()).then_some(Self { runs, n, inverse, alpha })
    }

    /// `xᵀ α` of the indicator of these rows: the weight of their column per unit of its prior variance.
    pub(super) fn explain(&self, rows: &[usize]) -> f64 {
        sum(&self.alpha, rows)
    }

    /// `xᵀ K⁻¹ z` of two indicators.
    pub(super) fn quadratic(&self, left: &[usize], right: &[usize]) -> f64 {
        left.iter().map(|row| sum(&self.inverse[row * self.n..(row + 1) * self.n], right)).sum()
    }

    /// `K⁻¹ x` of an indicator.
    pub(super) fn solve_rows(&self, rows: &[usize]) -> Vec<f64> {
        let mut solution = vec![0.0; self.n];
        for row in rows {
            for (slot, value) in solution.iter_mut().zip(&self.inverse[row * self.n..(row + 1) * self.n]) {
                *slot += value;
            }
        }
        solution
    }

    /// By how much each sample's reward differs from what a fit without it predicts, the variances and the mean given:
    /// `α_i / (K⁻¹)_ii`.
    pub(super) fn leave_one_out(&self) -> Vec<f64> {
        self.alpha.iter().enumerate().map(|(row, alpha)| alpha / self.inverse[row * self.n + row]).collect()
    }

    /// The next variances of the names: `(Σ w² + v₀) / (γ + 1)`, `w = v·xᵀα`, `γ = Σ v·xᵀK⁻¹x`.
    pub(super) fn variances(&self, prior: &Prior, start: f64) -> Vec<f64> {
        let mut squares = vec![start; prior.names.len()];
        let mut determined = vec![1.0; prior.names.len()];
        let mut add = |name: usize, column: &Column| {
            if !column.rows.is_empty() {
                let v = prior.names[name];
                squares[name] += (v * self.explain(&column.rows)).powi(2);
                determined[name] += v * self.quadratic(&column.rows, &column.rows);
            }
        };
        self.runs.names.iter().enumerate().for_each(|(name, column)| add(name, column));
        self.runs.details.iter().chain(&self.runs.paths).for_each(|column| add(column.name, column));
        squares.iter().zip(determined).map(|(squares, determined)| squares / determined).collect()
    }
}

/// The sum over some places.
pub(super) fn sum(values: &[f64], places: &[usize]) -> f64 {
    places.iter().map(|place| values[*place]).sum()
}
