//! The yardstick: lines appended to a file, made durable many at a time by one thread, as the engine does it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

/// An append-only file with group commit: whatever has gathered is written and synced together.
pub(super) struct PlainLog {
    queue: Arc<Queue>,
    writer: Option<JoinHandle<std::io::Result<()>>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<(Vec<u8>, mpsc::SyncSender<()>)>,
    is_closed: bool,
}

impl PlainLog {
    pub(super) fn create(path: &Path) -> std::io::Result<Self> {
        let mut file = File::create(path)?;
        let queue = Arc::new(Queue::default());
        let shared = Arc::clone(&queue);
        let writer = std::thread::spawn(move || {
            loop {
                let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
                while state.lines.is_empty() && !state.is_closed {
                    state = shared.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                let taken = std::mem::take(&mut state.lines);
                drop(state);
                if taken.is_empty() {
                    return Ok(());
                }
                let mut batch = Vec::with_capacity(taken.iter().map(|(lines, _)| lines.len()).sum());
                taken.iter().for_each(|(lines, _)| batch.extend_from_slice(lines));
                file.write_all(&batch)?;
                file.sync_data()?;
                // A producer that has gone away needs no answer.
                taken.into_iter().for_each(|(_, done)| done.send(()).unwrap_or_default());
            }
        });
        Ok(Self { queue, writer: Some(writer) })
    }

    /// Appends lines; the receiver hears when they are durable.
    pub(super) fn append(&self, lines: Vec<u8>) -> mpsc::Receiver<()> {
        let (done, durable) = mpsc::sync_channel(1);
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = state.lines.is_empty();
        state.lines.push((lines, done));
        drop(state);
        if was_empty {
            self.queue.filled.notify_one();
        }
        durable
    }
}

impl Drop for PlainLog {
    fn drop(&mut self) {
        self.queue.state.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.queue.filled.notify_one();
        if let Some(writer) = self.writer.take() {
            drop(writer.join());
        }
    }
}
