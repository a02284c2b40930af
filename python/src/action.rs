//! An action in the hands of its agent.

use std::sync::Arc;

use accredit::{Error, OpenAction};
use accredit_model::{Begin, Cancel, Completion, EntryBody, Observation, RefusalReason, Revision, Step};
use pyo3::prelude::*;

use crate::core::Core;
use crate::error;
use crate::fields::{self, Arg};
use crate::recorder::Recorder;

/// One open action. Its calls never raise for what an agent passes in, unless the recorder is strict.
#[pyclass(subclass, frozen, module = "accredit._native")]
pub(crate) struct Action {
    pub(crate) core: Arc<Core>,
    pub(crate) open: Arc<OpenAction>,
    id: Py<PyAny>,
}

/// The arguments of a step.
pub(crate) struct StepArgs<'a, 'py> {
    pub(crate) description: &'a Bound<'py, PyAny>,
    pub(crate) state: Arg<'a, 'py>,
    pub(crate) decision: Arg<'a, 'py>,
    pub(crate) confidence: Arg<'a, 'py>,
    pub(crate) key: Arg<'a, 'py>,
    pub(crate) state_key: Arg<'a, 'py>,
    pub(crate) effect: Arg<'a, 'py>,
    pub(crate) propensity: Arg<'a, 'py>,
    pub(crate) reward: Arg<'a, 'py>,
    pub(crate) usage: Arg<'a, 'py>,
    pub(crate) at: Arg<'a, 'py>,
}

impl StepArgs<'_, '_> {
    fn step(&self, core: &Core) -> Result<Step, RefusalReason> {
        Ok(Step {
            description: fields::one_text(core, self.description),
            state: fields::payload(core, self.state)?,
            decision: fields::text(core, self.decision),
            confidence: fields::number(self.confidence)?,
            key: fields::text(core, self.key),
            state_key: fields::text(core, self.state_key),
            effect: fields::boolean(self.effect)?,
            propensity: fields::number(self.propensity)?,
            reward: fields::number(self.reward)?,
            usage: fields::usage(self.usage)?,
            idempotency_key: None,
            at: fields::time(self.at)?,
        })
    }

    pub(crate) fn record(&self, py: Python<'_>, core: &Core, open: &OpenAction) -> PyResult<bool> {
        match self.step(core) {
            Ok(step) => record(py, core, open, EntryBody::Step(step)),
            Err(reason) => refuse(py, core, reason),
        }
    }
}

/// The arguments of an observation.
pub(crate) struct ObservationArgs<'a, 'py> {
    pub(crate) observation_type: &'a Bound<'py, PyAny>,
    pub(crate) data: Arg<'a, 'py>,
    pub(crate) source: Arg<'a, 'py>,
    pub(crate) confidence: Arg<'a, 'py>,
    pub(crate) score: Arg<'a, 'py>,
    pub(crate) step: Arg<'a, 'py>,
    pub(crate) criterion: Arg<'a, 'py>,
    pub(crate) at: Arg<'a, 'py>,
}

impl ObservationArgs<'_, '_> {
    fn observation(&self, core: &Core) -> Result<Observation, RefusalReason> {
        Ok(Observation {
            observation_type: fields::one_text(core, self.observation_type),
            data: fields::payload(core, self.data)?,
            source: fields::text(core, self.source),
            confidence: fields::number(self.confidence)?,
            score: fields::number(self.score)?,
            step: fields::count(self.step)?,
            criterion: fields::text(core, self.criterion),
            idempotency_key: None,
            at: fields::time(self.at)?,
        })
    }

    pub(crate) fn record(&self, py: Python<'_>, core: &Core, open: &OpenAction) -> PyResult<bool> {
        match self.observation(core) {
            Ok(observation) => record(py, core, open, EntryBody::Observation(observation)),
            Err(reason) => refuse(py, core, reason),
        }
    }
}

