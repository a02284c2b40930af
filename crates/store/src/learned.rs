//! What was learned, as the store keeps it: bytes that it does not read.

use accredit_model::{ActionId, ActionType, Timestamp};

use crate::StoreError;
use crate::chain::{checksum, compress, decompress};

/// Bytes that are kept as they are; longer ones are compressed.
const PLAIN_BYTES_MAX: usize = 4096;

/// Bytes as they lie on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Length before compression; 0 says that the bytes are not compressed.
    pub(crate) raw_len: usize,
    pub(crate) checksum: i64,
    pub(crate) bytes: Vec<u8>,
}

impl Packed {
    /// Compresses what is long; the work of the calling thread, outside any lock.
    ///
    /// # Errors
    /// When zstd fails, which it does for lack of memory alone.
    pub fn pack(raw: Vec<u8>) -> Result<Self, StoreError> {
        let (raw_len, bytes) = if raw.len() > PLAIN_BYTES_MAX { (raw.len(), compress(&raw)?) } else { (0, raw) };
        Ok(Self { raw_len, checksum: checksum(&bytes), bytes })
    }

    /// The bytes that were packed; `what` names them in an error.
    pub(crate) fn unpack(raw_len: i64, sum: i64, bytes: &[u8], what: &str) -> Result<Vec<u8>, StoreError> {
        const RAW_BYTES_MAX: usize = 1 << 30;
        let damaged = || StoreError::corrupt(what);
        let raw_len = usize::try_from(raw_len).map_err(|_| damaged())?;
        if sum != checksum(bytes) || raw_len > RAW_BYTES_MAX {
            return Err(damaged());
        }
        match raw_len {
            0 => Ok(bytes.to_vec()),
            _ => decompress(bytes, raw_len).map_err(|_| damaged()),
        }
    }
}

/// How far learning is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LearningState {
    /// The name under which this store counts, for ever; 0 where it has none yet.
    pub writer: u64,
    /// The version of the bytes of learners and models.
    pub format: u32,
    /// What is stored was learned of the feed up to this cursor.
    pub taken_to: u64,
}

/// Replaces what was learned. Everything in it becomes durable together, and what it does not name stays as it is.
#[derive(Debug)]
pub struct Learned {
    /// How far learning is now.
    pub state: LearningState,
    /// Learners that have changed.
    pub learners: Vec<(ActionType, Packed)>,
    /// Models that were fitted.
    pub models: Vec<NewModel>,
    /// Models that are kept of each of their types: the newest.
    pub models_max: u32,
    /// Actions that are forgotten from now on.
    pub forgotten: Vec<ActionId>,
    /// What to do with the learners and models that are there.
    pub before: Before,
}

/// What becomes of the learners and models that were stored before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Before {
    /// They stay.
    #[default]
    Kept,
    /// They go: learning begins anew.
    Dropped,
}

/// A fitted model to keep.
#[derive(Debug)]
pub struct NewModel {
    /// The type of the actions that it was fitted on.
    pub action_type: ActionType,
    /// Its version, counted per type.
    pub version: u64,
    /// When it was fitted.
    pub created_at: Timestamp,
    /// On how many actions.
    pub n_actions: u64,
    /// The method's name.
    pub method: String,
    /// The model.
    pub packed: Packed,
}

/// A model read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredModel {
    /// Its version, counted per type.
    pub version: u64,
    /// When it was fitted.
    pub created_at: Timestamp,
    /// On how many actions.
    pub n_actions: u64,
    /// The method's name.
    pub method: String,
    /// The model as it was packed.
    pub bytes: Vec<u8>,
}
