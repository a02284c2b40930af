//! Opening actions and recording entries.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use accredit_guard::EvictionOrder;
use accredit_model::{
    ActionId, Begin, Closing, EntryBody, Field, LineWriter, Observation, Refusal, RefusalReason, Seq, Step, Timestamp,
};
use accredit_store::{ActionSpec, Answer, Append, EntryAnswer, EntryMark, LateObservations, NewAction, Oldest, Write};
use xxhash_rust::xxh3::xxh3_128;

use crate::engine::Inner;
use crate::reply::{Pending, Ticket};
use crate::{Engine, Error};

/// The answer to a begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The action.
    pub action_id: ActionId,
    /// It had been begun before.
    pub repeat: bool,
}

/// The answer to one entry. Both are said after the fact is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is stored.
    Stored {
        /// Its position in the action.
        seq: Seq,
        /// It had been stored before under the same client key.
        repeat: bool,
    },
    /// It is not, and counted under the reason.
    Refused(Refusal),
}

impl Recorded {
    /// Whether it is stored: what `record_*` of the contract answers.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        matches!(self, Self::Stored { .. })
    }

    const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Stored { .. } => None,
        }
    }
}

impl Engine {
    /// Opens an action. When as many are open as may be, the oldest is closed as evicted.
    ///
    /// # Errors
    /// When it is refused (ids, limits, matchers, a cycle of parents), or the store does not take it.
    pub fn begin(&self, begin: Begin) -> Result<Begun, Error> {
        self.begin_at_capacity(&self.inner.new_action(begin)?)
    }

    /// Records a step.
    ///
    /// # Errors
    /// When the store does not take it; a refusal only in strict mode.
    pub fn step(&self, id: ActionId, step: Step) -> Result<Recorded, Error> {
        self.record_one(id, EntryBody::Step(step))
    }

    /// Records an observation. One that comes after the closing is stored as late, and a new version of the
    /// attribution is made where it changes the score or, judging a step, the credit.
    ///
    /// # Errors
    /// When the store does not take it; a refusal only in strict mode.
    pub fn observe(&self, id: ActionId, observation: Observation) -> Result<Recorded, Error> {
        self.record_one(id, EntryBody::Observation(observation))
    }

    fn record_one(&self, id: ActionId, entry: EntryBody) -> Result<Recorded, Error> {
        self.record(id, vec![entry])?.pop().ok_or(Error::Bug("EN-3: every write is answered"))
    }

    /// Records entries of one action in one commit; one answer each, in order.
    ///
    /// # Errors
    /// When the store does not take them; a refusal only in strict mode (the others are stored all the same).
    pub fn record(&self, id: ActionId, entries: Vec<EntryBody>) -> Result<Vec<Recorded>, Error> {
        let prepared = self.inner.prepare(id, entries);
        let (writes, bytes, rest) = prepared.into_writes();
        let answers = if writes.is_empty() {
            Vec::new()
        } else {
            self.inner.push_entries(writes, bytes, &rest, self.inner.patience())?.wait()?
        };
        self.inner.recorded(id, rest, answers)
    }

    /// The same without waiting: neither for room in the queue nor for the disk. Await the ticket, or drop it.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when the queue is full.
    pub fn try_record(&self, id: ActionId, entries: Vec<EntryBody>) -> Result<Ticket<Vec<Recorded>>, Error> {
        let prepared = self.inner.prepare(id, entries);
        let (mut writes, bytes, rest) = prepared.into_writes();
        if writes.is_empty() {
            writes.push(Write::Flush);
        }
        let pending = self.inner.push_entries(writes, bytes, &rest, Duration::ZERO)?;
        let inner = std::sync::Arc::clone(&self.inner);
        Ok(Ticket::new(pending, move |reply| inner.recorded(id, rest, reply?)))
    }

    /// Says that the agent is still at work, so that its action is not closed as idle.
    ///
    /// # Errors
    /// When the action is unknown or closed, or the store does not take it.
    pub fn heartbeat(&self, id: ActionId) -> Result<(), Error> {
        let (received_at, steady) = (self.inner.wall(), self.inner.steady());
        match self.inner.submit_one(Write::Heartbeat { action: id, received_at, steady })? {
            Answer::Refused(reason) => Err(refusal(reason).into()),
            _ => Ok(()),
        }
    }

