//! Recording that answers at once and exactly, before anything is on disk.

mod live;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use accredit_guard::{IdleFrom, Limits};
use accredit_model::{ActionId, Attribution, Begin, Closing, Completion, EntryBody, LineWriter, RefusalReason, Status};
use accredit_store::{Append, EntryMark, Filter, NewAction, Write};

use self::live::{EntryLimits, Live};
use crate::closing::{CONTENTION_MAX, pause};
use crate::record::{push_line, refusal};
use crate::{Config, Engine, Environment, Error};

/// Open actions that are read at once on opening, and idle ones that are closed between two looks at the clock.
const BATCH: usize = 256;

/// Records as the older in-memory module did: every call answers at once and exactly what it did, and nothing waits for the
/// disk but a closing. For drop-in replacements; agents that are new take [`crate::Recorder`], which is faster still.
///
/// It knows what is open, so that it can say what the store will say: all recording goes through it. Limits come with the
/// calls that they are about, and may be others each time. Nothing is closed as idle unless [`PromptRecorder::cleanup_expired`]
/// is called, so that whoever calls it hears of every closing.
///
/// What was answered is durable some milliseconds later, and for certain when [`PromptRecorder::flush`] or a completion
/// returns. Where the disk fails in between it is lost; the log tells, and the action's completion fails.
///
/// ```
/// use accredit::{Begin, Completion, Config, EntryBody, Environment, PromptRecorder, RefusalReason, Step};
///
/// let folder = tempfile::tempdir()?;
/// let config = Config::compat(folder.path().join("runs.db"));
/// let recorder = PromptRecorder::open(config, Environment::default())?;
/// let begin = Begin { agent_id: "planner".into(), action_type: "book_flight".into(), ..Begin::default() };
/// let id = recorder.begin(begin, 500)?.action_id;
/// let step = || EntryBody::Step(Step { description: "chose the cheapest".into(), ..Step::default() });
/// assert_eq!(recorder.record(id, step(), 1), Ok(()));
/// assert_eq!(recorder.record(id, step(), 1), Err(RefusalReason::ActionFull));
/// assert_eq!(recorder.complete(id, Completion::default())?.credits, [1.0]);
/// assert_eq!(recorder.record(id, step(), 1), Err(RefusalReason::ClosedAction));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PromptRecorder {
    engine: Engine,
    live: Mutex<Live>,
}

/// The answer of [`PromptRecorder::begin`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptBegun {
    /// The action.
    pub action_id: ActionId,
    /// The actions that were closed as evicted to make room for it, in order.
    pub evicted: Vec<ActionId>,
}

impl PromptRecorder {
    /// Opens the store. Actions that are open in it can be recorded to.
    ///
    /// # Errors
    /// When the configuration is not `compat` (what comes after a closing would be neither recorded nor refused at once), or
    /// those of [`Engine::open_with`].
    pub fn open(config: Config, environment: Environment) -> Result<Self, Error> {
        if !config.compat {
            return Err(Error::Config("a prompt recorder needs `compat`".to_owned()));
        }
        let engine = Engine::open_with(Config { sweep_secs: 0, ..config }, environment)?;
        let filter = Filter { status: Some(Status::Open), ..Filter::default() };
        let (mut open, mut cursor) = (Vec::new(), None);
        loop {
            let page = engine.list(&filter, BATCH, cursor.as_deref())?;
            open.extend(page.actions);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let mut live = Live::default();
        open.iter().rev().for_each(|action| live.take_up(action));
        Ok(Self { engine, live: Mutex::new(live) })
    }

    /// The engine, for reading. It knows of what was recorded when that was flushed.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        // Nothing that panics runs under this lock.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an action is open.
    #[must_use]
    pub fn is_open(&self, id: ActionId) -> bool {
        self.live().is_open(id)
    }

    /// How many actions are open, or being closed.
    #[must_use]
    pub fn n_open(&self) -> u64 {
        self.live().len()
    }

    /// Whether so much waits for the disk that a recording call may have to wait for room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.engine.inner.queue.is_filling()
    }

    /// Opens an action under a new id. While `open_actions_max` or more are open, the one that began first is closed as
    /// evicted. It does not wait for the disk unless one has to go.
    ///
    /// # Errors
    /// Those of [`Engine::begin`].
    pub fn begin(&self, begin: Begin, open_actions_max: u64) -> Result<PromptBegun, Error> {
        let inner = &self.engine.inner;
        let action = inner.new_action(Begin { action_id: None, ..begin })?;
        let (action_id, mut evicted) = (action.id, Vec::new());
        let deadline = Instant::now() + CONTENTION_MAX;
        loop {
            let mut live = self.live();
            if live.len() < open_actions_max.max(1) {
                // What is open is counted here; what the store has open is never more.
                let write = Write::Begin(Box::new(NewAction { open_max: u64::MAX, ..action }));
                inner.push(vec![write], 1024, inner.patience())?;
                live.begin(action_id);
                return Ok(PromptBegun { action_id, evicted });
            }
            let oldest = live.shut_oldest();
            drop(live);
            match oldest {
                Some(oldest) => evicted.extend(self.close_shut(oldest, Closing::Evicted)?),
                // All are being closed already.
                None => pause(action_id, deadline)?,
            }
        }
    }

