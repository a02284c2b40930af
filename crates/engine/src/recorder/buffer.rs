//! The bounded buffer between recording calls and the thread that hands their commands on.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use accredit_model::{Command, Observation, Payload, RefusalReason, Step};

use super::Answer;

/// Commands that are handed on together at most.
const TAKEN_MAX: usize = 16_384;

/// A command, and who waits for its answer.
pub(super) struct Item {
    pub(super) command: Command,
    pub(super) waiting: Option<Arc<Waiting>>,
}

#[derive(Default)]
struct State {
    items: Vec<Item>,
    bytes: usize,
    /// Commands that were ever put in, and those of them that were answered.
    n_pushed: u64,
    n_done: u64,
    /// Somebody waits for what is in it.
    is_urgent: bool,
    /// The thread sleeps until it is woken.
    is_parked: bool,
    is_ended: bool,
    /// The thread has ended: nothing will be answered any more.
    is_over: bool,
}

pub(super) struct Buffer {
    state: Mutex<State>,
    filled: Condvar,
    changed: Condvar,
    bytes_max: usize,
}

impl Buffer {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { state: Mutex::default(), filled: Condvar::new(), changed: Condvar::new(), bytes_max }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that panics runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a command in, waiting for room no longer than `patience`.
    pub(super) fn push(&self, item: Item, patience: Duration) -> Result<(), RefusalReason> {
        let bytes = bytes_of(&item.command);
        let mut state = self.state();
        if state.is_ended || (state.bytes > 0 && state.bytes + bytes > self.bytes_max) {
            state = self.wait_for_room(state, bytes, patience)?;
        }
        state.items.push(item);
        state.bytes += bytes;
        state.n_pushed += 1;
        if state.is_parked {
            state.is_parked = false;
            drop(state);
            self.filled.notify_one();
        }
        Ok(())
    }

    #[cold]
    fn wait_for_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        bytes: usize,
        patience: Duration,
    ) -> Result<MutexGuard<'a, State>, RefusalReason> {
        let deadline = Instant::now() + patience;
        loop {
            if state.is_ended {
                return Err(RefusalReason::Overloaded);
            }
            if state.bytes == 0 || state.bytes + bytes <= self.bytes_max {
                return Ok(state);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(RefusalReason::Overloaded);
            }
            state.is_urgent = true;
            self.filled.notify_one();
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether what is put in may have to wait for room.
    pub(super) fn is_full(&self) -> bool {
        self.state().bytes >= self.bytes_max
    }

    /// Takes what is in it, after it has gathered for `linger` where nobody waits. `sleeps`: until it is woken. `None` at the
    /// end.
    pub(super) fn take(&self, linger: Duration, sleeps: bool) -> Option<Vec<Item>> {
        let mut state = self.state();
        if state.items.is_empty() && sleeps && !state.is_ended {
            state.is_parked = true;
            while state.is_parked && !state.is_ended && !state.is_urgent {
                state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.is_parked = false;
        }
        let waits = |state: &mut State| !state.is_urgent && !state.is_ended && state.items.len() < TAKEN_MAX;
        let waited = self.filled.wait_timeout_while(state, linger, waits);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.items.is_empty() && state.is_ended {
            state.is_over = true;
            drop(state);
            self.changed.notify_all();
            return None;
        }
        state.is_urgent = false;
        let room = state.items.capacity().min(TAKEN_MAX);
        let items = std::mem::replace(&mut state.items, Vec::with_capacity(room));
        state.bytes = 0;
        drop(state);
        self.changed.notify_all();
        Some(items)
    }

    /// Says that so many commands were answered.
    pub(super) fn done(&self, n: u64) {
        self.state().n_done += n;
        self.changed.notify_all();
    }

    /// Has what is in it handed on at once.
    pub(super) fn hurry(&self) {
        self.state().is_urgent = true;
        self.filled.notify_one();
    }

    /// Waits until all that was put in before is answered. False where that will not be.
    pub(super) fn wait_done(&self, ask_every: Duration, is_given_up: &mut dyn FnMut() -> bool) -> bool {
        let mut state = self.state();
        let n_pushed = state.n_pushed;
        while state.n_done < n_pushed {
            if state.is_over {
                return false;
            }
            if !state.is_urgent {
                state.is_urgent = true;
                self.filled.notify_one();
            }
            let (after, timeout) = self.changed.wait_timeout(state, ask_every).unwrap_or_else(PoisonError::into_inner);
            state = after;
            if timeout.timed_out() {
                drop(state);
                if is_given_up() {
                    return false;
                }
                state = self.state();
            }
        }
        true
    }

    /// How many wait, and how many were answered.
    pub(super) fn counts(&self) -> (u64, u64) {
        let state = self.state();
        (state.n_pushed - state.n_done, state.n_done)
    }

    /// Takes nothing more.
    pub(super) fn end(&self) {
        self.state().is_ended = true;
        self.filled.notify_all();
        self.changed.notify_all();
    }
}

/// An answer that somebody waits for.
#[derive(Default)]
pub(super) struct Waiting {
    answer: Mutex<Option<Answer>>,
    put: Condvar,
}

impl Waiting {
    pub(super) fn put(&self, answer: Answer) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        self.put.notify_all();
    }

    /// `None` where the wait was given up.
    pub(super) fn wait(&self, ask_every: Duration, is_given_up: &mut dyn FnMut() -> bool) -> Option<Answer> {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(answer) = answer.take() {
                return Some(answer);
            }
            let (after, timeout) = self.put.wait_timeout(answer, ask_every).unwrap_or_else(PoisonError::into_inner);
            answer = after;
            if timeout.timed_out() {
                drop(answer);
                if is_given_up() {
                    return None;
                }
                answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// Bytes that a command takes while it waits, about.
fn bytes_of(command: &Command) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let payload = |payload: &Option<Payload>| payload.as_ref().map_or(0, |payload| payload.get().len());
    let step = |step: &Step| step.description.len() + text(&step.decision) + payload(&step.state);
    let observation = |observation: &Observation| text(&observation.source) + payload(&observation.data);
    size_of::<Item>()
        + match command {
            Command::Step { step: said, .. } => step(said),
            Command::Observe { observation: said, .. } => observation(said),
            // Objects of any size: the guard's limit on them is what counts.
            Command::Begin(_) | Command::Complete { .. } | Command::Revise { .. } => 4_096,
            Command::Cancel { .. } | Command::Heartbeat { .. } => 64,
        }
}
