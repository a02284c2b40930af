//! Learning: a reader of the feed of attributions that keeps counts and samples of what it reads, fits models on them
//! now and then, and lets attribution use those.
//!
//! The reader is like a sink, on a thread of its own: it takes each version of an attribution once, reads the chain, and
//! hands a trajectory to the learner of the action's type. What it has learned is stored together with how far it has
//! read, in one write, at each refit, at closing, and at the latest after some thousand actions: after a crash it reads
//! on from there, and nothing is counted twice or lost.
//!
//! Nothing that records, completes or attributes waits for it: the models stand behind a lock that is held to replace or
//! to take a pointer, the rest behind one that only learning takes. While somebody records, it works a tenth of the time.

mod codec;
mod fits;
mod lesson;
mod models;
mod recredit;
mod study;

use std::path::Path;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use accredit_credit::{Learner, Model};
use accredit_model::{ActionId, ActionType};

pub(crate) use self::fits::Fits;
pub(crate) use self::models::Models;
pub use self::models::{ModelCandidate, ModelSummary};
pub(crate) use self::study::Study;
use crate::engine::Inner;
use crate::{Engine, Error};

/// Versions that are read between two looks at whether somebody records.
const BATCH: usize = 16;
/// How long the thread sleeps when there is nothing to do.
const IDLE: Duration = Duration::from_millis(200);
/// The same after something went wrong.
const TROUBLED: Duration = Duration::from_secs(5);
/// While somebody records, learning rests this many times as long as it worked.
const REST: u32 = 9;
/// The longest rest.
const REST_MAX: Duration = Duration::from_secs(5);

/// Learns until the engine stops.
pub(crate) fn run(inner: &Inner) {
    let dying = Dying;
    let mut pace = Pace::new(inner);
    loop {
        let rest = match turn(inner, &mut pace) {
            Ok(Turn { n_read: 0, fitted: None }) => IDLE,
            Ok(Turn { fitted: Some(action_type), .. }) => {
                let recredited = inner.recredit_by_policy(&action_type, &mut pace);
                trouble(recredited.map(drop)).unwrap_or_else(|| pace.rest(inner))
            }
            Ok(_) => pace.rest(inner),
            Err(error) => trouble(Err(error)).unwrap_or(IDLE),
        };
        if inner.stop.wait(rest) {
            break;
        }
        pace.begin(inner);
    }
    let saved = inner.study().and_then(|mut study| study.opened(inner)?.save(inner, Vec::new()));
    if let Err(error) = saved {
        tracing::warn!(%error, "what was learned last is not stored; it is learned again at the next start");
    }
    std::mem::forget(dying);
}

/// Says so when the thread unwinds; closing the engine then fails.
struct Dying;

impl Drop for Dying {
    fn drop(&mut self) {
        tracing::error!("the learner has died; nothing more is learned until the next start");
    }
}

/// Logs what went wrong; answers how long to rest then.
fn trouble(result: Result<(), Error>) -> Option<Duration> {
    let error = result.err()?;
    tracing::warn!(%error, "learning pauses");
    Some(TROUBLED)
}

/// What one turn did.
struct Turn {
    n_read: usize,
    fitted: Option<ActionType>,
}

/// Reads a batch of the feed, and fits one type where it is due.
fn turn(inner: &Inner, pace: &mut Pace) -> Result<Turn, Error> {
    let mut guard = inner.study()?;
    let study = guard.opened(inner)?;
    let n_saves = study.n_saves();
    let n_read = study.read(inner, u64::MAX)?;
    let fitted = match study.due() {
        Some(action_type) => study.fit(inner, &action_type)?.map(|_| action_type),
        None => None,
    };
    study.save_if_much(inner)?;
    pace.own_jobs(study.n_saves() - n_saves);
    Ok(Turn { n_read, fitted })
}

/// Keeps learning to a tenth of the time while somebody records.
pub(crate) struct Pace {
    since: Instant,
    n_pushed: u64,
    /// Jobs of learning itself.
    n_own: u64,
}

impl Pace {
    pub(crate) fn new(inner: &Inner) -> Self {
        Self { since: Instant::now(), n_pushed: inner.queue.n_pushed(), n_own: 0 }
    }

    fn begin(&mut self, inner: &Inner) {
        *self = Self::new(inner);
    }

    pub(crate) const fn own_jobs(&mut self, n: u64) {
        self.n_own += n;
    }

    /// How long to rest after the work since the beginning.
    fn rest(&self, inner: &Inner) -> Duration {
        let is_busy = inner.queue.n_pushed() - self.n_pushed > self.n_own;
        if is_busy { self.since.elapsed().saturating_mul(REST).min(REST_MAX) } else { Duration::ZERO }
    }

    /// Rests; false when it is time to end.
    fn take_rest(&mut self, inner: &Inner) -> bool {
        let goes_on = !inner.stop.wait(self.rest(inner));
        self.begin(inner);
        goes_on
    }
}

