//! The recorder: records by id, and answers questions.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use accredit::{Config, Engine, Environment, Error, Filter, Method, RecorderOptions};
use accredit_model::{ActionId, ActionType, AgentId, RefusalReason, Status, Verdict};
use pyo3::prelude::*;
use serde::Serialize;

use crate::action::{self, BeginArgs, ObservationArgs, StepArgs};
use crate::backend::{Backend, Link};
use crate::core::Core;
use crate::fields::{self, Arg};
use crate::{error, process};

/// Records into a store of this process, or to a server. What it answers to questions is JSON text.
#[pyclass(subclass, frozen, module = "accredit._native")]
pub(crate) struct Recorder {
    pub(crate) core: Arc<Core>,
}

impl Recorder {
    /// Asks the engine without the interpreter's lock, and writes its answer as JSON.
    fn ask<T: Serialize>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&Backend) -> Result<T, Error> + Send,
    ) -> PyResult<String> {
        self.core.live(py)?;
        let answer = py.detach(|| {
            // What this process has completed is to be seen by it.
            self.core.backend().wait_accepted();
            let answer = ask(self.core.backend())?;
            serde_json::to_string(&answer).map_err(|_| Error::Bug("PY-1: an answer is JSON"))
        });
        answer.map_err(|error| error::raise(py, &error))
    }

    /// The id that a question is about.
    fn id(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<ActionId> {
        fields::one_id(&self.core, id).map_err(|reason| error::refused(py, reason, "an action's id is a UUID"))
    }
}

