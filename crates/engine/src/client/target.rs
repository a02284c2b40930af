//! Recording to a server: what a recorder hands on is sent, or waits on disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use accredit_model::{Command, Refusal, RefusalReason};
use xxhash_rust::xxh3::xxh3_64;

use super::Client;
use super::drain;
use super::pace::Pace;
use super::send::{Delivered, Line, LineAnswer, Pause};
use super::spool::{Appended, Locks, Spool};
use crate::{Answer, Applied, Environment, Error, Target, TargetStats};

/// How long closing waits for what is on disk to be sent, while the server takes it.
pub(super) const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// Records to a server. Entries get keys of their own, so that sending again what may have arrived is safe; what the server
/// cannot take now waits in a [`Spool`], is sent in order by a thread of its own, and nothing newer overtakes it.
///
/// An answer means durable: in the server's store, or in the spool ([`Answer::Spooled`]).
pub struct ServerTarget {
    shared: Arc<Shared>,
    /// Of this target's keys.
    session: String,
    n_keys: AtomicU64,
    locks: Arc<Locks>,
}

pub(super) struct Shared {
    pub(super) client: Client,
    state: Mutex<State>,
    pub(super) changed: Condvar,
}

pub(super) struct State {
    pub(super) spool: Spool,
    pub(super) stats: TargetStats,
    /// The attempt to send at once has failed: the next one waits.
    pub(super) pause: Option<Pause>,
    /// Nothing more will come; until when what waits may still be sent.
    pub(super) closing: Option<Instant>,
    pub(super) is_over: bool,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // What runs under this lock leaves the spool as its files are, whatever happens.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts what the server has answered; `late` where nobody waits for it any more.
    pub(super) fn count(&mut self, answer: &LineAnswer, late: bool) {
        match answer {
            LineAnswer::Stored { repeat } => {
                self.stats.sent += 1;
                self.stats.repeated += u64::from(*repeat);
            }
            LineAnswer::Refused { reason, .. } if late => {
                *self.stats.refused.entry(reason.clone()).or_default() += 1;
            }
            LineAnswer::Refused { .. } => {}
        }
    }

    pub(super) fn failed(&mut self, error: &Error) {
        let text = with_causes(error);
        if !self.stats.is_away {
            tracing::warn!(error = %text, "the server takes nothing; what is recorded waits on disk");
        }
        self.stats.is_away = true;
        self.stats.last_error = Some(text);
    }
}

fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl ServerTarget {
    /// A target that sends through this client, with this spool. What the spool holds is sent first.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(client: Client, spool: Spool, environment: &Environment) -> Result<Self, Error> {
        let session = xxh3_64(environment.ids.next_id().as_bytes());
        let locks = spool.locks();
        let state = State { spool, stats: TargetStats::default(), pause: None, closing: None, is_over: false };
        let shared = Arc::new(Shared { client, state: Mutex::new(state), changed: Condvar::new() });
        let run = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("accredit-drain".to_owned());
        let thread = thread.spawn(move || drain::run(&run, Pace::new(session)));
        thread.map_err(|source| Error::Sink { name: "thread".to_owned(), source: Arc::new(source) })?;
        Ok(Self { shared, session: format!("{session:016x}"), n_keys: AtomicU64::new(0), locks })
    }

    /// Closes, in a forked child, what only the parent may hold. Nothing else of this target may be used there.
    pub fn abandon(&self) {
        self.locks.abandon();
    }

    /// Gives an entry a key of its own: this target's random name and a count. The server compares keys within one action.
    fn with_key(&self, mut command: Command) -> Command {
        let key = match &mut command {
            Command::Step { step, .. } => &mut step.idempotency_key,
            Command::Observe { observation, .. } => &mut observation.idempotency_key,
            _ => return command,
        };
        if key.is_none() {
            *key = Some(format!("{}-{:x}", self.session, self.n_keys.fetch_add(1, Ordering::Relaxed)));
        }
        command
    }

    /// Sends lines, unless older ones wait; answers of those that need no sending again.
    fn send(&self, lines: &[Line]) -> Vec<Option<LineAnswer>> {
        // Nobody but this recorder's thread puts anything into the spool: an empty one stays so meanwhile.
        if !self.shared.state().spool.is_empty() {
            return vec![None; lines.len()];
        }
        let Delivered { answers, pause } = self.shared.client.deliver(lines);
        let mut state = self.shared.state();
        answers.iter().flatten().for_each(|answer| state.count(answer, false));
        match pause {
            Some(pause) => {
                state.failed(&pause.error);
                state.pause = Some(pause);
            }
            None => state.stats.is_away = false,
        }
        answers
    }

    /// Keeps on disk what was not sent.
    fn keep(&self, lines: &[&str]) -> Vec<Answer> {
        let mut state = self.shared.state();
        if state.is_over {
            return vec![Answer::Applied(Applied::Failed(Error::Closed)); lines.len()];
        }
        let Appended { n, trouble } = state.spool.append(lines);
        let mut answers = vec![Answer::Spooled; n];
        let refused = match trouble {
            Some(source) => {
                let error = Error::Spool { folder: state.spool.folder().to_owned(), source: Arc::new(source) };
                state.stats.last_error = Some(with_causes(&error));
                Applied::Failed(error)
            }
            None => {
                let detail = "the server is away, and the spool is full; try again when it is back";
                Applied::Failed(Refusal::new(RefusalReason::Overloaded, detail).into())
            }
        };
        answers.resize(lines.len(), Answer::Applied(refused));
        drop(state);
        self.shared.changed.notify_all();
        answers
    }
}

