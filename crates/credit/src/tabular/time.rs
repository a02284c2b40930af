//! What time costs, where rewards tell it.

use std::collections::BTreeMap;

use super::counts::{Cell, Ends, Key};

/// Fewer differences of episodes with the same end say nothing.
const DIFFERENCES_MIN: f64 = 20.0;
/// The t statistic from which on a slope is believed.
const T_MIN: f64 = 5.0;
/// The part of the differences between episodes with the same end that their lengths must explain.
const EXPLAINED_MIN: f64 = 0.9;
/// A sum of squared differences below this part of the sum of squares is rounding.
const ROUNDING: f64 = 1e-12;

/// What every step but the last pays, in units of reward; negative where time costs.
///
/// `c = Σ_g Σ_{i∈g} (x_i - x̄_g)(y_i - ȳ_g) / Σ_g Σ_{i∈g} (x_i - x̄_g)²`
///
/// over the episodes `i`, with `x` the number of steps before the last one, `y` what arrived with the last one, and `g` the
/// last situation together with the last decision: the slope within groups (analysis of covariance: Fisher, "Statistical
/// Methods for Research Workers", 1932). Where a reward at the end counts the steps, such as `1 - 0.9·t/limit`, this is
/// return decomposition by time (Arjona-Medina et al., "RUDDER", 2019), and situations are Markov again: what is still to
/// come no longer depends on how long it took to get there.
///
/// Comparing episodes with the same end only, since who ends early often ends otherwise. And 0 unless lengths explain nine tenths of
/// what is different within groups, with `t ≥ 5` and 20 degrees of freedom: that long episodes come out somewhat worse
/// says that their tasks are hard, and not what a step costs. Sums only, so that shards merge; O(ends).
pub(super) fn step_reward(cells: &BTreeMap<Key, Cell>, ends: &BTreeMap<(u64, u64), Ends>) -> f64 {
    let (mut xx, mut xy, mut yy, mut scale, mut freedom) = (0.0, 0.0, 0.0, 0.0, -1.0);
    for ((state, decision), of) in ends {
        let Some(cell) = cells.get(&(*state, *decision, None)).filter(|cell| cell.n >= 2) else { continue };
        let n = cell.n as f64;
        let sum = of.steps as f64;
        xx += of.squares as f64 - sum * sum / n;
        xy += of.products - sum * cell.sum / n;
        yy += cell.sum_of_squares - cell.sum * cell.sum / n;
        scale += cell.sum_of_squares;
        freedom += n - 1.0;
    }
    // Squares of whole numbers are exact, so what is not 0 is at least of the order of 1.
    if freedom < DIFFERENCES_MIN || xx < 0.25 || yy <= ROUNDING * scale {
        return 0.0;
    }
    let explained = (xy * xy / (xx * yy)).min(1.0);
    let t_squared = explained * freedom / (1.0 - explained).max(f64::MIN_POSITIVE);
    if explained >= EXPLAINED_MIN && t_squared >= T_MIN * T_MIN { xy / xx } else { 0.0 }
}

/// The cell as it is when every step but the last pays `c`, and the last one takes back what the others were paid.
pub(super) fn repaid(cell: &Cell, end: Option<&Ends>, c: f64) -> Cell {
    let n = cell.n as f64;
    let (sum, sum_of_squares) = match end {
        None => (cell.sum + c * n, cell.sum_of_squares + 2.0 * c * cell.sum + c * c * n),
        Some(end) => {
            (cell.sum - c * end.steps as f64, cell.sum_of_squares - 2.0 * c * end.products + c * c * end.squares as f64)
        }
    };
    Cell { n: cell.n, sum, sum_of_squares: sum_of_squares.max(0.0) }
}

#[cfg(test)]
mod tests;
