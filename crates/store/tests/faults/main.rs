//! What the store does when the disk, the file or another process does not do as it should: an error that says what to
//! do, nothing acknowledged lost, nothing damaged shown as if it were sound.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail like tests")]

#[path = "../suite/build.rs"]
mod build;
mod damage;
mod disk;
mod opening;
mod torn;

use std::path::{Path, PathBuf};

use accredit_store::{SqliteStore, StoreError};

/// A folder and the path of a store in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accredit.db");
    (folder, path)
}

/// Why a store cannot be opened for writing, and in words.
fn refusal(path: &Path) -> (StoreError, String) {
    let error = SqliteStore::open(path).unwrap_err();
    let words = error.to_string();
    assert!(words.contains(&path.display().to_string()), "{words}");
    (error, words)
}
