//! The answer to a queued job. Jobs that are committed together are answered together: one bell wakes all who wait,
//! because waking many threads one by one costs more than their commit.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use accredit_store::Answer;

use crate::Error;

/// What the committer answers to one job.
pub(crate) type Reply = Result<Vec<Answer>, Error>;

/// Wakes every thread that waits for one of the jobs which gathered while it was the queue's bell.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    listening: Mutex<()>,
    rung: Condvar,
}

impl Bell {
    /// Wakes those whose answers have been put, and those who then wait on.
    pub(crate) fn ring(&self) {
        // Whoever has looked for an answer in vain is waiting once this lock is had.
        drop(self.listen());
        self.rung.notify_all();
    }

    fn listen(&self) -> MutexGuard<'_, ()> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum State {
    Waiting(Option<Waker>),
    Answered(Reply),
    Taken,
}

struct Cell {
    state: Mutex<State>,
    bell: Arc<Bell>,
}

impl Cell {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that panics runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_waiting(&self) -> bool {
        matches!(*self.state(), State::Waiting(_))
    }

    fn put(&self, reply: Reply) {
        let before = std::mem::replace(&mut *self.state(), State::Answered(reply));
        if let State::Waiting(Some(waker)) = before {
            waker.wake();
        }
    }

    /// The answer, where it is there.
    fn take(&self) -> Option<Reply> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Answered(reply) => Some(reply),
            before => {
                *state = before;
                None
            }
        }
    }
}

/// A new answer to come, in two halves.
pub(crate) fn pair(bell: &Arc<Bell>) -> (Answering, Pending) {
    let cell = Arc::new(Cell { state: Mutex::new(State::Waiting(None)), bell: Arc::clone(bell) });
    (Answering { cell: Arc::clone(&cell) }, Pending { cell })
}

/// The half that answers. Dropped without an answer it says that the committer is dead.
pub(crate) struct Answering {
    cell: Arc<Cell>,
}

impl Answering {
    /// Puts the answer, and wakes the task that awaits it. Threads hear of it when the bell is rung.
    pub(crate) fn put(self, reply: Reply) -> Arc<Bell> {
        self.cell.put(reply);
        Arc::clone(&self.cell.bell)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if self.cell.is_waiting() {
            self.cell.put(Err(Error::Poisoned));
            self.cell.bell.ring();
        }
    }
}

/// The half that waits, in a thread or in a task.
pub(crate) struct Pending {
    cell: Arc<Cell>,
}

impl Pending {
    pub(crate) fn wait(self) -> Reply {
        let mut listening = self.cell.bell.listen();
        loop {
            if let Some(reply) = self.cell.take() {
                return reply;
            }
            listening = self.cell.bell.rung.wait(listening).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Reply> {
        let mut state = self.cell.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Answered(reply) => Poll::Ready(reply),
            State::Waiting(_) => {
                *state = State::Waiting(Some(context.waker().clone()));
                Poll::Pending
            }
            State::Taken => Poll::Ready(Err(Error::Bug("EN-1: a ticket is read once"))),
        }
    }
}

/// An acknowledgement to come: wait for it in a thread or await it in a task. It says that the data is durable.
/// Dropping it takes nothing back.
pub struct Ticket<T> {
    answer: Pending,
    read: Option<Read<T>>,
}

type Read<T> = Box<dyn FnOnce(Reply) -> Result<T, Error> + Send>;

impl<T> Ticket<T> {
    pub(crate) fn new(answer: Pending, read: impl FnOnce(Reply) -> Result<T, Error> + Send + 'static) -> Self {
        Self { answer, read: Some(Box::new(read)) }
    }

    /// Blocks until the data is durable.
    ///
    /// # Errors
    /// When it could not be made durable.
    pub fn wait(self) -> Result<T, Error> {
        let read = self.read.ok_or(Error::Bug("EN-1: a ticket is read once"))?;
        read(self.answer.wait())
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
        self.answer.poll(context).map(|reply| {
            let read = self.read.take().ok_or(Error::Bug("EN-1: a ticket is read once"))?;
            read(reply)
        })
    }
}
