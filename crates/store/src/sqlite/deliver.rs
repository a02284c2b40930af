//! What sinks have taken, what failed, what is dead.

use accredit_model::{ActionId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::Writer;
use super::commit::Batch;
use crate::{Answer, DeadLetter, Deliveries, Due, Fate, StoreError};

impl Batch<'_> {
    pub(super) fn deliveries(&mut self, deliveries: &Deliveries) -> Result<Answer, StoreError> {
        let sink = deliveries.sink.as_str();
        let Some(mut state) = self.counters.sinks.get(sink).copied() else {
            return Err(StoreError::Bug("ST-6: a sink is registered before it delivers"));
        };
        for delivery in &deliveries.outcomes {
            let cursor = delivery.cursor.cast_signed();
            let mut statement =
                self.tx.prepare_cached("DELETE FROM failures WHERE sink = ?1 AND cursor = ?2 RETURNING dead")?;
            match statement.query_row(params![sink, cursor], |row| row.get::<_, bool>(0)).optional()? {
                Some(true) => state.dead -= 1,
                Some(false) => state.retrying -= 1,
                None => {}
            }
            let (attempts, dead, at, error) = match &delivery.fate {
                Fate::Delivered => {
                    state.delivered += 1;
                    continue;
                }
                Fate::Retry { attempts, due_at, error } => (attempts, false, due_at, error),
                Fate::Dead { attempts, failed_at, error } => (attempts, true, failed_at, error),
            };
            *(if dead { &mut state.dead } else { &mut state.retrying }) += 1;
            let mut statement = self.tx.prepare_cached("INSERT INTO failures VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            statement.execute(params![sink, cursor, attempts, dead, at.micros(), error])?;
        }
        state.taken_to = deliveries.taken_to.unwrap_or(state.taken_to).max(state.taken_to);
        let mut statement = self.tx.prepare_cached("UPDATE sinks SET taken_to = ?2, delivered = ?3 WHERE name = ?1")?;
        statement.execute(params![sink, state.taken_to.cast_signed(), state.delivered.cast_signed()])?;
        self.counters.sinks.insert(sink.to_owned(), state);
        self.written += 256;
        Ok(Answer::Done)
    }

    pub(super) fn replay(&mut self, sink: Option<&str>, due_at: Timestamp) -> Result<Answer, StoreError> {
        let mut replayed = 0;
        for (name, state) in &mut self.counters.sinks {
            if sink.is_some_and(|sink| sink != name) {
                continue;
            }
            let mut statement = self
                .tx
                .prepare_cached("UPDATE failures SET dead = 0, attempts = 0, at = ?2 WHERE sink = ?1 AND dead = 1")?;
            let n = statement.execute(params![name, due_at.micros()])? as u64;
            state.dead -= n;
            state.retrying += n;
            replayed += n;
        }
        self.written += usize::from(replayed > 0);
        Ok(Answer::Count(replayed))
    }
}

impl Writer {
    pub(super) fn register_sink(&mut self, name: &str) -> Result<u64, StoreError> {
        self.conn.execute("INSERT INTO sinks VALUES (?1, 0, 0) ON CONFLICT DO NOTHING", params![name])?;
        Ok(self.counters.sinks.entry(name.to_owned()).or_default().taken_to)
    }
}

pub(super) fn due(conn: &Connection, sink: &str, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT cursor, attempts FROM failures WHERE sink = ?1 AND dead = 0 AND at <= ?2 ORDER BY cursor LIMIT ?3",
    )?;
    let rows = statement.query_map(params![sink, now.micros(), limit as i64], |row| {
        Ok(Due { cursor: row.get::<_, i64>(0)?.cast_unsigned(), attempts: row.get(1)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn dead_letters(conn: &Connection) -> Result<Vec<DeadLetter>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT f.sink, f.cursor, a.id, t.version, f.attempts, f.error, f.at
         FROM failures f JOIN attributions t ON t.cursor = f.cursor JOIN actions a ON a.no = t.action_no
         WHERE f.dead = 1 ORDER BY f.sink, f.cursor",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(DeadLetter {
            sink: row.get(0)?,
            cursor: row.get::<_, i64>(1)?.cast_unsigned(),
            action_id: ActionId::from_bytes(row.get(2)?),
            version: row.get(3)?,
            attempts: row.get(4)?,
            error: row.get(5)?,
            failed_at: Timestamp::from_micros(row.get(6)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
