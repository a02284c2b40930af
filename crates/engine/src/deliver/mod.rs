//! Delivery: every experience to every sink, at least once.
//!
//! An attribution's row is its own outbox: it is written in the transaction that closes the action, and a sink's
//! cursor says how far it has taken from the feed. What fails is tried again with growing pauses, beside the feed, so
//! that one bad experience does not hold up the others; after the last attempt it is a dead letter, kept until somebody
//! replays it.

mod jsonl;
mod replay;

use std::sync::Arc;
use std::time::Duration;

use accredit_model::{Experience, Timestamp};
use accredit_store::{Answer, Deliveries, Delivery, Fate, StoredAttribution, Write};
use xxhash_rust::xxh3::xxh3_64;

use crate::config::{SinkConfig, SinkKind};
use crate::engine::Inner;
use crate::{Engine, Error};

/// Attempts after which a delivery is dead: with the pauses below, after about half an hour.
const ATTEMPTS_MAX: u32 = 10;
/// The first pause.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// A sink with this many deliveries to retry takes nothing new until some succeed: it is down.
const RETRYING_MAX: u64 = 256;
/// How long a worker sleeps when there is nothing to do.
const IDLE: Duration = Duration::from_millis(200);

/// A receiver of experiences.
pub(crate) trait Sink: Send {
    /// Experiences that are handed over at once: as many as it takes hardly longer with than with one, because the
    /// engine's closing waits for them.
    fn batch_max(&self) -> usize;

    /// Hands over a batch; one result each, in order. `Ok` only when the receiver has it for good.
    fn deliver(&mut self, batch: &[Experience]) -> Vec<Result<(), String>>;
}

/// One sink with its thread's state.
pub(crate) struct Worker {
    inner: Arc<Inner>,
    name: String,
    sink: Box<dyn Sink>,
    taken_to: u64,
}

/// A delivery to attempt. An experience that cannot be read is a failure like any other.
struct Attempt {
    cursor: u64,
    /// Attempts before this one.
    attempts: u32,
    experience: Result<Experience, Error>,
}

/// Opens the configured sinks.
pub(crate) fn workers(inner: &Arc<Inner>) -> Result<Vec<Worker>, Error> {
    let open = |config: &SinkConfig| {
        let sink = open_sink(&config.kind)
            .map_err(|source| Error::Sink { name: config.name.clone(), source: Arc::new(source) })?;
        let taken_to = inner.store.register_sink(&config.name)?;
        Ok(Worker { inner: Arc::clone(inner), name: config.name.clone(), sink, taken_to })
    };
    inner.config.sinks.iter().map(open).collect()
}

fn open_sink(kind: &SinkKind) -> std::io::Result<Box<dyn Sink>> {
    Ok(match kind {
        SinkKind::Jsonl { path } => Box::new(jsonl::JsonlSink::open(path)?),
        SinkKind::Replay { url, token_env } => Box::new(replay::ReplaySink::open(url, token_env.as_deref())?),
    })
}

impl Engine {
    /// Gives the dead letters of one sink, or of all, another life; answers how many.
    ///
    /// # Errors
    /// When the store fails.
    pub fn replay_dead_letters(&self, sink: Option<&str>) -> Result<u64, Error> {
        let replay = Write::Replay { sink: sink.map(str::to_owned), due_at: self.inner.steady() };
        match self.inner.submit_one(replay)? {
            Answer::Count(n) => Ok(n),
            _ => Err(Error::Bug("EN-8: a replay is counted")),
        }
    }
}

impl Worker {
    pub(crate) fn thread_name(&self) -> String {
        // The kernel cuts a thread's name at 15 bytes; what comes first tells them apart.
        format!("sink-{}", self.name)
    }