    /// Counts entries that a door refused because it could not even read them.
    pub fn refused_elsewhere(&self, reasons: &[RefusalReason]) {
        for reason in reasons {
            self.inner.tally.add(*reason, 1);
        }
    }
}

/// Entries of one call after the guard: what is sent to the store, and what was refused before.
pub(crate) struct Prepared {
    append: Append,
    rest: Rest,
}

/// What is needed to answer when the store has answered.
pub(crate) struct Rest {
    /// Per entry: `None` where the store decides.
    refused: Vec<Option<Refusal>>,
}

impl Prepared {
    /// The writes, their size in memory, and what their answers are joined with.
    pub(crate) fn into_writes(self) -> (Vec<Write>, usize, Rest) {
        let Self { append, rest } = self;
        let bytes = append.lines.len() + append.marks.len() * size_of::<EntryMark>();
        let mut writes = Vec::with_capacity(1);
        if !append.marks.is_empty() {
            writes.push(Write::Append(append));
        }
        for refusal in rest.refused.iter().flatten() {
            writes.push(Write::CountRefused { reason: refusal.reason, n: 1 });
        }
        (writes, bytes, rest)
    }
}

impl Inner {
    /// Guards a begin and gives it an id and times.
    pub(crate) fn new_action(&self, begin: Begin) -> Result<NewAction, Error> {
        let (begin, truncated) = self.guard.begin(begin)?.into_parts();
        let spec = ActionSpec {
            expected_outcome: begin.expected_outcome.unwrap_or_default(),
            acceptance_criteria: begin.acceptance_criteria.unwrap_or_default(),
            attributes: begin.attributes.unwrap_or_default(),
            truncated,
        };
        accredit_credit::validate_expectation(&spec.expected_outcome)?;
        let received_at = self.wall();
        Ok(NewAction {
            id: begin.action_id.unwrap_or_else(|| self.environment.ids.next_id()),
            fresh: begin.action_id.is_none(),
            agent_id: begin.agent_id,
            action_type: begin.action_type,
            goal_id: begin.goal_id,
            parent: begin.parent_action_id,
            spec,
            begun_at: begin.at.unwrap_or(received_at),
            received_at,
            steady: self.steady(),
            open_max: self.config.limits.open_actions_max,
        })
    }

    /// Queues entries; counts them as refused where the queue has no room.
    fn push_entries(
        &self,
        writes: Vec<Write>,
        bytes: usize,
        rest: &Rest,
        patience: Duration,
    ) -> Result<Pending, Error> {
        let pushed = self.push(writes, bytes, patience);
        if let Err(Error::Overloaded) = pushed {
            self.tally.add(RefusalReason::Overloaded, rest.refused.len() as u64);
        }
        pushed
    }

    /// Closes the action that gives way next.
    pub(crate) fn evict(&self) -> Result<(), Error> {
        let oldest = match self.config.limits.eviction_order {
            EvictionOrder::OldestActivity => Oldest::Activity,
            EvictionOrder::OldestStart => Oldest::Start,
        };
        match self.store.oldest_open(oldest)? {
            Some(id) => self.close_by_engine(id, Closing::Evicted).map(drop),
            // All are being closed already.
            None => {
                std::thread::sleep(Duration::from_millis(1));
                Ok(())
            }
        }
    }

    pub(crate) fn empty_append(&self, action: ActionId) -> Append {
        let limits = &self.config.limits;
        Append {
            action,
            lines: Vec::new(),
            marks: Vec::new(),
            received_at: self.wall(),
            steady: self.steady(),
            entries_max: limits.entries_max,
            steps_max: limits.steps_max(),
            late: if self.config.compat { LateObservations::Refuse } else { LateObservations::Accept },
        }
    }

    pub(crate) fn prepare(&self, id: ActionId, entries: Vec<EntryBody>) -> Prepared {
        let mut append = self.empty_append(id);
        let writer = LineWriter::new(append.received_at, false);
        let mut refused = Vec::with_capacity(entries.len());
        append.lines.reserve(entries.len() * 320);
        append.marks.reserve(entries.len());
        for entry in entries {
            let written = self.guard.entry(entry).and_then(|clean| {
                let (body, truncated) = clean.into_parts();
                push_line(&mut append, &writer, &truncated, &body)
            });
            refused.push(written.err());
        }
        Prepared { append, rest: Rest { refused } }
    }

