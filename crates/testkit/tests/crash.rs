//! The crash harness: a few rounds, and the proof that it can fail.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use accredit::{ActionId, Begin, Config, Engine, Step};
use accredit_testkit::crash::{Ledger, Line, rounds};

#[test]
fn nothing_acknowledged_is_lost_when_the_writer_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let seed = 7;
    let summary = rounds(Path::new(env!("CARGO_BIN_EXE_crash")), folder.path(), 12, seed).unwrap();
    assert!(summary.problems.is_empty(), "seed {seed}: {:?}", summary.problems);
    assert!(summary.acknowledged > 100, "seed {seed}: the writers got nowhere: {summary:?}");
}

/// A ledger of one action with one step, and the engine that has it.
fn one_step(folder: &Path) -> (Engine, Ledger, ActionId) {
    let engine = Engine::open(Config::at(folder.join("one.db"))).unwrap();
    let begin = Begin { agent_id: "a".into(), action_type: "t".into(), ..Begin::default() };
    let id = engine.begin(begin).unwrap().action_id;
    engine.step(id, Step { description: "done".into(), ..Step::default() }).unwrap();
    let mut ledger = Ledger::default();
    ledger.note(Line::Begun(id));
    ledger.note(Line::Stored(id, 0, "done".into()));
    (engine, ledger, id)
}

#[test]
fn the_harness_sees_what_is_lost() {
    let check = |line: fn(ActionId) -> Line, told: &str| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, mut ledger, id) = one_step(folder.path());
        assert_eq!(ledger.compare(&engine), Vec::<String>::new());
        ledger.note(line(id));
        let problems = ledger.compare(&engine);
        assert!(problems.len() == 1 && problems[0].contains(told), "{problems:?}");
    };
    check(|id| Line::Stored(id, 1, "never".into()), "acknowledged entry 1");
    check(|id| Line::Stored(id, 0, "another".into()), "acknowledged entry 0");
    check(|id| Line::Attributed(id, 1, 1.0), "acknowledged version 1");
    check(|_| Line::Begun(ActionId::from_bytes([9; 16])), "acknowledged action");
}
