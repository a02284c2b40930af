//! The crash harness: a few rounds, and the proof that it can fail.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use accredit::{ActionId, Config, Engine};
use accredit_testkit::crash::{Differences, Ledger, Line, Plan, Reply, Summary, play};

fn rounds(rounds: u64, seed: u64, damage: Option<fn(&Path)>) -> Summary {
    let folder = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_crash"));
    play(&Plan { binary, folder: folder.path(), rounds, seed, damage }).unwrap()
}

#[test]
fn nothing_acknowledged_is_lost_when_the_writer_is_killed() {
    let seed = 7;
    let summary = rounds(10, seed, None);
    assert_eq!(summary.differences, Differences::default(), "seed {seed}");
    assert!(summary.acknowledged > 100, "seed {seed}: the writers got nowhere: {summary:?}");
}

/// A store that does not keep what it acknowledged: its log goes with the process.
#[test]
fn the_harness_sees_a_store_that_forgets() {
    let without_log = |store: &Path| {
        let mut log = store.as_os_str().to_owned();
        log.push("-wal");
        std::fs::remove_file(PathBuf::from(log)).unwrap_or_default();
    };
    let summary = rounds(8, 7, Some(without_log));
    assert!(!summary.differences.lost.is_empty(), "{summary:?}");
}

const ID: &str = "00000000-0000-4000-8000-000000000001";

fn begin(id: &str) -> String {
    format!(r#"{{"op":"begin","action_id":"{id}","agent_id":"a","action_type":"t"}}"#)
}

fn step(text: &str) -> String {
    format!(r#"{{"op":"step","action_id":"{ID}","description":"{text}"}}"#)
}

fn sending(op: u64, command: String) -> Line {
    Line::Sending(op, vec![command])
}

fn answered(op: u64, reply: Reply) -> Line {
    Line::Answered(op, vec![reply])
}

/// An action with one step and a reward-less completion in a store, the ledger of it, and what more lines make of it.
fn compared(lines: Vec<Line>) -> Differences {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(Config::at(folder.path().join("one.db"))).unwrap();
    let complete = format!(r#"{{"op":"complete","action_id":"{ID}","outcome":{{"success":true}}}}"#);
    let mut ledger = Ledger::default();
    let commands = [begin(ID), step("done"), complete];
    for (op, command) in (0..).zip(commands) {
        let parsed = accredit::Command::from_json(&command).unwrap();
        let replies = engine.apply(vec![Ok(parsed)]).into_iter().map(Reply::from).collect();
        ledger.note(sending(op, command)).unwrap();
        ledger.note(Line::Answered(op, replies)).unwrap();
    }
    assert_eq!(ledger.clone().compare(&engine).unwrap(), Differences::default());
    lines.into_iter().for_each(|line| ledger.note(line).unwrap());
    ledger.compare(&engine).unwrap()
}

#[test]
fn the_harness_sees_what_is_lost() {
    let check = |lines: Vec<Line>, told: &str| {
        let found = compared(lines);
        assert!(found.lost.len() == 1 && found.lost[0].contains(told), "{told}: {found:?}");
    };
    check(vec![sending(9, step("never")), answered(9, Reply::Stored(1))], "entry 1 of");
    check(vec![sending(9, step("another")), answered(9, Reply::Stored(0))], "entry 0 of");
    let other = "00000000-0000-4000-8000-000000000002";
    check(vec![sending(9, begin(other)), answered(9, Reply::Begun)], "action 00000000-0000-4000-8000-000000000002");
    let revise = format!(r#"{{"op":"revise","action_id":"{ID}","outcome":{{}}}}"#);
    check(vec![sending(9, revise.clone()), answered(9, Reply::Attributed(2, 1.0))], "version 2");
    check(vec![sending(9, revise), answered(9, Reply::Attributed(1, 0.25))], "version 1");
    // Sent without an answer, it may be there or not.
    assert_eq!(compared(vec![sending(9, step("perhaps")), sending(10, begin(other))]), Differences::default());
}

#[test]
fn the_harness_sees_what_nobody_sent() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(Config::at(folder.path().join("one.db"))).unwrap();
    let apply = |command: &str| {
        let replies = engine.apply(vec![Ok(accredit::Command::from_json(command).unwrap())]);
        replies.into_iter().map(Reply::from).collect::<Vec<_>>()
    };
    apply(&begin(ID));
    let mut ledger = Ledger::default();
    let check = |ledger: &Ledger, told: &str| {
        let found = ledger.clone().compare(&engine).unwrap();
        assert!(found.wrong.len() == 1 && found.wrong[0].contains(told), "{told}: {found:?}");
    };
    check(&ledger, "was never sent");
    ledger.note(sending(0, begin(ID))).unwrap();
    assert_eq!(ledger.clone().compare(&engine).unwrap(), Differences::default());
    apply(&step("nobody's"));
    check(&ledger, "entry 0 of");
    // Sent once, stored twice; and what was refused has no business there.
    ledger.note(sending(1, step("nobody's"))).unwrap();
    assert_eq!(ledger.clone().compare(&engine).unwrap(), Differences::default());
    apply(&step("nobody's"));
    check(&ledger, "entry 1 of");
    ledger.note(sending(2, step("nobody's"))).unwrap();
    let mut refused = ledger.clone();
    refused.note(answered(2, Reply::Refused("action_full".to_owned()))).unwrap();
    check(&refused, "entry 1 of");
    apply(&format!(r#"{{"op":"cancel","action_id":"{ID}"}}"#));
    check(&ledger, "nobody closed it");
    assert!(ledger.knows_actions() || engine.action(ID.parse::<ActionId>().unwrap()).is_ok());
}