    /// Records a step or an observation, unless the action has `entries_max` entries. The client's key of an entry is
    /// stored and not compared.
    ///
    /// # Errors
    /// Why it is refused. It is counted.
    pub fn record(&self, id: ActionId, entry: EntryBody, entries_max: u64) -> Result<(), RefusalReason> {
        let inner = &self.engine.inner;
        let limits = Limits { entries_max, ..inner.config.limits.clone() };
        let limits = EntryLimits { entries_max, steps_max: limits.steps_max() };
        let kind = entry.kind();
        let mut append = inner.empty_append(id);
        (append.entries_max, append.steps_max) = (limits.entries_max, limits.steps_max);
        let Some(mark) = self.guarded(&mut append, entry)? else {
            return Err(self.refuse(RefusalReason::InvalidField));
        };
        let bytes = append.lines.len() + size_of::<EntryMark>();
        let mut live = self.live();
        match live.admit(id, &mark, limits) {
            Some(Ok(())) => {}
            Some(Err(reason)) => return Err(self.refuse(reason)),
            None => {
                drop(live);
                return Err(self.refuse(self.reason_of(id)));
            }
        }
        // Queued under the lock: who shuts the action now queues its closing behind this entry.
        if inner.push(vec![Write::Append(append)], bytes, inner.patience()).is_err() {
            live.take_back(id, kind);
            return Err(self.refuse(RefusalReason::Overloaded));
        }
        Ok(())
    }

    /// Guards an entry and writes its line; answers its mark.
    fn guarded(&self, append: &mut Append, entry: EntryBody) -> Result<Option<EntryMark>, RefusalReason> {
        let writer = LineWriter::new(append.received_at, false);
        let guarded = self.engine.inner.guard.entry(entry).and_then(|clean| {
            let (body, truncated) = clean.into_parts();
            push_line(append, &writer, &truncated, &body)
        });
        guarded.map_err(|refusal| self.refuse(refusal.reason))?;
        Ok(append.marks.last_mut().map(|mark| {
            mark.key = None;
            *mark
        }))
    }

    /// Closes an action with its outcome, and waits until that is durable.
    ///
    /// # Errors
    /// When it is not open; those of [`Engine::complete`].
    pub fn complete(&self, id: ActionId, completion: Completion) -> Result<Attribution, Error> {
        if !self.live().shut(id) {
            return Err(refusal(self.reason_of(id)).into());
        }
        let done = self.engine.complete(id, completion);
        self.settle(id, &done);
        done
    }

    /// Closes what has been idle for longer than `idle_micros`, and answers which actions those are.
    ///
    /// # Errors
    /// When the store fails before anything was closed; what failed is closed the next time.
    pub fn cleanup_expired(&self, idle_micros: i64) -> Result<Vec<ActionId>, Error> {
        let inner = &self.engine.inner;
        self.flush()?;
        let from = match inner.config.limits.idle_from {
            IdleFrom::LastActivity => accredit_store::IdleFrom::Activity,
            IdleFrom::Start => accredit_store::IdleFrom::Start,
        };
        let mut closed = Vec::new();
        loop {
            let before = inner.steady().plus_micros(idle_micros.saturating_neg());
            let idle = inner.store.idle(from, before, BATCH)?;
            let n_before = closed.len();
            for id in &idle {
                if !self.live().shut(*id) {
                    continue;
                }
                match self.close_shut(*id, Closing::TimedOut) {
                    Ok(found) => closed.extend(found),
                    Err(error) if closed.is_empty() => return Err(error),
                    Err(_) => return Ok(closed),
                }
            }
            if idle.len() < BATCH || closed.len() == n_before {
                return Ok(closed);
            }
        }
    }

    /// Returns when all that was recorded before is durable.
    ///
    /// # Errors
    /// When the store fails or is closed.
    pub fn flush(&self) -> Result<(), Error> {
        self.engine.is_writable()
    }

    /// Makes durable what waits, and closes the store.
    ///
    /// # Errors
    /// Those of [`Engine::close`].
    pub fn close(&self) -> Result<(), Error> {
        self.engine.clone().close()
    }

    /// Closes an action that was shut for that.
    fn close_shut(&self, id: ActionId, closing: Closing) -> Result<Option<ActionId>, Error> {
        let done = self.engine.inner.close_by_engine(id, closing);
        self.settle(id, &done);
        Ok(done?.map(|_| id))
    }

    /// Draws from an attempt to close a shut action what is open now.
    fn settle<T>(&self, id: ActionId, done: &Result<T, Error>) {
        let mut live = self.live();
        match done {
            Ok(_) => live.remove(id),
            // The store does not have it open, whatever was thought here.
            Err(Error::Refused(refused))
                if matches!(refused.reason, RefusalReason::UnknownAction | RefusalReason::ClosedAction) =>
            {
                live.remove(id);
            }
            Err(_) => live.reopen(id),
        }
    }

    /// Why an action that is not open is refused.
    fn reason_of(&self, id: ActionId) -> RefusalReason {
        match self.engine.inner.store.action(id) {
            Ok(Some(_)) => RefusalReason::ClosedAction,
            Ok(None) | Err(_) if self.live().is_known(id) => RefusalReason::ClosedAction,
            Ok(None) | Err(_) => RefusalReason::UnknownAction,
        }
    }

    fn refuse(&self, reason: RefusalReason) -> RefusalReason {
        self.engine.inner.tally.add(reason, 1);
        reason
    }
}
