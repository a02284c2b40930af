//! SQLite behind the [`Store`] trait: one writer, any number of readers, WAL with an fsync at every commit.

mod commit;
mod counters;
mod deliver;
mod index;
mod learned;
mod lines;
mod open;
mod query;
mod read;
mod rows;
mod seal;
mod verify;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use accredit_model::{Action, ActionId, ActionType, Stats, Timestamp, Version};
use rusqlite::Connection;

use crate::{
    Answer, Chain, DeadLetter, Due, Filter, IdleFrom, LearningState, Oldest, Sizes, Store, StoreError,
    StoredAttribution, StoredModel, VerifyReport, Write,
};
use counters::Counters;
use index::Index;
use open::Durability;
use query::ActionRow;

/// The version of the schema that this build writes. Older ones are migrated on opening.
pub const SCHEMA_VERSION: u32 = 3;

/// Idle reading connections that are kept.
const READERS_MAX: usize = 4;

/// Bytes in the write-ahead log from which on it is emptied into the file. Few enough that the log stays in memory,
/// many enough that a page which is written again and again is moved once.
const UNMOVED_BYTES_MAX: usize = 4 << 20;

/// Passive: waits for nobody. A long reader leaves a rest in the log for the next time.
const MOVE_LOG: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    durability: Durability,
    /// Held by a writing store until it is closed.
    lock: Mutex<Option<File>>,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
    /// Empties the write-ahead log beside the writer; opened when it is first wanted.
    mover: Mutex<Option<Connection>>,
}

/// What the one writer owns. A reading store has one too, for its index, and never writes with it.
#[derive(Debug)]
struct Writer {
    conn: Connection,
    index: Index,
    counters: Counters,
    /// Bytes committed since the write-ahead log was last emptied, about.
    unmoved_bytes: usize,
    /// SQLite's mark of other processes' commits, for a reading store.
    data_version: i64,
}

impl SqliteStore {
    /// Opens the store for writing; makes it where there is none.
    ///
    /// # Errors
    /// When another process writes to it, it is read-only, no store, of a newer schema, or damaged.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        open::writable(path, Durability::Full)
    }

    /// The same without waiting for the disk: no answer says that anything is durable, and a loss of power may leave a
    /// damaged file. For a store that is deleted when its process ends.
    ///
    /// # Errors
    /// As for [`SqliteStore::open`].
    pub fn open_ephemeral(path: &Path) -> Result<Self, StoreError> {
        open::writable(path, Durability::Ephemeral)
    }

    /// Opens the store for reading, beside a process that writes to it.
    ///
    /// # Errors
    /// When there is none, it is no store, of another schema, or damaged.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        open::readable(path)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A panic inside a commit has rolled the transaction back when the connection's guard was dropped, and the
        // index is restored before the lock is given up, so the state behind a poisoned lock is sound.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_writing(&self) -> bool {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The writer, with its index up to date: a reading store looks whether another process has committed.
    fn fresh(&self) -> Result<MutexGuard<'_, Writer>, StoreError> {
        let mut writer = self.writer();
        if !self.is_writing() {
            writer.refresh()?;
        }
        Ok(writer)
    }

    /// The actions of rows that have just been read. A row that says open where the index knows of nothing was read
    /// before the action was closed: it counts nothing yet, and is read again.
    fn with_index(&self, rows: Vec<ActionRow>) -> Result<Vec<Action>, StoreError> {
        let writer = self.fresh()?;
        let actions: Vec<(Action, bool)> = rows.into_iter().map(|row| row.with_index(&writer.index)).collect();
        drop(writer);
        let again = |(action, is_current): (Action, bool)| match is_current {
            true => Ok(action),
            false => Ok(self.read(|conn| query::action(conn, action.action_id, None))?.unwrap_or(action)),
        };
        actions.into_iter().map(again).collect()
    }

    /// Runs a query on a reading connection.
    fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match pooled {
            Some(conn) => conn,
            None => open::reader(&self.path)?,
        };
        let result = query(&conn);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_MAX {
            readers.push(conn);
        }
        result
    }
}

impl Store for SqliteStore {
    fn commit(&self, batch: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
        let mut writer = self.writer();
        if !self.is_writing() {
            return Err(StoreError::ReadOnly);
        }
        writer.commit(batch)
    }

    fn is_maintenance_due(&self) -> bool {
        self.writer().unmoved_bytes >= UNMOVED_BYTES_MAX
    }

