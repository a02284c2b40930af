//! Threads that do what a caller waits for, so that the caller may give up waiting.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Threads that are kept for the next call when they have nothing to do.
const IDLE_MAX: usize = 4;

type Work = Box<dyn FnOnce() + Send>;

/// Idle threads, and whether there will be no more.
#[derive(Default)]
struct Idle {
    threads: Vec<Sender<Work>>,
    is_ended: bool,
}

/// Runs work beside its caller.
#[derive(Clone, Default)]
pub(super) struct Beside(Arc<Mutex<Idle>>);

impl Beside {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the work done by another thread; by this one where the system gives none.
    pub(super) fn run(&self, work: Work) {
        let mut work = work;
        let idle = self.idle().threads.pop();
        if let Some(thread) = idle {
            match thread.send(work) {
                Ok(()) => return,
                // That thread has died of its work.
                Err(mpsc::SendError(unsent)) => work = unsent,
            }
        }
        let (sender, receiver) = mpsc::channel();
        let (there, handle) = (self.clone(), sender.clone());
        let spawned = std::thread::Builder::new()
            .name("accredit-close".to_owned())
            .spawn(move || there.serve(&handle, &receiver));
        match spawned {
            // It cannot have ended: it has not had its work yet.
            Ok(_) => drop(sender.send(work)),
            Err(error) => {
                tracing::warn!(%error, "the system gives no thread; the caller's does the work");
                work();
            }
        }
    }

    fn serve(&self, own: &Sender<Work>, work: &Receiver<Work>) {
        while let Ok(work) = work.recv() {
            work();
            let mut idle = self.idle();
            if idle.is_ended || idle.threads.len() >= IDLE_MAX {
                return;
            }
            idle.threads.push(own.clone());
        }
    }

    /// Lets the threads go.
    pub(super) fn end(&self) {
        let mut idle = self.idle();
        idle.is_ended = true;
        for thread in idle.threads.drain(..) {
            // Each holds its own end of the channel: it looks whether this is the end after its work.
            drop(thread.send(Box::new(|| {})));
        }
    }
}
