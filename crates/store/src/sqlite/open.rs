//! Opening: the lock, the pragmas, the schema, the index.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::{Connection, OpenFlags};

use super::counters::Counters;
use super::index::Index;
use super::{MOVE_LOG, SCHEMA_VERSION, SqliteStore, Writer};
use crate::StoreError;

/// "accr" in ASCII: tells an accredit store from any other SQLite file.
const APPLICATION_ID: i64 = 0x6163_6372;

/// What makes each schema of the one before it; the first one's of nothing. A new store goes through all of them.
const SCHEMAS: [&str; SCHEMA_VERSION as usize] =
    [include_str!("schema-1.sql"), include_str!("schema-2.sql"), include_str!("schema-3.sql")];

/// Small enough that recording a single step writes little, large enough that a bulk load needs few pages.
const PAGE_BYTES: u32 = 4096;

/// Whether a commit waits until it is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// It does: what was answered survives a loss of power.
    Full,
    /// It does not: for a store that ends with its process.
    Ephemeral,
}

impl Durability {
    const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "PRAGMA synchronous = FULL",
            Self::Ephemeral => "PRAGMA synchronous = OFF",
        }
    }
}

pub(super) fn writable(path: &Path, durability: Durability) -> Result<SqliteStore, StoreError> {
    check_permissions(path)?;
    let lock = take_lock(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    if is_empty(&conn, path)? {
        // In one transaction of the rollback journal, before WAL: a crash leaves an empty file or a whole store.
        conn.execute_batch(durability.pragma())?;
        conn.execute_batch(&format!("PRAGMA page_size = {PAGE_BYTES}"))?;
        migrate(&conn, 0)?;
        if durability == Durability::Full {
            sync_folder(path)?;
        }
    }
    let schema = check_identity(&conn, path)?;
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0")?;
    conn.execute_batch(durability.pragma())?;
    migrate(&conn, schema)?;
    conn.execute_batch("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 10000")?;
    conn.set_prepared_statement_cache_capacity(64);
    let counters = Counters::load(&conn)?;
    let index = Index::load(&conn, &counters)?;
    let writer = Writer { conn, index, counters, unmoved_bytes: 0, data_version: 0 };
    Ok(SqliteStore {
        path: path.to_owned(),
        durability,
        lock: Mutex::new(Some(lock)),
        writer: Mutex::new(writer),
        readers: Mutex::default(),
        mover: Mutex::default(),
    })
}

pub(super) fn readable(path: &Path) -> Result<SqliteStore, StoreError> {
    let conn = reader(path)?;
    let mut writer =
        Writer { conn, index: Index::default(), counters: Counters::default(), unmoved_bytes: 0, data_version: -1 };
    writer.refresh()?;
    Ok(SqliteStore {
        path: path.to_owned(),
        durability: Durability::Full,
        lock: Mutex::new(None),
        writer: Mutex::new(writer),
        readers: Mutex::default(),
        mover: Mutex::default(),
    })
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.execute_batch("PRAGMA query_only = TRUE; PRAGMA busy_timeout = 10000")?;
    // Setting the size of the cache reads the file, so the identity comes first.
    check_identity(&conn, path)?;
    conn.execute_batch("PRAGMA cache_size = -4096")?;
    conn.set_prepared_statement_cache_capacity(32);
    Ok(conn)
}

/// A connection that empties the write-ahead log beside the writer's.
pub(super) fn mover(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -256")?;
    conn.execute_batch(durability.pragma())?;
    Ok(conn)
}

/// Root may write to a file that is marked read-only; whoever marked it did not want that.
fn check_permissions(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(meta) if meta.permissions().readonly() => Err(StoreError::ReadOnlyFile { path: path.to_owned() }),
        Ok(meta) if meta.is_dir() => Err(StoreError::NotAStore { path: path.to_owned() }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(StoreError::Io { path: path.to_owned(), source }),
    }
}

/// A lock file beside the store: a lock on the file itself would hinder SQLite's own, and those of readers.
fn take_lock(path: &Path) -> Result<File, StoreError> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push("-lock");
    let lock_path = PathBuf::from(lock_path);
    let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
    let lock = opened.map_err(|source| match source.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnlyFile { path: path.to_owned() }
        }
        _ => StoreError::Io { path: lock_path.clone(), source },
    })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StoreError::Io { path: lock_path, source }),
    }
}

/// Whether nothing is in the file: it is new, or a crash came before its schema.
fn is_empty(conn: &Connection, path: &Path) -> Result<bool, StoreError> {
    let tables = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    match tables {
        Ok(0) => {
            let pragma = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            Ok(pragma("user_version")? == 0 && pragma("application_id")? == 0)
        }
        Ok(_) => Ok(false),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            Err(StoreError::NotAStore { path: path.to_owned() })
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses files of others and of the future before anything is written to them; answers the schema's version.
fn check_identity(conn: &Connection, path: &Path) -> Result<usize, StoreError> {
    let not_a_store = || StoreError::NotAStore { path: path.to_owned() };
    let pragma = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application = match pragma("application_id") {
        Ok(application) => application,
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => return Err(not_a_store()),
        Err(error) => return Err(error.into()),
    };
    if application != APPLICATION_ID {
        return Err(not_a_store());
    }
    let found = u32::try_from(pragma("user_version")?).map_err(|_| not_a_store())?;
    match found {
        0 => Err(not_a_store()),
        1..=SCHEMA_VERSION => Ok(found as usize),
        _ => Err(StoreError::SchemaTooNew { path: path.to_owned(), found, supported: SCHEMA_VERSION }),
    }
}

/// Brings the schema up to date in one transaction: a crash leaves the old one or the new one.
fn migrate(conn: &Connection, found: usize) -> Result<(), StoreError> {
    let steps = SCHEMAS.get(found..).unwrap_or_default();
    if !steps.is_empty() {
        conn.execute_batch(&format!(
            "BEGIN IMMEDIATE; {}; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT",
            steps.join("\n"),
        ))?;
    }
    Ok(())
}

/// A new file's name is durable when its folder is.
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| StoreError::Io { path: folder.to_owned(), source })
}

impl Writer {
    /// Reads counters and index anew where another process has committed since.
    pub(super) fn refresh(&mut self) -> Result<(), StoreError> {
        let version = self.conn.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0))?;
        if version != self.data_version {
            let snapshot = self.conn.unchecked_transaction()?;
            self.counters = Counters::load(&snapshot)?;
            self.index = Index::load(&snapshot, &self.counters)?;
            snapshot.finish()?;
            self.data_version = version;
        }
        Ok(())
    }

    /// Empties the write-ahead log into the file.
    pub(super) fn move_log(&mut self) -> Result<(), StoreError> {
        self.unmoved_bytes = 0;
        self.conn.query_row(MOVE_LOG, [], |_| Ok(()))?;
        Ok(())
    }

    /// Leaves the file as the next opening likes it best.
    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        self.reckon()?;
        self.move_log()?;
        // From now on it reads, as a reading store does: anew whenever somebody has committed.
        self.data_version = -1;
        Ok(())
    }
}
