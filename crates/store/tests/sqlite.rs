//! SQLite passes the suite of every store, and what is said of its file alone is so.

mod suite;

use std::path::PathBuf;

use accredit_store::{SqliteStore, Store};
use suite::Database;

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
