//! What the classes share: a recorder, and the engine or server behind it.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use accredit::{Answer, Applied, Error, OpenAction};
use accredit_model::{ActionId, RefusalReason, Status};
use pyo3::prelude::*;

use crate::backend::{Backend, Link};
use crate::convert::Counting;
use crate::error;
use crate::process::generation;

/// A recorder with what is needed around it. In a forked child it works on where it records to a server, with threads,
/// connections and a spool of its own; one with an engine refuses: its threads, and the store, are the parent's alone.
pub(crate) struct Core {
    first: Here,
    /// How a forked child reaches the server.
    link: Option<Link>,
    pub(crate) strict: bool,
    is_closed: AtomicBool,
    /// It was said that the server is away.
    was_said: AtomicBool,
    /// Calls that came after the end, or in a forked child.
    n_too_late: AtomicU64,
    has_told: AtomicBool,
    /// What happened to values on their way, by name.
    counted: Mutex<BTreeMap<&'static str, u64>>,
}

/// What belongs to one process.
struct Here {
    recorder: ManuallyDrop<accredit::Recorder>,
    backend: ManuallyDrop<Backend>,
    generation: u64,
    /// The same in a child, or in a child's child; `None` inside where it could not be made.
    next: OnceLock<Option<Box<Here>>>,
}

impl Here {
    fn new(recorder: accredit::Recorder, backend: Backend) -> Self {
        Self {
            recorder: ManuallyDrop::new(recorder),
            backend: ManuallyDrop::new(backend),
            generation: generation(),
            next: OnceLock::new(),
        }
    }

    fn end(&self) -> Result<(), Error> {
        self.recorder.close();
        self.backend.close()
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        // In a forked child there are no threads to wait for, and the locks may be held by nobody for ever.
        if self.generation != generation() {
            return;
        }
        let mut end = || {
            #[expect(unsafe_code, reason = "neither is used after this, and both are dropped once")]
            // SAFETY: `drop` runs once, and `self` is not used after it.
            unsafe {
                ManuallyDrop::drop(&mut self.recorder);
                ManuallyDrop::drop(&mut self.backend);
            }
        };
        // What waits is made durable first; other threads of Python go on meanwhile.
        if Python::try_attach(|py| py.detach(&mut end)).is_none() {
            end();
        }
    }
}

impl Core {
    pub(crate) fn new(recorder: accredit::Recorder, backend: Backend, link: Option<Link>, strict: bool) -> Self {
        Self {
            first: Here::new(recorder, backend),
            link,
            strict,
            is_closed: AtomicBool::new(false),
            was_said: AtomicBool::new(false),
            n_too_late: AtomicU64::new(0),
            has_told: AtomicBool::new(false),
            counted: Mutex::default(),
        }
    }

    /// Whether it can be used: it is of this process, and not closed.
    pub(crate) fn is_live(&self) -> bool {
        !self.is_closed.load(Ordering::Relaxed) && self.here().is_some()
    }

    /// Whether it could be used, as far as is known without making anything.
    pub(crate) fn seems_live(&self) -> bool {
        let is_ours = self.first.generation == generation();
        !self.is_closed.load(Ordering::Relaxed) && (is_ours || self.link.is_some())
    }

    /// Whether it was opened in this process, or goes on in it after a fork.
    pub(crate) fn is_ours(&self) -> bool {
        self.first.generation == generation() || self.link.is_some()
    }

    /// Whether a forked child goes on with it.
    pub(crate) const fn outlives_forks(&self) -> bool {
        self.link.is_some()
    }

    /// What is of this process and made already.
    fn made(&self) -> Option<&Here> {
        let now = generation();
        let mut here = &self.first;
        while here.generation != now {
            here = here.next.get()?.as_deref()?;
        }
        Some(here)
    }

    /// What is of this process; in a forked child it is made, once, if there is a server to reach.
    fn here(&self) -> Option<&Here> {
        let now = generation();
        if self.first.generation == now {
            return Some(&self.first);
        }
        let link = self.link.as_ref()?;
        let mut here = &self.first;
        while here.generation != now {
            let open = || link.open().ok().map(|(recorder, backend)| Box::new(Here::new(recorder, backend)));
            here = here.next.get_or_init(open).as_deref()?;
        }
        Some(here)
    }

    /// What recording goes through. Only for one that is live.
    pub(crate) fn recorder(&self) -> &accredit::Recorder {
        &self.here().unwrap_or(&self.first).recorder
    }