    /// Delivers until the engine stops.
    pub(crate) fn run(mut self) {
        loop {
            let pause = match self.turn() {
                Ok(0) => IDLE,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(sink = %self.name, %error, "delivery pauses");
                    Duration::from_secs(5)
                }
            };
            if self.inner.stop.wait(pause) {
                return;
            }
        }
    }

    /// Delivers what is due and what is new, a batch of each; answers how many it handed over.
    fn turn(&mut self) -> Result<usize, Error> {
        let due = self.inner.store.due(&self.name, self.inner.steady(), self.sink.batch_max())?;
        let mut outcomes = Vec::new();
        let mut retried = Vec::new();
        for due in &due {
            match self.inner.store.attribution_at(due.cursor)? {
                Some(stored) => {
                    let experience = self.inner.experience(&stored);
                    retried.push(Attempt { cursor: due.cursor, attempts: due.attempts, experience });
                }
                // Deleted since: nothing is owed any more.
                None => outcomes.push(Delivery { cursor: due.cursor, fate: Fate::Delivered }),
            }
        }
        outcomes.extend(self.hand_over(retried));
        let fresh = if self.is_down()? { Vec::new() } else { self.take_fresh()? };
        let taken_to = fresh.last().map(|attempt| attempt.cursor);
        outcomes.extend(self.hand_over(fresh));
        let n = outcomes.len();
        if n > 0 {
            let deliveries = Deliveries { sink: self.name.clone(), taken_to, outcomes };
            self.inner.submit(vec![Write::Deliveries(deliveries)])?;
            self.taken_to = taken_to.unwrap_or(self.taken_to);
        }
        Ok(n)
    }

    fn is_down(&self) -> Result<bool, Error> {
        let stats = self.inner.store.stats()?;
        let owed = stats.experiences / (stats.sinks.len() as u64).max(1) - self.taken_to;
        let pending = stats.sinks.iter().find(|sink| sink.name == self.name).map_or(0, |sink| sink.pending);
        Ok(pending.saturating_sub(owed) >= RETRYING_MAX)
    }

    fn take_fresh(&self) -> Result<Vec<Attempt>, Error> {
        let stored = self.inner.store.attributions_after(self.taken_to, self.sink.batch_max())?;
        let attempt = |stored: &StoredAttribution| Attempt {
            cursor: stored.cursor,
            attempts: 0,
            experience: self.inner.experience(stored),
        };
        Ok(stored.iter().map(attempt).collect())
    }

    /// Hands over what could be read.
    fn hand_over(&mut self, items: Vec<Attempt>) -> Vec<Delivery> {
        let (mut batch, mut waiting, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
        for Attempt { cursor, attempts, experience } in items {
            match experience {
                Ok(experience) => {
                    batch.push(experience);
                    waiting.push((cursor, attempts));
                }
                Err(error) => outcomes.push(self.failed(cursor, attempts, error.to_string())),
            }
        }
        if batch.is_empty() {
            return outcomes;
        }
        for ((cursor, attempts), result) in waiting.into_iter().zip(self.sink.deliver(&batch)) {
            outcomes.push(match result {
                Ok(()) => Delivery { cursor, fate: Fate::Delivered },
                Err(error) => self.failed(cursor, attempts, error),
            });
        }
        outcomes
    }

    fn failed(&self, cursor: u64, attempts: u32, error: String) -> Delivery {
        let attempts = attempts + 1;
        let fate = if attempts >= ATTEMPTS_MAX {
            tracing::warn!(sink = %self.name, cursor, attempts, error, "a delivery is given up; it can be replayed");
            Fate::Dead { attempts, failed_at: self.inner.wall(), error }
        } else {
            Fate::Retry { attempts, due_at: due_at(self.inner.steady(), &self.name, cursor, attempts), error }
        };
        Delivery { cursor, fate }
    }
}

/// When the next attempt is due: pauses double, and jitter of a half keeps retries from coming all at once. The jitter
/// is a hash, so that a test replays it.
fn due_at(now: Timestamp, sink: &str, cursor: u64, attempts: u32) -> Timestamp {
    let pause = PAUSE_FIRST.saturating_mul(1 << (attempts - 1).min(20)).min(PAUSE_MAX);
    let pause_micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
    let half = (pause_micros / 2).max(1);
    let jitter = xxh3_64(format!("{sink}/{cursor}/{attempts}").as_bytes()) % half.unsigned_abs();
    now.plus_micros(half + jitter.cast_signed())
}

#[cfg(test)]
mod tests;
