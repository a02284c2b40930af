//! SQLite passes the suite of every store, and what is said of its file alone is so.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail like tests")]

mod suite;

use std::path::PathBuf;

use accredit_store::{Filter, SqliteStore, Store};
use suite::Database;
use suite::build::{action, id, problems, stats, texts, to};

/// A folder with one file.
struct Sqlite {
    folder: tempfile::TempDir,
}

impl Sqlite {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("accredit.db")
    }
}

impl Database for Sqlite {
    fn open(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(&self.path()).unwrap())
    }
}

suite::instantiate!(crate::Sqlite::new);

/// However long a writer ran, whoever opens after its end need not look at more chunks than this one by one.
#[test]
fn unreckoned_chunks_stay_few() {
    const UNRECKONED_CHUNKS_MAX: i64 = 65_536;
    const N_ACTIONS: u64 = 8_200;
    let database = Sqlite::new();
    let store = database.open();
    let open = |n| accredit_store::Write::Begin(Box::new(accredit_store::NewAction { fresh: true, ..action(n) }));
    store.commit((0..N_ACTIONS).map(open).collect()).unwrap();
    for commit in 0..9 {
        store.commit((0..N_ACTIONS).map(|n| to(n).step(&commit.to_string()).write()).collect()).unwrap();
    }
    // The files as they are now are what a kill leaves.
    let killed = Sqlite::new();
    for suffix in ["", "-wal"] {
        let name = format!("accredit.db{suffix}");
        std::fs::copy(database.folder.path().join(&name), killed.folder.path().join(&name)).unwrap();
    }
    let conn = rusqlite::Connection::open(killed.path()).unwrap();
    let count = |what: &str| -> i64 {
        let sql = format!("SELECT json_extract(value, '$.{what}') FROM state WHERE name = 'totals'");
        conn.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert!(count("last_chunk") > UNRECKONED_CHUNKS_MAX && count("reckoned_chunk") > 0);
    assert!(count("last_chunk") - count("reckoned_chunk") <= UNRECKONED_CHUNKS_MAX);
    drop(conn);
    let again = killed.open();
    assert_eq!((stats(&*again), texts(&*again, 7)), (stats(&*store), texts(&*store, 7)));
    let all = |store: &dyn Store| store.list(&Filter::default(), 10_000, None).unwrap().0;
    assert!(all(&*again) == all(&*store), "the actions tell otherwise");
    assert_eq!(again.chain(id(8)).unwrap().unwrap().n_entries(), 9);
    assert_eq!(problems(&*again), [""; 0]);
}