#[pymethods]
impl Recorder {
    /// Opens the store at a path. `config` is TOML text, as a configuration file has it.
    #[staticmethod]
    #[pyo3(signature = (path, config="", strict=false, read_only=false, *, block=None))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        config: &str,
        strict: bool,
        read_only: bool,
        block: Option<f64>,
    ) -> PyResult<Self> {
        let block = seconds(py, "block", block)?;
        let opened = py.detach(|| {
            let mut config = Config::from_toml(config)?;
            config.store = path;
            if read_only {
                config.access = accredit::Access::ReadOnly;
            }
            let options = RecorderOptions {
                buffer_bytes_max: config.queue_bytes_max,
                block: block.unwrap_or(Duration::from_millis(config.block_ms_max)),
                entries_max: config.limits.entries_max,
                steps_max: config.limits.steps_max(),
            };
            let engine = Engine::open(config)?;
            let recorder = accredit::Recorder::new(Box::new(engine.clone()), Environment::default(), options)?;
            Ok(Core::new(recorder, Backend::Engine(engine), None, strict))
        });
        let core = opened.map_err(|error: Error| error::raise(py, &error))?;
        let core = Arc::new(core);
        process::register(&core);
        Ok(Self { core })
    }

    /// Records to the server at a URL, with a spool on disk for the time in which it is away. It need not be there yet.
    #[staticmethod]
    #[pyo3(signature = (url, key=None, strict=false, spool=None, spool_bytes_max=None, timeout=10.0, *, block=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the call's own")]
    fn connect(
        py: Python<'_>,
        url: String,
        key: Option<String>,
        strict: bool,
        spool: Option<PathBuf>,
        spool_bytes_max: Option<u64>,
        timeout: f64,
        block: Option<f64>,
    ) -> PyResult<Self> {
        let timeout = seconds(py, "timeout", Some(timeout).filter(|timeout| *timeout > 0.0).or(Some(f64::NAN)))?;
        let (timeout, block) = (timeout.unwrap_or_default(), seconds(py, "block", block)?);
        let link = Link { url, key, spool, spool_bytes_max, timeout, block };
        let opened = py.detach(|| link.open());
        let (recorder, backend) = opened.map_err(|error| error::raise(py, &error))?;
        let core = Arc::new(Core::new(recorder, backend, Some(link), strict));
        process::register(&core);
        Ok(Self { core })
    }

    /// Whether refusals raise.
    #[getter]
    fn strict(&self) -> bool {
        self.core.strict
    }

    /// Whether it can be used: not closed, and not left behind by a fork.
    #[getter]
    fn live(&self) -> bool {
        self.core.seems_live()
    }

    #[pyo3(signature = (agent_id, action_type, goal_id=None, expected_outcome=None, acceptance_criteria=None, parent_action_id=None, action_id=None, attributes=None, *, at=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the call's own")]
    fn begin_action(
        &self,
        py: Python<'_>,
        agent_id: &Bound<'_, PyAny>,
        action_type: &Bound<'_, PyAny>,
        goal_id: Arg<'_, '_>,
        expected_outcome: Arg<'_, '_>,
        acceptance_criteria: Arg<'_, '_>,
        parent_action_id: Arg<'_, '_>,
        action_id: Arg<'_, '_>,
        attributes: Arg<'_, '_>,
        at: Arg<'_, '_>,
    ) -> PyResult<String> {
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
        Ok(args.open(py, &self.core)?.id().to_string())
    }

    #[pyo3(signature = (action_id, description, state=None, decision=None, confidence=None, *, key=None, state_key=None, effect=None, propensity=None, reward=None, usage=None, at=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the call's own")]
    fn record_step(
        &self,
        py: Python<'_>,
        action_id: &Bound<'_, PyAny>,
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
        match self.target(py, action_id) {
            Ok(open) => args.record(py, &self.core, &open),
            Err(reason) => action::refuse(py, &self.core, reason),
        }
    }

    #[pyo3(signature = (action_id, observation_type, data=None, source=None, confidence=None, *, score=None, step=None, criterion=None, at=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the call's own")]
    fn record_observation(
        &self,
        py: Python<'_>,
        action_id: &Bound<'_, PyAny>,
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
        match self.target(py, action_id) {
            Ok(open) => args.record(py, &self.core, &open),
            Err(reason) => action::refuse(py, &self.core, reason),
        }
    }

    #[pyo3(signature = (action_id, outcome=None, reward=None, *, at=None))]
    fn complete_action(
        &self,
        py: Python<'_>,
        action_id: &Bound<'_, PyAny>,
        outcome: Arg<'_, '_>,
        reward: Arg<'_, '_>,
        at: Arg<'_, '_>,
    ) -> PyResult<bool> {
        match fields::one_id(&self.core, action_id) {
            Ok(id) => {
                self.core.adopt_id(id);
                action::complete(py, &self.core, id, outcome, reward, at)
            }
            Err(reason) => action::refuse(py, &self.core, reason),
        }
    }

    #[pyo3(signature = (action_id, outcome=None, reward=None, reason=None))]
    fn revise_outcome(
        &self,
        py: Python<'_>,
        action_id: &Bound<'_, PyAny>,
        outcome: Arg<'_, '_>,
        reward: Arg<'_, '_>,
        reason: Arg<'_, '_>,
    ) -> PyResult<bool> {
        match fields::one_id(&self.core, action_id) {
            Ok(id) => {
                self.core.adopt_id(id);
                action::revise(py, &self.core, id, outcome, reward, reason)
            }
            Err(reason) => action::refuse(py, &self.core, reason),
        }
    }

    #[pyo3(signature = (action_id, reason=None))]
    fn cancel_action(&self, py: Python<'_>, action_id: &Bound<'_, PyAny>, reason: Arg<'_, '_>) -> PyResult<bool> {
        match fields::one_id(&self.core, action_id) {
            Ok(id) => {
                self.core.adopt_id(id);
                action::cancel(py, &self.core, id, reason)
            }
            Err(reason) => action::refuse(py, &self.core, reason),
        }
    }

    fn heartbeat(&self, py: Python<'_>, action_id: &Bound<'_, PyAny>) -> PyResult<bool> {
        match fields::one_id(&self.core, action_id) {
            Ok(id) => {
                self.core.adopt_id(id);
                action::heartbeat(py, &self.core, id)
            }
            Err(reason) => action::refuse(py, &self.core, reason),
        }
    }

    /// Closes what has been idle for too long; how many actions that were.
    fn cleanup_expired(&self, py: Python<'_>) -> PyResult<usize> {
        self.flush(py)?;
        let cleaned = py.detach(|| {
            self.core.backend().wait_accepted();
            self.core.backend().cleanup_expired()
        });
        cleaned.map_err(|error| error::raise(py, &error))
    }

    /// Returns when all that was recorded before is durable.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        if !self.core.is_ours() {
            return Err(self.core.dead(py));
        }
        // Of one that is closed, all that was recorded is durable.
        let flushed = action::waiting(py, |given_up| self.core.recorder().flush(given_up))?;
        self.core.tell_failure(py);
        flushed.map_err(|error| error::raise(py, &error))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.core.close(py)
    }

    /// The counters of this recorder.
    fn own_stats(&self, py: Python<'_>) -> String {
        crate::stats::own(py, &self.core)
    }

    /// The counters of the store.
    fn stats(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, Backend::stats)
    }

    fn action(&self, py: Python<'_>, action_id: &Bound<'_, PyAny>) -> PyResult<String> {
        let id = self.id(py, action_id)?;
        self.ask(py, |engine| engine.action(id))
    }

    fn chain(&self, py: Python<'_>, action_id: &Bound<'_, PyAny>) -> PyResult<String> {
        let id = self.id(py, action_id)?;
        self.ask(py, |engine| engine.chain(id))
    }

    #[pyo3(signature = (action_id, version=None))]
    fn attribution(&self, py: Python<'_>, action_id: &Bound<'_, PyAny>, version: Option<u32>) -> PyResult<String> {
        let id = self.id(py, action_id)?;
        self.ask(py, |engine| engine.attribution(id, version))
    }

    /// The attribution as another method would give it now; `method` is JSON as the configuration has it.
    fn what_if(&self, py: Python<'_>, action_id: &Bound<'_, PyAny>, method: &str) -> PyResult<String> {
        let id = self.id(py, action_id)?;
        let method: Method = serde_json::from_str(method)
            .map_err(|error| error::refused(py, RefusalReason::InvalidField, &format!("method: {error}")))?;
        self.ask(py, |backend| backend.what_if(id, method))
    }

    fn attributions(&self, py: Python<'_>, action_id: &Bound<'_, PyAny>) -> PyResult<String> {
        let id = self.id(py, action_id)?;
        self.ask(py, |engine| engine.attributions(id))
    }

    fn tree(&self, py: Python<'_>, action_id: &Bound<'_, PyAny>) -> PyResult<String> {
        let id = self.id(py, action_id)?;
        self.ask(py, |engine| engine.tree(id))
    }

    #[pyo3(signature = (agent_id=None, action_type=None, goal_id=None, status=None, verdict=None, from_=None, to=None, limit=100, cursor=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the call's own")]
    fn actions(
        &self,
        py: Python<'_>,
        agent_id: Option<String>,
        action_type: Option<String>,
        goal_id: Option<String>,
        status: Option<String>,
        verdict: Option<String>,
        from_: Arg<'_, '_>,
        to: Arg<'_, '_>,
        limit: usize,
        cursor: Option<&str>,
    ) -> PyResult<String> {
        let filter = filter(py, (agent_id, action_type, goal_id, status, verdict, from_, to))?;
        self.ask(py, |engine| engine.list(&filter, limit, cursor))
    }

    #[pyo3(signature = (after=0, limit=100))]
    fn experiences(&self, py: Python<'_>, after: u64, limit: usize) -> PyResult<String> {
        self.ask(py, |engine| engine.experiences(after, limit))
    }

    fn insights(&self, py: Python<'_>, action_type: String) -> PyResult<String> {
        let action_type = ActionType::from(action_type);
        self.ask(py, |engine| engine.insights(&action_type))
    }

    fn agent(&self, py: Python<'_>, agent_id: String) -> PyResult<String> {
        let agent_id = AgentId::from(agent_id);
        self.ask(py, |engine| engine.agent(&agent_id))
    }

    fn models(&self, py: Python<'_>, action_type: String) -> PyResult<String> {
        let action_type = ActionType::from(action_type);
        self.ask(py, |engine| engine.models(&action_type))
    }

    /// Learns from all that is closed, now.
    fn learn(&self, py: Python<'_>) -> PyResult<String> {
        self.flush(py)?;
        self.ask(py, Backend::learn_now)
    }
}