    fn maintain(&self) -> Result<(), StoreError> {
        if !self.is_writing() {
            return Ok(());
        }
        // Most of it beside the commits; then the little that they have added, so that the log begins anew.
        let mut mover = self.mover.lock().unwrap_or_else(PoisonError::into_inner);
        let conn = match &mut *mover {
            Some(conn) => conn,
            none => none.insert(open::mover(&self.path, self.durability)?),
        };
        conn.query_row(MOVE_LOG, [], |_| Ok(()))?;
        drop(mover);
        self.writer().move_log()
    }

    fn close(&self) -> Result<(), StoreError> {
        let mut writer = self.writer();
        if !self.is_writing() {
            return Ok(());
        }
        let closed = writer.close();
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.mover.lock().unwrap_or_else(PoisonError::into_inner) = None;
        closed
    }

    fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError> {
        let open = self.fresh()?.index.get(id);
        self.read(|conn| query::action(conn, id, open))
    }

    fn chain(&self, id: ActionId) -> Result<Option<Chain>, StoreError> {
        let open = self.fresh()?.index.get(id);
        self.read(|conn| read::chain(conn, id, open))
    }

    fn attribution(&self, id: ActionId, version: Option<Version>) -> Result<Option<StoredAttribution>, StoreError> {
        self.read(|conn| read::attribution(conn, id, version))
    }

    fn attributions_after(&self, cursor: u64, limit: usize) -> Result<Vec<StoredAttribution>, StoreError> {
        self.read(|conn| read::attributions_after(conn, cursor, limit))
    }

    fn attribution_at(&self, cursor: u64) -> Result<Option<StoredAttribution>, StoreError> {
        Ok(self.attributions_after(cursor.saturating_sub(1), 1)?.into_iter().find(|found| found.cursor == cursor))
    }

    fn list(
        &self,
        filter: &Filter,
        limit: usize,
        before: Option<u64>,
    ) -> Result<(Vec<Action>, Option<u64>), StoreError> {
        let mut rows = self.read(|conn| query::list(conn, filter, limit, before))?;
        let next = (rows.len() > limit).then(|| rows.get(limit.saturating_sub(1)).map(|row| row.no)).flatten();
        rows.truncate(limit);
        Ok((self.with_index(rows)?, next))
    }

    fn children(&self, id: ActionId) -> Result<Vec<Action>, StoreError> {
        let rows = self.read(|conn| query::children(conn, id))?;
        self.with_index(rows)
    }

    fn idle(&self, from: IdleFrom, before: Timestamp, limit: usize) -> Result<Vec<ActionId>, StoreError> {
        Ok(self.fresh()?.index.idle(from, before, limit))
    }

    fn oldest_open(&self, oldest: Oldest) -> Result<Option<ActionId>, StoreError> {
        Ok(self.fresh()?.index.oldest(oldest))
    }

    fn accepted(&self) -> Result<Vec<(ActionId, Vec<u8>)>, StoreError> {
        self.read(read::accepted)
    }

    fn stats(&self) -> Result<Stats, StoreError> {
        Ok(self.fresh()?.counters.stats())
    }

    fn register_sink(&self, name: &str) -> Result<u64, StoreError> {
        let mut writer = self.writer();
        if !self.is_writing() {
            return Err(StoreError::ReadOnly);
        }
        writer.register_sink(name)
    }

    fn due(&self, sink: &str, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.read(|conn| deliver::due(conn, sink, now, limit))
    }

    fn dead_letters(&self) -> Result<Vec<DeadLetter>, StoreError> {
        self.read(deliver::dead_letters)
    }

    fn learning_state(&self) -> Result<LearningState, StoreError> {
        self.read(learned::state)
    }

    fn learned_types(&self) -> Result<Vec<ActionType>, StoreError> {
        self.read(learned::types)
    }

    fn learner(&self, action_type: &ActionType) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|conn| learned::learner(conn, action_type))
    }

    fn models(&self, action_type: &ActionType, limit: usize) -> Result<Vec<StoredModel>, StoreError> {
        self.read(|conn| learned::models(conn, action_type, limit))
    }

    fn forgotten(&self) -> Result<Vec<ActionId>, StoreError> {
        self.read(learned::forgotten)
    }

    fn verify(
        &self,
        check: &dyn Fn(&Action, &Chain, &StoredAttribution) -> Option<String>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<VerifyReport, StoreError> {
        verify::verify(self, check, progress)
    }

    fn sizes(&self) -> Result<Sizes, StoreError> {
        self.read(|conn| query::sizes(conn, &self.path))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Best effort: whatever stays in the write-ahead log is replayed at the next opening.
        drop(Store::close(self));
    }
}

#[cfg(test)]
mod tests;
