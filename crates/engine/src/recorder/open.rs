//! What a recorder knows of the actions that are open: enough to answer at once.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accredit_model::{ActionId, Begin, EntryKind, RefusalReason};

use super::is_step;

/// An open action, as its recorder knows it. Counts are of what was said, which may be refused later.
#[derive(Debug)]
pub struct OpenAction {
    id: ActionId,
    n_steps: AtomicU64,
    n_entries: AtomicU64,
    is_closed: AtomicBool,
    /// How it was begun, where that may have to be said again.
    begin: Option<Box<Begin>>,
}

impl OpenAction {
    /// An action that takes nothing: what stands for one that could not be begun.
    #[must_use]
    pub fn dead() -> Arc<Self> {
        let nobody = Self::new(ActionId::from_bytes([0; 16]));
        nobody.close();
        Arc::new(nobody)
    }

    const fn new(id: ActionId) -> Self {
        Self {
            id,
            n_steps: AtomicU64::new(0),
            n_entries: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
            begin: None,
        }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> ActionId {
        self.id
    }

    /// Whether it takes no more steps.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Steps that were said: the index of the next one.
    #[must_use]
    pub fn n_steps(&self) -> u64 {
        self.n_steps.load(Ordering::Relaxed)
    }

    /// Counts an entry in, or says why it is refused.
    pub(super) fn admit(&self, kind: EntryKind, steps_max: u64, entries_max: u64) -> Result<(), RefusalReason> {
        if self.is_closed() {
            // The world may speak after the closing, the agent may not.
            return if is_step(kind) { Err(RefusalReason::ClosedAction) } else { Ok(()) };
        }
        let add = |count: &AtomicU64, max: u64| {
            count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < max).then_some(n + 1))
        };
        add(&self.n_entries, entries_max).map_err(|_| RefusalReason::ActionFull)?;
        if is_step(kind) && add(&self.n_steps, steps_max).is_err() {
            self.n_entries.fetch_sub(1, Ordering::Relaxed);
            return Err(RefusalReason::ActionFull);
        }
        Ok(())
    }

    /// Counts an entry out again that was not buffered after all.
    pub(super) fn take_back(&self, kind: EntryKind) {
        if !self.is_closed() {
            self.n_entries.fetch_sub(1, Ordering::Relaxed);
            self.n_steps.fetch_sub(u64::from(is_step(kind)), Ordering::Relaxed);
        }
    }

    pub(super) fn set(&self, n_steps: u64, n_entries: u64) {
        self.n_steps.store(n_steps, Ordering::Relaxed);
        self.n_entries.store(n_entries, Ordering::Relaxed);
    }

    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    pub(super) fn reopen(&self) {
        self.is_closed.store(false, Ordering::Release);
    }
}

/// Closed actions that are remembered.
const CLOSED_MAX: usize = 16_384;

/// The open actions of a recorder, and those that were closed last.
#[derive(Default)]
pub(super) struct OpenActions {
    open: Mutex<HashMap<ActionId, Arc<OpenAction>>>,
    closed: Mutex<(HashSet<ActionId>, VecDeque<ActionId>)>,
}

impl OpenActions {
    fn map(&self) -> MutexGuard<'_, HashMap<ActionId, Arc<OpenAction>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The action of this id; a new one where there is none.
    pub(super) fn insert(&self, id: ActionId) -> Arc<OpenAction> {
        Arc::clone(self.map().entry(id).or_insert_with(|| Arc::new(OpenAction::new(id))))
    }

    /// The action of this beginning, which is kept with it.
    pub(super) fn insert_begun(&self, id: ActionId, begin: Option<Box<Begin>>) -> Arc<OpenAction> {
        let new = || Arc::new(OpenAction { begin, ..OpenAction::new(id) });
        Arc::clone(self.map().entry(id).or_insert_with(new))
    }

    /// Takes up an action of another recorder; how it was begun, where it is new here.
    pub(super) fn adopt(&self, action: &Arc<OpenAction>) -> Option<Begin> {
        let mut map = self.map();
        if action.is_closed() || map.contains_key(&action.id()) {
            return None;
        }
        map.insert(action.id(), Arc::clone(action));
        action.begin.as_deref().cloned()
    }

    /// The same as `get`, without waiting: `None` also where somebody holds the lock.
    pub(super) fn try_get(&self, id: ActionId) -> Option<Arc<OpenAction>> {
        self.open.try_lock().ok()?.get(&id).cloned()
    }

    pub(super) fn get(&self, id: ActionId) -> Option<Arc<OpenAction>> {
        self.map().get(&id).cloned()
    }

    /// Forgets an action that is closed; who holds it learns so.
    pub(super) fn close(&self, id: ActionId) {
        let removed = self.map().remove(&id);
        if let Some(action) = removed {
            action.close();
        }
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let (ids, order) = &mut *closed;
        if ids.insert(id) {
            order.push_back(id);
        }
        if order.len() > CLOSED_MAX
            && let Some(oldest) = order.pop_front()
        {
            ids.remove(&oldest);
        }
    }

    /// Whether it is known to be closed.
    pub(super) fn is_closed(&self, id: ActionId) -> bool {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).0.contains(&id)
    }
}
