//! Reading everything and comparing.

use std::collections::BTreeMap;

use accredit_model::{Action, ActionId, Closing, Status};
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::counters::Counters;
use super::index::Index;
use super::{learned, query, read};
use crate::{Chain, Problem, StoreError, StoredAttribution, VerifyReport};

type Check<'a> = &'a dyn Fn(&Action, &Chain, &StoredAttribution) -> Option<String>;

pub(super) fn verify(
    store: &SqliteStore,
    check: Check<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<VerifyReport, StoreError> {
    store.read(|conn| {
        // One snapshot, so that a process that records meanwhile does not look like damage.
        let snapshot = conn.unchecked_transaction()?;
        let index = Index::load(&snapshot, &Counters::load(&snapshot)?)?;
        let mut seen = Seen {
            conn: &snapshot,
            index: &index,
            report: VerifyReport::default(),
            closed: BTreeMap::new(),
            steps: 0,
            observations: 0,
        };
        for problem in quick_check(&snapshot)? {
            seen.problem(None, problem);
        }
        let ids = all_ids(&snapshot)?;
        for (done, id) in ids.iter().enumerate() {
            progress(done as u64, ids.len() as u64);
            seen.action(*id, check)?;
        }
        progress(ids.len() as u64, ids.len() as u64);
        seen.learned()?;
        seen.totals()?;
        Ok(seen.report)
    })
}

fn quick_check(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare("PRAGMA quick_check")?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").map(|line| format!("the database file: {line}")).collect())
}

fn all_ids(conn: &Connection) -> Result<Vec<ActionId>, StoreError> {
    let mut statement = conn.prepare("SELECT id FROM actions ORDER BY no")?;
    let ids = statement.query_map([], |row| row.get(0).map(ActionId::from_bytes))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

struct Seen<'a> {
    conn: &'a Connection,
    index: &'a Index,
    report: VerifyReport,
    closed: BTreeMap<&'static str, u64>,
    steps: u64,
    observations: u64,
}

impl Seen<'_> {
    fn problem(&mut self, action_id: Option<ActionId>, what: String) {
        self.report.problems.push(Problem { action_id, what });
    }

    /// Damage goes into the report, and the rest is looked at all the same.
    fn noted<T>(&mut self, id: ActionId, read: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
        match read {
            Err(StoreError::Corrupt { what }) => {
                self.problem(Some(id), what);
                Ok(None)
            }
            other => other,
        }
    }

    fn action(&mut self, id: ActionId, check: Check<'_>) -> Result<(), StoreError> {
        let open = self.index.get(id);
        let Some(action) = self.noted(id, query::action(self.conn, id, open))? else { return Ok(()) };
        self.report.actions += 1;
        self.report.entries += action.step_count + action.observation_count;
        self.steps += action.step_count;
        self.observations += action.observation_count;
        match action.status {
            Status::Open => self.report.open += 1,
            Status::Closed(closing) => *self.closed.entry(closing.code()).or_default() += 1,
        }
        let Some(chain) = self.noted(id, read::chain_in(self.conn, id, open))? else { return Ok(()) };
        self.chain(&action, &chain);
        self.attributions(&action, &chain, check)
    }

    fn chain(&mut self, action: &Action, chain: &Chain) {
        let counted = action.step_count + action.observation_count;
        if chain.n_entries() != counted {
            let found = chain.n_entries();
            self.problem(Some(action.action_id), format!("has {found} entries where its row counts {counted}"));
        }
        let n_chunks = chain.segments.iter().filter(|segment| segment.chunk.is_some()).count() as u64;
        self.report.chunks += n_chunks;
        self.report.sealed_blocks += chain.segments.len() as u64 - n_chunks;
    }

    fn attributions(&mut self, action: &Action, chain: &Chain, check: Check<'_>) -> Result<(), StoreError> {
        let id = action.action_id;
        if (action.status == Status::Open) != (action.version == 0) {
            self.problem(Some(id), format!("is {} with version {}", action.status.code(), action.version));
        }
        for version in 1..=action.version {
            let n_problems = self.report.problems.len();
            let stored = self.noted(id, read::attribution(self.conn, id, Some(version)))?;
            match stored {
                Some(stored) => {
                    self.report.attributions += 1;
                    if let Some(what) = check(action, chain, &stored) {
                        self.problem(Some(id), format!("attribution version {version} {what}"));
                    }
                }
                None if self.report.problems.len() == n_problems => {
                    self.problem(Some(id), format!("attribution version {version} is missing"));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// What was learned is read; what it says is the learner's business.
    fn learned(&mut self) -> Result<(), StoreError> {
        let conn = self.conn;
        let mut note = |read: Result<(), StoreError>| match read {
            Err(StoreError::Corrupt { what }) => {
                self.report.problems.push(Problem { action_id: None, what });
                Ok(())
            }
            other => other,
        };
        note(learned::state(conn).map(drop))?;
        for action_type in learned::types(conn)? {
            note(learned::learner(conn, &action_type).map(drop))?;
            note(learned::models(conn, &action_type, usize::MAX).map(drop))?;
        }
        note(learned::forgotten(conn).map(drop))
    }

    fn totals(&mut self) -> Result<(), StoreError> {
        let conn = self.conn;
        let count = |sql: &str| conn.query_row(sql, params![], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned);
        let chunks = count("SELECT count(*) FROM chunks")?;
        let blocks = count("SELECT count(*) FROM blocks")?;
        let stats = Counters::load(conn)?.stats();
        let closed = |closing: Closing| self.closed.get(closing.code()).copied().unwrap_or_default();
        let compared = [
            ("chunks that belong to an action", self.report.chunks, chunks),
            ("blocks that belong to an action", self.report.sealed_blocks, blocks),
            ("actions begun", self.report.actions, stats.begun),
            ("actions open", self.report.open, stats.open),
            ("actions completed", closed(Closing::Completed), stats.completed),
            ("actions timed out", closed(Closing::TimedOut), stats.timed_out),
            ("actions evicted", closed(Closing::Evicted), stats.evicted),
            ("actions cancelled", closed(Closing::Cancelled), stats.cancelled),
            ("steps", self.steps, stats.steps),
            ("observations", self.observations, stats.observations),
            ("attributions", self.report.attributions, stats.experiences / (stats.sinks.len() as u64).max(1)),
        ];
        // What cannot be read has been told already and is not counted above.
        let all_read = self.report.problems.is_empty();
        for (what, found, counted) in compared {
            if all_read && found != counted {
                self.problem(None, format!("{what}: {found} found, {counted} counted"));
            }
        }
        Ok(())
    }
}
