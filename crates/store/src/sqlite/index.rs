//! The open actions in memory: how far each is and where its last chunk lies. About 200 bytes an action, however long
//! its chain: the chunks of one action are linked backwards on disk.

use std::collections::{BTreeMap, HashMap};

use accredit_model::{ActionId, Timestamp};
use rusqlite::{Connection, params};

use super::counters::Counters;
use super::read;
use crate::{IdleFrom, Oldest, StoreError};

/// One open action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenAction {
    /// Number of its row.
    pub(super) no: i64,
    pub(super) n_steps: u64,
    pub(super) n_observations: u64,
    /// Its last chunk; 0 for none.
    pub(super) last_chunk: i64,
    /// Last call, on the clock that never jumps.
    pub(super) active: Timestamp,
    /// Last call, on the wall clock.
    pub(super) active_at: Timestamp,
    /// Beginning, on the clock that never jumps.
    pub(super) begun: Timestamp,
    /// It is being closed and takes no entries.
    pub(super) frozen: bool,
    /// Its row does not tell its chunks and counts yet.
    pub(super) unreckoned: bool,
}

impl OpenAction {
    pub(super) const fn n_entries(&self) -> u64 {
        self.n_steps + self.n_observations
    }
}

/// All open actions, by id and by last activity.
#[derive(Debug, Default)]
pub(super) struct Index {
    open: HashMap<ActionId, OpenAction>,
    by_activity: BTreeMap<(Timestamp, i64), ActionId>,
}

impl Index {
    /// Reads the open actions' rows and the chunks that those do not tell of yet.
    pub(super) fn load(conn: &Connection, counters: &Counters) -> Result<Self, StoreError> {
        let mut open = HashMap::new();
        let mut ids = HashMap::new();
        let mut statement = conn.prepare(
            "SELECT id, no, n_steps, n_observations, last_chunk, active_at, received_at FROM actions WHERE status = 0",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = ActionId::from_bytes(row.get(0)?);
            let active_at = Timestamp::from_micros(row.get(5)?);
            let action = OpenAction {
                no: row.get(1)?,
                n_steps: row.get::<_, i64>(2)?.cast_unsigned(),
                n_observations: row.get::<_, i64>(3)?.cast_unsigned(),
                last_chunk: row.get(4)?,
                active: active_at,
                active_at,
                begun: Timestamp::from_micros(row.get(6)?),
                frozen: false,
                unreckoned: false,
            };
            ids.insert(action.no, id);
            open.insert(id, action);
        }
        let mut statement = conn.prepare(
            "SELECT no, action_no, n_steps, n_observations, received_at FROM chunks WHERE no > ?1 ORDER BY no",
        )?;
        let mut rows = statement.query(params![counters.totals.reckoned_chunk])?;
        while let Some(row) = rows.next()? {
            // A chunk of a closed action is a late observation, which the action's row tells of itself.
            let Some(action) = ids.get(&row.get(1)?).and_then(|id| open.get_mut(id)) else { continue };
            action.last_chunk = row.get(0)?;
            action.n_steps += row.get::<_, i64>(2)?.cast_unsigned();
            action.n_observations += row.get::<_, i64>(3)?.cast_unsigned();
            action.active_at = action.active_at.max(Timestamp::from_micros(row.get(4)?));
            action.active = action.active_at;
            action.unreckoned = true;
        }
        // What was accepted takes no more entries, also after a crash.
        for (id, _) in read::accepted(conn)? {
            if let Some(action) = open.get_mut(&id) {
                action.frozen = true;
            }
        }
        let by_activity = open.iter().map(|(id, action)| ((action.active, action.no), *id)).collect();
        Ok(Self { open, by_activity })
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn get(&self, id: ActionId) -> Option<OpenAction> {
        self.open.get(&id).copied()
    }

    /// Puts the action as it is now, or takes it out; answers what was there.
    pub(super) fn set(&mut self, id: ActionId, action: Option<OpenAction>) -> Option<OpenAction> {
        let before = match action {
            Some(action) => self.open.insert(id, action),
            None => self.open.remove(&id),
        };
        let place = |action: OpenAction| (action.active, action.no);
        if before.map(place) != action.map(place) {
            if let Some(before) = before {
                self.by_activity.remove(&place(before));
            }
            if let Some(action) = action {
                self.by_activity.insert(place(action), id);
            }
        }
        before
    }

    pub(super) fn unreckoned(&self) -> Vec<(ActionId, OpenAction)> {
        self.open.iter().filter(|(_, action)| action.unreckoned).map(|(id, action)| (*id, *action)).collect()
    }

    pub(super) fn idle(&self, from: IdleFrom, before: Timestamp, limit: usize) -> Vec<ActionId> {
        match from {
            IdleFrom::Activity => self.by_activity.range(..(before, i64::MIN)).take(limit).map(|(_, id)| *id).collect(),
            IdleFrom::Start => {
                let mut old: Vec<_> = self.open.iter().filter(|(_, action)| action.begun < before).collect();
                old.sort_by_key(|(_, action)| action.no);
                old.into_iter().take(limit).map(|(id, _)| *id).collect()
            }
        }
    }

    pub(super) fn oldest(&self, oldest: Oldest) -> Option<ActionId> {
        let takes_entries = |id: &ActionId| self.open.get(id).is_some_and(|action| !action.frozen);
        match oldest {
            Oldest::Activity => self.by_activity.values().copied().find(takes_entries),
            Oldest::Start => {
                let actions = self.open.iter().filter(|(id, _)| takes_entries(id));
                actions.min_by_key(|(_, action)| action.no).map(|(id, _)| *id)
            }
        }
    }
}
