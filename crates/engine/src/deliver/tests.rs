//! Unit tests of the pauses between attempts.

use accredit_model::Timestamp;

use super::{ATTEMPTS_MAX, PAUSE_MAX, due_at};

#[test]
fn pauses_grow_with_jitter_and_have_a_ceiling() {
    let now = Timestamp::from_micros(0);
    let mut ceilings = Vec::new();
    for attempts in 1..ATTEMPTS_MAX {
        let pauses: Vec<i64> = (0..100).map(|cursor| due_at(now, "s", cursor, attempts).micros()).collect();
        let (shortest, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
        let nominal = (1_000_000_i64 << (attempts - 1)).min(i64::try_from(PAUSE_MAX.as_micros()).unwrap());
        assert!(*shortest >= nominal / 2 && *longest < nominal, "attempt {attempts}: {shortest}..{longest}");
        assert!(longest > shortest, "attempt {attempts} has no jitter");
        ceilings.push(nominal);
    }
    assert!(ceilings.is_sorted());
}