/// Counts a refusal and answers it.
pub(crate) fn refuse(py: Python<'_>, core: &Core, reason: RefusalReason) -> PyResult<bool> {
    if !core.is_live() {
        return core.too_late(py);
    }
    core.recorder().refuse(reason);
    core.refuse(py, reason, detail(reason))
}

/// What to do about a refusal that is known at once.
fn detail(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::UnknownAction => "no action has this id; begin it first",
        RefusalReason::ClosedAction => "the action is closed; observations, revise and a true completion may follow",
        RefusalReason::ActionFull => "the action has as many entries as it may; raise the limit or split the work",
        RefusalReason::InvalidNumber => "a number is not a finite number",
        RefusalReason::InvalidId => "an action's id is a UUID",
        RefusalReason::TooDeep => "a value is nested too deep",
        RefusalReason::Overloaded => "more is recorded than can be kept up with; try again in a moment",
        _ => "an argument is of the wrong type or outside its range",
    }
}

/// Records an entry; in strict mode it waits for the answer.
fn record(py: Python<'_>, core: &Core, open: &OpenAction, entry: EntryBody) -> PyResult<bool> {
    if !core.is_live() {
        return core.too_late(py);
    }
    if core.strict {
        let answer = waiting(py, |given_up| core.recorder().record_and_wait(open, entry, given_up))?;
        return core.answered(py, answer);
    }
    let recorded = if core.recorder().is_full() {
        py.detach(|| core.recorder().record(open, entry))
    } else {
        core.recorder().record(open, entry)
    };
    match recorded {
        Ok(()) => Ok(true),
        Err(reason) => core.refuse(py, reason, detail(reason)),
    }
}

/// Waits without the interpreter's lock, and raises what a signal raised meanwhile.
pub(crate) fn waiting<T: Send>(py: Python<'_>, wait: impl FnOnce(&mut dyn FnMut() -> bool) -> T + Send) -> PyResult<T> {
    let mut raised = None;
    let waited = py.detach(|| {
        wait(&mut || {
            let checked = Python::try_attach(|py| py.check_signals());
            // Where there is no interpreter any more, nobody is left to wait.
            let Some(checked) = checked else { return true };
            raised = checked.err();
            raised.is_some()
        })
    });
    raised.map_or(Ok(waited), Err)
}

/// Closes an action by `complete`, `cancel` and the like.
pub(crate) fn complete(
    py: Python<'_>,
    core: &Core,
    id: accredit_model::ActionId,
    outcome: Arg<'_, '_>,
    reward: Arg<'_, '_>,
    at: Arg<'_, '_>,
) -> PyResult<bool> {
    if !core.is_live() {
        return core.too_late(py);
    }
    let completion = || {
        Ok(Completion {
            outcome: fields::object(core, outcome)?,
            reward: fields::number(reward)?,
            at: fields::time(at)?,
        })
    };
    match completion() {
        Ok(completion) => {
            let answer = waiting(py, |given_up| core.recorder().complete(id, completion, given_up))?;
            core.answered(py, answer)
        }
        Err(reason) => refuse(py, core, reason),
    }
}

pub(crate) fn revise(
    py: Python<'_>,
    core: &Core,
    id: accredit_model::ActionId,
    outcome: Arg<'_, '_>,
    reward: Arg<'_, '_>,
    reason: Arg<'_, '_>,
) -> PyResult<bool> {
    if !core.is_live() {
        return core.too_late(py);
    }
    let revision = || {
        Ok(Revision {
            outcome: fields::object(core, outcome)?,
            reward: fields::number(reward)?,
            reason: fields::text(core, reason),
            at: None,
        })
    };
    match revision() {
        Ok(revision) => {
            let answer = waiting(py, |given_up| core.recorder().revise(id, revision, given_up))?;
            core.answered(py, answer)
        }
        Err(reason) => refuse(py, core, reason),
    }
}