impl Engine {
    /// Reads the feed to its present end and fits the types of which something has changed; answers their new models.
    /// The thread that learns does the same by itself, sooner or later.
    ///
    /// # Errors
    /// When the engine only reads or learning is off, or the store fails.
    pub fn learn_now(&self) -> Result<Vec<ModelSummary>, Error> {
        let inner = &*self.inner;
        let mut fitted = Vec::new();
        {
            let mut guard = inner.study()?;
            let study = guard.opened(inner)?;
            study.read_all(inner)?;
            for action_type in study.changed() {
                fitted.extend(study.fit(inner, &action_type)?);
            }
            study.save(inner, Vec::new())?;
        }
        let mut pace = Pace::new(inner);
        for model in &fitted {
            inner.recredit_by_policy(&model.action_type, &mut pace)?;
        }
        Ok(fitted)
    }

    /// Reads the feed to its present end and fits one type, whether anything has changed or not. `None` where nothing
    /// was learned of it, or its method learns nothing.
    ///
    /// # Errors
    /// As for [`Engine::learn_now`].
    pub fn refit(&self, action_type: &ActionType) -> Result<Option<ModelSummary>, Error> {
        let inner = &*self.inner;
        let fitted = {
            let mut guard = inner.study()?;
            let study = guard.opened(inner)?;
            study.read_all(inner)?;
            study.fit(inner, action_type)?
        };
        if fitted.is_some() {
            inner.recredit_by_policy(action_type, &mut Pace::new(inner))?;
        }
        Ok(fitted)
    }

    /// The action types of which something was learned, in order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn learned_types(&self) -> Result<Vec<ActionType>, Error> {
        match self.inner.study() {
            Ok(mut guard) => Ok(guard.opened(&self.inner)?.types()),
            Err(_) => Ok(self.inner.store.learned_types()?),
        }
    }

    /// What was learned of an action type so far. An engine that only reads, or does not learn, answers what is stored.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn learner(&self, action_type: &ActionType) -> Result<Option<Arc<Learner>>, Error> {
        match self.inner.study() {
            Ok(mut guard) => guard.opened(&self.inner)?.learner(&self.inner, action_type),
            Err(_) => codec::stored_learner(self.inner.store.as_ref(), action_type),
        }
    }

    /// The model that stands for an action type: of an engine that only reads the newest that is stored.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn model(&self, action_type: &ActionType) -> Result<Option<Arc<Model>>, Error> {
        match self.inner.models.get(action_type) {
            Some(model) => Ok(Some(model)),
            None => Ok(models::newest(self.inner.store.as_ref(), action_type)?.map(|kept| Arc::new(kept.model))),
        }
    }

    /// The models of an action type that are kept, the newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn models(&self, action_type: &ActionType) -> Result<Vec<ModelSummary>, Error> {
        models::summaries(self.inner.store.as_ref(), action_type, models::MODELS_MAX as usize)
    }

    /// The newest model of an action type.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn newest_model(&self, action_type: &ActionType) -> Result<Option<ModelSummary>, Error> {
        Ok(models::summaries(self.inner.store.as_ref(), action_type, 1)?.pop())
    }

    /// Takes over what another store has learned and stored; answers of how many action types. Stores may be merged in
    /// any order and again and again: what is known afterwards is the same. A copy of a store's file counts under the
    /// same name as the original, so of the two only one may go on learning.
    ///
    /// # Errors
    /// When the other store cannot be read, or was written by a version that learns in another way.
    pub fn merge_learned(&self, from: &Path) -> Result<usize, Error> {
        let mut guard = self.inner.study()?;
        guard.opened(&self.inner)?.merge(&self.inner, from)
    }

    /// Takes an action out of what was learned, for ever; the action itself stays. False where it had been forgotten
    /// before.
    ///
    /// # Errors
    /// When the action is unknown, the engine only reads or learning is off, or the store fails.
    pub fn forget(&self, id: ActionId) -> Result<bool, Error> {
        let mut guard = self.inner.study()?;
        guard.opened(&self.inner)?.forget(&self.inner, id)
    }

    /// Credits closed actions of one type, or of all, by the model that stands now: a new version of the attribution
    /// where any number changes, with the reason `model N`; answers how many.
    ///
    /// # Errors
    /// When the engine only reads, or the store fails.
    pub fn reattribute(&self, action_type: Option<&ActionType>) -> Result<u64, Error> {
        if !self.inner.config.access.writes() {
            return Err(Error::ReadOnly);
        }
        self.inner.recredit(action_type, None, None)
    }
}

/// The study, opened when it is first needed.
pub(crate) struct StudyGuard<'a>(MutexGuard<'a, Option<Study>>);

impl StudyGuard<'_> {
    pub(crate) fn opened(&mut self, inner: &Inner) -> Result<&mut Study, Error> {
        if self.0.is_none() {
            *self.0 = Some(Study::open(inner)?);
        }
        self.0.as_mut().ok_or(Error::Bug("EN-9: the study has just been opened"))
    }
}

impl Inner {
    /// What learning holds; for one at a time.
    pub(crate) fn study(&self) -> Result<StudyGuard<'_>, Error> {
        if !self.config.access.writes() {
            return Err(Error::ReadOnly);
        }
        if !self.config.learning.enabled {
            return Err(Error::Config("learning is off; set `enabled` under [learning]".to_owned()));
        }
        // After a panic in the middle of a lesson the study may be wrong in one action: it is opened anew.
        let guard = self.study.lock().unwrap_or_else(|poisoned| {
            let mut guard = PoisonError::into_inner(poisoned);
            *guard = None;
            self.study.clear_poison();
            guard
        });
        Ok(StudyGuard(guard))
    }
}
