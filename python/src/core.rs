//! What the classes share: a recorder, and the engine behind it.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use accredit::{Answer, Applied, Engine, Error, OpenAction};
use accredit_model::{ActionId, RefusalReason, Status};
use pyo3::prelude::*;

use crate::convert::Counting;
use crate::error;

/// How often this process has been forked from the one that loaded the module.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Says, in a forked child, that threads and locks of what was opened before stayed behind.
#[pyfunction]
pub(crate) fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The number of forks up to this process: what was opened under another is not of this process.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// A recorder with what is needed around it. In a forked child it refuses: its threads exist in the parent alone.
pub(crate) struct Core {
    recorder: ManuallyDrop<accredit::Recorder>,
    engine: ManuallyDrop<Engine>,
    pub(crate) strict: bool,
    generation: u64,
    is_closed: AtomicBool,
    /// What happened to values on their way, by name.
    counted: Mutex<BTreeMap<&'static str, u64>>,
}

impl Core {
    pub(crate) fn new(recorder: accredit::Recorder, engine: Engine, strict: bool) -> Self {
        Self {
            recorder: ManuallyDrop::new(recorder),
            engine: ManuallyDrop::new(engine),
            strict,
            generation: generation(),
            is_closed: AtomicBool::new(false),
            counted: Mutex::default(),
        }
    }

    /// Whether it can be used: it was opened in this process, and not closed since.
    pub(crate) fn is_live(&self) -> bool {
        self.is_ours() && !self.is_closed.load(Ordering::Relaxed)
    }

    fn is_ours(&self) -> bool {
        self.generation == generation()
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
        if self.is_ours() {
            return error::raise(py, &Error::Closed);
        }
        error::UnavailableError::new_err(
            "this recorder was opened before the process was forked, and the parent still writes to its store; \
             open one in the child, of another file or through a server",
        )
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
        if self.strict { Err(error::raise(py, &failed)) } else { Ok(false) }
    }

    /// Hands on what waits and ends. The first call does it.
    pub(crate) fn close(&self, py: Python<'_>) -> PyResult<()> {
        if !self.is_ours() || self.is_closed.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let closed = py.detach(|| {
            self.recorder.close();
            Engine::clone(&self.engine).close()
        });
        closed.map_err(|error| error::raise(py, &error))
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
        if self.is_ours() {
            #[expect(unsafe_code, reason = "neither is used after this, and both are dropped once")]
            // SAFETY: `drop` runs once, and `self` is not used after it.
            unsafe {
                ManuallyDrop::drop(&mut self.recorder);
                ManuallyDrop::drop(&mut self.engine);
            }
        }
    }
}