    /// What its recorder has counted in this process.
    pub(crate) fn stats(&self) -> accredit::RecorderStats {
        self.made().map(|here| here.recorder.stats()).unwrap_or_default()
    }

    /// What questions go to. Only for one that is live.
    pub(crate) fn backend(&self) -> &Backend {
        &self.here().unwrap_or(&self.first).backend
    }

    /// Gives back, in a forked child, what the parent holds.
    pub(crate) fn after_fork(&self) {
        let mut here = Some(&self.first);
        while let Some(parents) = here.filter(|here| here.generation != generation()) {
            parents.backend.abandon();
            here = parents.next.get().and_then(Option::as_deref);
        }
    }

    /// Has an action go on that was begun before a fork.
    pub(crate) fn adopt(&self, open: &Arc<OpenAction>) {
        if self.is_forked() && self.is_live() {
            self.recorder().adopt(open);
        }
    }

    /// The same by its id.
    pub(crate) fn adopt_id(&self, id: ActionId) {
        if !self.is_forked() || !self.is_live() || self.recorder().find(id).is_some() {
            return;
        }
        let mut here = Some(&self.first);
        while let Some(parents) = here.filter(|here| here.generation != generation()) {
            if let Some(open) = parents.recorder.find_behind_fork(id) {
                return self.recorder().adopt(&open);
            }
            here = parents.next.get().and_then(Option::as_deref);
        }
    }

    fn is_forked(&self) -> bool {
        self.link.is_some() && self.first.generation != generation()
    }

    /// The error for one that is not live.
    pub(crate) fn dead(&self, py: Python<'_>) -> PyErr {
        if self.is_closed.load(Ordering::Relaxed) || self.first.generation == generation() {
            return error::raise(py, &Error::Closed);
        }
        if self.link.is_some() {
            return error::UnavailableError::new_err("this recorder could not be opened again after a fork");
        }
        error::forked(py)
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
            say(py, ("accredit: %s", what));
        }
    }

    /// Has the log say what failed behind the agent's back, where something did.
    pub(crate) fn tell_failure(&self, py: Python<'_>) {
        if !self.has_told.load(Ordering::Relaxed)
            && let Some(error) = self.made().and_then(|here| here.recorder.last_error())
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
        self.adopt_id(id);
        if let Some(action) = self.recorder().find(id) {
            return Ok(action);
        }
        if self.backend().is_server() {
            // A recording call waits for nobody: whether there is such an action, the server says later.
            let is_closed = self.recorder().has_closed(id);
            let taken = self.recorder().take_up(id, 0, 0);
            if is_closed {
                self.recorder().forget(id);
            }
            return Ok(taken);
        }
        py.detach(|| match self.backend().action(id) {
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
            Ok(Answer::Spooled) => {
                self.say_away(py);
                return Ok(true);
            }
            Ok(Answer::Stored { repeat }) => {
                self.was_said.store(false, Ordering::Relaxed);
                return Ok(!repeat);
            }
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

    /// Says, once each time, that the server is away. A program that has made warnings of `logging` into errors goes on.
    fn say_away(&self, py: Python<'_>) {
        if self.was_said.swap(true, Ordering::Relaxed) {
            return;
        }
        let url = self.link.as_ref().map_or("", |link| link.url.as_str());
        say(py, ("%s takes nothing now; what is recorded waits on disk and is sent later", url));
    }

    /// Hands on what waits and ends. The first call does it.
    pub(crate) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(here) = self.made() else {
            // In a forked child that has not used it there is nothing to close.
            self.is_closed.store(self.link.is_some(), Ordering::Relaxed);
            return Ok(());
        };
        if self.is_closed.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let closed = py.detach(|| here.end());
        self.tell_failure(py);
        closed.map_err(|error| error::raise(py, &error))
    }

    /// The same when the interpreter has ended: nobody is left to be told what fails.
    pub(crate) fn close_at_exit(&self) {
        if let Some(here) = self.made()
            && !self.is_closed.swap(true, Ordering::Relaxed)
        {
            drop(here.end());
        }
    }
}

/// Has the log of Python say something, with its arguments. A log that fails must not hurt the agent.
fn say(py: Python<'_>, what: (&str, &str)) {
    let logger = py.import("logging").and_then(|logging| logging.call_method1("getLogger", ("accredit",)));
    drop(logger.and_then(|logger| logger.call_method1("warning", what)));
}

impl Counting for Core {
    fn count(&self, what: &'static str) {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }
}
