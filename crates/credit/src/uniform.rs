//! The prior that prefers no step.

use crate::{Credit, CreditMethod, Trajectory};

/// Every step counts the same: `credit_i = 1 / n`.
///
/// The baseline that every other method has to beat. It is [`Decay`](crate::Decay) with a discount of 1 and equal
/// confidences, and the Shapley value of a game in which all steps are alike. O(n).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uniform;

impl CreditMethod for Uniform {
    fn name(&self) -> &'static str {
        "uniform"
    }

    fn assign(&self, trajectory: &Trajectory<'_>) -> Credit {
        let n_steps = trajectory.steps.len();
        // Without steps the share is infinite, and there is nothing it is given to.
        #[expect(clippy::cast_precision_loss, reason = "a chain has fewer than 2^53 steps")]
        let share = 1.0 / n_steps as f64;
        Credit::prior(trajectory, vec![share; n_steps])
    }
}

#[cfg(test)]
mod tests;
