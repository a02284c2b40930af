//! How long to wait before the next attempt.

use std::time::Duration;

/// After the first failure.
const FIRST: Duration = Duration::from_millis(100);
/// After many.
const LONGEST: Duration = Duration::from_secs(15);
/// The longest that a server may ask for.
const ASKED_MAX: Duration = Duration::from_secs(60);

/// Waits that double, with jitter, so that many clients of one server do not come back together: between half and all of
/// `min(100 ms * 2^n, 15 s)` after `n` failures before this one. What the server asks for is the least, a fifth of it jitter.
pub(super) struct Pace {
    n_failures: u32,
    random: u64,
}

impl Pace {
    pub(super) const fn new(seed: u64) -> Self {
        Self { n_failures: 0, random: seed | 1 }
    }

    pub(super) const fn succeeded(&mut self) {
        self.n_failures = 0;
    }

    pub(super) fn failed(&mut self, asked: Option<Duration>) -> Duration {
        let whole = LONGEST.min(FIRST.saturating_mul(1 << self.n_failures.min(16)));
        self.n_failures = self.n_failures.saturating_add(1);
        let own = whole / 2 + (whole / 2).mul_f64(self.share());
        match asked.map(|asked| asked.min(ASKED_MAX)) {
            Some(asked) if asked > own => asked + (asked / 5).mul_f64(self.share()),
            _ => own,
        }
    }

    /// A number in [0, 1) (xorshift64, Marsaglia 2003).
    const fn share(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ASKED_MAX, FIRST, LONGEST, Pace};

    #[test]
    fn waits_double_up_to_a_bound_and_begin_again() {
        for seed in 0..100 {
            let mut pace = Pace::new(seed);
            for n in 0..40 {
                let whole = LONGEST.min(FIRST * (1 << n.min(10)));
                let wait = pace.failed(None);
                assert!(wait >= whole / 2 && wait <= whole, "seed {seed}, failure {n}: {wait:?}");
            }
            pace.succeeded();
            assert!(pace.failed(None) <= FIRST);
        }
    }

    #[test]
    fn what_the_server_asks_for_is_the_least() {
        let mut pace = Pace::new(7);
        let wait = pace.failed(Some(Duration::from_secs(2)));
        assert!(wait >= Duration::from_secs(2) && wait < Duration::from_millis(2_500), "{wait:?}");
        assert!(pace.failed(Some(Duration::from_secs(86_400))) < ASKED_MAX * 2);
    }
}
