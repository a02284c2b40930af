//! Counters that balance at any instant, and that a store keeps.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use accredit::{Cancel, Closing, Command, Error, ErrorKind, Observation, RefusalReason, Stats, Step};
use accredit_testkit::Random;
use serde_json::json;

use crate::support::{
    IntoBody, Rig, assert_balanced, chosen_id, judgement, outcome_of, probe, reason, revision_to, step,
};

#[test]
fn each_thing_is_counted_in_its_place() {
    let rig = Rig::open_with(|config| config.limits.open_actions_max = 4);
    let ids: Vec<_> = (0..6).map(|_| rig.begin()).collect();
    rig.steps(ids[2], 3);
    rig.engine.observe(ids[2], probe(&json!({}))).unwrap();
    rig.engine.step(ids[3], Step { confidence: Some(f64::NAN), ..step("s") }).unwrap();
    rig.engine.step(chosen_id(1), step("s")).unwrap();
    let keyed = Step { idempotency_key: Some("k".to_owned()), ..step("s") };
    rig.engine.step(ids[3], keyed.clone()).unwrap();
    rig.engine.step(ids[3], keyed).unwrap();
    rig.complete(ids[2], &json!({}));
    rig.complete(ids[2], &json!({}));
    rig.engine.revise(ids[2], revision_to(&json!({"rows": 8}))).unwrap();
    rig.engine.cancel(ids[3], Cancel::default()).unwrap();
    rig.engine.step(ids[3], step("s")).unwrap();
    rig.clock.advance_secs(1);
    rig.engine.heartbeat(ids[4]).unwrap();
    rig.clock.advance_secs(crate::support::IDLE_SECS);
    rig.engine.cleanup_expired().unwrap();
    let refused = [("closed_action", 1), ("invalid_number", 1), ("unknown_action", 1)];
    let expected = Stats {
        begun: 6,
        open: 1,
        completed: 1,
        timed_out: 1,
        evicted: 2,
        cancelled: 1,
        received: 8,
        recorded: 5,
        steps: 4,
        observations: 1,
        repeated: 1,
        refused: refused.map(|(reason, n)| (reason.to_owned(), n)).into(),
        refused_total: 3,
        revisions: 1,
        experiences: 6,
        delivered: 0,
        pending: 6,
        dead: 0,
        sinks: Vec::new(),
    };
    assert_eq!(rig.stats(), expected);
    assert_eq!(rig.reopen().stats(), expected);
}

/// One thread's share of the load: every kind of command, right ones and wrong ones.
fn work(rig: &Rig, seed: u64) {
    let mut random = Random::new(seed);
    let id = rig.begin();
    for n in 0..12 {
        match random.below(8) {
            0 => drop(rig.engine.step(chosen_id(seed), step("to nobody")).unwrap()),
            1 => drop(rig.engine.step(id, Step { confidence: Some(f64::NAN), ..step("s") }).unwrap()),
            2 => drop(rig.engine.observe(id, Observation { step: Some(99), ..probe(&json!({})) }).unwrap()),
            3 => tolerant(rig.engine.heartbeat(id)),
            4 => {
                let keyed = || Step { idempotency_key: Some(format!("{n}")), ..step("s") }.into_body();
                rig.engine.record(id, vec![keyed(), keyed()]).unwrap();
            }
            5 => drop(rig.engine.observe(id, probe(&json!({"n": n}))).unwrap()),
            _ => {
                let batch = (0..5).map(|_| step("s").into_body()).collect();
                rig.engine.record(id, batch).unwrap();
            }
        }
    }
    match random.below(4) {
        0 => tolerant(rig.engine.cancel(id, Cancel::default()).map(drop)),
        1 => {}
        _ => {
            rig.complete(id, &json!({"success": true}));
            rig.engine.step(id, step("too late")).unwrap();
            rig.engine.observe(id, probe(&json!({"success": false}))).unwrap();
            rig.engine.complete(id, outcome_of(&json!({"rows": 1}))).unwrap_err();
            rig.engine.revise(id, revision_to(&json!({"rows": 1}))).unwrap();
        }
    }
}

