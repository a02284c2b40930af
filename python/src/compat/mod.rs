//! The engine behind `accredit.compat`: a prompt recorder under a clock that Python may set.

mod clock;
mod said;

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use accredit::{Access, Clock, Config, Engine, Environment, Error, Learning, PromptRecorder, UuidV7};
use accredit_model::{ActionId, Begin, Completion, EntryBody, JsonObject, Observation, Payload, RefusalReason, Step};
use pyo3::prelude::*;
use serde_json::{Value, json};

use self::clock::SettableClock;
use self::said::{open_action, said_of};
use crate::convert::Counting;
use crate::core::generation;
use crate::error;
use crate::fields::{self, Arg};

/// What becomes of values on their way, by name.
#[derive(Default)]
struct Counts(Mutex<BTreeMap<&'static str, u64>>);

impl Counting for Counts {
    fn count(&self, what: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }
}

/// Records for `accredit.compat`. The first argument of a call is the time, where it is not the machine's. Calls never raise
/// for what is passed in.
#[pyclass(frozen, module = "accredit._native")]
pub(crate) struct CompatEngine {
    recorder: ManuallyDrop<PromptRecorder>,
    clock: Arc<SettableClock>,
    counts: Counts,
    generation: u64,
    is_closed: AtomicBool,
}

impl Drop for CompatEngine {
    fn drop(&mut self) {
        // As for the recorder: a forked child has no threads to wait for.
        if self.generation == generation() {
            #[expect(unsafe_code, reason = "it is not used after this, and dropped once")]
            // SAFETY: `drop` runs once, and `self` is not used after it.
            unsafe {
                ManuallyDrop::drop(&mut self.recorder);
            }
        }
    }
}

#[pymethods]
impl CompatEngine {
    /// Opens the store at a path; an ephemeral one does not wait for the disk.
    #[new]
    fn new(py: Python<'_>, path: PathBuf, ephemeral: bool) -> PyResult<Self> {
        let clock = Arc::new(SettableClock::new());
        let environment = Environment { clock: Arc::clone(&clock) as Arc<dyn Clock>, ids: Arc::new(UuidV7) };
        let config = Config {
            access: if ephemeral { Access::Ephemeral } else { Access::ReadWrite },
            // The older module has learned nothing; whoever opens the store without it learns from what it recorded.
            learning: Learning { enabled: false, ..Learning::default() },
            ..Config::compat(path)
        };
        let opened = py.detach(|| PromptRecorder::open(config, environment));
        let recorder = ManuallyDrop::new(opened.map_err(|error| error::raise(py, &error))?);
        let (counts, is_closed) = (Counts::default(), AtomicBool::new(false));
        Ok(Self { recorder, clock, counts, generation: generation(), is_closed })
    }

    /// Begins an action; answers its id and the ids of those that were closed for it. `None` in place of the id where it
    /// was refused.
    #[pyo3(signature = (now, open_actions_max, agent_id, action_type, goal_id, expected_outcome, acceptance_criteria, parent_action_id, /))]
    #[expect(clippy::too_many_arguments, reason = "they are the call's own")]
    fn begin(
        &self,
        py: Python<'_>,
        now: Option<f64>,
        open_actions_max: f64,
        agent_id: &Bound<'_, PyAny>,
        action_type: &Bound<'_, PyAny>,
        goal_id: Arg<'_, '_>,
        expected_outcome: Arg<'_, '_>,
        acceptance_criteria: Arg<'_, '_>,
        parent_action_id: Arg<'_, '_>,
    ) -> (Option<String>, Vec<String>) {
        if !self.is_live() {
            return (None, Vec::new());
        }
        let counts = &self.counts;
        let begin = || {
            // The older module took any text for a parent's id.
            let parent = fields::id(counts, parent_action_id);
            let attributes = match &parent {
                Ok(_) => None,
                Err(_) => fields::text(counts, parent_action_id)
                    .map(|text| JsonObject::from_iter([("parent_action_id".to_owned(), Value::String(text))])),
            };
            Ok::<_, RefusalReason>(Begin {
                agent_id: fields::one_text(counts, agent_id).into(),
                action_type: fields::one_text(counts, action_type).into(),
                goal_id: fields::text(counts, goal_id).map(Into::into),
                expected_outcome: fields::object(counts, expected_outcome)?,
                acceptance_criteria: fields::texts(counts, acceptance_criteria)?,
                parent_action_id: parent.unwrap_or_default(),
                attributes,
                ..Begin::default()
            })
        };
        let Ok(begin) = begin() else { return (None, Vec::new()) };
        self.clock.set(now);
        let max = whole(open_actions_max);
        let waits = self.recorder.n_open() >= max || self.recorder.is_full();
        let begin = || self.recorder.begin(begin, max);
        let begun = if waits { py.detach(begin) } else { begin() };
        match begun {
            Ok(begun) => (Some(begun.action_id.to_string()), texts(&begun.evicted)),
            Err(_) => (None, Vec::new()),
        }
    }

    #[pyo3(signature = (now, entries_max, action_id, description, state, decision, confidence, /))]
    #[expect(clippy::too_many_arguments, reason = "they are the call's own")]
    fn record_step(
        &self,
        py: Python<'_>,
        now: Option<f64>,
        entries_max: f64,
        action_id: &Bound<'_, PyAny>,
        description: &Bound<'_, PyAny>,
        state: Arg<'_, '_>,
        decision: Arg<'_, '_>,
        confidence: Arg<'_, '_>,
    ) -> bool {
        let counts = &self.counts;
        let step = || {
            Ok::<_, RefusalReason>(EntryBody::Step(Step {
                description: fields::one_text(counts, description),
                state: fields::payload(counts, state)?,
                decision: fields::text(counts, decision),
                confidence: fields::number(confidence)?,
                ..Step::default()
            }))
        };
        self.record(py, now, entries_max, action_id, step)
    }

    #[pyo3(signature = (now, entries_max, action_id, observation_type, data, source, confidence, /))]
    #[expect(clippy::too_many_arguments, reason = "they are the call's own")]
    fn record_observation(
        &self,
        py: Python<'_>,
        now: Option<f64>,
        entries_max: f64,
        action_id: &Bound<'_, PyAny>,
        observation_type: &Bound<'_, PyAny>,
        data: Arg<'_, '_>,
        source: Arg<'_, '_>,
        confidence: Arg<'_, '_>,
    ) -> bool {
        let counts = &self.counts;
        let observation = || {
            Ok::<_, RefusalReason>(EntryBody::Observation(Observation {
                observation_type: fields::one_text(counts, observation_type),
                data: Some(fields::payload(counts, data)?.unwrap_or_else(|| Payload::from(json!({})))),
                source: fields::text(counts, source),
                confidence: fields::number(confidence)?,
                ..Observation::default()
            }))
        };
        self.record(py, now, entries_max, action_id, observation)
    }

    /// Closes an action with its outcome; answers its id, `None` where it was not open.
    #[pyo3(signature = (now, action_id, outcome, /))]
    fn complete(
        &self,
        py: Python<'_>,
        now: Option<f64>,
        action_id: &Bound<'_, PyAny>,
        outcome: Arg<'_, '_>,
    ) -> Option<String> {
        if !self.is_live() {
            return None;
        }
        let id = fields::one_id(&self.counts, action_id).ok()?;
        let outcome = fields::object(&self.counts, outcome).ok()?;
        self.clock.set(now);
        let completion = Completion { outcome, ..Completion::default() };
        py.detach(|| self.recorder.complete(id, completion)).is_ok().then(|| id.to_string())
    }

    /// Closes what has been open for longer than so many seconds; the ids of those, in order.
    #[pyo3(signature = (now, idle_secs, /))]
    fn cleanup_expired(&self, py: Python<'_>, now: Option<f64>, idle_secs: f64) -> Vec<String> {
        if !self.is_live() {
            return Vec::new();
        }
        self.clock.set(now);
        // Saturates; NaN is 0.
        let idle_micros = (idle_secs * 1e6) as i64;
        texts(&py.detach(|| self.recorder.cleanup_expired(idle_micros)).unwrap_or_default())
    }

    /// What is said of a closed action, as JSON: to the learner, and as an event.
    fn closed(&self, py: Python<'_>, action_id: &str) -> PyResult<String> {
        self.ask(py, action_id, |engine, id| Ok(said_of(&engine.experience(id, None)?)))
    }

    /// An open action with its entries, as JSON; `None` where it is not open.
    fn action(&self, py: Python<'_>, action_id: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
        let Ok(id) = fields::one_id(&self.counts, action_id) else { return Ok(None) };
        if !self.is_live() || !self.recorder.is_open(id) {
            return Ok(None);
        }
        py.detach(|| self.recorder.flush()).map_err(|error| error::raise(py, &error))?;
        let found =
            self.ask(py, &id.to_string(), |engine, id| Ok(open_action(&engine.action(id)?, &engine.chain(id)?)));
        found.map(Some)
    }

    /// The store's counters, as JSON.
    fn stats(&self, py: Python<'_>) -> PyResult<String> {
        self.live_or_raise(py)?;
        let stats = py.detach(|| {
            // Where nothing can be written any more, what stands is the answer.
            drop(self.recorder.flush());
            self.recorder.engine().stats()
        });
        let stats = stats.map_err(|error| error::raise(py, &error))?;
        Ok(json!({
            "total_begun": stats.begun,
            "total_completed": stats.begun - stats.open,
            "total_timed_out": stats.timed_out + stats.evicted,
            "total_steps_recorded": stats.steps,
            "open_count": stats.open,
        })
        .to_string())
    }

    /// What was refused, by reason, and what became of values on their way, by name, as JSON.
    fn diagnostics(&self, py: Python<'_>) -> PyResult<String> {
        self.live_or_raise(py)?;
        let stats = py.detach(|| self.recorder.engine().stats()).map_err(|error| error::raise(py, &error))?;
        let converted = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(json!({"refused": stats.refused, "converted": converted}).to_string())
    }

    /// Whether it records: not closed, and not left behind by a fork.
    #[getter]
    fn live(&self) -> bool {
        self.is_live()
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.generation != generation() || self.is_closed.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        py.detach(|| self.recorder.close()).map_err(|error| error::raise(py, &error))
    }
}

impl CompatEngine {
    fn is_live(&self) -> bool {
        self.generation == generation() && !self.is_closed.load(Ordering::Relaxed)
    }

    fn live_or_raise(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_live() { Ok(()) } else { Err(error::raise(py, &Error::Closed)) }
    }

    fn record(
        &self,
        py: Python<'_>,
        now: Option<f64>,
        entries_max: f64,
        action_id: &Bound<'_, PyAny>,
        entry: impl FnOnce() -> Result<EntryBody, RefusalReason>,
    ) -> bool {
        if !self.is_live() {
            return false;
        }
        let entry = fields::one_id(&self.counts, action_id).and_then(|id| Ok((id, entry()?)));
        let (id, entry) = match entry {
            Ok(entry) => entry,
            Err(reason) => return self.refuse(reason),
        };
        self.clock.set(now);
        let record = || self.recorder.record(id, entry, whole(entries_max)).is_ok();
        // Giving the interpreter's lock away costs more than recording does, unless it is going to wait.
        if self.recorder.is_full() { py.detach(record) } else { record() }
    }

    fn refuse(&self, reason: RefusalReason) -> bool {
        self.recorder.engine().refused_elsewhere(&[reason]);
        false
    }

    fn ask(
        &self,
        py: Python<'_>,
        action_id: &str,
        ask: impl FnOnce(&Engine, ActionId) -> Result<Value, Error> + Send,
    ) -> PyResult<String> {
        self.live_or_raise(py)?;
        let id = action_id.parse().map_err(|_| error::refused(py, RefusalReason::InvalidId, "an id is a UUID"))?;
        let answer = py.detach(|| ask(self.recorder.engine(), id).map(|answer| answer.to_string()));
        answer.map_err(|error| error::raise(py, &error))
    }
}

/// A limit as Python has it: any number, none below zero.
fn whole(number: f64) -> u64 {
    // Saturates; NaN is 0.
    number as u64
}

fn texts(ids: &[ActionId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
