//! A clock that Python may set.

use std::sync::atomic::{AtomicI64, Ordering};

use accredit::{Clock, SystemClock};
use accredit_model::Timestamp;

/// Where the clock stands that Python has set; this for none.
const RUNNING: i64 = i64::MIN;

/// The machine's clocks, or a time that stands still.
#[derive(Debug)]
pub(super) struct SettableClock {
    machine: SystemClock,
    stands_at: AtomicI64,
}

impl SettableClock {
    /// One that runs.
    pub(super) fn new() -> Self {
        Self { machine: SystemClock::new(), stands_at: AtomicI64::new(RUNNING) }
    }

    /// Has it stand at so many seconds since 1970, or run.
    pub(super) fn set(&self, seconds: Option<f64>) {
        let stands_at = seconds.and_then(Timestamp::from_seconds).map_or(RUNNING, Timestamp::micros);
        self.stands_at.store(stands_at, Ordering::Relaxed);
    }

    fn or_running(&self, running: impl FnOnce(&SystemClock) -> Timestamp) -> Timestamp {
        match self.stands_at.load(Ordering::Relaxed) {
            RUNNING => running(&self.machine),
            micros => Timestamp::from_micros(micros),
        }
    }
}

impl Clock for SettableClock {
    fn wall(&self) -> Timestamp {
        self.or_running(Clock::wall)
    }

    fn steady(&self) -> Timestamp {
        self.or_running(Clock::steady)
    }
}
