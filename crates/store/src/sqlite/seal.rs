//! Closing and amending: sealed chains, attributions, late observations.

use accredit_model::{Closing, RefusalReason, Status};
use rusqlite::params;

use super::commit::Batch;
use super::counters::status_code;
use super::index::OpenAction;
use super::rows;
use crate::chain::{checksum, compress};
use crate::{Amend, Answer, Close, EntryAnswer, NewAttribution, StoreError};

/// An attribution whose JSON is longer than this is compressed.
const PLAIN_BYTES_MAX: usize = 2048;

impl Batch<'_> {
    pub(super) fn close(&mut self, close: Close) -> Result<Answer, StoreError> {
        let Some(open) = self.index.get(close.action) else { return Ok(Answer::Busy) };
        if !open.frozen || open.n_entries() != close.sealed.n_entries() {
            return Ok(Answer::Busy);
        }
        let first_block = self.write_blocks(open.no, &close)?;
        self.delete_chunks(&close.sealed.chunks)?;
        let mut statement = self.tx.prepare_cached(
            "UPDATE actions SET status = ?2, n_steps = ?3, n_observations = ?4, last_chunk = 0, active_at = ?5,
                 closed_at = ?6, duration_micros = ?7, first_block = ?8, n_blocks = ?9 WHERE no = ?1",
        )?;
        statement.execute(params![
            open.no,
            status_code(Status::Closed(close.closing)),
            open.n_steps.cast_signed(),
            open.n_observations.cast_signed(),
            close.received_at.micros(),
            close.closed_at.micros(),
            close.duration_micros,
            first_block,
            close.sealed.blocks.len() as i64,
        ])?;
        drop(statement);
        let mut statement = self.tx.prepare_cached("DELETE FROM accepted WHERE action_no = ?1")?;
        statement.execute(params![open.no])?;
        drop(statement);
        self.touch(close.action, None);
        *self.counters.totals.closed_mut(close.closing) += 1;
        let cursor = self.write_attribution(open.no, &close.attribution)?;
        Ok(Answer::Attributed { cursor: Some(cursor), late: None })
    }

    /// Writes the compressed chain; answers the number of its first block.
    fn write_blocks(&mut self, action_no: i64, close: &Close) -> Result<i64, StoreError> {
        let first = self.counters.totals.last_block + 1;
        let mut statement = self.tx.prepare_cached("INSERT INTO blocks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        for block in &close.sealed.blocks {
            self.counters.totals.last_block += 1;
            statement.execute(params![
                self.counters.totals.last_block,
                action_no,
                block.first_seq.cast_signed(),
                block.n.cast_signed(),
                block.raw_len as i64,
                block.checksum,
                block.bytes,
            ])?;
            self.written += block.bytes.len() + 64;
        }
        self.written += 512;
        Ok(first)
    }

    /// Deletes the chunks that a seal replaces, run by run.
    fn delete_chunks(&mut self, chunks: &[i64]) -> Result<(), StoreError> {
        let mut statement = self.tx.prepare_cached("DELETE FROM chunks WHERE no BETWEEN ?1 AND ?2")?;
        for run in chunks.chunk_by(|a, b| *b == a + 1) {
            if let [first, ..] = run {
                statement.execute(params![first, first + run.len() as i64 - 1])?;
            }
        }
        Ok(())
    }

    fn write_attribution(&mut self, action_no: i64, new: &NewAttribution) -> Result<u64, StoreError> {
        self.counters.totals.experiences += 1;
        let cursor = self.counters.totals.experiences;
        let raw_bytes = new.body.len();
        let compressed = if raw_bytes > PLAIN_BYTES_MAX { Some(compress(&new.body)?) } else { None };
        let bytes = compressed.as_deref().unwrap_or(&new.body);
        let mut statement = self.tx.prepare_cached("INSERT INTO attributions VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        statement.execute(params![
            cursor.cast_signed(),
            action_no,
            new.version,
            // 0 says that the bytes are the JSON itself.
            if compressed.is_some() { raw_bytes as i64 } else { 0 },
            checksum(bytes),
            bytes,
        ])?;
        let mut statement = self.tx.prepare_cached(
            "UPDATE actions SET outcome = ?2, reward = ?3, version = ?4, score = ?5, verdict = ?6 WHERE no = ?1",
        )?;
        let verdict = rows::verdict_code(new.verdict);
        statement.execute(params![action_no, new.outcome, new.reward, new.version, new.score, verdict])?;
        self.written += bytes.len() + 128;
        Ok(cursor)
    }

    pub(super) fn amend(&mut self, amend: Amend) -> Result<Answer, StoreError> {
        let Some(row) = rows::find(self.tx, amend.action)? else {
            return Ok(Answer::Refused(RefusalReason::UnknownAction));
        };
        if let Some(key) = amend.late.as_ref().and_then(|late| late.marks.first()).and_then(|mark| mark.key)
            && let Some(known) = self.known_key(row.no, key)?
        {
            return Ok(Answer::Attributed { cursor: None, late: Some(known) });
        }
        let Status::Closed(closing) = row.status else { return Ok(Answer::Busy) };
        if row.version != amend.expect_version || row.n_steps + row.n_observations != amend.expect_entries {
            return Ok(Answer::Busy);
        }
        let late = match &amend.late {
            Some(late) => Some(self.amend_late(row.as_open(), late)?),
            None => None,
        };
        if let Some(EntryAnswer::Refused(_)) = late {
            return Ok(Answer::Attributed { cursor: None, late });
        }
        let cursor = match &amend.attribution {
            Some(attribution) => {
                self.counters.totals.revisions += 1;
                Some(self.write_attribution(row.no, attribution)?)
            }
            None => None,
        };
        if let Some((closed_at, duration_micros)) = amend.completed {
            *self.counters.totals.closed_mut(closing) -= 1;
            *self.counters.totals.closed_mut(Closing::Completed) += 1;
            let mut statement = self
                .tx
                .prepare_cached("UPDATE actions SET status = ?2, closed_at = ?3, duration_micros = ?4 WHERE no = ?1")?;
            let status = status_code(Status::Closed(Closing::Completed));
            statement.execute(params![row.no, status, closed_at.micros(), duration_micros])?;
            self.written += 64;
        }
        Ok(Answer::Attributed { cursor, late })
    }

    fn amend_late(&mut self, mut closed: OpenAction, late: &crate::Append) -> Result<EntryAnswer, StoreError> {
        let Some(mark) = late.marks.first() else { return Err(StoreError::Bug("ST-4: a late append has one entry")) };
        let answer = self.admit(&mut closed, mark, late)?;
        if matches!(answer, EntryAnswer::Stored { .. }) {
            let chunk = self.append_late(closed, late)?;
            let mut statement = self.tx.prepare_cached(
                "UPDATE actions SET n_observations = ?2, last_chunk = ?3, active_at = ?4 WHERE no = ?1",
            )?;
            let n_observations = closed.n_observations.cast_signed();
            statement.execute(params![closed.no, n_observations, chunk, late.received_at.micros()])?;
        }
        Ok(answer)
    }
}
