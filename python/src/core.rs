//! What the classes share: a recorder, and the engine behind it.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use accredit::{Answer, Applied, Engine, Error, OpenAction};
use accredit_model::{ActionId, RefusalReason, Status};
use pyo3::prelude::*;

use crate::convert::Counting;
use crate::{error, process};

/// A recorder with what is needed around it. In a forked child it refuses: its threads exist in the parent alone.
pub(crate) struct Core {
    recorder: ManuallyDrop<accredit::Recorder>,
    engine: ManuallyDrop<Engine>,
    pub(crate) strict: bool,
    generation: u64,
    is_closed: AtomicBool,
    /// Calls that came after the end, or in a forked child.
    n_too_late: AtomicU64,
    has_told: AtomicBool,
    /// What happened to values on their way, by name.
    counted: Mutex<BTreeMap<&'static str, u64>>,
}

impl Core {
    pub(crate) fn new(recorder: accredit::Recorder, engine: Engine, strict: bool) -> Self {
        Self {
            recorder: ManuallyDrop::new(recorder),
            engine: ManuallyDrop::new(engine),
            strict,
            generation: process::generation(),
            is_closed: AtomicBool::new(false),
            n_too_late: AtomicU64::new(0),
            has_told: AtomicBool::new(false),
            counted: Mutex::default(),
        }
    }

    /// Whether it can be used: it was opened in this process, and not closed since.
    pub(crate) fn is_live(&self) -> bool {
        self.is_ours() && !self.is_closed.load(Ordering::Relaxed)
    }

    /// Whether it was opened in this process.
    pub(crate) fn is_ours(&self) -> bool {
        self.generation == process::generation()
    }

    /// What recording goes through. Only for one that is live.
    pub(crate) fn recorder(&self) -> &accredit::Recorder {
        &self.recorder
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The error for one that is not live.
    pub(crate) fn dead(&self, py: Python<'_>) -> PyErr {
        if self.is_ours() { error::raise(py, &Error::Closed) } else { error::forked(py) }
    }

    /// Answers a recording call to one that is not live: counted, and false or, in strict mode, an exception.
    pub(crate) fn too_late(&self, py: Python<'_>) -> PyResult<bool> {
        self.n_too_late.fetch_add(1, Ordering::Relaxed);
        if self.strict {
            return Err(self.dead(py));
        }
        if !self.is_ours() {
            self.tell_once(py, error::FORKED);
        }
        Ok(false)
    }

    /// Calls that came too late, by the name of why.
    pub(crate) fn too_late_counted(&self) -> Option<(&'static str, u64)> {
        let n = self.n_too_late.load(Ordering::Relaxed);
        (n > 0).then_some((if self.is_ours() { "closed" } else { "forked" }, n))
    }

    /// Has the log of Python say, once, why nothing is recorded.
    fn tell_once(&self, py: Python<'_>, what: &str) {
        if !self.has_told.swap(true, Ordering::Relaxed) {
            let logger = py.import("logging").and_then(|logging| logging.call_method1("getLogger", ("accredit",)));
            // A log that fails must not hurt the agent.
            drop(logger.and_then(|logger| logger.call_method1("warning", ("accredit: %s", what))));
        }
    }

    /// Has the log say what failed behind the agent's back, where something did.
    pub(crate) fn tell_failure(&self, py: Python<'_>) {
        if !self.has_told.load(Ordering::Relaxed)
            && let Some(error) = self.recorder.last_error()
        {
            self.tell_once(py, &format!("recording fails, and is only counted from now on: {error}"));
        }
    }

    pub(crate) fn live(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_live() { Ok(()) } else { Err(self.dead(py)) }
    }

    /// What was counted.
    pub(crate) fn counted(&self) -> BTreeMap<&'static str, u64> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The action of this id, where it can be recorded to.
    pub(crate) fn find(&self, py: Python<'_>, id: ActionId) -> Result<Arc<OpenAction>, RefusalReason> {
        if let Some(action) = self.recorder().find(id) {
            return Ok(action);
        }
        py.detach(|| match self.engine().action(id) {
            Ok(action) => {
                let entries = action.step_count + action.observation_count;
                let taken = self.recorder().take_up(id, action.step_count, entries);
                if action.status != Status::Open {
                    self.recorder().forget(id);
                }
                Ok(taken)
            }
            Err(_) => Err(RefusalReason::UnknownAction),
        })
    }

    /// Answers a refusal: false, or in strict mode an exception.
    pub(crate) fn refuse(&self, py: Python<'_>, reason: RefusalReason, detail: &str) -> PyResult<bool> {
        if self.strict { Err(error::refused(py, reason, detail)) } else { Ok(false) }
    }

    /// Reads the answer of a command that was waited for: whether something new was done.
    pub(crate) fn answered(&self, py: Python<'_>, answer: Result<Answer, Error>) -> PyResult<bool> {
        let failed = match answer {
            Ok(Answer::Spooled) => return Ok(true),
            Ok(Answer::Applied(Applied::Attributed(attribution))) => return Ok(!attribution.repeat),
            Ok(Answer::Applied(Applied::Failed(error))) | Err(error) => error,
            Ok(Answer::Applied(Applied::Entry(accredit::Recorded::Refused(refusal)))) => Error::from(refusal),
            Ok(Answer::Applied(_)) => return Ok(true),
        };
        if self.strict {
            return Err(error::raise(py, &failed));
        }
        self.tell_failure(py);
        Ok(false)
    }

    /// Hands on what waits and ends. The first call does it.
    pub(crate) fn close(&self, py: Python<'_>) -> PyResult<()> {
        if !self.is_ours() || self.is_closed.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let closed = py.detach(|| self.end());
        self.tell_failure(py);
        closed.map_err(|error| error::raise(py, &error))
    }

    fn end(&self) -> Result<(), Error> {
        self.recorder.close();
        Engine::clone(&self.engine).close()
    }

    /// The same when the interpreter has ended: nobody is left to be told what fails.
    pub(crate) fn close_at_exit(&self) {
        if self.is_ours() && !self.is_closed.swap(true, Ordering::Relaxed) {
            drop(self.end());
        }
    }
}

impl Counting for Core {
    fn count(&self, what: &'static str) {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // In a forked child there are no threads to wait for, and the locks may be held by nobody for ever.
        if !self.is_ours() {
            return;
        }
        let mut end = || {
            #[expect(unsafe_code, reason = "neither is used after this, and both are dropped once")]
            // SAFETY: `drop` runs once, and `self` is not used after it.
            unsafe {
                ManuallyDrop::drop(&mut self.recorder);
                ManuallyDrop::drop(&mut self.engine);
            }
        };
        // What waits is made durable first; other threads of Python go on meanwhile.
        if Python::try_attach(|py| py.detach(&mut end)).is_none() {
            end();
        }
    }
}
