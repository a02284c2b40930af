//! The bounded queue between callers and the committer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use accredit_model::{EventBody, RefusalReason};
use accredit_store::Write;

use crate::Error;
use crate::reply::{self, Answering, Bell, Pending};

/// Bytes of one commit at most, so that no acknowledgement waits for a very long one.
const COMMIT_BYTES_MAX: usize = 8 << 20;

/// Commands that are made durable together and answered together.
pub(crate) struct Job {
    pub(crate) writes: Vec<Write>,
    pub(crate) bytes: usize,
    /// What subscribers hear when the one write has added to a closed action or closed it.
    pub(crate) events: Vec<EventBody>,
    pub(crate) reply: Answering,
}

/// Jobs that wait for the committer.
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
    bytes_max: usize,
    n_pushed: AtomicU64,
}

struct State {
    jobs: Vec<Job>,
    bytes: usize,
    /// Of the jobs that gather now.
    bell: Arc<Bell>,
    end: Option<End>,
}

/// Why no more jobs are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The engine was closed; what waits is still committed.
    Closed,
    /// The committer died.
    Poisoned,
}

impl From<End> for Error {
    fn from(end: End) -> Self {
        match end {
            End::Closed => Self::Closed,
            End::Poisoned => Self::Poisoned,
        }
    }
}

impl Queue {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let state = Mutex::new(State { jobs: Vec::new(), bytes: 0, bell: Arc::default(), end: None });
        Self { state, filled: Condvar::new(), emptied: Condvar::new(), bytes_max, n_pushed: AtomicU64::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that panics runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job in, waiting for room no longer than `patience`. A job larger than the whole queue is let in when the
    /// queue is empty.
    pub(crate) fn push(
        &self,
        writes: Vec<Write>,
        bytes: usize,
        events: Vec<EventBody>,
        patience: Duration,
    ) -> Result<Pending, Error> {
        let mut state = self.state();
        let deadline = Instant::now() + patience;
        loop {
            if let Some(end) = state.end {
                return Err(end.into());
            }
            if state.bytes == 0 || state.bytes + bytes <= self.bytes_max {
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Overloaded);
            }
            state = self.emptied.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let (reply, answer) = reply::pair(&state.bell);
        let was_empty = state.jobs.is_empty();
        state.jobs.push(Job { writes, bytes, events, reply });
        state.bytes += bytes.max(1);
        drop(state);
        self.n_pushed.fetch_add(1, Ordering::Relaxed);
        if was_empty {
            self.filled.notify_one();
        }
        Ok(answer)
    }

    /// Whether half of what may wait does so.
    pub(crate) fn is_filling(&self) -> bool {
        self.state().bytes > self.bytes_max / 2
    }

    /// Jobs that were ever put in: by this, work that can wait sees whether somebody is recording.
    pub(crate) fn n_pushed(&self) -> u64 {
        self.n_pushed.load(Ordering::Relaxed)
    }

    /// Takes what waits, up to a commit's worth; waits where there is nothing. `None` when the queue has ended and is
    /// empty.
    pub(crate) fn take(&self) -> Option<Vec<Job>> {
        let mut state = self.state();
        loop {
            if !state.jobs.is_empty() {
                break;
            }
            if state.end.is_some() {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut bytes = 0;
        let n = state.jobs.iter().take_while(|job| {
            let fits = bytes == 0 || bytes + job.bytes <= COMMIT_BYTES_MAX;
            bytes += job.bytes.max(1);
            fits
        });
        let n = n.count();
        let n = n.min(state.jobs.len());
        let rest = state.jobs.split_off(n);
        let taken = std::mem::replace(&mut state.jobs, rest);
        state.bell = Arc::default();
        state.bytes -= taken.iter().map(|job| job.bytes.max(1)).sum::<usize>();
        drop(state);
        self.emptied.notify_all();
        Some(taken)
    }

    /// Takes no more jobs. Those of a dead committer are dropped, which tells their callers.
    pub(crate) fn end(&self, end: End) {
        let mut state = self.state();
        if state.end.is_none() || end == End::Poisoned {
            state.end = Some(end);
        }
        if end == End::Poisoned {
            state.jobs.clear();
            state.bytes = 0;
        }
        drop(state);
        self.filled.notify_all();
        self.emptied.notify_all();
    }
}

/// Refusals that no queued command carries: they go along with the next commit.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<BTreeMap<RefusalReason, u64>>);

impl Tally {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<RefusalReason, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, reason: RefusalReason, n: u64) {
        *self.counts().entry(reason).or_default() += n;
    }

    pub(crate) fn take(&self) -> BTreeMap<RefusalReason, u64> {
        std::mem::take(&mut *self.counts())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.counts().is_empty()
    }
}
