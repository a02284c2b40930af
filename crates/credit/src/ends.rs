//! The priors that look at one end of an action.

use crate::{Credit, CreditMethod, Trajectory};

/// The first step gets everything: `credit_0 = 1`.
///
/// A rule that knows nothing and is hard to beat where actions are decided at their beginning: a method that claims to
/// find decisive steps has to find those that are not the first. It is [`Decay`](crate::Decay) with a discount that grows
/// without bound. O(n).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct First;

/// The last step gets everything: `credit_{n-1} = 1`.
///
/// The rule of whoever looks at what was done last. It is [`Decay`](crate::Decay) with a discount of 0, and an eligibility
/// trace with γλ = 0. O(n).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Last;

impl CreditMethod for First {
    fn name(&self) -> &'static str {
        "first"
    }

    fn assign(&self, trajectory: &Trajectory<'_>) -> Credit {
        let mut credits = vec![0.0; trajectory.steps.len()];
        if let Some(first) = credits.first_mut() {
            *first = 1.0;
        }
        Credit::prior(trajectory, credits)
    }
}

impl CreditMethod for Last {
    fn name(&self) -> &'static str {
        "last"
    }

    fn assign(&self, trajectory: &Trajectory<'_>) -> Credit {
        let mut credits = vec![0.0; trajectory.steps.len()];
        if let Some(last) = credits.last_mut() {
            *last = 1.0;
        }
        Credit::prior(trajectory, credits)
    }
}

#[cfg(test)]
mod tests;
