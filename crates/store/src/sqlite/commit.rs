//! The one way to write: a batch in one transaction.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;

use accredit_model::{ActionId, EntryKind, RefusalReason, Timestamp};
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::Writer;
use super::counters::Counters;
use super::index::{Index, OpenAction};
use super::{lines, query, rows};
use crate::chain::{SEGMENT_BYTES_MAX, checksum};
use crate::{Answer, Append, EntryAnswer, EntryMark, LateObservations, NewAction, StoreError, Write};

/// Chunks after which the open actions' rows are brought up to date, so that opening never scans more than these.
const UNRECKONED_CHUNKS_MAX: i64 = 65_536;

/// A chunk in the making: what one commit adds to one action.
struct Pending {
    action_no: i64,
    first_seq: u64,
    n_steps: u64,
    n_observations: u64,
    received_at: Timestamp,
    bytes: Vec<u8>,
}

/// One transaction under way. What it does to memory is undone when it fails.
pub(super) struct Batch<'a> {
    pub(super) tx: &'a Transaction<'a>,
    pub(super) index: &'a mut Index,
    pub(super) counters: &'a mut Counters,
    pub(super) undo: HashMap<ActionId, Option<OpenAction>>,
    pending: HashMap<ActionId, Pending>,
    /// Bytes written, about; 0 where nothing durable was done.
    pub(super) written: usize,
}

impl Writer {
    pub(super) fn commit(&mut self, batch: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
        let Self { conn, index, counters, unmoved_bytes, .. } = self;
        let counters_before = counters.clone();
        let tx = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
        let mut work = Batch { tx: &tx, index, counters, undo: HashMap::new(), pending: HashMap::new(), written: 0 };
        let done = work.carry_out(batch);
        let (undo, written) = (work.undo, work.written);
        let done = match done {
            Ok(answers) if written > 0 => tx.commit().map(|()| answers).map_err(StoreError::from),
            Ok(answers) => tx.rollback().map(|()| answers).map_err(StoreError::from),
            Err(error) => {
                drop(tx);
                Err(error)
            }
        };
        match &done {
            Ok(_) => *unmoved_bytes += written,
            Err(_) => {
                *counters = counters_before;
                for (id, before) in undo {
                    index.set(id, before);
                }
            }
        }
        done
    }

    /// Brings the rows of open actions up to date, whatever has gathered.
    pub(super) fn reckon(&mut self) -> Result<(), StoreError> {
        let Self { conn, index, counters, .. } = self;
        let tx = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
        let mut work = Batch { tx: &tx, index, counters, undo: HashMap::new(), pending: HashMap::new(), written: 0 };
        work.reckon()?;
        work.counters.save(&tx)?;
        tx.commit()?;
        Ok(())
    }
}

