//! Shares of players of whom only some coalitions were ever seen.

use std::collections::BTreeSet;

use super::Coalition;
use crate::cholesky::{Cholesky, dot};

/// More players than this make more pairs than a record of coalitions can tell apart: 820 coefficients.
pub const OBSERVED_PLAYERS_MAX: usize = 40;

/// The ridge that makes a singular system solvable, as a part of the largest diagonal entry.
const RIDGE: f64 = 1e-9;

/// A share is taken for identifiable where the coalitions span it to within this part.
const IDENTIFIABLE_WITHIN: f64 = 1e-4;

/// A coalition that was seen at work, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedCoalition {
    /// Who took part.
    pub coalition: Coalition,
    /// What came of it.
    pub outcome: f64,
}

/// Shares estimated from observed coalitions, in units of the outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedShares {
    /// Per player; they sum to the fitted `v(everybody) - v(nobody)`. Those that are not identifiable are drawn
    /// towards 0.
    pub shares: Vec<f64>,
    /// Per player; infinite where the share is not identifiable or no degree of freedom is left.
    pub std_errors: Vec<f64>,
    /// Per player: whether the coalitions that were seen determine the share.
    pub identifiable: Vec<bool>,
    /// The outcome that is expected when nobody takes part.
    pub intercept: f64,
    /// How many observations were used: those whose outcome is finite and whose game has this many players.
    pub n: usize,
}

/// The Shapley value of the two-additive game that fits the observed coalitions best.
///
/// `v(S) = m_0 + Σ_{i ∈ S} m_i + Σ_{{i,j} ⊆ S} m_ij`, `φ_i = m_i + ½ Σ_{j ≠ i} m_ij`
///
/// with `m` the Möbius coefficients, in units of the outcome, those of three and more players being 0 (Grabisch,
/// "k-Order Additive Discrete Fuzzy Measures and Their Representation", 1997). It is [`shapley`](super::shapley)
/// where all coalitions were seen once and the game is two-additive.
///
/// Least squares by the normal equations: with `p = 1 + n + n(n-1)/2` coefficients `O(N·n⁴ + p³)` time for `N`
/// observations and `O(p²)` memory. Where they are singular a ridge of 1e-9 of the largest diagonal entry is added, not
/// to the intercept, which gives in effect the shortest solution. Whether a share is identifiable depends on the
/// coalitions alone and not on how often they came: it is where its coefficients lie in the span of the distinct
/// coalitions. Two players who always come together share what they do in equal parts, and neither is identifiable.
/// A real game that is not two-additive is fitted where it was seen, not elsewhere.
///
/// `None` above 40 players, or without observations.
#[must_use]
pub fn shapley_from_observations(n_players: usize, observations: &[ObservedCoalition]) -> Option<ObservedShares> {
    let used: Vec<&ObservedCoalition> = observations
        .iter()
        .filter(|observed| observed.outcome.is_finite() && observed.coalition.n_players() == n_players)
        .collect();
    if n_players > OBSERVED_PLAYERS_MAX || used.is_empty() {
        return None;
    }
    let n_columns = 1 + n_players + n_players * n_players.saturating_sub(1) / 2;
    let gram = gram(n_columns, used.iter().map(|observed| &observed.coalition));
    let mut right = vec![0.0; n_columns];
    for observed in &used {
        columns(&observed.coalition).iter().for_each(|column| right[*column] += observed.outcome);
    }
    let factor = match Cholesky::of(gram.clone(), n_columns) {
        Some(factor) => factor,
        None => Cholesky::of(with_ridge(gram.clone(), n_columns, RIDGE, 1), n_columns)?,
    };
    let coefficients = factor.solve(&right);
    let rss: f64 = used
        .iter()
        .map(|observed| {
            let fitted: f64 = columns(&observed.coalition).iter().map(|column| coefficients[*column]).sum();
            (observed.outcome - fitted).powi(2)
        })
        .sum();
    let distinct: BTreeSet<&Coalition> = used.iter().map(|observed| &observed.coalition).collect();
    let spanned = Span::of(n_columns, &distinct)?;
    let freedom = used.len() as f64 - spanned.rank(n_columns);
    let mut result = ObservedShares {
        shares: Vec::with_capacity(n_players),
        std_errors: Vec::with_capacity(n_players),
        identifiable: Vec::with_capacity(n_players),
        intercept: coefficients[0],
        n: used.len(),
    };
    for player in 0..n_players {
        let functional = functional(n_players, n_columns, player);
        let identifiable = spanned.contains(&functional);
        let solved = factor.solve(&functional);
        let spread: f64 = gram.chunks(n_columns).zip(&solved).map(|(row, weight)| weight * dot(row, &solved)).sum();
        let known = identifiable && freedom > 0.5;
        result.shares.push(dot(&functional, &coefficients));
        result.identifiable.push(identifiable);
        result.std_errors.push(if known { (rss / freedom * spread.max(0.0)).sqrt() } else { f64::INFINITY });
    }
    Some(result)
}