fn answer_of(answer: LineAnswer) -> Answer {
    match answer {
        LineAnswer::Stored { repeat } => Answer::Stored { repeat },
        LineAnswer::Refused { reason, detail } => {
            let known = RefusalReason::ALL.iter().find(|known| known.code() == reason);
            Answer::Applied(Applied::Failed(match known {
                Some(known) => Refusal::new(*known, detail).into(),
                None => Error::Answered { status: 422, code: reason, detail },
            }))
        }
    }
}

impl Target for ServerTarget {
    fn carry_out(&self, commands: Vec<Command>) -> Vec<Answer> {
        let mut lines = Vec::with_capacity(commands.len());
        let mut answers: Vec<Option<Answer>> = Vec::with_capacity(commands.len());
        for command in commands {
            answers.push(match Line::new(self.with_key(command)) {
                Ok(line) => {
                    lines.push(line);
                    None
                }
                Err(refusal) => Some(Answer::Applied(Applied::Failed(refusal.into()))),
            });
        }
        let sent = self.send(&lines);
        let unsent: Vec<&str> = (lines.iter().zip(&sent))
            .filter(|(_, answer)| answer.is_none())
            .map(|(line, _)| line.text.as_str())
            .collect();
        let mut kept = if unsent.is_empty() { Vec::new() } else { self.keep(&unsent) }.into_iter();
        let mut sent = sent.into_iter();
        let mut next = || match sent.next() {
            Some(Some(answer)) => answer_of(answer),
            _ => kept.next().unwrap_or(Answer::Applied(Applied::Failed(Error::Bug("EN-3: every write is answered")))),
        };
        answers.into_iter().map(|answer| answer.unwrap_or_else(&mut next)).collect()
    }

    fn is_direct(&self) -> bool {
        false
    }

    /// The recorder counts it; a server counts what reaches it.
    fn refused_elsewhere(&self, _: RefusalReason) {}

    fn stats(&self) -> TargetStats {
        let state = self.shared.state();
        let (spooled, spool_bytes) = (state.spool.n_pending(), state.spool.bytes());
        TargetStats { spooled, spool_bytes, damaged: state.spool.n_damaged(), ..state.stats.clone() }
    }

    /// Waits a moment for what is on disk, while the server takes it; the rest is sent by whoever opens the spool next.
    fn close(&self) {
        let mut state = self.shared.state();
        let until = *state.closing.get_or_insert_with(|| Instant::now() + CLOSE_PATIENCE);
        self.shared.changed.notify_all();
        while !state.is_over {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Target for Arc<ServerTarget> {
    fn carry_out(&self, commands: Vec<Command>) -> Vec<Answer> {
        ServerTarget::carry_out(self, commands)
    }

    fn is_direct(&self) -> bool {
        ServerTarget::is_direct(self)
    }

    fn refused_elsewhere(&self, reason: RefusalReason) {
        ServerTarget::refused_elsewhere(self, reason);
    }

    fn stats(&self) -> TargetStats {
        ServerTarget::stats(self)
    }

    fn close(&self) {
        ServerTarget::close(self);
    }
}

impl Drop for ServerTarget {
    fn drop(&mut self) {
        self.shared.state().closing.get_or_insert_with(Instant::now);
        self.shared.changed.notify_all();
    }
}

impl std::fmt::Debug for ServerTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTarget").field("client", &self.shared.client).finish_non_exhaustive()
    }
}
