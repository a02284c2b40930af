//! What waits on disk while the server is away. The format is in `docs/spool-format.md`.

mod folder;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use xxhash_rust::xxh3::xxh3_64;

use self::folder::Folder;
pub(super) use self::folder::{Appended, Batch};
use crate::Error;

/// Bytes that one writer's spool holds unless something else is said; beyond, commands are refused as overloaded.
pub const SPOOL_BYTES_MAX: u64 = 256 << 20;
/// Writers of one folder at once.
const WRITERS_MAX: usize = 64;

/// The folder in which commands for a server wait by default: `accredit/spool/` and a hash of its address, in the user's
/// folder for the state of programs (`$XDG_STATE_HOME`, else `~/.local/state`; `%LOCALAPPDATA%` on Windows). `None` where
/// the user has no home.
#[must_use]
pub fn spool_folder(url: &str) -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| if cfg!(windows) { absolute("LOCALAPPDATA") } else { None })
        .or_else(|| Some(std::env::home_dir()?.join(".local").join("state")))?;
    let hash = xxh3_64(url.trim_end_matches('/').as_bytes());
    Some(state.join("accredit").join("spool").join(format!("{hash:016x}")))
}

/// Commands on disk, in order: appended at one end, taken at the other when a server has them.
///
/// A folder has one writer. Each of several processes has a numbered folder of its own below the one it was given, and takes
/// over what dead ones have left. An appended command survives the death of the process and a loss of power; one that was
/// torn by them had not been acknowledged, and is skipped.
#[derive(Debug)]
pub struct Spool {
    base: PathBuf,
    own: Folder,
    /// Left by others, older than what is our own.
    adopted: VecDeque<Folder>,
    locks: Arc<Locks>,
    bytes_max: u64,
    n_damaged: u64,
}

/// The locks that this process holds, by their folders. A forked child inherits them and has to close them: else they would
/// be held until it ends as well.
#[derive(Debug, Default)]
pub(super) struct Locks(Mutex<Vec<(PathBuf, File)>>);

impl Locks {
    fn take(&self, folder: &Path) -> io::Result<bool> {
        let file =
            folder::owned(OpenOptions::new().write(true).create(true).truncate(false)).open(folder.join("lock"))?;
        match file.try_lock() {
            Ok(()) => {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push((folder.to_owned(), file));
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn give(&self, folder: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(held, _)| held != folder);
    }

    /// Leaves what is there to others.
    pub(super) fn give_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Closes what a forked child has inherited; the parent still holds it.
    pub(super) fn abandon(&self) {
        if let Ok(mut held) = self.0.try_lock() {
            held.clear();
        }
    }
}

impl Spool {
    /// Opens the spool below a folder, made where there is none, with room for `bytes_max` bytes.
    ///
    /// # Errors
    /// [`Error::Spool`] where it cannot be used.
    pub fn open(base: &Path, bytes_max: u64) -> Result<Self, Error> {
        Self::try_open(base, bytes_max)
            .map_err(|source| Error::Spool { folder: base.to_owned(), source: Arc::new(source) })
    }

    fn try_open(base: &Path, bytes_max: u64) -> io::Result<Self> {
        let locks = Arc::new(Locks::default());
        for number in 0..WRITERS_MAX {
            let path = base.join(number.to_string());
            make(&path)?;
            if !locks.take(&path)? {
                continue;
            }
            match Folder::open(&path) {
                Ok(own) => {
                    let (base, adopted) = (base.to_owned(), VecDeque::new());
                    let mut spool = Self { base, own, adopted, locks, bytes_max, n_damaged: 0 };
                    spool.adopt()?;
                    return Ok(spool);
                }
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    tracing::error!(%error, "a spool is left alone");
                    locks.give(&path);
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!("{WRITERS_MAX} processes write below it already")))
    }

    /// Takes over what processes have left that are no more.
    pub(super) fn adopt(&mut self) -> io::Result<()> {
        for number in 0..WRITERS_MAX {
            let path = self.base.join(number.to_string());
            let is_held = path == self.own.path() || self.adopted.iter().any(|folder| folder.path() == path);
            if is_held || !has_segments(&path) || !self.locks.take(&path)? {
                continue;
            }
            match Folder::open(&path) {
                Ok(folder) if !folder.is_empty() => self.adopted.push_back(folder),
                Ok(_) => self.locks.give(&path),
                Err(error) => {
                    tracing::error!(%error, "a spool is left alone");
                    self.locks.give(&path);
                }
            }
        }
        Ok(())
    }

    pub(super) fn locks(&self) -> Arc<Locks> {
        Arc::clone(&self.locks)
    }

    /// The folder below which it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.base
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.adopted.is_empty()
    }

    /// How many commands wait.
    #[must_use]
    pub fn n_pending(&self) -> u64 {
        self.folders().map(Folder::n_pending).sum()
    }

    /// How many bytes wait.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.folders().map(Folder::bytes).sum()
    }

    /// How many lines were torn or damaged, and skipped.
    #[must_use]
    pub fn n_damaged(&self) -> u64 {
        self.n_damaged + self.folders().map(Folder::n_damaged).sum::<u64>()
    }

    fn folders(&self) -> impl Iterator<Item = &Folder> {
        self.adopted.iter().chain([&self.own])
    }

    /// Appends commands and makes them durable, as many as there is room for.
    pub(super) fn append(&mut self, commands: &[&str]) -> Appended {
        let room = self.bytes_max.saturating_sub(self.bytes());
        self.own.append(commands, room)
    }

    /// The oldest commands; `None` of none.
    pub(super) fn peek(&mut self) -> io::Result<Option<Batch>> {
        while let Some(oldest) = self.adopted.front_mut() {
            if let Some(batch) = oldest.peek()? {
                return Ok(Some(batch));
            }
            self.n_damaged += oldest.n_damaged();
            let path = oldest.path().to_owned();
            self.adopted.pop_front();
            self.locks.give(&path);
        }
        self.own.peek()
    }

    /// Forgets the first `n` commands of the batch that was answered last.
    pub(super) fn advance(&mut self, batch: &Batch, n: usize) -> io::Result<()> {
        self.adopted.front_mut().unwrap_or(&mut self.own).advance(batch, n)
    }
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn has_segments(folder: &Path) -> bool {
    let Ok(files) = std::fs::read_dir(folder) else { return false };
    files.flatten().any(|file| folder::number_of(&file.file_name().to_string_lossy()).is_some())
}