impl Batch<'_> {
    fn carry_out(&mut self, batch: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
        let mut answers = Vec::with_capacity(batch.len());
        for write in batch {
            answers.push(self.write(write)?);
        }
        let pending = std::mem::take(&mut self.pending);
        for (id, chunk) in pending {
            self.insert_chunk(id, chunk)?;
        }
        if self.counters.totals.last_chunk - self.counters.totals.reckoned_chunk > UNRECKONED_CHUNKS_MAX {
            self.reckon()?;
        }
        if self.written > 0 {
            self.counters.save(self.tx)?;
        }
        Ok(answers)
    }

    fn write(&mut self, write: Write) -> Result<Answer, StoreError> {
        match write {
            Write::Begin(action) => self.begin(&action),
            Write::Append(append) => self.append(append).map(Answer::Entries),
            Write::Heartbeat { action, received_at, steady } => self.heartbeat(action, received_at, steady),
            Write::Freeze { action } => self.freeze(action),
            Write::Accept { action, completion } => self.accept(action, &completion),
            Write::Thaw { action } => {
                if let Some(open) = self.index.get(action).filter(|open| !self.is_accepted(open.no).unwrap_or(true)) {
                    self.touch(action, Some(OpenAction { frozen: false, ..open }));
                }
                Ok(Answer::Done)
            }
            Write::Close(close) => self.close(*close),
            Write::Amend(amend) => self.amend(*amend),
            Write::Deliveries(deliveries) => self.deliveries(&deliveries),
            Write::Replay { sink, due_at } => self.replay(sink.as_deref(), due_at),
            Write::Learned(learned) => self.learned(&learned),
            Write::CountRefused { reason, n } => {
                self.counters.refuse(reason, n);
                Ok(Answer::Done)
            }
            Write::Flush => {
                self.written += usize::from(self.counters.dirty);
                Ok(Answer::Done)
            }
        }
    }

    /// Changes the index and notes how to take it back.
    pub(super) fn touch(&mut self, id: ActionId, action: Option<OpenAction>) {
        let before = self.index.set(id, action);
        self.undo.entry(id).or_insert(before);
    }

    fn begin(&mut self, action: &NewAction) -> Result<Answer, StoreError> {
        if !action.fresh && rows::find(self.tx, action.id)?.is_some() {
            return Ok(Answer::Begun { repeat: true });
        }
        if let Some(parent) = action.parent
            && (parent == action.id || self.descends_from(parent, action)?)
        {
            return Ok(Answer::Refused(RefusalReason::ParentCycle));
        }
        if self.index.len() as u64 >= action.open_max {
            return Ok(Answer::AtCapacity);
        }
        let parent_steps = action.parent.and_then(|parent| self.index.get(parent)).map(|parent| parent.n_steps);
        let no = rows::insert_action(self.tx, action, parent_steps)?;
        let open = OpenAction {
            no,
            n_steps: 0,
            n_observations: 0,
            last_chunk: 0,
            active: action.steady,
            active_at: action.received_at,
            begun: action.steady,
            frozen: false,
            unreckoned: false,
        };
        self.touch(action.id, Some(open));
        self.counters.totals.begun += 1;
        self.written += 512;
        Ok(Answer::Begun { repeat: false })
    }

    /// Whether `ancestor`, walking up its parents, comes to the action that is to begin. Only an id that somebody
    /// already names as a parent can be met.
    fn descends_from(&self, mut ancestor: ActionId, action: &NewAction) -> Result<bool, StoreError> {
        if action.fresh || !rows::has_children(self.tx, action.id)? {
            return Ok(false);
        }
        while let Some(parent) = rows::parent(self.tx, ancestor)? {
            if parent == action.id {
                return Ok(true);
            }
            ancestor = parent;
        }
        Ok(false)
    }

    fn heartbeat(&mut self, id: ActionId, received_at: Timestamp, steady: Timestamp) -> Result<Answer, StoreError> {
        let Some(open) = self.index.get(id) else { return self.not_open(id).map(Answer::Refused) };
        self.touch(id, Some(OpenAction { active: steady.max(open.active), active_at: received_at, ..open }));
        let mut statement = self.tx.prepare_cached("UPDATE actions SET active_at = ?2 WHERE no = ?1")?;
        statement.execute(params![open.no, received_at.micros()])?;
        self.written += 64;
        Ok(Answer::Done)
    }

    fn freeze(&mut self, id: ActionId) -> Result<Answer, StoreError> {
        let Some(open) = self.index.get(id) else { return self.not_open(id).map(Answer::Refused) };
        if open.frozen {
            return Ok(Answer::Busy);
        }
        let action =
            query::action(self.tx, id, Some(open))?.ok_or(StoreError::Bug("ST-2: an open action has a row"))?;
        self.touch(id, Some(OpenAction { frozen: true, ..open }));
        Ok(Answer::Frozen(Box::new(action), open.begun))
    }

    fn accept(&mut self, id: ActionId, completion: &[u8]) -> Result<Answer, StoreError> {
        let answer = self.freeze(id)?;
        if matches!(answer, Answer::Frozen(..))
            && let Some(open) = self.index.get(id)
        {
            let mut statement = self.tx.prepare_cached("INSERT INTO accepted VALUES (?1, ?2, ?3)")?;
            statement.execute(params![open.no, checksum(completion), completion])?;
            self.written += completion.len() + 64;
        }
        Ok(answer)
    }

    fn is_accepted(&self, action_no: i64) -> Result<bool, StoreError> {
        let mut statement = self.tx.prepare_cached("SELECT 1 FROM accepted WHERE action_no = ?1")?;
        Ok(statement.exists(params![action_no])?)
    }

    /// Why an action that is not in the index takes no entries.
    pub(super) fn not_open(&self, id: ActionId) -> Result<RefusalReason, StoreError> {
        Ok(match rows::find(self.tx, id)? {
            Some(_) => RefusalReason::ClosedAction,
            None => RefusalReason::UnknownAction,
        })
    }

    fn append(&mut self, append: Append) -> Result<Vec<EntryAnswer>, StoreError> {
        match self.index.get(append.action) {
            Some(open) if !open.frozen && append.lines.len() > SEGMENT_BYTES_MAX && append.marks.len() > 1 => {
                let parts = lines::parts(append, SEGMENT_BYTES_MAX).into_iter();
                let answers: Result<Vec<_>, StoreError> = parts.map(|part| self.append(part)).collect();
                Ok(answers?.concat())
            }
            Some(open) if !open.frozen => self.append_open(open, append),
            Some(open) => self.append_closed(Some(open.no), RefusalReason::ClosedAction, &append),
            None => {
                let row = rows::find(self.tx, append.action)?;
                let reason = if row.is_some() { RefusalReason::ClosedAction } else { RefusalReason::UnknownAction };
                self.append_closed(row.map(|row| row.no), reason, &append)
            }
        }
    }

    /// Refuses every entry, but for those whose key says that they were stored before.
    fn append_closed(
        &mut self,
        no: Option<i64>,
        reason: RefusalReason,
        append: &Append,
    ) -> Result<Vec<EntryAnswer>, StoreError> {
        let mut answers = Vec::with_capacity(append.marks.len());
        let mut start = 0;
        for mark in &append.marks {
            let line = start..mark.end;
            start = mark.end;
            let known = match (no, mark.key) {
                (Some(no), Some(key)) => self.known_key(no, key)?,
                _ => None,
            };
            let is_late = no.is_some() && mark.kind == EntryKind::Observation;
            answers.push(match known {
                Some(known) => known,
                None if is_late && append.late == LateObservations::Accept => EntryAnswer::Late {
                    line: String::from_utf8_lossy(append.lines.get(line).unwrap_or_default()).into_owned(),
                },
                None => self.refuse(reason),
            });
        }
        Ok(answers)
    }

    fn append_open(&mut self, mut open: OpenAction, append: Append) -> Result<Vec<EntryAnswer>, StoreError> {
        let (append_id, before) = (append.action, open);
        let mut answers = Vec::with_capacity(append.marks.len());
        for mark in &append.marks {
            answers.push(self.admit(&mut open, mark, &append)?);
        }
        let added = open.n_entries() - before.n_entries();
        open.active = append.steady.max(open.active);
        open.active_at = append.received_at;
        open.unreckoned |= added > 0;
        self.touch(append.action, Some(open));
        if added > 0 {
            let chunk = Pending {
                action_no: open.no,
                first_seq: before.n_entries(),
                n_steps: open.n_steps - before.n_steps,
                n_observations: open.n_observations - before.n_observations,
                received_at: append.received_at,
                bytes: lines::stored(append, &answers),
            };
            self.join(append_id, chunk)?;
        }
        Ok(answers)
    }

    /// Decides about one entry and counts it.
    pub(super) fn admit(
        &mut self,
        open: &mut OpenAction,
        mark: &EntryMark,
        limits: &Append,
    ) -> Result<EntryAnswer, StoreError> {
        if let Some(key) = mark.key
            && let Some(known) = self.known_key(open.no, key)?
        {
            return Ok(known);
        }
        let full = open.n_entries() >= limits.entries_max
            || (mark.kind == EntryKind::Step && open.n_steps >= limits.steps_max);
        if full {
            return Ok(self.refuse(RefusalReason::ActionFull));
        }
        if mark.grounds.is_some_and(|step| step >= open.n_steps) {
            return Ok(self.refuse(RefusalReason::UnknownStep));
        }
        let seq = open.n_entries();
        if let Some(key) = mark.key {
            let mut statement = self.tx.prepare_cached("INSERT INTO entry_keys VALUES (?1, ?2, ?3)")?;
            statement.execute(params![open.no, key, seq.cast_signed()])?;
        }
        match mark.kind {
            EntryKind::Step => {
                open.n_steps += 1;
                self.counters.totals.steps += 1;
            }
            EntryKind::Observation => {
                open.n_observations += 1;
                self.counters.totals.observations += 1;
            }
        }
        Ok(EntryAnswer::Stored { seq, repeat: false })
    }

    fn refuse(&mut self, reason: RefusalReason) -> EntryAnswer {
        self.counters.refuse(reason, 1);
        EntryAnswer::Refused(reason)
    }

    /// The first answer to a client's key, counted as a repeat.
    pub(super) fn known_key(&mut self, action_no: i64, key: [u8; 16]) -> Result<Option<EntryAnswer>, StoreError> {
        let mut statement = self.tx.prepare_cached("SELECT seq FROM entry_keys WHERE action_no = ?1 AND key = ?2")?;
        let seq = statement.query_row(params![action_no, key], |row| row.get::<_, i64>(0)).optional()?;
        if seq.is_some() {
            self.counters.totals.repeated += 1;
            self.counters.dirty = true;
        }
        Ok(seq.map(|seq| EntryAnswer::Stored { seq: seq.cast_unsigned(), repeat: true }))
    }

    /// Adds to the chunk that this commit makes of the action's entries; starts another where it would grow too large.
    fn join(&mut self, id: ActionId, chunk: Pending) -> Result<(), StoreError> {
        match self.pending.entry(id) {
            MapEntry::Vacant(place) => {
                place.insert(chunk);
                Ok(())
            }
            MapEntry::Occupied(mut place) if place.get().bytes.len() + chunk.bytes.len() <= SEGMENT_BYTES_MAX => {
                let pending = place.get_mut();
                pending.bytes.extend_from_slice(&chunk.bytes);
                pending.n_steps += chunk.n_steps;
                pending.n_observations += chunk.n_observations;
                pending.received_at = chunk.received_at;
                Ok(())
            }
            MapEntry::Occupied(mut place) => {
                let full = place.insert(chunk);
                self.insert_chunk(id, full)
            }
        }
    }

    fn insert_chunk(&mut self, id: ActionId, chunk: Pending) -> Result<(), StoreError> {
        let open = self.index.get(id).ok_or(StoreError::Bug("ST-3: a chunk's action is open"))?;
        let no = self.write_chunk(&chunk, open.last_chunk)?;
        self.touch(id, Some(OpenAction { last_chunk: no, ..open }));
        Ok(())
    }

    fn write_chunk(&mut self, chunk: &Pending, previous: i64) -> Result<i64, StoreError> {
        self.counters.totals.last_chunk += 1;
        let no = self.counters.totals.last_chunk;
        let mut statement = self.tx.prepare_cached("INSERT INTO chunks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
        statement.execute(params![
            no,
            chunk.action_no,
            previous,
            chunk.first_seq.cast_signed(),
            chunk.n_steps.cast_signed(),
            chunk.n_observations.cast_signed(),
            chunk.received_at.micros(),
            checksum(&chunk.bytes),
            chunk.bytes,
        ])?;
        self.written += chunk.bytes.len() + 64;
        Ok(no)
    }

    /// Stores one late observation of a closed action behind its last late chunk; answers the new chunk's number.
    pub(super) fn append_late(&mut self, closed: OpenAction, late: &Append) -> Result<i64, StoreError> {
        let chunk = Pending {
            action_no: closed.no,
            first_seq: closed.n_entries() - 1,
            n_steps: 0,
            n_observations: 1,
            received_at: late.received_at,
            bytes: late.lines.clone(),
        };
        self.write_chunk(&chunk, closed.last_chunk)
    }

    fn reckon(&mut self) -> Result<(), StoreError> {
        for (id, open) in self.index.unreckoned() {
            let mut statement = self.tx.prepare_cached(
                "UPDATE actions SET n_steps = ?2, n_observations = ?3, last_chunk = ?4, active_at = ?5 WHERE no = ?1",
            )?;
            let (steps, observations) = (open.n_steps.cast_signed(), open.n_observations.cast_signed());
            statement.execute(params![open.no, steps, observations, open.last_chunk, open.active_at.micros()])?;
            self.touch(id, Some(OpenAction { unreckoned: false, ..open }));
        }
        self.counters.totals.reckoned_chunk = self.counters.totals.last_chunk;
        Ok(())
    }
}
