//! Unit tests.

use proptest::prelude::*;

use super::*;
use crate::random::Random;
use crate::{FitOptions, KEYS_MAX, LearnedMethod, StepFeatures};

fn id(at: u64) -> ActionId {
    ActionId::from_bytes((u128::from(at) << 64 | u128::from(at)).to_be_bytes())
}

/// An action whose steps have these keys, with a reward that sums without rounding.
fn learn(learner: &mut Learner, writer: u64, at: u64, version: u32, keys: &[&str]) {
    let steps: Vec<StepFeatures<'_>> =
        keys.iter().map(|key| StepFeatures { key: Some(key), ..StepFeatures::default() }).collect();
    let reward = (at % 8) as f64 / 8.0 + f64::from(version);
    learner.learn(writer, id(at), version, &Trajectory { steps: &steps, reward, ..Trajectory::default() });
}

fn forget(learner: &mut Learner, writer: u64, at: u64, version: u32, keys: &[&str]) {
    let steps: Vec<StepFeatures<'_>> =
        keys.iter().map(|key| StepFeatures { key: Some(key), ..StepFeatures::default() }).collect();
    let reward = (at % 8) as f64 / 8.0 + f64::from(version);
    learner.forget(writer, id(at), &Trajectory { steps: &steps, reward, ..Trajectory::default() });
}

fn merged(parts: &[&Learner]) -> Learner {
    let mut all = Learner::default();
    parts.iter().for_each(|part| all.merge(part));
    all
}

fn bytes(learner: &Learner) -> usize {
    learner.samples().map(Sample::n_bytes).sum()
}

