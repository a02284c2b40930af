//! What can go wrong with a store, by what the caller can do about it.

use std::path::PathBuf;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process writes to this store.
    #[error(
        "open {path} for writing: another process has it open; let that process be `accredit serve` and use its \
         address as the store, or stop it first"
    )]
    Locked {
        /// The store.
        path: PathBuf,
    },
    /// There is no file there and none may be made.
    #[error(
        "open {path}: no such store; record something first, or check the path given with --store or ACCREDIT_STORE"
    )]
    Missing {
        /// The store.
        path: PathBuf,
    },
    /// The file or its folder may not be written.
    #[error("open {path} for writing: it is read-only; change its permissions, or use a command that only reads")]
    ReadOnlyFile {
        /// The store.
        path: PathBuf,
    },
    /// The store was opened for reading only.
    #[error("write to a store that was opened for reading only")]
    ReadOnly,
    /// The file is something else.
    #[error("open {path}: it is not an accredit store; choose another path, nothing was changed")]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// A newer accredit wrote it.
    #[error(
        "open {path}: its schema is version {found} and this accredit knows up to {supported}; use a newer accredit"
    )]
    SchemaTooNew {
        /// The store.
        path: PathBuf,
        /// The version in the file.
        found: u32,
        /// The newest version that this build knows.
        supported: u32,
    },
    /// The disk is full; nothing of the batch was written, and what was acknowledged before stands.
    #[error("write to the store: the disk is full; free some space, the store takes writes again by itself")]
    Full(#[source] rusqlite::Error),
    /// What was read is not what was written.
    #[error("read {what}: it is damaged; run `accredit verify`, and restore this part from a backup")]
    Corrupt {
        /// Which part.
        what: String,
    },
    /// The file system failed.
    #[error("reach the store's file {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: std::io::Error,
    },
    /// SQLite failed otherwise.
    #[error("use the store")]
    Sqlite(#[source] rusqlite::Error),
    /// A state of memory and disk that cannot be: a bug here.
    #[error("keep the invariant {0}")]
    Bug(&'static str),
}

impl StoreError {
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => Self::Full(error),
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => {
                Self::Corrupt { what: format!("the database file ({error})") }
            }
            Some(Code::ReadOnly) => Self::ReadOnly,
            _ => Self::Sqlite(error),
        }
    }
}