impl Recorder {
    fn target(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> Result<Arc<accredit::OpenAction>, RefusalReason> {
        if !self.core.is_live() {
            return Err(RefusalReason::Overloaded);
        }
        self.core.find(py, fields::one_id(&self.core, id)?)
    }
}

fn seconds(py: Python<'_>, what: &str, seconds: Option<f64>) -> PyResult<Option<Duration>> {
    let read = |seconds| Duration::try_from_secs_f64(seconds);
    let wrong = |_| error::refused(py, RefusalReason::InvalidField, &format!("`{what}` is a number of seconds"));
    seconds.map(read).transpose().map_err(wrong)
}

/// What a list is filtered by: agent, type, goal, status, verdict, from, to.
pub(crate) type FilterArgs<'a, 'py> =
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>, Arg<'a, 'py>, Arg<'a, 'py>);

pub(crate) fn filter(py: Python<'_>, args: FilterArgs<'_, '_>) -> PyResult<Filter> {
    let (agent_id, action_type, goal_id, status, verdict, from, to) = args;
    let wrong =
        |_| error::refused(py, RefusalReason::InvalidField, "a time is seconds since 1970, RFC 3339 or a datetime");
    Ok(Filter {
        agent_id: agent_id.map(Into::into),
        action_type: action_type.map(Into::into),
        goal_id: goal_id.map(Into::into),
        status: named::<Status>(py, "status", status)?,
        verdict: named::<Verdict>(py, "verdict", verdict)?,
        from: fields::time(from).map_err(wrong)?,
        to: fields::time(to).map_err(wrong)?,
    })
}

/// A name that the wire format has.
fn named<T: serde::de::DeserializeOwned>(py: Python<'_>, what: &str, name: Option<String>) -> PyResult<Option<T>> {
    let Some(name) = name else { return Ok(None) };
    serde_json::from_value(serde_json::Value::from(name))
        .map(Some)
        .map_err(|error| error::refused(py, RefusalReason::InvalidField, &format!("{what}: {error}")))
}
