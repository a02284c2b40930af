//! Closing what is idle.

use std::time::Duration;

use accredit_guard::IdleFrom;
use accredit_model::Closing;

use crate::engine::Inner;
use crate::{Engine, Error};

/// Actions closed between two looks at the clock.
const BATCH: usize = 256;

/// Looks for idle actions until the engine stops.
pub(crate) fn run(inner: &Inner) {
    while !inner.stop.wait(Duration::from_secs(inner.config.sweep_secs)) {
        if let Err(error) = inner.cleanup_expired() {
            tracing::warn!(%error, "could not close idle actions; they are looked at again");
        }
    }
}

impl Engine {
    /// Closes the actions that have been idle for longer than the limit, and answers how many. The sweeper does the
    /// same by itself.
    ///
    /// # Errors
    /// When the store fails.
    pub fn cleanup_expired(&self) -> Result<usize, Error> {
        self.inner.cleanup_expired()
    }
}

impl Inner {
    pub(crate) fn cleanup_expired(&self) -> Result<usize, Error> {
        let idle_micros = i64::try_from(self.config.limits.idle_secs_max.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        let from = match self.config.limits.idle_from {
            IdleFrom::LastActivity => accredit_store::IdleFrom::Activity,
            IdleFrom::Start => accredit_store::IdleFrom::Start,
        };
        let mut closed = 0;
        loop {
            let before = self.steady().plus_micros(-idle_micros);
            let idle = self.store.idle(from, before, BATCH)?;
            for id in &idle {
                closed += usize::from(self.close_by_engine(*id, Closing::TimedOut)?.is_some());
            }
            if idle.len() < BATCH {
                return Ok(closed);
            }
        }
    }
}