/// Which coefficients a coalition's value is the sum of: the constant, its players, its pairs.
fn columns(coalition: &Coalition) -> Vec<usize> {
    let n_players = coalition.n_players();
    let players: Vec<usize> = coalition.players().collect();
    let mut columns = vec![0];
    for (index, player) in players.iter().enumerate() {
        columns.push(1 + player);
        columns.extend(players[..index].iter().map(|other| pair(n_players, *other, *player)));
    }
    columns
}

/// The column of a pair of players, the first below the second.
const fn pair(n_players: usize, first: usize, second: usize) -> usize {
    1 + n_players + second * (second - 1) / 2 + first
}

/// The weights with which the coefficients make a player's share.
fn functional(n_players: usize, n_columns: usize, player: usize) -> Vec<f64> {
    let mut weights = vec![0.0; n_columns];
    weights[1 + player] = 1.0;
    for other in (0..n_players).filter(|other| *other != player) {
        weights[pair(n_players, player.min(other), player.max(other))] = 0.5;
    }
    weights
}

fn gram<'a>(n_columns: usize, coalitions: impl Iterator<Item = &'a Coalition>) -> Vec<f64> {
    let mut gram = vec![0.0; n_columns * n_columns];
    for coalition in coalitions {
        let columns = columns(coalition);
        for row in &columns {
            columns.iter().for_each(|column| gram[row * n_columns + column] += 1.0);
        }
    }
    gram
}

fn with_ridge(mut gram: Vec<f64>, n_columns: usize, part: f64, first: usize) -> Vec<f64> {
    let ridge = part * gram[0].max(1.0);
    (first..n_columns).for_each(|i| gram[i * n_columns + i] += ridge);
    gram
}

/// What the distinct coalitions determine: `f` is in their span where `f - G (G + λ)⁻¹ f = λ (G + λ)⁻¹ f` vanishes.
struct Span {
    factor: Cholesky,
    ridge: f64,
}

impl Span {
    fn of(n_columns: usize, coalitions: &BTreeSet<&Coalition>) -> Option<Self> {
        let gram = gram(n_columns, coalitions.iter().copied());
        let ridge = RIDGE * gram[0].max(1.0);
        let factor = Cholesky::of(with_ridge(gram, n_columns, RIDGE, 0), n_columns)?;
        Some(Self { factor, ridge })
    }

    fn contains(&self, functional: &[f64]) -> bool {
        self.factor.solve(functional).iter().all(|part| (part * self.ridge).abs() < IDENTIFIABLE_WITHIN)
    }

    /// The trace of `G (G + λ)⁻¹`.
    fn rank(&self, n_columns: usize) -> f64 {
        let outside: f64 = (0..n_columns)
            .map(|column| {
                let mut unit = vec![0.0; n_columns];
                unit[column] = 1.0;
                self.factor.solve(&unit)[column] * self.ridge
            })
            .sum();
        n_columns as f64 - outside
    }
}
