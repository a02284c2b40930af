//! Rows of the actions table, as the writer needs them.

use accredit_model::{ActionId, Status, Timestamp, Verdict, Version};
use rusqlite::{Connection, OptionalExtension, params};

use super::counters::status_code;
use super::index::OpenAction;
use crate::{NewAction, StoreError};

/// The moving part of an action's row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moving {
    pub(super) no: i64,
    pub(super) status: Status,
    pub(super) version: Version,
    pub(super) n_steps: u64,
    pub(super) n_observations: u64,
    pub(super) last_chunk: i64,
}

impl Moving {
    /// The closed action in the shape that admits entries.
    pub(super) fn as_open(self) -> OpenAction {
        OpenAction {
            no: self.no,
            n_steps: self.n_steps,
            n_observations: self.n_observations,
            last_chunk: self.last_chunk,
            active: Timestamp::default(),
            active_at: Timestamp::default(),
            begun: Timestamp::default(),
            frozen: false,
            unreckoned: false,
        }
    }
}

pub(super) fn find(conn: &Connection, id: ActionId) -> Result<Option<Moving>, StoreError> {
    let mut statement = conn
        .prepare_cached("SELECT no, status, version, n_steps, n_observations, last_chunk FROM actions WHERE id = ?1")?;
    let mut rows = statement.query(params![id.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Moving {
        no: row.get(0)?,
        status: status_from(row.get(1)?)?,
        version: row.get(2)?,
        n_steps: row.get::<_, i64>(3)?.cast_unsigned(),
        n_observations: row.get::<_, i64>(4)?.cast_unsigned(),
        last_chunk: row.get(5)?,
    }))
}

pub(super) fn has_children(conn: &Connection, id: ActionId) -> Result<bool, StoreError> {
    let mut statement = conn.prepare_cached("SELECT 1 FROM actions WHERE parent_id = ?1 LIMIT 1")?;
    Ok(statement.exists(params![id.as_bytes()])?)
}

pub(super) fn parent(conn: &Connection, id: ActionId) -> Result<Option<ActionId>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT parent_id FROM actions WHERE id = ?1")?;
    let parent = statement.query_row(params![id.as_bytes()], |row| row.get::<_, Option<[u8; 16]>>(0)).optional()?;
    Ok(parent.flatten().map(ActionId::from_bytes))
}

pub(super) fn insert_action(conn: &Connection, new: &NewAction, parent_steps: Option<u64>) -> Result<i64, StoreError> {
    let spec = serde_json::to_string(&new.spec).map_err(|_| StoreError::Bug("ST-5: a specification is JSON"))?;
    let mut statement = conn.prepare_cached(
        "INSERT INTO actions (id, agent_id, action_type, goal_id, parent_id, parent_step_count, spec, begun_at,
             received_at, status, n_steps, n_observations, last_chunk, active_at, version, n_blocks)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0, 0, ?9, 0, 0)",
    )?;
    statement.execute(params![
        new.id.as_bytes(),
        new.agent_id.as_str(),
        new.action_type.as_str(),
        new.goal_id.as_ref().map(accredit_model::GoalId::as_str),
        new.parent.as_ref().map(ActionId::as_bytes),
        parent_steps.map(u64::cast_signed),
        spec,
        new.begun_at.micros(),
        new.received_at.micros(),
    ])?;
    Ok(conn.last_insert_rowid())
}

/// The status that a column's number stands for.
pub(super) fn status_from(code: i64) -> Result<Status, StoreError> {
    let closed = accredit_model::Closing::ALL.into_iter().map(Status::Closed);
    std::iter::once(Status::Open)
        .chain(closed)
        .find(|status| status_code(*status) == code)
        .ok_or_else(|| StoreError::corrupt(format!("an action's status ({code})")))
}

/// The number that stands for a verdict in its column.
pub(super) const fn verdict_code(verdict: Verdict) -> i64 {
    match verdict {
        Verdict::Success => 0,
        Verdict::Partial => 1,
        Verdict::Failure => 2,
        Verdict::Unknown => 3,
    }
}

pub(super) fn verdict_from(code: i64) -> Result<Verdict, StoreError> {
    let found = Verdict::ALL.into_iter().find(|verdict| verdict_code(*verdict) == code);
    found.ok_or_else(|| StoreError::corrupt(format!("an action's verdict ({code})")))
}

/// Whether a store has a table: one of an older schema that is only read lacks those that came later.
pub(super) fn has_table(conn: &Connection, name: &str) -> Result<bool, StoreError> {
    let mut statement = conn.prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?;
    Ok(statement.exists(params![name])?)
}