pub(crate) fn cancel(py: Python<'_>, core: &Core, id: accredit_model::ActionId, reason: Arg<'_, '_>) -> PyResult<bool> {
    if !core.is_live() {
        return core.too_late(py);
    }
    let cancel = Cancel { reason: fields::text(core, reason) };
    let answer = waiting(py, |given_up| core.recorder().cancel(id, cancel, given_up))?;
    core.answered(py, answer)
}

/// The arguments of a begin.
pub(crate) struct BeginArgs<'a, 'py> {
    pub(crate) agent_id: &'a Bound<'py, PyAny>,
    pub(crate) action_type: &'a Bound<'py, PyAny>,
    pub(crate) goal_id: Arg<'a, 'py>,
    pub(crate) expected_outcome: Arg<'a, 'py>,
    pub(crate) acceptance_criteria: Arg<'a, 'py>,
    pub(crate) parent_action_id: Arg<'a, 'py>,
    pub(crate) action_id: Arg<'a, 'py>,
    pub(crate) attributes: Arg<'a, 'py>,
    pub(crate) at: Arg<'a, 'py>,
}

impl BeginArgs<'_, '_> {
    fn begin(&self, core: &Core) -> Result<Begin, RefusalReason> {
        Ok(Begin {
            action_id: fields::id(core, self.action_id)?,
            agent_id: fields::one_text(core, self.agent_id).into(),
            action_type: fields::one_text(core, self.action_type).into(),
            goal_id: fields::text(core, self.goal_id).map(Into::into),
            expected_outcome: fields::object(core, self.expected_outcome)?,
            acceptance_criteria: fields::texts(core, self.acceptance_criteria)?,
            parent_action_id: fields::id(core, self.parent_action_id)?,
            attributes: fields::object(core, self.attributes)?,
            at: fields::time(self.at)?,
        })
    }

    /// Begins; what cannot be begun is an action that refuses everything, so that the agent goes on.
    pub(crate) fn open(&self, py: Python<'_>, core: &Core) -> PyResult<Arc<OpenAction>> {
        if !core.is_live() {
            return core.too_late(py).map(|_| OpenAction::dead());
        }
        match self.begin(core) {
            Ok(begin) if core.strict => {
                match waiting(py, |given_up| core.recorder().begin_and_wait(begin, given_up))? {
                    Ok(open) => Ok(open),
                    Err(error) => Err(error::raise(py, &error)),
                }
            }
            Ok(begin) => Ok(core.recorder().begin(begin).unwrap_or_else(|_| OpenAction::dead())),
            Err(reason) => {
                refuse(py, core, reason)?;
                Ok(OpenAction::dead())
            }
        }
    }
}

#[pymethods]
impl Action {
    #[new]
    #[pyo3(signature = (recorder, agent_id, action_type, goal_id=None, expected_outcome=None, acceptance_criteria=None, parent_action_id=None, action_id=None, attributes=None, at=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the call's own")]
    fn new(
        py: Python<'_>,
        recorder: &Bound<'_, Recorder>,
        agent_id: &Bound<'_, PyAny>,
        action_type: &Bound<'_, PyAny>,
        goal_id: Arg<'_, '_>,
        expected_outcome: Arg<'_, '_>,
        acceptance_criteria: Arg<'_, '_>,
        parent_action_id: Arg<'_, '_>,
        action_id: Arg<'_, '_>,
        attributes: Arg<'_, '_>,
        at: Arg<'_, '_>,
    ) -> PyResult<Self> {
        let core = Arc::clone(&recorder.get().core);
        let args = BeginArgs {
            agent_id,
            action_type,
            goal_id,
            expected_outcome,
            acceptance_criteria,
            parent_action_id,
            action_id,
            attributes,
            at,
        };
        let open = args.open(py, &core)?;
        let id = open.id().to_string().into_pyobject(py)?.into_any().unbind();
        Ok(Self { core, open, id })
    }

