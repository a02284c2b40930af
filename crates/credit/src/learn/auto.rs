//! Choosing a method by evidence.

use serde::{Deserialize, Serialize};

use super::model::Fitted;
use super::{FitOptions, LearnedMethod, Learner, Model};
use crate::TdCe;

/// What held-out actions said of one method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The method.
    pub method: String,
    /// Paired z statistic of the gain of its forecasts over the base rate, on held-out actions.
    pub z: f64,
    /// Share of the squared error of the base rate that its forecasts take away.
    pub gain: f64,
}

/// Which method was chosen, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The chosen method's name.
    pub method: String,
    /// The reason, for people.
    pub reason: String,
    /// Share of held-out steps whose situation had been seen at least twice.
    pub coverage: f64,
    /// Trajectories that the choice rests on.
    pub n: u64,
    /// What each method showed.
    pub candidates: Vec<Candidate>,
}

/// Fits what the options ask for.
pub(super) fn fit(learner: &Learner, options: &FitOptions) -> Model {
    let fitted = match options.method {
        LearnedMethod::Auto | LearnedMethod::TdCe => Fitted::TdCe(Box::new(TdCe::from_counts(learner.counts(), None))),
    };
    let selection = Selection {
        method: "td_ce".to_owned(),
        reason: "it was asked for".to_owned(),
        coverage: 0.0,
        n: learner.samples().len() as u64,
        candidates: Vec::new(),
    };
    Model { version: options.version, n_actions: learner.n_actions(), selection, fitted }
}
