//! The counters of behaviour.md's balances, kept in memory and written with each commit.

use std::collections::BTreeMap;

use accredit_model::{Closing, RefusalReason, SinkStats, Stats, Status};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Counters and the state of sinks at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) totals: Totals,
    pub(super) sinks: BTreeMap<String, SinkState>,
    /// Something has changed that is not on disk.
    pub(super) dirty: bool,
}

/// The row of the state table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    pub(super) begun: u64,
    /// By [`Closing::ALL`].
    pub(super) closed: [u64; 4],
    pub(super) steps: u64,
    pub(super) observations: u64,
    pub(super) repeated: u64,
    pub(super) refused: BTreeMap<RefusalReason, u64>,
    pub(super) revisions: u64,
    /// Attribution versions: the last cursor of the feed.
    pub(super) experiences: u64,
    /// The last chunk's number, counted on so that numbers are never used again.
    pub(super) last_chunk: i64,
    /// The last block's number, likewise.
    pub(super) last_block: i64,
    /// Chunks up to this one are reckoned into the rows of their actions.
    pub(super) reckoned_chunk: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SinkState {
    pub(super) taken_to: u64,
    pub(super) delivered: u64,
    pub(super) retrying: u64,
    pub(super) dead: u64,
}

impl Counters {
    pub(super) fn load(conn: &Connection) -> Result<Self, StoreError> {
        let totals = conn.query_row("SELECT value FROM state WHERE name = 'totals'", [], |row| row.get::<_, String>(0));
        let totals = match totals.optional()? {
            Some(text) => {
                serde_json::from_str(&text).map_err(|error| StoreError::corrupt(format!("the counters ({error})")))?
            }
            None => Totals::default(),
        };
        let mut sinks = BTreeMap::new();
        let mut statement = conn.prepare(
            "SELECT name, taken_to, delivered, (SELECT count(*) FROM failures WHERE sink = name AND dead = 0),
                    (SELECT count(*) FROM failures WHERE sink = name AND dead = 1) FROM sinks",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let count = |at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
            let state = SinkState { taken_to: count(1)?, delivered: count(2)?, retrying: count(3)?, dead: count(4)? };
            sinks.insert(row.get(0)?, state);
        }
        Ok(Self { totals, sinks, dirty: false })
    }

    pub(super) fn save(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let text =
            serde_json::to_string(&self.totals).map_err(|_| StoreError::Bug("ST-1: counters are plain numbers"))?;
        conn.prepare_cached("INSERT INTO state VALUES ('totals', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1")?
            .execute(params![text])?;
        self.dirty = false;
        Ok(())
    }

    pub(super) fn refuse(&mut self, reason: RefusalReason, n: u64) {
        *self.totals.refused.entry(reason).or_default() += n;
        self.dirty = true;
    }

    pub(super) fn stats(&self) -> Stats {
        let Totals { begun, closed, steps, observations, repeated, refused, revisions, experiences, .. } = &self.totals;
        let refused_total = refused.values().sum::<u64>();
        let sinks: Vec<SinkStats> = self
            .sinks
            .iter()
            .map(|(name, sink)| SinkStats {
                name: name.clone(),
                delivered: sink.delivered,
                pending: experiences - sink.taken_to + sink.retrying,
                dead: sink.dead,
            })
            .collect();
        let total = |part: fn(&SinkStats) -> u64| sinks.iter().map(part).sum::<u64>();
        Stats {
            begun: *begun,
            open: begun - closed.iter().sum::<u64>(),
            completed: closed[0],
            timed_out: closed[1],
            evicted: closed[2],
            cancelled: closed[3],
            received: steps + observations + refused_total,
            recorded: steps + observations,
            steps: *steps,
            observations: *observations,
            repeated: *repeated,
            refused: refused.iter().map(|(reason, n)| (reason.code().to_owned(), *n)).collect(),
            refused_total,
            revisions: *revisions,
            experiences: experiences * (sinks.len() as u64).max(1),
            delivered: total(|sink| sink.delivered),
            pending: if sinks.is_empty() { *experiences } else { total(|sink| sink.pending) },
            dead: total(|sink| sink.dead),
            sinks,
        }
    }
}

impl Totals {
    pub(super) fn closed_mut(&mut self, closing: Closing) -> &mut u64 {
        let [completed, timed_out, evicted, cancelled] = &mut self.closed;
        match closing {
            Closing::Completed => completed,
            Closing::TimedOut => timed_out,
            Closing::Evicted => evicted,
            Closing::Cancelled => cancelled,
        }
    }
}

/// The number that stands for a status in its column.
pub(super) const fn status_code(status: Status) -> i64 {
    match status {
        Status::Open => 0,
        Status::Closed(Closing::Completed) => 1,
        Status::Closed(Closing::TimedOut) => 2,
        Status::Closed(Closing::Evicted) => 3,
        Status::Closed(Closing::Cancelled) => 4,
    }
}
