//! Credit of plain data. These are no recording calls: what is wrong raises.

use std::collections::BTreeMap;

use accredit_credit::{
    Credit, CreditMethod, Decay, FitOptions, Forecast, Learner, Method, StepFeatures, Trajectory, Uniform,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Serialize;

use crate::games;
use crate::trajectory::OwnedTrajectory;

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Model>()?;
    module.add_function(wrap_pyfunction!(decay, module)?)?;
    module.add_function(wrap_pyfunction!(uniform, module)?)?;
    module.add_function(wrap_pyfunction!(fit, module)?)?;
    module.add_function(wrap_pyfunction!(calibration, module)?)?;
    module.add_function(wrap_pyfunction!(games::shapley, module)?)?;
    module.add_function(wrap_pyfunction!(games::owen, module)?)
}

fn prior(method: &dyn CreditMethod, confidences: &[Option<f64>]) -> Vec<f64> {
    let step = |confidence: &Option<f64>| StepFeatures { confidence: *confidence, ..StepFeatures::default() };
    let steps: Vec<_> = confidences.iter().map(step).collect();
    method.assign(&Trajectory { steps: &steps, ..Trajectory::default() }).credits
}

/// Shares by place and confidence; `None` is not stated.
#[pyfunction]
fn decay(confidences: Vec<Option<f64>>) -> PyResult<Vec<f64>> {
    if confidences.iter().flatten().any(|confidence| !(0.0..=1.0).contains(confidence)) {
        return Err(PyValueError::new_err("a confidence lies between 0 and 1"));
    }
    Ok(prior(&Decay, &confidences))
}

/// Equal shares.
#[pyfunction]
fn uniform(n: usize) -> Vec<f64> {
    prior(&Uniform, &vec![None; n])
}

/// What was learned of trajectories.
#[pyclass(frozen, module = "accredit._native")]
pub(crate) struct Model {
    model: accredit_credit::Model,
    learner: Learner,
    seed: u64,
}

/// What is said of the choice of the method.
#[derive(Serialize)]
struct Report<'a> {
    method: &'a str,
    reason: &'a str,
    n_actions: u64,
    coverage: f64,
    p_value: Option<f64>,
    candidates: &'a [accredit_credit::Candidate],
}

/// Learns from trajectories, each a dict, and chooses a method or takes the one that is named.
#[pyfunction]
fn fit(
    py: Python<'_>,
    trajectories: Vec<Bound<'_, PyAny>>,
    method: &str,
    options: BTreeMap<String, f64>,
    seed: u64,
) -> PyResult<Model> {
    let named = Method::new(method, options.iter().map(|(name, value)| (name.as_str(), *value)));
    let named = named.map_err(|error| PyValueError::new_err(error.to_string()))?;
    let Some(method) = named.learned() else {
        return Err(PyValueError::new_err(format!("`{method}` learns nothing from others; `auto` is the default")));
    };
    let trajectories = trajectories.iter().enumerate().map(|(index, one)| OwnedTrajectory::read(index, one));
    let trajectories = trajectories.collect::<PyResult<Vec<_>>>()?;
    Ok(py.detach(|| {
        let mut learner = Learner::default();
        for (index, trajectory) in trajectories.iter().enumerate() {
            // Two actions with the same contents are two; the first of them is the one that is known again.
            let mut id = trajectory.id(seed);
            if learner.sample(id).is_some() {
                id = trajectory.id(seed.wrapping_add(1).wrapping_add(index as u64));
            }
            let steps = trajectory.features();
            learner.learn(1, id, 1, &trajectory.borrowed(id, &steps));
        }
        let model = learner.fit(&FitOptions { method, version: 1 });
        Model { model, learner, seed }
    }))
}

#[pymethods]
impl Model {
    /// What was chosen and why, as JSON.
    fn report(&self) -> String {
        let selection = &self.model.selection;
        let report = Report {
            method: self.model.name(),
            reason: &selection.reason,
            n_actions: self.model.n_actions,
            coverage: selection.coverage,
            p_value: selection.p_value,
            candidates: &selection.candidates,
        };
        serde_json::to_string(&report).unwrap_or_default()
    }

    /// What each decision is worth, as JSON.
    fn insights(&self, py: Python<'_>) -> String {
        let insights = py.detach(|| self.model.insights(&self.learner));
        serde_json::to_string(&insights).unwrap_or_default()
    }

    /// Credit of one trajectory.
    fn assign<'py>(&self, py: Python<'py>, trajectory: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        let trajectory = OwnedTrajectory::read(0, trajectory)?;
        let credit = py.detach(|| {
            let steps = trajectory.features();
            self.model.assign(&trajectory.borrowed(trajectory.id(self.seed), &steps))
        });
        let Credit { baseline, credits, advantages, residual, std_errors, n, forecast, evidence, model_version: _ } =
            credit;
        let answer = PyDict::new(py);
        answer.set_item("credits", credits)?;
        answer.set_item("advantages", advantages)?;
        answer.set_item("std_errors", std_errors)?;
        answer.set_item("n", n)?;
        answer.set_item("forecast", forecast)?;
        answer.set_item("baseline", baseline)?;
        answer.set_item("residual", residual)?;
        answer.set_item("learned", evidence == accredit_model::Evidence::Learned)?;
        Ok(answer)
    }
}

/// Stated confidence against outcomes. `None` where there are no forecasts.
#[pyfunction]
fn calibration<'py>(
    py: Python<'py>,
    confidences: Vec<f64>,
    outcomes: Vec<f64>,
    n_bins: usize,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let pairs = || confidences.iter().zip(&outcomes).map(|(&confidence, &outcome)| Forecast { confidence, outcome });
    let Some(found) = accredit_credit::calibration(&pairs().collect::<Vec<_>>(), n_bins) else { return Ok(None) };
    let answer = PyDict::new(py);
    answer.set_item("n", found.n)?;
    answer.set_item("brier", found.brier)?;
    answer.set_item("reliability", found.reliability)?;
    answer.set_item("resolution", found.resolution)?;
    answer.set_item("uncertainty", found.uncertainty)?;
    answer.set_item("within_bin_variance", found.within_bin_variance)?;
    answer.set_item("within_bin_covariance", found.within_bin_covariance)?;
    answer.set_item("ece", found.ece)?;
    answer.set_item("mean_confidence", found.mean_confidence)?;
    answer.set_item("mean_outcome", found.mean_outcome)?;
    let bins = found.bins.iter().map(|bin| {
        let made = PyDict::new(py);
        made.set_item("n", bin.n)?;
        made.set_item("mean_confidence", bin.mean_confidence)?;
        made.set_item("mean_outcome", bin.mean_outcome)?;
        made.set_item("outcome_low", bin.outcome_low)?;
        made.set_item("outcome_high", bin.outcome_high)?;
        Ok(made)
    });
    answer.set_item("bins", bins.collect::<PyResult<Vec<_>>>()?)?;
    Ok(Some(answer))
}
