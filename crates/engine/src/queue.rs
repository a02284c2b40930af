//! The bounded queue between callers and the committer.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use accredit_model::{EventBody, RefusalReason};
use accredit_store::{Answer, Write};

use crate::Error;

/// Bytes of one commit at most, so that no acknowledgement waits for a very long one.
const COMMIT_BYTES_MAX: usize = 8 << 20;

/// What the committer answers to one job.
pub(crate) type Reply = Result<Vec<Answer>, Error>;

/// Commands that are made durable together and answered together.
pub(crate) struct Job {
    pub(crate) writes: Vec<Write>,
    pub(crate) bytes: usize,
    /// What subscribers hear when the one write has added to a closed action or closed it.
    pub(crate) events: Vec<EventBody>,
    pub(crate) reply: oneshot::Sender<Reply>,
}

/// Jobs that wait for the committer.
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
    bytes_max: usize,
}

struct State {
    jobs: Vec<Job>,
    bytes: usize,
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
        let state = Mutex::new(State { jobs: Vec::new(), bytes: 0, end: None });
        Self { state, filled: Condvar::new(), emptied: Condvar::new(), bytes_max }
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
        let (reply, answer) = oneshot::channel();
        let was_empty = state.jobs.is_empty();
        state.jobs.push(Job { writes, bytes, events, reply });
        state.bytes += bytes.max(1);
        drop(state);
        if was_empty {
            self.filled.notify_one();
        }
        Ok(Pending { answer })
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

/// A job's answer to come.
pub(crate) struct Pending {
    answer: oneshot::Receiver<Reply>,
}

impl Pending {
    pub(crate) fn wait(self) -> Reply {
        self.answer.recv().unwrap_or(Err(Error::Poisoned))
    }
}

/// An acknowledgement to come: wait for it in a thread or await it in a task. It says that the data is durable.
/// Dropping it takes nothing back.
pub struct Ticket<T> {
    answer: Answering,
    read: Option<Read<T>>,
}

type Read<T> = Box<dyn FnOnce(Reply) -> Result<T, Error> + Send>;

/// The channel has two receivers, one for threads and one for tasks; the first poll says which is wanted.
enum Answering {
    Asked(oneshot::Receiver<Reply>),
    Polled(oneshot::AsyncReceiver<Reply>),
    Done,
}

impl<T> Ticket<T> {
    pub(crate) fn new(pending: Pending, read: impl FnOnce(Reply) -> Result<T, Error> + Send + 'static) -> Self {
        Self { answer: Answering::Asked(pending.answer), read: Some(Box::new(read)) }
    }

    /// Blocks until the data is durable.
    ///
    /// # Errors
    /// When it could not be made durable.
    pub fn wait(mut self) -> Result<T, Error> {
        let reply = match std::mem::replace(&mut self.answer, Answering::Done) {
            Answering::Asked(answer) => answer.recv().unwrap_or(Err(Error::Poisoned)),
            Answering::Polled(_) | Answering::Done => {
                return Err(Error::Bug("EN-1: a ticket is waited for or polled, not both"));
            }
        };
        self.finish(reply)
    }

    fn finish(&mut self, reply: Reply) -> Result<T, Error> {
        let read = self.read.take().ok_or(Error::Bug("EN-1: a ticket is read once"))?;
        read(reply)
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answer = match std::mem::replace(&mut self.answer, Answering::Done) {
            Answering::Asked(answer) => answer.into_future(),
            Answering::Polled(answer) => answer,
            Answering::Done => return Poll::Ready(Err(Error::Bug("EN-1: a ticket is read once"))),
        };
        match Pin::new(&mut answer).poll(context) {
            Poll::Pending => {
                self.answer = Answering::Polled(answer);
                Poll::Pending
            }
            Poll::Ready(reply) => Poll::Ready(self.finish(reply.unwrap_or(Err(Error::Poisoned)))),
        }
    }
}
