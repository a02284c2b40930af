//! What was learned of the actions: learners, models, what is to be forgotten.

use accredit_model::{ActionId, ActionType, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::commit::Batch;
use super::rows;
use crate::learned::{Before, Learned, LearningState, NewModel, Packed, StoredModel};
use crate::{Answer, StoreError};

/// The row of the state table. The writer's name is a text, because SQLite has no unsigned integers.
#[derive(Serialize, Deserialize)]
struct StateRow {
    writer: String,
    format: u32,
    taken_to: u64,
}

impl Batch<'_> {
    pub(super) fn learned(&mut self, learned: &Learned) -> Result<Answer, StoreError> {
        if learned.before == Before::Dropped {
            self.tx.execute_batch("DELETE FROM learners; DELETE FROM models")?;
        }
        for (action_type, packed) in &learned.learners {
            let mut statement = self.tx.prepare_cached("REPLACE INTO learners VALUES (?1, ?2, ?3, ?4)")?;
            statement.execute(params![action_type.as_str(), packed.raw_len as i64, packed.checksum, packed.bytes])?;
            self.written += packed.bytes.len() + 64;
        }
        for model in &learned.models {
            self.model(model, learned.models_max)?;
        }
        for action in &learned.forgotten {
            let mut statement = self.tx.prepare_cached("INSERT INTO forgotten VALUES (?1) ON CONFLICT DO NOTHING")?;
            statement.execute(params![action.as_bytes()])?;
        }
        let LearningState { writer, format, taken_to } = learned.state;
        let row = StateRow { writer: format!("{writer:016x}"), format, taken_to };
        let text = serde_json::to_string(&row).map_err(|_| StoreError::Bug("ST-7: the state of learning is JSON"))?;
        self.tx
            .prepare_cached("INSERT INTO state VALUES ('learning', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1")?
            .execute(params![text])?;
        self.written += 128;
        Ok(Answer::Done)
    }

    fn model(&mut self, model: &NewModel, models_max: u32) -> Result<(), StoreError> {
        let mut statement = self.tx.prepare_cached("REPLACE INTO models VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
        statement.execute(params![
            model.action_type.as_str(),
            model.version.cast_signed(),
            model.created_at.micros(),
            model.n_actions.cast_signed(),
            model.method,
            model.packed.raw_len as i64,
            model.packed.checksum,
            model.packed.bytes,
        ])?;
        let mut statement = self.tx.prepare_cached(
            "DELETE FROM models WHERE action_type = ?1 AND version NOT IN
             (SELECT version FROM models WHERE action_type = ?1 ORDER BY version DESC LIMIT ?2)",
        )?;
        statement.execute(params![model.action_type.as_str(), models_max])?;
        self.written += model.packed.bytes.len() + 128;
        Ok(())
    }
}

/// A store of schema 1 that was not brought up to date yet: nothing was learned.
fn is_without(conn: &Connection) -> Result<bool, StoreError> {
    Ok(!rows::has_table(conn, "learners")?)
}

pub(super) fn state(conn: &Connection) -> Result<LearningState, StoreError> {
    let text = conn.query_row("SELECT value FROM state WHERE name = 'learning'", [], |row| row.get::<_, String>(0));
    let Some(text) = text.optional()? else { return Ok(LearningState::default()) };
    let damaged = || StoreError::corrupt("the state of learning");
    let row: StateRow = serde_json::from_str(&text).map_err(|_| damaged())?;
    let writer = u64::from_str_radix(&row.writer, 16).map_err(|_| damaged())?;
    Ok(LearningState { writer, format: row.format, taken_to: row.taken_to })
}

pub(super) fn types(conn: &Connection) -> Result<Vec<ActionType>, StoreError> {
    if is_without(conn)? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached("SELECT action_type FROM learners ORDER BY action_type")?;
    let types = statement.query_map([], |row| row.get::<_, String>(0).map(ActionType::from))?;
    Ok(types.collect::<Result<_, _>>()?)
}

pub(super) fn learner(conn: &Connection, action_type: &ActionType) -> Result<Option<Vec<u8>>, StoreError> {
    if is_without(conn)? {
        return Ok(None);
    }
    let mut statement =
        conn.prepare_cached("SELECT raw_bytes, checksum, bytes FROM learners WHERE action_type = ?1")?;
    let mut rows = statement.query(params![action_type.as_str()])?;
    rows.next()?.map(|row| unpack(row, 0, || format!("what was learned of `{action_type}`"))).transpose()
}

/// The newest first.
pub(super) fn models(
    conn: &Connection,
    action_type: &ActionType,
    limit: usize,
) -> Result<Vec<StoredModel>, StoreError> {
    if is_without(conn)? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT version, created_at, n_actions, method, raw_bytes, checksum, bytes FROM models
         WHERE action_type = ?1 ORDER BY version DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![action_type.as_str(), i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut models = Vec::new();
    while let Some(row) = rows.next()? {
        let version = row.get::<_, i64>(0)?.cast_unsigned();
        models.push(StoredModel {
            version,
            created_at: Timestamp::from_micros(row.get(1)?),
            n_actions: row.get::<_, i64>(2)?.cast_unsigned(),
            method: row.get(3)?,
            bytes: unpack(row, 4, || format!("model {version} of `{action_type}`"))?,
        });
    }
    Ok(models)
}

pub(super) fn forgotten(conn: &Connection) -> Result<Vec<ActionId>, StoreError> {
    if is_without(conn)? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached("SELECT action_id FROM forgotten ORDER BY action_id")?;
    let ids = statement.query_map([], |row| row.get(0).map(ActionId::from_bytes))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Length, checksum and bytes, from this column on.
fn unpack(row: &Row<'_>, first: usize, what: impl Fn() -> String) -> Result<Vec<u8>, StoreError> {
    let bytes = row.get_ref(first + 2)?.as_blob().map_err(|_| StoreError::corrupt(what()))?;
    Packed::unpack(row.get(first)?, row.get(first + 1)?, bytes, &what())
}
