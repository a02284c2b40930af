//! Trajectories as Python gives them to the functions on plain data.

use accredit_credit::{StepFeatures, Trajectory};
use accredit_model::ActionId;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Members of a step that say nothing of its credit: those of recorded entries, which may be passed as they are.
const NOT_LOOKED_AT: [&str; 7] = ["seq", "kind", "recorded_at", "late", "truncated", "idempotency_key", "at"];
/// And what it cost.
const USAGE: &str = "usage";

/// One step.
#[derive(Debug, Default, Serialize)]
struct OwnedStep {
    description: String,
    decision: Option<String>,
    key: Option<String>,
    state_key: Option<String>,
    confidence: Option<f64>,
    effect: Option<bool>,
    propensity: Option<f64>,
    state: Option<String>,
    reward: Option<f64>,
    judged: Option<f64>,
}

/// One action.
#[derive(Debug, Default, Serialize)]
pub(crate) struct OwnedTrajectory {
    action_id: Option<ActionId>,
    agent_id: String,
    goal_id: Option<String>,
    steps: Vec<OwnedStep>,
    reward: f64,
}

impl OwnedStep {
    fn features(&self) -> StepFeatures<'_> {
        StepFeatures {
            description: &self.description,
            decision: self.decision.as_deref(),
            key: self.key.as_deref(),
            state_key: self.state_key.as_deref(),
            confidence: self.confidence,
            effect: self.effect,
            propensity: self.propensity,
            state: self.state.as_deref(),
            reward: self.reward,
            judged: self.judged,
            judges: u64::from(self.judged.is_some()),
        }
    }

    fn read(step: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut read = Self::default();
        for (name, value) in step.iter().filter(|(_, value)| !value.is_none()) {
            let name: String = name.extract()?;
            match name.as_str() {
                "description" => read.description = text(&value)?,
                "decision" => read.decision = Some(text(&value)?),
                "key" => read.key = Some(text(&value)?),
                "state_key" => read.state_key = Some(text(&value)?),
                "state" => read.state = Some(json(&value)),
                "confidence" => read.confidence = share(&name, &value)?,
                "propensity" => read.propensity = share(&name, &value)?,
                "judged" => read.judged = share(&name, &value)?,
                "reward" => read.reward = Some(number(&name, &value)?),
                "effect" => read.effect = Some(value.is_truthy()?),
                known if NOT_LOOKED_AT.contains(&known) || known == USAGE => {}
                _ => return Err(PyValueError::new_err(format!("a step has no member {name:?}"))),
            }
        }
        if read.description.is_empty() && read.decision.is_none() && read.key.is_none() {
            return Err(PyValueError::new_err("a step says what was decided: by `key`, `decision` or `description`"));
        }
        Ok(read)
    }
}

impl OwnedTrajectory {
    /// Reads one: a dict with `steps` and `reward`. `index` is for what is wrong with it.
    pub(crate) fn read(index: usize, trajectory: &Bound<'_, PyAny>) -> PyResult<Self> {
        let at =
            |place: String, error: PyErr| PyValueError::new_err(format!("{place}: {}", error.value(trajectory.py())));
        let place = format!("trajectory {index}");
        Self::of(&place, trajectory, &at)
    }

    fn of(place: &str, trajectory: &Bound<'_, PyAny>, at: &dyn Fn(String, PyErr) -> PyErr) -> PyResult<Self> {
        let wrong = |error: PyErr| at(place.to_owned(), error);
        let trajectory = trajectory.cast::<PyDict>().map_err(|error| wrong(error.into()))?;
        let (mut read, mut reward) = (Self::default(), None);
        for (name, value) in trajectory.iter().filter(|(_, value)| !value.is_none()) {
            let name: String = name.extract().map_err(wrong)?;
            match name.as_str() {
                "steps" => {
                    for (index, step) in value.try_iter().map_err(wrong)?.enumerate() {
                        let step = step.and_then(|step| OwnedStep::read(step.cast::<PyDict>()?));
                        read.steps.push(step.map_err(|error| at(format!("{place}, step {index}"), error))?);
                    }
                }
                "reward" => reward = Some(number(&name, &value).map_err(wrong)?),
                "goal_id" => read.goal_id = Some(text(&value).map_err(wrong)?),
                "agent_id" => read.agent_id = text(&value).map_err(wrong)?,
                "action_id" => {
                    let id = text(&value).map_err(wrong)?.parse();
                    let id = id.map_err(|_| wrong(PyValueError::new_err("`action_id` is a UUID")));
                    read.action_id = Some(id?);
                }
                _ => return Err(wrong(PyValueError::new_err(format!("a trajectory has no member {name:?}")))),
            }
        }
        read.reward = reward.ok_or_else(|| wrong(PyValueError::new_err("`reward` is missing")))?;
        Ok(read)
    }

    /// The action's id: its own, else one made of its contents, so that the same action is known again.
    pub(crate) fn id(&self, seed: u64) -> ActionId {
        self.action_id.unwrap_or_else(|| {
            let bytes = serde_json::to_vec(self).unwrap_or_default();
            ActionId::from_bytes(xxh3_128_with_seed(&bytes, seed).to_be_bytes())
        })
    }

    /// Its steps as methods look at them.
    pub(crate) fn features(&self) -> Vec<StepFeatures<'_>> {
        self.steps.iter().map(OwnedStep::features).collect()
    }

    /// The trajectory with these steps.
    pub(crate) fn borrowed<'a>(&'a self, id: ActionId, steps: &'a [StepFeatures<'a>]) -> Trajectory<'a> {
        Trajectory {
            action_id: Some(id),
            agent_id: &self.agent_id,
            goal_id: self.goal_id.as_deref(),
            steps,
            reward: self.reward,
        }
    }
}

/// Text; of anything else its `str`.
fn text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_string_lossy().into_owned()),
        Err(_) => Ok(value.str()?.to_string_lossy().into_owned()),
    }
}

fn json(value: &Bound<'_, PyAny>) -> String {
    crate::convert::to_json(value)
}

/// A finite number.
fn number(name: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let number =
        if value.is_instance_of::<PyBool>() { Ok(f64::from(value.is_truthy()?)) } else { value.extract::<f64>() };
    match number {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(PyValueError::new_err(format!("`{name}` is a finite number"))),
    }
}

/// A number in [0, 1]; NaN, which is how tables say so, is none.
fn share(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    if value.extract::<f64>().is_ok_and(f64::is_nan) {
        return Ok(None);
    }
    let number = number(name, value)?;
    if (0.0..=1.0).contains(&number) {
        Ok(Some(number))
    } else {
        Err(PyValueError::new_err(format!("`{name}` lies between 0 and 1")))
    }
}
