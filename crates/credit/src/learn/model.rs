//! A fitted model: what credit assignment does with what was learned.

use serde::{Deserialize, Serialize};

use super::auto::Selection;
use super::sample::Sample;
use crate::keys::Wants;
use crate::tabular::Table;
use crate::{
    Assessment, Credit, CreditMethod, Decay, LearnedMethod, RidgeRd, Sdae, TabularModel, TdCe, Trajectory,
    credit_shares,
};

/// How a model is fitted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FitOptions {
    /// The method; `auto` chooses.
    pub method: LearnedMethod,
    /// The version that the model is to bear.
    pub version: u64,
}

/// A fitted model of one action type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Its version, counted per action type.
    pub version: u64,
    /// How many actions it has learned from.
    pub n_actions: u64,
    /// Which method was chosen, and why.
    pub selection: Selection,
    /// Half the range of the rewards that it was fitted on, in units of reward: the unit of judgements of single steps.
    pub half_range: f64,
    pub(crate) fitted: Fitted,
}

/// What was fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Fitted {
    /// Nothing could be learned.
    Prior,
    TdCe(Box<TdCe>),
    Sdae(Box<Sdae>),
    RidgeRd(Box<RidgeRd>),
    Table(Box<Table>),
}

impl Model {
    /// What the model says of a sample; `None` where it has nothing to say and the prior stands.
    #[must_use]
    pub fn assess(&self, sample: &Sample) -> Option<Assessment> {
        match &self.fitted {
            Fitted::Prior => None,
            Fitted::TdCe(model) => Some(model.assess(&sample.episode())),
            Fitted::Sdae(model) => Some(model.assess(sample)),
            Fitted::RidgeRd(model) => Some(model.assess_with_outcome(sample)),
            Fitted::Table(table) => Some(table.assess(sample)),
        }
    }
}

impl Model {
    const fn wants(&self) -> Wants {
        match &self.fitted {
            Fitted::Prior | Fitted::TdCe(_) | Fitted::Table(_) => Wants { features: false, details: false },
            Fitted::Sdae(_) => Wants { features: true, details: false },
            Fitted::RidgeRd(_) => Wants { features: false, details: true },
        }
    }
}

impl CreditMethod for Model {
    fn name(&self) -> &'static str {
        match &self.fitted {
            Fitted::Prior => "decay",
            Fitted::TdCe(_) => "td_ce",
            Fitted::Sdae(_) => "sdae",
            Fitted::RidgeRd(_) => "ridge_rd",
            Fitted::Table(table) => table.name(),
        }
    }

    fn assign(&self, trajectory: &Trajectory<'_>) -> Credit {
        let prior = Decay.assign(trajectory);
        // An action that the model was fitted on must be known again, or its outcome would count twice.
        let id = trajectory.action_id.unwrap_or(accredit_model::ActionId::from_bytes([0; 16]));
        let sample = Sample::labelled(id, 0, trajectory, self.wants(), &mut |_, _| {});
        let Some(assessment) = self.assess(&sample) else { return prior };
        credit_of(trajectory, &sample, assessment, prior, self.version)
    }
}

/// Spreads what is said of a sample's steps over all steps of the action.
fn credit_of(
    trajectory: &Trajectory<'_>,
    sample: &Sample,
    assessment: Assessment,
    prior: Credit,
    version: u64,
) -> Credit {
    let n = trajectory.steps.len();
    let mut advantages = vec![0.0; n];
    let mut std_errors = vec![f64::INFINITY; n];
    let mut counts = vec![0; n];
    let mut forecast = vec![assessment.baseline; n];
    let residual = assessment.residual(trajectory.reward);
    let mut filled = 0_usize;
    for (at, step) in sample.steps.iter().enumerate() {
        let index = step.index as usize;
        let Some(expected) = assessment.forecast.get(at).copied() else { break };
        // Steps that learning does not look at change nothing.
        let before = filled.checked_sub(1).and_then(|before| forecast.get(before).copied());
        for slot in forecast.get_mut(filled..index).unwrap_or_default() {
            *slot = before.unwrap_or(assessment.baseline);
        }
        if let Some(slot) = forecast.get_mut(index) {
            *slot = expected;
            advantages[index] = assessment.advantages.get(at).copied().unwrap_or(0.0);
            std_errors[index] = assessment.std_errors.get(at).copied().unwrap_or(f64::INFINITY);
            counts[index] = assessment.n.get(at).copied().unwrap_or(0);
        }
        filled = index + 1;
    }
    let credits = credit_shares(&advantages, trajectory.reward, assessment.baseline, &prior.credits);
    Credit {
        baseline: assessment.baseline,
        credits,
        advantages,
        residual,
        std_errors,
        n: counts,
        forecast,
        evidence: accredit_model::Evidence::Learned,
        model_version: Some(version),
    }
}

#[cfg(test)]
mod tests;
