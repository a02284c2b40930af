//! Unit tests.

use super::*;
use crate::random::Random;

/// Visits of states, and how likely the first of three decisions is in each.
fn choices(n_states: usize, n_visits: usize, seed: u64, percent: impl Fn(usize) -> usize) -> Vec<Choice> {
    let mut random = Random::new(seed);
    let mut choices = Vec::new();
    for state in 0..n_states {
        let mut counts = [0.0; 3];
        for _ in 0..n_visits {
            let at = if random.below(100) < percent(state) { 0 } else { 1 + random.below(2) };
            counts[at] += 1.0;
        }
        choices.extend(counts.into_iter().filter(|n| *n > 0.0).map(|n| Choice { state, n }));
    }
    choices
}

/// Mean absolute error of the first decision's share: counted, and as it is said.
fn errors(choices: &[Choice], percent: impl Fn(usize) -> usize) -> (f64, f64) {
    let factors = factors(choices, 3);
    let (mut counted, mut said, mut n_states) = (0.0, 0.0, 0.0);
    let mut begin = 0;
    for of in choices.chunk_by(|left, right| left.state == right.state) {
        let n: f64 = of.iter().map(|choice| choice.n).sum();
        let truth = percent(of[0].state) as f64 / 100.0;
        counted += (of[0].n / n - truth).abs();
        said += (factors[begin] * of[0].n / n - truth).abs();
        n_states += 1.0;
        begin += of.len();
    }
    (counted / n_states, said / n_states)
}

#[test]
fn one_policy_in_all_states_is_known_from_all_of_them() {
    for seed in 0..10 {
        let (counted, said) = errors(&choices(40, 15, seed, |_| 80), |_| 80);
        assert!(said < 0.6 * counted, "seed {seed}: {said} {counted}");
    }
}

#[test]
fn states_with_policies_of_their_own_keep_them() {
    for seed in 0..10 {
        let of = |state: usize| [40, 60, 80, 98][state % 4];
        let (counted, said) = errors(&choices(40, 200, seed, of), of);
        assert!(said < 1.1 * counted, "seed {seed}: {said} {counted}");
    }
}

#[test]
fn visits_of_a_state_stay_what_they_are() {
    for seed in 0..20 {
        let choices = choices(10 + seed as usize, 3 + seed as usize, seed, |state| 30 + 2 * state);
        let factors = factors(&choices, 3);
        let mut sums = std::collections::BTreeMap::<usize, (f64, f64)>::new();
        for (choice, factor) in choices.iter().zip(&factors) {
            let sum = sums.entry(choice.state).or_default();
            *sum = (sum.0 + choice.n, sum.1 + choice.n * factor);
            assert!(*factor >= 0.0 && factor.is_finite());
        }
        assert!(sums.values().all(|(n, weighed)| (n - weighed).abs() < 1e-9 * n), "seed {seed}");
    }
}

#[test]
fn few_states_are_counted_and_no_more() {
    assert!(factors(&choices(9, 50, 1, |_| 80), 3).iter().all(|factor| *factor == 1.0));
    assert_eq!(factors(&[], 0), Vec::<f64>::new());
    // Where nobody knows which decision is the usual one, it is not said.
    let mut tied: Vec<Choice> = choices(20, 50, 1, |_| 80);
    tied.extend([Choice { state: 99, n: 4.0 }, Choice { state: 99, n: 4.0 }]);
    assert_eq!(factors(&tied, 3)[tied.len() - 2..], [1.0, 1.0]);
}

#[test]
fn by_the_definition() {
    // Ten states of 8 and 2 visits of two decisions: no more alike could they be, so all that is left is one standard error.
    let choices: Vec<Choice> =
        (0..20).map(|at| Choice { state: at / 2, n: if at % 2 == 0 { 8.0 } else { 2.0 } }).collect();
    let spread: f64 = 2.0 * 0.8 * 0.2;
    let excess = -10.0 * 10.0 * spread + (10.0 * 2.0_f64 * 100.0 * spread * spread).sqrt();
    assert!(excess < 0.0, "{excess}");
    // The share is that of all, so that even a boundless strength changes nothing.
    assert!(factors(&choices, 2).iter().all(|factor| (factor - 1.0).abs() < 1e-12));
    // One more state, of three and one: its share is moved to that of all, by a strength that ends at its bound.
    let mut more = choices;
    more.extend([Choice { state: 10, n: 3.0 }, Choice { state: 10, n: 1.0 }]);
    let share = 83.0 / 104.0;
    let strength = STRENGTH_MAX - 1.0;
    let expected = (3.0 + strength * share) / (4.0 + strength) * 4.0 / 3.0;
    assert!((factors(&more, 2)[20] - expected).abs() < 1e-12, "{} {expected}", factors(&more, 2)[20]);
}