/// Another thread's begin may have evicted the action.
fn tolerant(result: Result<(), Error>) {
    if let Err(error) = result {
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
}

#[test]
fn counters_balance_under_sixty_four_threads() {
    const THREADS: u64 = 64;
    let rig = Rig::open_with(|config| config.limits.open_actions_max = 48);
    let (barrier, is_done) = (Barrier::new(THREADS as usize), AtomicBool::new(false));
    let n_looks = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut n_looks, mut before) = (0_u64, Stats::default());
            while !is_done.load(Ordering::Relaxed) {
                let stats = rig.stats();
                let grew = [
                    (before.begun, stats.begun),
                    (before.received, stats.received),
                    (before.experiences, stats.experiences),
                ];
                assert!(grew.iter().all(|(before, after)| before <= after), "{before:?} {stats:?}");
                (n_looks, before) = (n_looks + 1, stats);
            }
            n_looks
        });
        let (rig, barrier) = (&rig, &barrier);
        let workers: Vec<_> = (0..THREADS)
            .map(|seed| {
                scope.spawn(move || {
                    barrier.wait();
                    work(rig, seed);
                })
            })
            .collect();
        let ended: Vec<bool> = workers.into_iter().map(|worker| worker.join().is_ok()).collect();
        is_done.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(|ended| *ended));
        reader.join().unwrap()
    });
    let stats = rig.stats();
    assert!(n_looks > 10, "the reader looked {n_looks} times");
    assert_eq!(stats.begun, THREADS);
    assert!(stats.evicted > 0 && stats.cancelled > 0 && stats.completed > 0, "{stats:?}");
    assert!(["unknown_action", "invalid_number", "closed_action"].iter().all(|reason| stats.refused[*reason] > 0));
    let report = rig.engine.verify(&mut |_, _| {}).unwrap();
    assert_eq!(report.problems, []);
    assert_eq!((report.actions, report.open, report.entries), (stats.begun, stats.open, stats.recorded));
    assert_eq!(rig.reopen().stats(), stats);
}

/// Threads that complete, observe, revise and expire the same few actions: whoever wins, the books are right.
#[test]
fn rivals_for_one_action_leave_a_sound_store() {
    let rig = Rig::open();
    for _ in 0..6 {
        let id = rig.begin_with(accredit::Begin {
            acceptance_criteria: Some(vec!["it reads well".to_owned()]),
            ..crate::support::begin()
        });
        rig.steps(id, 2);
        let barrier = Barrier::new(6);
        let (rig, barrier) = (&rig, &barrier);
        let outcomes = std::thread::scope(|scope| {
            let rivals: Vec<_> = (0..6_u8)
                .map(|rival| {
                    scope.spawn(move || {
                        barrier.wait();
                        match rival {
                            0 | 1 => rig.engine.complete(id, outcome_of(&json!({"success": true}))).is_ok(),
                            2 => rig.engine.complete(id, outcome_of(&json!({"success": false}))).is_ok(),
                            3 => rig.engine.cancel(id, Cancel::default()).is_ok(),
                            4 => rig.engine.observe(id, judgement("it reads well", 0.1)).unwrap().is_stored(),
                            _ => reason(&rig.engine.step(id, step("s")).unwrap()).is_none(),
                        }
                    })
                })
                .collect();
            rivals.into_iter().map(|rival| rival.join().unwrap()).collect::<Vec<_>>()
        });
        let standing = rig.engine.attribution(id, None).unwrap();
        assert_eq!(outcomes[3], standing.closing == Closing::Cancelled, "one way of closing wins");
        assert_eq!(outcomes[0], outcomes[1], "both brought the same outcome");
        assert_eq!(outcomes[..4].iter().filter(|won| **won).count(), if outcomes[0] { 2 } else { 1 });
        assert!(outcomes[4], "an observation is never refused");
        let n_steps = 2 + usize::from(outcomes[5]);
        assert!(rig.engine.attributions(id).unwrap().iter().all(|made| made.credits.len() == n_steps));
    }
    assert_balanced(&rig.stats());
    assert_eq!(rig.engine.verify(&mut |_, _| {}).unwrap().problems, []);
}

