//! What is open, as far as answering needs it.

use std::collections::{BTreeMap, HashMap};

use accredit_model::{Action, ActionId, EntryKind, RefusalReason};
use accredit_store::EntryMark;

/// The open actions, by id and by beginning.
#[derive(Debug, Default)]
pub(super) struct Live {
    open: HashMap<ActionId, OpenAction>,
    by_start: BTreeMap<u64, ActionId>,
    n_begun: u64,
}

#[derive(Debug)]
struct OpenAction {
    no: u64,
    n_steps: u64,
    n_entries: u64,
    is_closing: bool,
}

/// How many entries an action may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct EntryLimits {
    pub(super) entries_max: u64,
    pub(super) steps_max: u64,
}

impl Live {
    pub(super) fn len(&self) -> u64 {
        self.open.len() as u64
    }

    /// Adds an action that has just begun.
    pub(super) fn begin(&mut self, id: ActionId) {
        self.add(id, 0, 0);
    }

    /// Adds an action that was begun earlier.
    pub(super) fn take_up(&mut self, action: &Action) {
        self.add(action.action_id, action.step_count, action.step_count + action.observation_count);
    }

    fn add(&mut self, id: ActionId, n_steps: u64, n_entries: u64) {
        let no = self.n_begun;
        self.n_begun += 1;
        self.open.insert(id, OpenAction { no, n_steps, n_entries, is_closing: false });
        self.by_start.insert(no, id);
    }

    /// Whether it is open and nobody closes it.
    pub(super) fn is_open(&self, id: ActionId) -> bool {
        self.open.get(&id).is_some_and(|action| !action.is_closing)
    }

    /// Whether it was begun and is not closed yet, though it may be shut.
    pub(super) fn is_known(&self, id: ActionId) -> bool {
        self.open.contains_key(&id)
    }

    /// Counts an entry in; `None` where the action is not open.
    pub(super) fn admit(
        &mut self,
        id: ActionId,
        mark: &EntryMark,
        limits: EntryLimits,
    ) -> Option<Result<(), RefusalReason>> {
        let action = self.open.get_mut(&id).filter(|action| !action.is_closing)?;
        let is_step = mark.kind == EntryKind::Step;
        if action.n_entries >= limits.entries_max || (is_step && action.n_steps >= limits.steps_max) {
            return Some(Err(RefusalReason::ActionFull));
        }
        if mark.grounds.is_some_and(|step| step >= action.n_steps) {
            return Some(Err(RefusalReason::UnknownStep));
        }
        action.n_entries += 1;
        action.n_steps += u64::from(is_step);
        Some(Ok(()))
    }

    /// Counts an entry out again that was not queued after all.
    pub(super) fn take_back(&mut self, id: ActionId, kind: EntryKind) {
        if let Some(action) = self.open.get_mut(&id) {
            action.n_entries -= 1;
            action.n_steps -= u64::from(kind == EntryKind::Step);
        }
    }

    /// Has an action take no more entries, for the one who closes it. False where it is not open, or closed by another.
    pub(super) fn shut(&mut self, id: ActionId) -> bool {
        let open = self.open.get_mut(&id).filter(|action| !action.is_closing);
        open.map(|action| action.is_closing = true).is_some()
    }

    /// The same for the action that began first.
    pub(super) fn shut_oldest(&mut self) -> Option<ActionId> {
        let id = self.by_start.values().copied().find(|id| self.is_open(*id))?;
        self.shut(id).then_some(id)
    }

    /// It was not closed after all.
    pub(super) fn reopen(&mut self, id: ActionId) {
        if let Some(action) = self.open.get_mut(&id) {
            action.is_closing = false;
        }
    }

    pub(super) fn remove(&mut self, id: ActionId) {
        if let Some(action) = self.open.remove(&id) {
            self.by_start.remove(&action.no);
        }
    }
}
