//! A gate before all that is done with SQLite, so that a process can be forked while nobody is inside.
//!
//! SQLite has locks of the whole process, for its memory and its page cache. A fork copies one that is held just then
//! without the thread that would give it back, and the child would wait for it for ever, with a store of its own, too.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Who is inside, in all stores of the process, and who waits for nobody to be.
#[derive(Debug)]
struct Inside {
    n_passes: usize,
    n_forking: usize,
}

static INSIDE: Mutex<Inside> = Mutex::new(Inside { n_passes: 0, n_forking: 0 });
static LEFT: Condvar = Condvar::new();
static OPENED: Condvar = Condvar::new();

thread_local! {
    /// Passes of this thread: whoever has one gets another while somebody waits for it to leave.
    static OWN: Cell<usize> = const { Cell::new(0) };
}

fn inside() -> MutexGuard<'static, Inside> {
    INSIDE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Held by a thread while it does something with SQLite.
#[derive(Debug)]
pub(super) struct Pass(());

/// Waits while the process is being forked.
pub(super) fn enter() -> Pass {
    let mut inside = inside();
    while OWN.get() == 0 && inside.n_forking > 0 {
        inside = OPENED.wait(inside).unwrap_or_else(PoisonError::into_inner);
    }
    inside.n_passes += 1;
    OWN.set(OWN.get() + 1);
    Pass(())
}

impl Drop for Pass {
    fn drop(&mut self) {
        OWN.set(OWN.get().saturating_sub(1));
        let mut inside = inside();
        inside.n_passes -= 1;
        if inside.n_passes == 0 && inside.n_forking > 0 {
            LEFT.notify_all();
        }
    }
}

/// Nobody does anything with a store while this lives. The thread that forks drops it in the parent, and in the child it
/// calls [`Stillness::in_child`].
#[derive(Debug)]
pub struct Stillness {
    inside: MutexGuard<'static, Inside>,
}

/// Waits until no thread does anything with any store of this process, and keeps it so: for a fork. `None` when that is not
/// within `patience`; who forks nevertheless must not open a store in the child.
#[must_use]
pub fn hold_still(patience: Duration) -> Option<Stillness> {
    let mut inside = inside();
    inside.n_forking += 1;
    let waited = LEFT.wait_timeout_while(inside, patience, |inside| inside.n_passes > 0);
    let (mut inside, _) = waited.unwrap_or_else(PoisonError::into_inner);
    inside.n_forking -= 1;
    if inside.n_passes == 0 {
        return Some(Stillness { inside });
    }
    OPENED.notify_all();
    None
}

impl Stillness {
    /// Ends it in the child, where whoever else was about to fork is not.
    pub fn in_child(mut self) {
        self.inside.n_forking = 0;
    }
}

impl Drop for Stillness {
    fn drop(&mut self) {
        // They find it open once the lock is given up, right after this.
        OPENED.notify_all();
    }
}
