//! What learning holds in memory: the learner of each type, and how far it has read.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use accredit_credit::{FitOptions, Learner};
use accredit_model::{ActionId, ActionType};
use accredit_store::{
    Answer, Before, Learned, LearningState, NewModel, Packed, SqliteStore, Store, StoredAttribution, Write,
};
use xxhash_rust::xxh3::xxh3_64;

use super::BATCH;
use super::codec::{self, FORMAT};
use super::lesson::{Lesson, without_damage};
use super::models::{MODELS_MAX, ModelSummary};
use crate::engine::Inner;
use crate::{Error, ErrorKind};

/// Action types that are learned at most; actions of further ones are credited by the prior.
const TYPES_MAX: usize = 256;
/// Bytes of learners, as they are stored, that stay in memory after a save; the others are read again when needed.
const RESIDENT_BYTES_MAX: usize = 256 << 20;
/// Versions after which what was learned is saved though nothing was fitted.
const UNSAVED_MAX: u64 = 4_096;
/// Actions of a type at which its first model is fitted.
const FIRST_FIT: u64 = 8;
/// Up to this many actions a model is fitted when there are twice as many, then when a tenth has changed.
const DOUBLING_MAX: u64 = 256;
/// How long a save waits for room in the queue.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was learned, all types.
pub(crate) struct Study {
    state: LearningState,
    before: Before,
    subjects: BTreeMap<ActionType, Subject>,
    forgotten: HashSet<ActionId>,
    /// Those of them that are not stored yet.
    newly_forgotten: Vec<ActionId>,
    /// Versions read since the last save.
    n_unsaved: u64,
    /// Saves so far: jobs that recording has not given.
    n_saves: u64,
    /// Counts up with each use of a learner.
    clock: u64,
    /// A type beyond the limit has been met and told of.
    is_full_told: bool,
}

/// What was learned of one type.
#[derive(Default)]
struct Subject {
    /// `None` while it is on disk alone.
    learner: Option<Arc<Learner>>,
    is_changed: bool,
    /// As it was last stored.
    n_bytes: usize,
    /// When it was last used, on the study's clock.
    used: u64,
    /// Changes since the last model.
    n_since_fit: u64,
    /// Version and number of actions of the last model.
    fitted: Option<(u64, u64)>,
}

impl Subject {
    fn is_due(&self) -> bool {
        let wanted = match self.fitted {
            None => FIRST_FIT,
            Some((_, n)) if n < DOUBLING_MAX => n.max(1),
            Some((_, n)) => n / 10,
        };
        self.n_since_fit >= wanted
    }
}

