//! One action of a million entries, and a hundred thousand actions at once.

use accredit::{Applied, Begin, Closing, Command, Limits, Status};
use serde_json::json;

use crate::support::{IntoBody, Rig, assert_close, begin, chosen_id, new_seq, probe, step};

/// Entries in all: one observation in ten.
const ENTRIES: usize = 1_000_000;
const BATCH: usize = 10_000;

#[test]
fn a_million_entries_in_one_action() {
    let rig = Rig::with_limits(Limits { entries_max: ENTRIES as u64, ..Limits::default() });
    let id = rig.begin_expecting(&json!({"rows": 8}));
    for batch in 0..ENTRIES / BATCH {
        let observed = probe(&json!({"rows": batch}));
        let entries = (0..BATCH).map(|n| match n % 10 {
            9 => observed.clone().into_body(),
            _ => step("s").into_body(),
        });
        let recorded = rig.record(id, entries.collect());
        assert_eq!(new_seq(&recorded[BATCH - 1]), ((batch + 1) * BATCH - 1) as u64);
    }
    assert!(!rig.engine.step(id, step("one too many")).unwrap().is_stored());
    let rig = rig.reopen();
    assert_eq!(rig.engine.action(id).unwrap().step_count, 900_000);
    let made = rig.complete(id, &json!({"rows": 8}));
    assert_eq!((made.credits.len(), made.success_score), (900_000, 0.0), "99 rows were observed last");
    assert_close(made.credits.iter().sum(), 1.0, 1e-9);
    assert_close(made.credits[899_999], 0.1, 1e-12);
    let action = rig.engine.action(id).unwrap();
    assert_eq!((action.step_count, action.observation_count), (900_000, 100_000));
    assert_eq!(rig.stats().recorded, ENTRIES as u64);
}

#[test]
fn a_hundred_thousand_actions_open_at_once() {
    const ACTIONS: u64 = 100_000;
    let rig = Rig::open();
    let begins = (0..ACTIONS).map(|n| Ok(Command::Begin(Begin { action_id: Some(chosen_id(n)), ..begin() })));
    let applied = rig.engine.apply(begins.collect());
    assert!(applied.iter().all(|applied| matches!(applied, Applied::Begun(begun) if !begun.repeat)));
    let rig = rig.reopen();
    assert_eq!(rig.stats().open, ACTIONS);
    rig.clock.advance_secs(1);
    rig.engine.step(chosen_id(0), step("at work")).unwrap();
    rig.begin();
    let status = |n: u64| rig.engine.action(chosen_id(n)).unwrap().status;
    assert_eq!((status(0), status(1), status(2)), (Status::Open, Status::Closed(Closing::Evicted), Status::Open));
    let stats = rig.stats();
    assert_eq!((stats.begun, stats.open, stats.evicted), (ACTIONS + 1, ACTIONS, 1));
}