#[test]
fn open_actions_are_open_again_after_reopening() {
    let rig = Rig::open();
    let (open, done) = (rig.begin_expecting(&json!({"rows": 8})), rig.begin());
    rig.steps(open, 7);
    rig.engine.observe(open, probe(&json!({"rows": 8}))).unwrap();
    rig.complete(done, &json!({}));
    let (action, chain, stats) = (rig.engine.action(open).unwrap(), rig.engine.chain(open).unwrap(), rig.stats());
    let rig = rig.reopen();
    assert_eq!(rig.engine.action(open).unwrap(), action);
    assert_eq!(rig.engine.chain(open).unwrap(), chain);
    assert_eq!(rig.stats(), stats);
    rig.steps(open, 3);
    let rig = rig.reopen();
    let made = rig.complete(open, &json!({"rows": 8}));
    assert_eq!((made.credits.len(), made.success_score), (10, 1.0));
    let seqs: Vec<u64> = rig.engine.chain(open).unwrap().iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (0..11).collect::<Vec<_>>());
}

#[test]
fn random_commands_leave_a_sound_store() {
    for seed in 0..6 {
        let mut rig = Rig::open_with(|config| {
            config.limits.open_actions_max = 5;
            config.limits.entries_max = 12;
        });
        let mut random = Random::new(seed);
        for round in 0..4 {
            let commands = (0..60).map(|_| random_command(&mut random)).map(Ok).collect();
            assert_eq!(rig.engine.apply(commands).len(), 60);
            rig.clock.advance_secs(7_000);
            rig.engine.cleanup_expired().unwrap();
            let stats = rig.stats();
            let report = rig.engine.verify(&mut |_, _| {}).unwrap();
            assert_eq!(report.problems, [], "seed {seed} round {round}");
            assert_eq!((report.actions, report.open, report.entries), (stats.begun, stats.open, stats.recorded));
            assert_eq!(report.attributions, stats.experiences);
            rig = rig.reopen();
            assert_eq!(rig.stats(), stats, "seed {seed} round {round}");
        }
        let refused = rig.stats().refused;
        assert!(refused.contains_key(RefusalReason::ClosedAction.code()), "seed {seed}: {refused:?}");
    }
}

fn random_command(random: &mut Random) -> Command {
    let action_id = chosen_id(random.below(12));
    match random.below(16) {
        0..=2 => {
            let parent_action_id = (random.below(2) == 0).then(|| chosen_id(random.below(12)));
            Command::Begin(accredit::Begin {
                action_id: Some(action_id),
                parent_action_id,
                expected_outcome: Some(crate::support::object(&json!({"rows": 8}))),
                ..crate::support::begin()
            })
        }
        3..=7 => {
            let idempotency_key = (random.below(3) == 0).then(|| random.below(4).to_string());
            Command::Step { action_id, step: Step { idempotency_key, ..step("s") } }
        }
        8..=10 => {
            let step = (random.below(2) == 0).then(|| random.below(4));
            let observation = Observation { step, ..probe(&json!({"rows": random.below(20)})) };
            Command::Observe { action_id, observation }
        }
        11 | 12 => Command::Complete { action_id, completion: outcome_of(&json!({"rows": random.below(20)})) },
        13 => Command::Revise { action_id, revision: revision_to(&json!({"rows": random.below(20)})) },
        14 => Command::Cancel { action_id, cancel: Cancel::default() },
        _ => Command::Heartbeat { action_id },
    }
}