    /// The action's id, 36 characters.
    #[getter]
    fn id(&self, py: Python<'_>) -> Py<PyAny> {
        self.id.clone_ref(py)
    }

    /// Whether it takes no more steps.
    #[getter]
    fn closed(&self) -> bool {
        self.open.is_closed()
    }

    /// How many steps were recorded: the index of the next one.
    #[getter]
    fn step_count(&self) -> u64 {
        self.open.n_steps()
    }

    #[pyo3(signature = (description, state=None, decision=None, confidence=None, *, key=None, state_key=None, effect=None, propensity=None, reward=None, usage=None, at=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the call's own")]
    fn step(
        &self,
        py: Python<'_>,
        description: &Bound<'_, PyAny>,
        state: Arg<'_, '_>,
        decision: Arg<'_, '_>,
        confidence: Arg<'_, '_>,
        key: Arg<'_, '_>,
        state_key: Arg<'_, '_>,
        effect: Arg<'_, '_>,
        propensity: Arg<'_, '_>,
        reward: Arg<'_, '_>,
        usage: Arg<'_, '_>,
        at: Arg<'_, '_>,
    ) -> PyResult<bool> {
        let args = StepArgs {
            description,
            state,
            decision,
            confidence,
            key,
            state_key,
            effect,
            propensity,
            reward,
            usage,
            at,
        };
        self.core.adopt(&self.open);
        args.record(py, &self.core, &self.open)
    }

    #[pyo3(signature = (observation_type, data=None, source=None, confidence=None, *, score=None, step=None, criterion=None, at=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the call's own")]
    fn observe(
        &self,
        py: Python<'_>,
        observation_type: &Bound<'_, PyAny>,
        data: Arg<'_, '_>,
        source: Arg<'_, '_>,
        confidence: Arg<'_, '_>,
        score: Arg<'_, '_>,
        step: Arg<'_, '_>,
        criterion: Arg<'_, '_>,
        at: Arg<'_, '_>,
    ) -> PyResult<bool> {
        let args = ObservationArgs { observation_type, data, source, confidence, score, step, criterion, at };
        self.core.adopt(&self.open);
        args.record(py, &self.core, &self.open)
    }

    #[pyo3(signature = (outcome=None, reward=None, *, at=None))]
    fn complete(&self, py: Python<'_>, outcome: Arg<'_, '_>, reward: Arg<'_, '_>, at: Arg<'_, '_>) -> PyResult<bool> {
        self.core.adopt(&self.open);
        complete(py, &self.core, self.open.id(), outcome, reward, at)
    }

    #[pyo3(signature = (outcome=None, reward=None, reason=None))]
    fn revise(&self, py: Python<'_>, outcome: Arg<'_, '_>, reward: Arg<'_, '_>, reason: Arg<'_, '_>) -> PyResult<bool> {
        self.core.adopt(&self.open);
        revise(py, &self.core, self.open.id(), outcome, reward, reason)
    }

    #[pyo3(signature = (reason=None))]
    fn cancel(&self, py: Python<'_>, reason: Arg<'_, '_>) -> PyResult<bool> {
        self.core.adopt(&self.open);
        cancel(py, &self.core, self.open.id(), reason)
    }

    fn heartbeat(&self, py: Python<'_>) -> PyResult<bool> {
        self.core.adopt(&self.open);
        heartbeat(py, &self.core, self.open.id())
    }
}

pub(crate) fn heartbeat(py: Python<'_>, core: &Core, id: accredit_model::ActionId) -> PyResult<bool> {
    if !core.is_live() {
        return core.too_late(py);
    }
    if core.strict {
        let command = accredit_model::Command::Heartbeat { action_id: id };
        let answer: Result<_, Error> = waiting(py, |given_up| core.recorder().ask(command, given_up))?;
        return core.answered(py, answer);
    }
    Ok(core.recorder().heartbeat(id).is_ok())
}
