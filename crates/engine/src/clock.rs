//! Time and ids come in from outside, so that a test replays any day.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use accredit_model::{ActionId, Timestamp};
use uuid::Uuid;

/// Two clocks: the wall's, which people read and which may jump, and a steady one, which measures.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time of day.
    fn wall(&self) -> Timestamp;

    /// A clock that never jumps. It starts at the wall's time, so that it can be compared with times of earlier runs.
    fn steady(&self) -> Timestamp;
}

/// Makes the ids of new actions.
pub trait IdSource: fmt::Debug + Send + Sync + 'static {
    /// An id that no action has.
    fn next_id(&self) -> ActionId;
}

/// What an engine takes from the world besides its configuration.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The ids.
    pub ids: Arc<dyn IdSource>,
}

impl Default for Environment {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock::new()), ids: Arc::new(UuidV7) }
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    started_at: Timestamp,
}

impl SystemClock {
    /// Starts the steady clock at the wall's time.
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now(), started_at: wall_now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        wall_now()
    }

    fn steady(&self) -> Timestamp {
        let elapsed = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.started_at.plus_micros(elapsed)
    }
}

/// A clock before 1970 counts backwards; one beyond the year 292277 stands still.
fn wall_now() -> Timestamp {
    let micros = |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    })
}

/// UUIDs of version 7: unique without asking anybody, and in the order of time.
#[derive(Clone, Copy, Debug)]
pub struct UuidV7;

impl IdSource for UuidV7 {
    fn next_id(&self) -> ActionId {
        ActionId::new(Uuid::now_v7())
    }
}
