//! The trait that every store implements.

use accredit_model::{Action, ActionId, ActionType, Stats, Timestamp, Version};

use crate::{
    Answer, Chain, DeadLetter, Due, Filter, IdleFrom, LearningState, Oldest, Sizes, StoreError, StoredAttribution,
    StoredModel, VerifyReport, Write,
};

/// A durable store of actions. All calls block; a commit takes about one fsync.
pub trait Store: Send + Sync + 'static {
    /// Carries out a batch in order, in one transaction. When it returns, everything answered with success is durable.
    ///
    /// # Errors
    /// When the batch could not be made durable; then nothing of it was done, and it may be tried again.
    fn commit(&self, batch: Vec<Write>) -> Result<Vec<Answer>, StoreError>;

    /// Whether so much committed data waits to be moved to its resting place that [`Store::maintain`] is due.
    fn is_maintenance_due(&self) -> bool;

    /// Moves committed data to its resting place. For a thread of its own: commits go on meanwhile, but for a moment.
    ///
    /// # Errors
    /// When the disk fails; nothing is lost.
    fn maintain(&self) -> Result<(), StoreError>;

    /// One action; `None` where unknown.
    ///
    /// # Errors
    /// When it cannot be read.
    fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError>;

    /// The entries of one action; `None` where unknown.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    fn chain(&self, id: ActionId) -> Result<Option<Chain>, StoreError>;

    /// One version of an attribution, the latest where none is named.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    fn attribution(&self, id: ActionId, version: Option<Version>) -> Result<Option<StoredAttribution>, StoreError>;

    /// The attributions after a cursor of the feed, at most `limit`, in order.
    ///
    /// # Errors
    /// When they cannot be read or are damaged.
    fn attributions_after(&self, cursor: u64, limit: usize) -> Result<Vec<StoredAttribution>, StoreError>;

    /// The attribution at one cursor of the feed.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    fn attribution_at(&self, cursor: u64) -> Result<Option<StoredAttribution>, StoreError>;

    /// Actions that match, newest first, at most `limit`, begun before the action numbered `before`; with the number
    /// to go on from where there are more.
    ///
    /// # Errors
    /// When they cannot be read.
    fn list(
        &self,
        filter: &Filter,
        limit: usize,
        before: Option<u64>,
    ) -> Result<(Vec<Action>, Option<u64>), StoreError>;

    /// The actions that name this one as their parent, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn children(&self, id: ActionId) -> Result<Vec<Action>, StoreError>;

    /// Open actions that have been idle since before this moment of the clock that never jumps, the oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn idle(&self, from: IdleFrom, before: Timestamp, limit: usize) -> Result<Vec<ActionId>, StoreError>;

    /// The open action that gives way next. Frozen ones are passed over.
    ///
    /// # Errors
    /// When it cannot be read.
    fn oldest_open(&self, oldest: Oldest) -> Result<Option<ActionId>, StoreError>;

    /// The completions that were accepted and whose actions are not closed yet, the oldest action first.
    ///
    /// # Errors
    /// When they cannot be read, or one is damaged.
    fn accepted(&self) -> Result<Vec<(ActionId, Vec<u8>)>, StoreError>;

    /// The counters at this instant.
    ///
    /// # Errors
    /// When they cannot be read.
    fn stats(&self) -> Result<Stats, StoreError>;

    /// Makes a sink known, which owes it every experience from the first; answers the cursor that it has taken.
    ///
    /// # Errors
    /// When it cannot be written.
    fn register_sink(&self, name: &str) -> Result<u64, StoreError>;

    /// Deliveries of a sink whose next attempt is due.
    ///
    /// # Errors
    /// When they cannot be read.
    fn due(&self, sink: &str, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError>;

    /// Deliveries that were given up.
    ///
    /// # Errors
    /// When they cannot be read.
    fn dead_letters(&self) -> Result<Vec<DeadLetter>, StoreError>;

    /// How far learning is: the default where it has not begun.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    fn learning_state(&self) -> Result<LearningState, StoreError>;

    /// The action types of which something was learned, in order.
    ///
    /// # Errors
    /// When they cannot be read.
    fn learned_types(&self) -> Result<Vec<ActionType>, StoreError>;

    /// What was learned of an action type, as it was packed.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    fn learner(&self, action_type: &ActionType) -> Result<Option<Vec<u8>>, StoreError>;

    /// The models of an action type, the newest first, at most `limit`.
    ///
    /// # Errors
    /// When they cannot be read or are damaged.
    fn models(&self, action_type: &ActionType, limit: usize) -> Result<Vec<StoredModel>, StoreError>;

    /// The actions that nothing may be learned from any more.
    ///
    /// # Errors
    /// When they cannot be read.
    fn forgotten(&self) -> Result<Vec<ActionId>, StoreError>;

    /// Reads everything and compares: checksums, sequences, counters, sums of credit, versions. `check` looks at one
    /// attribution and says what is wrong with it; `progress` hears actions done and in all.
    ///
    /// # Errors
    /// When the file cannot be read at all; what is merely wrong goes into the report.
    fn verify(
        &self,
        check: &dyn Fn(&Action, &Chain, &StoredAttribution) -> Option<String>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<VerifyReport, StoreError>;

    /// Ends writing and lets another process write. Reading goes on; a commit answers [`StoreError::ReadOnly`].
    ///
    /// # Errors
    /// When what is kept in memory cannot be written; nothing that was acknowledged is lost.
    fn close(&self) -> Result<(), StoreError>;

    /// The bytes that the store takes on disk, and what they hold.
    ///
    /// # Errors
    /// When they cannot be read.
    fn sizes(&self) -> Result<Sizes, StoreError>;
}