fn check_merging(parts: &[Learner; 3]) {
    let [a, b, c] = parts;
    let all = merged(&[a, b, c]);
    for order in [[a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
        assert!(merged(&order) == all);
    }
    assert!(merged(&[a, &merged(&[b, c])]) == all);
    assert!(merged(&[&merged(&[a, b]), c]) == all);
    assert!(merged(&[a, a, b, a, c, b, c]) == all);
    assert!(merged(&[&all, &all, b]) == all);
    assert_eq!(all.reservoir_bytes, bytes(&all));
    assert!(all.samples().len() <= RESERVOIR_SAMPLES_MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn merging_is_commutative_associative_and_idempotent(
        actions in prop::collection::vec((0..3_usize, 0..12_u64, 1..3_u32, 0..5_usize), 0..40),
    ) {
        let mut parts = [Learner::default(), Learner::default(), Learner::default()];
        let names = ["open", "read", "write", "close", "retry"];
        for (writer, at, version, n) in actions {
            // What an action's steps were does not depend on who tells of it.
            let n = (n + at as usize + version as usize) % 5;
            let n = n.min(at as usize % 5);
            learn(&mut parts[writer], writer as u64, at, version, &names[..n]);
        }
        check_merging(&parts);
    }
}

#[test]
fn merging_stays_so_where_there_are_too_many_samples() {
    let mut parts = [Learner::default(), Learner::default(), Learner::default()];
    for at in 0..3_600 {
        let writer = (at % 3) as usize;
        learn(&mut parts[writer], writer as u64, at, 1, &["only"]);
    }
    check_merging(&parts);
    let all = merged(&[&parts[0], &parts[1], &parts[2]]);
    assert_eq!((all.samples().len(), all.n_actions()), (RESERVOIR_SAMPLES_MAX, 3_600));
}

#[test]
fn merging_stays_so_where_there_are_too_many_bytes() {
    let long = vec!["only"; 8_000];
    let mut parts = [Learner::default(), Learner::default(), Learner::default()];
    for at in 0..180 {
        let writer = (at % 3) as usize;
        learn(&mut parts[writer], writer as u64, at, 1, &long[..if at % 7 == 0 { 10 } else { long.len() }]);
    }
    check_merging(&parts);
    let all = merged(&[&parts[0], &parts[1], &parts[2]]);
    assert!(all.samples().len() < 180 && bytes(&all) <= RESERVOIR_BYTES_MAX, "{} {}", all.samples().len(), bytes(&all));
}

#[test]
fn of_two_tellings_of_one_version_the_same_stays() {
    // Once the one that came first stayed where only the steps were different.
    let (mut one, mut other) = (Learner::default(), Learner::default());
    learn(&mut one, 1, 5, 1, &["open", "read"]);
    learn(&mut other, 2, 5, 1, &["open", "write"]);
    assert!(merged(&[&one, &other]) == merged(&[&other, &one]));
}

#[test]
fn what_is_forgotten_was_never_learned() {
    let mut learner = Learner::default();
    learn(&mut learner, 1, 1, 1, &["open", "read"]);
    learn(&mut learner, 1, 2, 1, &["open", "write"]);
    let options = FitOptions { method: LearnedMethod::TdCe, version: 1 };
    let before = learner.clone();
    learn(&mut learner, 1, 3, 1, &["open", "read", "retry"]);
    assert!(learner.fit(&options) != before.fit(&options));
    forget(&mut learner, 1, 3, 1, &["open", "read", "retry"]);
    assert_eq!(learner.fit(&options), before.fit(&options));
    assert!(learner.reservoir == before.reservoir && learner.reservoir_bytes == before.reservoir_bytes);
    assert_eq!((learner.n_actions(), learner.counts().n_keys()), (2, before.counts().n_keys()));
    // Twice, or one that was never there, changes nothing.
    forget(&mut learner, 9, 4, 1, &["open"]);
    assert_eq!(learner.fit(&options), before.fit(&options));
    for at in [1, 2] {
        forget(&mut learner, 1, at, 1, if at == 1 { &["open", "read"] } else { &["open", "write"] });
    }
    assert_eq!((learner.n_actions(), learner.samples().len(), learner.reservoir_bytes), (0, 0, 0));
    assert_eq!(learner.counts().n_keys(), 0);
}

#[test]
fn rewards_that_are_no_numbers_are_not_learned() {
    let mut learner = Learner::default();
    for reward in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let steps = [StepFeatures::default()];
        learner.learn(1, id(1), 1, &Trajectory { steps: &steps, reward, ..Trajectory::default() });
    }
    assert!(learner == Learner::default());
}

#[test]
fn bounds_hold_against_keys_that_never_come_twice() {
    let mut learner = Learner::default();
    let mut random = Random::new(1);
    // 50,000 keys of decisions and as many of situations, in 6,250 actions, some of the names long.
    for at in 0..6_250 {
        let keys: Vec<String> = (0..8)
            .map(|_| format!("{:x}{}", random.next(), "ü".repeat(if random.below(50) == 0 { 2_000 } else { 3 })))
            .collect();
        learn(&mut learner, 1, at, 1, &keys.iter().map(String::as_str).collect::<Vec<&str>>());
    }
    assert_eq!((learner.samples().len(), learner.n_actions()), (RESERVOIR_SAMPLES_MAX, 6_250));
    assert_eq!(learner.labels.len(), LABELS_MAX);
    assert!(learner.labels.values().all(|name| name.chars().count() <= LABEL_CHARS_MAX));
    assert!(learner.counts().n_keys() <= KEYS_MAX);
    assert_eq!(learner.reservoir_bytes, bytes(&learner));
    assert!(learner.reservoir_bytes <= RESERVOIR_BYTES_MAX);
    // What stays are the smallest hashes, whatever came first.
    let mut places: Vec<(u64, ActionId)> = (0..6_250).map(|at| place(id(at))).collect();
    places.sort_unstable();
    assert!(learner.reservoir.keys().eq(&places[..RESERVOIR_SAMPLES_MAX]));
}

#[test]
fn a_single_action_of_any_length_is_kept() {
    let mut learner = Learner::default();
    learn(&mut learner, 1, 1, 1, &vec!["on"; 100_000]);
    assert_eq!(learner.samples().map(|sample| sample.steps.len()).collect::<Vec<usize>>(), [4_096]);
}

#[test]
fn learners_are_written_and_read_back() {
    let mut learner = Learner::default();
    for at in 0..50 {
        learn(&mut learner, u64::MAX - at % 2, at, 1, &["open", "read", "write"][..1 + at as usize % 3]);
    }
    let steps = [StepFeatures {
        state: Some(r#"{"disk": "full"}"#),
        reward: Some(0.1),
        propensity: Some(0.3),
        ..StepFeatures::default()
    }];
    learner.learn(
        3,
        id(99),
        2,
        &Trajectory { steps: &steps, goal_id: Some("goal"), reward: 0.1, agent_id: "agent", ..Trajectory::default() },
    );
    let read: Learner = serde_json::from_str(&serde_json::to_string(&learner).unwrap()).unwrap();
    assert!(read == learner);
    let options = FitOptions::default();
    assert_eq!(read.fit(&options), learner.fit(&options));
}

#[test]
fn a_damaged_count_of_bytes_is_counted_again() {
    // It was believed, and forgetting then subtracted more than there was.
    let mut learner = Learner::default();
    learn(&mut learner, 1, 1, 1, &["open"]);
    learn(&mut learner, 1, 2, 1, &["open"]);
    let mut value = serde_json::to_value(&learner).unwrap();
    value["reservoir_bytes"] = 1.into();
    let mut read: Learner = serde_json::from_value(value).unwrap();
    assert!(read == learner);
    forget(&mut read, 1, 1, 1, &["open"]);
    assert_eq!(read.reservoir_bytes, bytes(&read));
}
