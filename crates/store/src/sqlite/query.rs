//! Actions read back: one, a list, the children of one.

use std::path::Path;

use accredit_model::{Action, ActionId, Status, Timestamp};
use rusqlite::{Connection, Row, ToSql, params};

use super::counters::status_code;
use super::index::{Index, OpenAction};
use super::rows::{status_from, verdict_code, verdict_from};
use crate::{ActionSpec, Filter, Sizes, StoreError};

const COLUMNS: &str = "no, id, agent_id, action_type, goal_id, parent_id, parent_step_count, spec, begun_at, active_at,
    status, n_steps, n_observations, closed_at, duration_micros, outcome, reward, version, score, verdict";

/// An action as its row tells it: while it is open, the index knows better how far it is.
pub(super) struct ActionRow {
    pub(super) no: u64,
    action: Action,
}

impl ActionRow {
    /// The action, and whether row and index agree that it is open or that it is not.
    pub(super) fn with_index(self, index: &Index) -> (Action, bool) {
        let open = index.get(self.action.action_id);
        let is_current = self.action.status != Status::Open || open.is_some();
        (self.with(open), is_current)
    }

    fn with(mut self, open: Option<OpenAction>) -> Action {
        if let (Status::Open, Some(open)) = (self.action.status, open) {
            self.action.step_count = open.n_steps;
            self.action.observation_count = open.n_observations;
            self.action.last_activity_at = open.active_at;
        }
        self.action
    }
}

pub(super) fn action(conn: &Connection, id: ActionId, open: Option<OpenAction>) -> Result<Option<Action>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM actions WHERE id = ?1"))?;
    let mut rows = statement.query(params![id.as_bytes()])?;
    match rows.next()? {
        Some(row) => Ok(Some(read_row(row)?.with(open))),
        None => Ok(None),
    }
}

pub(super) fn children(conn: &Connection, id: ActionId) -> Result<Vec<ActionRow>, StoreError> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM actions WHERE parent_id = ?1 ORDER BY no"))?;
    let rows = statement.query(params![id.as_bytes()])?;
    read_rows(rows)
}

/// One row more than the limit where there are more.
pub(super) fn list(
    conn: &Connection,
    filter: &Filter,
    limit: usize,
    before: Option<u64>,
) -> Result<Vec<ActionRow>, StoreError> {
    let mut conditions = vec!["no < ?".to_owned()];
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(before.map_or(i64::MAX, u64::cast_signed))];
    let mut add = |condition: &str, value: Option<Box<dyn ToSql>>| {
        if let Some(value) = value {
            conditions.push(condition.to_owned());
            values.push(value);
        }
    };
    let text = |text: &str| Some(Box::new(text.to_owned()) as Box<dyn ToSql>);
    let number = |number: i64| Some(Box::new(number) as Box<dyn ToSql>);
    add("agent_id = ?", filter.agent_id.as_ref().and_then(|id| text(id.as_str())));
    add("action_type = ?", filter.action_type.as_ref().and_then(|id| text(id.as_str())));
    add("goal_id = ?", filter.goal_id.as_ref().and_then(|id| text(id.as_str())));
    add("status = ?", filter.status.and_then(|status| number(status_code(status))));
    add("verdict = ?", filter.verdict.and_then(|verdict| number(verdict_code(verdict))));
    add("begun_at >= ?", filter.from.and_then(|time| number(time.micros())));
    add("begun_at < ?", filter.to.and_then(|time| number(time.micros())));
    values.push(Box::new(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)));
    let conditions = conditions.join(" AND ");
    let sql = format!("SELECT {COLUMNS} FROM actions WHERE {conditions} ORDER BY no DESC LIMIT ?");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query(rusqlite::params_from_iter(values))?;
    read_rows(rows)
}

fn read_rows(mut rows: rusqlite::Rows<'_>) -> Result<Vec<ActionRow>, StoreError> {
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        read.push(read_row(row)?);
    }
    Ok(read)
}

fn read_row(row: &Row<'_>) -> Result<ActionRow, StoreError> {
    let damaged = |error: serde_json::Error| StoreError::corrupt(format!("an action's row ({error})"));
    let count = |at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
    let spec: ActionSpec = serde_json::from_str(row.get_ref(7)?.as_str().unwrap_or_default()).map_err(damaged)?;
    let outcome: Option<String> = row.get(15)?;
    let duration_micros: Option<i64> = row.get(14)?;
    let verdict: Option<i64> = row.get(19)?;
    let action = Action {
        action_id: ActionId::from_bytes(row.get(1)?),
        agent_id: row.get::<_, String>(2)?.into(),
        action_type: row.get::<_, String>(3)?.into(),
        goal_id: row.get::<_, Option<String>>(4)?.map(Into::into),
        parent_action_id: row.get::<_, Option<[u8; 16]>>(5)?.map(ActionId::from_bytes),
        parent_step_count: row.get::<_, Option<i64>>(6)?.map(i64::cast_unsigned),
        expected_outcome: spec.expected_outcome,
        acceptance_criteria: spec.acceptance_criteria,
        attributes: spec.attributes,
        truncated: spec.truncated,
        begun_at: Timestamp::from_micros(row.get(8)?),
        last_activity_at: Timestamp::from_micros(row.get(9)?),
        status: status_from(row.get(10)?)?,
        step_count: count(11)?,
        observation_count: count(12)?,
        closed_at: row.get::<_, Option<i64>>(13)?.map(Timestamp::from_micros),
        duration_seconds: duration_micros.map(|micros| Timestamp::from_micros(micros).seconds()),
        outcome: outcome.map(|text| serde_json::from_str(&text)).transpose().map_err(damaged)?,
        reward: row.get(16)?,
        version: row.get(17)?,
        success_score: row.get(18)?,
        verdict: verdict.map(verdict_from).transpose()?,
    };
    Ok(ActionRow { no: count(0)?, action })
}

pub(super) fn sizes(conn: &Connection, path: &Path) -> Result<Sizes, StoreError> {
    let sum = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned);
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Ok(Sizes {
        file_bytes: length(path) + length(Path::new(&log)),
        chunk_bytes: sum("SELECT coalesce(sum(length(bytes)), 0) FROM chunks")?,
        sealed_bytes: sum("SELECT coalesce(sum(length(bytes)), 0) FROM blocks")?,
        sealed_json_bytes: sum("SELECT coalesce(sum(raw_bytes), 0) FROM blocks")?,
    })
}