    /// The answer to one call: in strict mode the first refusal is the error of them all.
    pub(crate) fn recorded(&self, id: ActionId, rest: Rest, answers: Vec<Answer>) -> Result<Vec<Recorded>, Error> {
        let recorded = self.answered(id, rest, answers)?;
        let first = recorded.iter().find_map(Recorded::refusal).filter(|_| self.config.strict);
        first.map_or(Ok(()), |refusal| Err(refusal.clone()))?;
        Ok(recorded)
    }

    /// Joins what the guard said with what the store answered; stores late observations.
    pub(crate) fn answered(&self, id: ActionId, rest: Rest, answers: Vec<Answer>) -> Result<Vec<Recorded>, Error> {
        let mut stored = match answers.into_iter().next() {
            Some(Answer::Entries(stored)) => stored,
            _ => Vec::new(),
        }
        .into_iter();
        let mut recorded = Vec::with_capacity(rest.refused.len());
        for refused in rest.refused {
            recorded.push(match refused {
                Some(refused) => Recorded::Refused(refused),
                None => match stored.next().ok_or(Error::Bug("EN-3: every write is answered"))? {
                    EntryAnswer::Stored { seq, repeat } => Recorded::Stored { seq, repeat },
                    EntryAnswer::Refused(reason) => Recorded::Refused(refusal(reason)),
                    EntryAnswer::Late { line } => self.record_late(id, &line)?,
                },
            });
        }
        if let Some(refusal) = recorded.iter().find_map(Recorded::refusal) {
            log_once(refusal);
        }
        Ok(recorded)
    }
}

/// Appends one line with its mark.
pub(crate) fn push_line(
    append: &mut Append,
    writer: &LineWriter,
    truncated: &[Field],
    body: &EntryBody,
) -> Result<(), Refusal> {
    let start = append.lines.len();
    if writer.write(&mut append.lines, truncated, body).is_err() {
        append.lines.truncate(start);
        return Err(Refusal::new(RefusalReason::InvalidField, "it cannot be written as JSON"));
    }
    append.marks.push(EntryMark {
        end: append.lines.len(),
        kind: body.kind(),
        key: body.idempotency_key().map(|key| xxh3_128(key.as_bytes()).to_be_bytes()),
        grounds: match body {
            EntryBody::Step(_) => None,
            EntryBody::Observation(observation) => observation.step,
        },
    });
    Ok(())
}

pub(crate) fn begun(action_id: ActionId, answer: &Answer) -> Result<Begun, Error> {
    match answer {
        Answer::Begun { repeat } => Ok(Begun { action_id, repeat: *repeat }),
        Answer::Refused(reason) => Err(refusal(*reason).into()),
        _ => Err(Error::Bug("EN-4: a begin is begun or refused")),
    }
}

/// The sentence for a refusal that the store decided.
pub(crate) fn refusal(reason: RefusalReason) -> Refusal {
    Refusal::new(
        reason,
        match reason {
            RefusalReason::UnknownAction => "no action has this id; begin it first",
            RefusalReason::ClosedAction => {
                "the action is closed; observations, revise and a true completion may follow"
            }
            RefusalReason::ActionFull => {
                "the action has as many entries as it may; raise limits.entries_max, or split the work into child actions"
            }
            RefusalReason::UnknownStep => "the action has no step with this index; steps count from 0",
            RefusalReason::ParentCycle => "the action would be its own ancestor; check parent_action_id",
            _ => "refused by the store",
        },
    )
}

/// Each reason is logged the first time only: a broken agent must not fill the log.
fn log_once(refusal: &Refusal) {
    static LOGGED: AtomicU32 = AtomicU32::new(0);
    let bit = 1_u32 << (RefusalReason::ALL.iter().position(|reason| *reason == refusal.reason).unwrap_or(31) % 32);
    if LOGGED.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
        tracing::warn!(reason = %refusal.reason, "{}; further refusals of this kind are only counted", refusal.detail);
    }
}

/// A time of day and the steady time of the same moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) wall: Timestamp,
    pub(crate) steady: Timestamp,
}

impl Inner {
    pub(crate) fn now(&self) -> Now {
        Now { wall: self.wall(), steady: self.steady() }
    }
}
