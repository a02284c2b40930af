//! The thread that keeps the store in order while the committer goes on.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::engine::Inner;

/// Moves committed data to its resting place whenever enough has gathered, until the engine ends.
pub(crate) fn run(inner: &Inner) {
    while inner.keeper.wait() {
        if let Err(error) = inner.store.maintain() {
            tracing::warn!(%error, "could not empty the write-ahead log; it grows until this succeeds");
        }
    }
}

/// Wakes the keeper.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_called: bool,
    has_ended: bool,
}

impl Keeper {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is something to do.
    pub(crate) fn call(&self) {
        if !std::mem::replace(&mut self.state().is_called, true) {
            self.changed.notify_one();
        }
    }

    /// There will be nothing more to do.
    pub(crate) fn end(&self) {
        self.state().has_ended = true;
        self.changed.notify_one();
    }

    /// Waits for a call; false where there is to be none.
    fn wait(&self) -> bool {
        let idle = |state: &mut State| !state.is_called && !state.has_ended;
        let mut state = self.changed.wait_while(self.state(), idle).unwrap_or_else(PoisonError::into_inner);
        state.is_called = false;
        !state.has_ended
    }
}