impl Study {
    /// Reads what is stored. What cannot be read, or is of another version, is learned anew from the beginning of the
    /// feed, under the same name.
    pub(super) fn open(inner: &Inner) -> Result<Self, Error> {
        let store = inner.store.as_ref();
        let mut state = store.learning_state()?;
        if state.writer == 0 {
            state.writer = xxh3_64(inner.environment.ids.next_id().as_bytes()).max(1);
        }
        let mut study = Self {
            state,
            before: Before::Kept,
            subjects: BTreeMap::new(),
            forgotten: store.forgotten()?.into_iter().collect(),
            newly_forgotten: Vec::new(),
            n_unsaved: 0,
            n_saves: 0,
            clock: 0,
            is_full_told: false,
        };
        let read = if state.format == FORMAT { study.read_subjects(inner) } else { Ok(false) };
        match read {
            Ok(true) => {}
            Ok(false) => study.begin_anew(inner),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                tracing::error!(%error, "what was learned is learned anew; what was merged must be merged again");
                study.begin_anew(inner);
            }
            Err(error) => return Err(error),
        }
        Ok(study)
    }

    fn read_subjects(&mut self, inner: &Inner) -> Result<bool, Error> {
        let store = inner.store.as_ref();
        for action_type in store.learned_types()? {
            let Some(bytes) = store.learner(&action_type)? else { continue };
            let learner = codec::learner_from(&action_type, &bytes)?;
            let stored = store.models(&action_type, 1)?;
            let mut subject = Subject { n_bytes: bytes.len(), n_since_fit: learner.n_actions(), ..Subject::default() };
            if let Some(model) = stored.first() {
                let is_used = inner.models.get(&action_type).is_some_and(|used| used.version == model.version);
                subject.fitted = Some((model.version, model.n_actions));
                // One that was fitted by another method than is asked for now is no model: the next one is due.
                subject.n_since_fit = match is_used {
                    true => learner.n_actions().abs_diff(model.n_actions),
                    false => learner.n_actions().max(model.n_actions),
                };
            }
            subject.learner = Some(Arc::new(learner));
            self.subjects.insert(action_type, subject);
            self.unload();
        }
        Ok(true)
    }

    fn begin_anew(&mut self, inner: &Inner) {
        inner.models.clear();
        self.subjects.clear();
        self.before = Before::Dropped;
        self.state = LearningState { format: FORMAT, taken_to: 0, ..self.state };
    }

    pub(super) const fn n_saves(&self) -> u64 {
        self.n_saves
    }

    pub(super) fn types(&self) -> Vec<ActionType> {
        self.subjects.keys().cloned().collect()
    }

    /// The types that have changed since their last model.
    pub(super) fn changed(&self) -> Vec<ActionType> {
        self.subjects.iter().filter(|(_, subject)| subject.n_since_fit > 0).map(|(name, _)| name.clone()).collect()
    }

    /// A type whose next model is due.
    pub(super) fn due(&self) -> Option<ActionType> {
        self.subjects.iter().find(|(_, subject)| subject.is_due()).map(|(name, _)| name.clone())
    }

    /// Reads the next versions of the feed, not beyond this cursor; answers how many.
    pub(super) fn read(&mut self, inner: &Inner, end: u64) -> Result<usize, Error> {
        let stored = inner.store.attributions_after(self.state.taken_to, BATCH)?;
        let mut n = 0;
        for stored in stored.iter().take_while(|stored| stored.cursor <= end) {
            self.take(inner, stored)?;
            self.state.taken_to = stored.cursor;
            self.n_unsaved += 1;
            n += 1;
        }
        Ok(n)
    }

    /// Reads the feed to where it ends now.
    pub(super) fn read_all(&mut self, inner: &Inner) -> Result<(), Error> {
        let stats = inner.store.stats()?;
        let end = stats.experiences / (stats.sinks.len() as u64).max(1);
        while self.read(inner, end)? > 0 {
            self.save_if_much(inner)?;
        }
        Ok(())
    }

    fn take(&mut self, inner: &Inner, stored: &StoredAttribution) -> Result<(), Error> {
        if self.forgotten.contains(&stored.action) {
            return Ok(());
        }
        let Some(lesson) = without_damage(Lesson::read(inner, stored))? else { return Ok(()) };
        self.give(inner, &lesson)
    }

    fn give(&mut self, inner: &Inner, lesson: &Lesson) -> Result<(), Error> {
        let writer = self.state.writer;
        let Some(subject) = self.subject(inner, &lesson.action.action_type)? else { return Ok(()) };
        let Some(learner) = &mut subject.learner else { return Ok(()) };
        let taught = without_damage(lesson.teach(writer, Arc::make_mut(learner)).map(Some))?;
        if taught == Some(true) {
            subject.is_changed = true;
            subject.n_since_fit += 1;
        }
        Ok(())
    }

    /// What is learned of a type, in memory; `None` where there are too many types already.
    fn subject(&mut self, inner: &Inner, action_type: &ActionType) -> Result<Option<&mut Subject>, Error> {
        if !self.subjects.contains_key(action_type) && self.subjects.len() >= TYPES_MAX {
            if !std::mem::replace(&mut self.is_full_told, true) {
                tracing::warn!(%action_type, TYPES_MAX, "too many action types: nothing is learned of this one, nor of others");
            }
            return Ok(None);
        }
        self.clock += 1;
        let subject = self.subjects.entry(action_type.clone()).or_default();
        subject.used = self.clock;
        if subject.learner.is_none() {
            let stored = if subject.n_bytes > 0 { inner.store.learner(action_type)? } else { None };
            let learner = stored.map(|bytes| codec::learner_from(action_type, &bytes)).transpose()?;
            subject.learner = Some(Arc::new(learner.unwrap_or_default()));
        }
        Ok(Some(subject))
    }

    /// The learner of a type, where there is one.
    pub(super) fn learner(&mut self, inner: &Inner, action_type: &ActionType) -> Result<Option<Arc<Learner>>, Error> {
        if !self.subjects.contains_key(action_type) {
            return Ok(None);
        }
        Ok(self.subject(inner, action_type)?.and_then(|subject| subject.learner.clone()))
    }

    /// Fits a model, stores it with all that was learned, and only then lets attribution use it: the version that an
    /// attribution names is the same after a crash. `None` where nothing was learned or the method learns nothing.
    pub(super) fn fit(&mut self, inner: &Inner, action_type: &ActionType) -> Result<Option<ModelSummary>, Error> {
        let method = inner.config.method_of(action_type);
        let learner = self.learner(inner, action_type)?.filter(|learner| learner.n_actions() > 0);
        let (Some(learner), Some(asked)) = (learner, method.learned()) else {
            self.was_fitted(action_type, None);
            return Ok(None);
        };
        let before = self.subjects.get(action_type).and_then(|subject| subject.fitted);
        let version = before.map_or(1, |(version, _)| version + 1);
        let model = learner.fit(&FitOptions { method: asked, version });
        let name = accredit_credit::CreditMethod::name(&model);
        let new = NewModel {
            action_type: action_type.clone(),
            version,
            created_at: inner.wall(),
            n_actions: model.n_actions,
            method: name.to_owned(),
            packed: codec::model_packed(method, &model)?,
        };
        let summary = ModelSummary::of(action_type, new.created_at, name, &model);
        self.save(inner, vec![new])?;
        self.was_fitted(action_type, Some((version, model.n_actions)));
        tracing::debug!(%action_type, version, method = name, n_actions = model.n_actions, "a model was fitted");
        inner.models.put(action_type, Arc::new(model));
        Ok(Some(summary))
    }

    /// The next model is due when something has changed from now on, whatever came of this one.
    fn was_fitted(&mut self, action_type: &ActionType, fitted: Option<(u64, u64)>) {
        if let Some(subject) = self.subjects.get_mut(action_type) {
            subject.n_since_fit = 0;
            subject.fitted = fitted.or(subject.fitted);
        }
    }

    pub(super) fn save_if_much(&mut self, inner: &Inner) -> Result<(), Error> {
        if self.n_unsaved < UNSAVED_MAX {
            return Ok(());
        }
        self.save(inner, Vec::new())
    }

    /// Stores what has changed and how far the feed was read, in one write.
    pub(super) fn save(&mut self, inner: &Inner, models: Vec<NewModel>) -> Result<(), Error> {
        let is_changed = self.subjects.values().any(|subject| subject.is_changed) || !self.newly_forgotten.is_empty();
        let is_needed = is_changed || self.n_unsaved > 0 || self.before == Before::Dropped;
        if !is_needed && models.is_empty() {
            return Ok(());
        }
        let mut learners = Vec::new();
        let mut sizes = Vec::new();
        for (action_type, subject) in self.subjects.iter().filter(|(_, subject)| subject.is_changed) {
            let Some(learner) = &subject.learner else { continue };
            let bytes = codec::learner_bytes(learner)?;
            sizes.push((action_type.clone(), bytes.len()));
            learners.push((action_type.clone(), Packed::pack(bytes)?));
        }
        let (state, before, forgotten) = (self.state, self.before, self.newly_forgotten.clone());
        let learned = Learned { state, learners, models, models_max: MODELS_MAX, forgotten, before };
        // What is learned is bounded elsewhere: the bytes of the queue are for those who record.
        let write = Write::Learned(Box::new(learned));
        match inner.push(vec![write], 1024, PATIENCE)?.wait()?.pop() {
            Some(Answer::Done) => {}
            _ => return Err(Error::Bug("EN-12: what was learned is stored or fails")),
        }
        self.n_saves += 1;
        self.before = Before::Kept;
        self.newly_forgotten.clear();
        self.n_unsaved = 0;
        for (action_type, n_bytes) in sizes {
            if let Some(subject) = self.subjects.get_mut(&action_type) {
                (subject.is_changed, subject.n_bytes) = (false, n_bytes);
            }
        }
        self.unload();
        Ok(())
    }

    /// Leaves on disk what was used longest ago, where there is too much.
    fn unload(&mut self) {
        let is_resident = |subject: &&mut Subject| subject.learner.is_some();
        let mut n_bytes: usize = self.subjects.values_mut().filter(is_resident).map(|subject| subject.n_bytes).sum();
        while n_bytes > RESIDENT_BYTES_MAX {
            let clean = self.subjects.values_mut().filter(|subject| subject.learner.is_some() && !subject.is_changed);
            let Some(oldest) = clean.min_by_key(|subject| subject.used) else { return };
            oldest.learner = None;
            n_bytes -= oldest.n_bytes;
        }
    }

    /// Takes over what another store has stored; answers of how many types.
    pub(super) fn merge(&mut self, inner: &Inner, from: &Path) -> Result<usize, Error> {
        let other = SqliteStore::open_read_only(from)?;
        let state = other.learning_state()?;
        if state.writer != 0 && state.format != FORMAT {
            let detail = format!("{} holds what was learned in format {}, not {FORMAT}", from.display(), state.format);
            return Err(Error::Config(detail));
        }
        self.read_all(inner)?;
        let mut n = 0;
        for action_type in other.learned_types()? {
            let Some(bytes) = other.learner(&action_type)? else { continue };
            let theirs = codec::learner_from(&action_type, &bytes)?;
            let Some(subject) = self.subject(inner, &action_type)? else { continue };
            let Some(ours) = &mut subject.learner else { continue };
            let n_before = ours.n_actions();
            Arc::make_mut(ours).merge(&theirs);
            subject.is_changed = true;
            // At least the difference has changed: what replaced an older count of the same store is not seen.
            subject.n_since_fit += ours.n_actions().abs_diff(n_before);
            n += 1;
        }
        let mut forgotten = other.forgotten()?;
        forgotten.retain(|id| !self.forgotten.contains(id));
        for id in &forgotten {
            if inner.store.action(*id)?.is_some() {
                self.take_back(inner, *id)?;
            }
        }
        self.forgotten.extend(&forgotten);
        self.newly_forgotten.append(&mut forgotten);
        self.drop_forgotten();
        self.save(inner, Vec::new())?;
        Ok(n)
    }

    /// A merged sample may hold what was forgotten here.
    fn drop_forgotten(&mut self) {
        for learner in self.subjects.values_mut().filter_map(|subject| subject.learner.as_mut()) {
            for id in &self.forgotten {
                if learner.sample(*id).is_some() {
                    Arc::make_mut(learner).drop_sample(*id);
                }
            }
        }
    }

    /// Takes an action out; false where it was out already.
    pub(super) fn forget(&mut self, inner: &Inner, id: ActionId) -> Result<bool, Error> {
        inner.action(id)?;
        self.read_all(inner)?;
        if self.forgotten.contains(&id) {
            return Ok(false);
        }
        self.take_back(inner, id)?;
        self.forgotten.insert(id);
        self.newly_forgotten.push(id);
        self.save(inner, Vec::new())?;
        Ok(true)
    }

    fn take_back(&mut self, inner: &Inner, id: ActionId) -> Result<(), Error> {
        match Lesson::to_forget(inner, id, self.state.taken_to)? {
            Some(lesson) => self.give(inner, &lesson),
            None => Ok(()),
        }
    }
}
