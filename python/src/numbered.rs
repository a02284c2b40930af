//! A step that tells its index.

use pyo3::prelude::*;

use crate::action::{Action, StepArgs};
use crate::fields::Arg;

/// Records a step and answers its index, or `None` where it was refused: for observations that ground it.
#[pyfunction]
#[pyo3(signature = (action, description, state=None, decision=None, confidence=None, key=None, state_key=None, effect=None))]
#[expect(clippy::too_many_arguments, reason = "they are the call's own")]
pub(crate) fn numbered_step(
    py: Python<'_>,
    action: &Bound<'_, Action>,
    description: &Bound<'_, PyAny>,
    state: Arg<'_, '_>,
    decision: Arg<'_, '_>,
    confidence: Arg<'_, '_>,
    key: Arg<'_, '_>,
    state_key: Arg<'_, '_>,
    effect: Arg<'_, '_>,
) -> PyResult<Option<u64>> {
    let (propensity, reward, usage, at) = (None, None, None, None);
    let args =
        StepArgs { description, state, decision, confidence, key, state_key, effect, propensity, reward, usage, at };
    let action = action.get();
    // Nothing else of Python runs between the two while the interpreter's lock is held, as it is unless the buffer is full.
    let recorded = args.record(py, &action.core, &action.open)?;
    Ok(if recorded { action.open.n_steps().checked_sub(1) } else { None })
}
