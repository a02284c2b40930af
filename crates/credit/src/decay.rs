//! The prior of the reference.

use crate::{Credit, CreditMethod, Trajectory};

/// What each step is discounted by against the one after it.
const DISCOUNT: f64 = 0.9;

/// The weight of a confidence that was not given.
const CONFIDENCE_NOT_GIVEN: f64 = 0.5;

/// Steps that are weighed at once: none of them waits for the discount of the one after it.
const BLOCK: usize = 16;

/// The powers of the discount, from 0 on.
const POWERS: [f64; BLOCK + 1] = {
    let mut powers = [1.0; BLOCK + 1];
    let mut at = 1;
    while at <= BLOCK {
        powers[at] = powers[at - 1] * DISCOUNT;
        at += 1;
    }
    powers
};

/// Later steps count for more, and so do confident ones.
///
/// `w_i = 0.9^(n-1-i) * (0.5 + 0.5 * c_i)`, `credit_i = w_i / sum(w)`
///
/// with `n` steps, `i` in 0…n-1 and `c_i` in \[0, 1\] the confidence of step `i`, 0.5 where it was not given. The
/// advantages are 0 and the baseline is [`NEUTRAL_SCORE`](crate::NEUTRAL_SCORE): a prior knows nothing of single
/// decisions.
///
/// With all confidences equal it is the accumulating eligibility trace with γλ = 0.9 of a chain in which no state comes
/// twice, normalised (Sutton, "Learning to Predict by the Methods of Temporal Differences", 1988). A heuristic: it
/// measures nothing, and a step that is told as eight takes eight shares.
///
/// O(n), one pass from the end. The powers are running products, so after about 6,700 steps from the end they fall
/// below the least normal number and earlier credits are exactly 0; the sum is compensated (Neumaier 1974) and the
/// credits sum to 1 within 1e-12 at any length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decay;

impl CreditMethod for Decay {
    fn name(&self) -> &'static str {
        "decay"
    }

    fn assign(&self, trajectory: &Trajectory<'_>) -> Credit {
        let steps = trajectory.steps;
        let mut credits = vec![0.0; steps.len()];
        let mut discount = 1.0;
        let mut sum = Sum::default();
        let mut n_weighed = 0;
        for (credits, steps) in credits.rchunks_mut(BLOCK).zip(steps.rchunks(BLOCK)) {
            if discount < f64::MIN_POSITIVE {
                break;
            }
            let mut weight = 0.0;
            for ((credit, step), power) in credits.iter_mut().rev().zip(steps.iter().rev()).zip(&POWERS) {
                // The guard clamps confidences; one that came past it must not make a credit negative or NaN.
                let confidence =
                    step.confidence.filter(|c| !c.is_nan()).unwrap_or(CONFIDENCE_NOT_GIVEN).clamp(0.0, 1.0);
                *credit = discount * power * (0.5 + 0.5 * confidence);
                weight += *credit;
            }
            sum.add(weight);
            discount *= POWERS[BLOCK];
            n_weighed += steps.len();
        }
        // The last step alone weighs at least 0.5, so the sum is never 0 where there are steps.
        let total = sum.value();
        for credit in credits.iter_mut().rev().take(n_weighed) {
            *credit /= total;
        }
        Credit::prior(trajectory, credits)
    }
}

/// A sum that keeps what rounding would lose.
#[derive(Default)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.lost += if self.sum >= term { (self.sum - sum) + term } else { (term - sum) + self.sum };
        self.sum = sum;
    }

    const fn value(&self) -> f64 {
        self.sum + self.lost
    }
}

#[cfg(test)]
mod tests;
