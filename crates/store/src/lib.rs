//! The durable store: one trait, [`Store`], and SQLite behind it.
//!
//! [`Store::commit`] is the only way to write: it takes a batch, makes it durable in one transaction and answers per
//! command; when it returns, fsync has. Entries are immutable chunks in an append-only table, one row per action and
//! commit; at closing a chain becomes a few compressed rows and its chunks go.
//!
//! What this crate is not: it decides nothing about meaning (it neither scores nor credits, and it parses no entry),
//! reads no clock, starts no thread and has no async code. It is the only crate that knows SQL.
//!
//! Limits: a chunk and the raw form of a sealed block hold at most 4 MiB unless one entry alone is larger; a store is
//! at most 281 TB, SQLite's own limit; one process writes, any number read.
//!
//! ```
//! use accredit_model::{ActionId, Timestamp};
//! use accredit_store::{Answer, NewAction, SqliteStore, Store, Write};
//!
//! let folder = tempfile::tempdir()?;
//! let store = SqliteStore::open(&folder.path().join("accredit.db"))?;
//! let id = ActionId::from_bytes([7; 16]);
//! let begin = Write::Begin(Box::new(NewAction::new(id, "planner", "book_flight", Timestamp::from_micros(0))));
//! assert!(matches!(store.commit(vec![begin])?[..], [Answer::Begun { repeat: false }]));
//! assert_eq!(store.action(id)?.map(|action| action.step_count), Some(0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chain;
mod error;
mod learned;
mod read;
mod sqlite;
mod store;
mod write;

pub use chain::{Chain, Lines, SealedChain, Segment};
pub use error::StoreError;
pub use learned::{Before, Learned, LearningState, NewModel, Packed, StoredModel};
pub use read::{DeadLetter, Due, Filter, IdleFrom, Oldest, Problem, Sizes, StoredAttribution, VerifyReport};
pub use sqlite::{SCHEMA_VERSION, SqliteStore, Stillness, hold_still};
pub use store::Store;
pub use write::{
    ActionSpec, Amend, Answer, Append, Close, Deliveries, Delivery, EntryAnswer, EntryMark, Fate, LateObservations,
    NewAction, NewAttribution, Write,
};
