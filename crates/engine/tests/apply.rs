//! Commands of all kinds in one stream.

use accredit::{Applied, Begin, Command, Completion, Refusal, RefusalReason, Step};
use serde_json::json;

use crate::support::{Rig, begin, chosen_id, new_seq, outcome_of, probe, step};

/// One line of wire format v1, as an import reads it.
fn line(text: &str) -> Result<Command, Refusal> {
    Command::from_json(text).map_err(Refusal::from)
}

fn begun(id: u64) -> Command {
    Command::Begin(Begin { action_id: Some(chosen_id(id)), ..begin() })
}

fn stepped(id: u64, description: &str) -> Command {
    Command::Step { action_id: chosen_id(id), step: step(description) }
}

#[test]
fn commands_are_answered_in_their_order() {
    let rig = Rig::open();
    let id = chosen_id(1);
    let text = |rest: &str| format!(r#"{{"op":{rest}"#).replace("$id", &id.to_string());
    let lines = [
        r#""begin","action_id":"$id","agent_id":"planner","action_type":"book","expected_outcome":{"rows":8}}"#,
        r#""step","action_id":"$id","description":"look","confidence":0.8,"at":"2026-01-31T12:00:00Z"}"#,
        r#""observe","action_id":"$id","observation_type":"probe","data":{"rows":8},"step":0}"#,
        r#""step","action_id":"$id","description":"typo","confidnce":0.8}"#,
        r#""heartbeat","action_id":"$id"}"#,
        r#""complete","action_id":"$id","outcome":{"rows":3}}"#,
        r#""step","action_id":"$id","description":"late"}"#,
        r#""revise","action_id":"$id","outcome":{"rows":8},"reward":2.5,"reason":"counted again"}"#,
        r#""cancel","action_id":"$id"}"#,
        r#""begin","agent_id":"planner","action_type":"book"}"#,
    ];
    let applied = rig.engine.apply(lines.iter().map(|rest| line(&text(rest))).collect());
    assert_eq!(applied.len(), lines.len());
    assert!(matches!(&applied[0], Applied::Begun(begun) if begun.action_id == id && !begun.repeat));
    assert!(matches!(&applied[1], Applied::Entry(entry) if new_seq(entry) == 0));
    assert!(matches!(&applied[2], Applied::Entry(entry) if new_seq(entry) == 1));
    assert_eq!(applied[3].reason(), Some(RefusalReason::UnknownField));
    assert!(applied[3].refusal().unwrap().detail.contains("confidnce"));
    assert!(matches!(&applied[4], Applied::Alive));
    // What was observed decides over what is claimed.
    assert!(matches!(&applied[5], Applied::Attributed(made) if made.version == 1 && made.success_score == 1.0));
    assert_eq!(applied[6].reason(), Some(RefusalReason::ClosedAction));
    assert!(matches!(&applied[7], Applied::Attributed(made) if made.version == 2 && made.reward == Some(2.5)));
    assert!(matches!(&applied[8], Applied::Failed(error) if error.code() == "conflict"));
    assert!(matches!(&applied[9], Applied::Begun(begun) if begun.action_id != id));
    let stats = rig.stats();
    assert_eq!((stats.begun, stats.recorded, stats.experiences), (2, 2, 2));
}

#[test]
fn every_command_sees_what_stood_before_it() {
    let rig = Rig::open();
    let [first, second] = [1, 2].map(chosen_id);
    let complete = |action_id| Command::Complete { action_id, completion: outcome_of(&json!({"success": true})) };
    let commands = vec![
        begun(1),
        stepped(1, "a"),
        begun(2),
        stepped(2, "a"),
        stepped(1, "b"),
        complete(first),
        stepped(2, "b"),
        Command::Observe { action_id: first, observation: probe(&json!({"success": false})) },
        stepped(1, "late"),
        complete(second),
        begun(1),
        complete(second),
    ];
    let applied = rig.engine.apply(commands.into_iter().map(Ok).collect());
    let told: Vec<String> = applied.iter().map(told).collect();
    let expected = [
        "begun",
        "seq 0",
        "begun",
        "seq 0",
        "seq 1",
        "version 1",
        "seq 1",
        "seq 2",
        "closed_action",
        "version 1",
        "begun again",
        "version 1 again",
    ];
    assert_eq!(told, expected);
    assert_eq!(rig.engine.attribution(first, None).unwrap().version, 2, "the late observation changed the score");
}

fn told(applied: &Applied) -> String {
    match applied {
        Applied::Begun(begun) if begun.repeat => "begun again".to_owned(),
        Applied::Begun(_) => "begun".to_owned(),
        Applied::Entry(accredit::Recorded::Stored { seq, .. }) => format!("seq {seq}"),
        Applied::Attributed(made) if made.repeat => format!("version {} again", made.version),
        Applied::Attributed(made) => format!("version {}", made.version),
        Applied::Alive | Applied::Accepted => "alive".to_owned(),
        Applied::Entry(accredit::Recorded::Refused(refusal)) => refusal.reason.to_string(),
        Applied::Failed(error) => error.code().to_owned(),
    }
}

#[test]
fn a_long_stream_keeps_its_order() {
    const STEPS: usize = 10_000;
    let rig = Rig::open();
    let commands = std::iter::once(begun(1)).chain((0..STEPS).map(|n| stepped(1, &n.to_string())));
    let applied = rig.engine.apply(commands.map(Ok).collect());
    let seqs = applied.iter().skip(1).map(|applied| match applied {
        Applied::Entry(entry) => new_seq(entry),
        other => panic!("{other:?}"),
    });
    assert!(seqs.eq(0..STEPS as u64));
    let chain = rig.engine.chain(chosen_id(1)).unwrap();
    assert!(chain.iter().enumerate().all(|(n, entry)| entry.step().unwrap().description == n.to_string()));
}

#[test]
fn begins_beyond_the_limit_evict_in_order() {
    let rig = Rig::open_with(|config| config.limits.open_actions_max = 3);
    let commands = (0..10).flat_map(|n| [begun(n), stepped(n, "s")]);
    let applied = rig.engine.apply(commands.map(Ok).collect());
    assert!(applied.iter().all(|applied| applied.reason().is_none() && !matches!(applied, Applied::Failed(_))));
    let stats = rig.stats();
    assert_eq!((stats.begun, stats.open, stats.evicted, stats.steps), (10, 3, 7, 10));
    let is_open = |n: u64| rig.engine.action(chosen_id(n)).unwrap().closed_at.is_none();
    assert_eq!((0..10).filter(|n| is_open(*n)).collect::<Vec<_>>(), [7, 8, 9]);
}

#[test]
fn strict_mode_fails_the_bad_command_alone() {
    let rig = Rig::open_with(|config| config.strict = true);
    let bad = Command::Step { action_id: chosen_id(1), step: Step { confidence: Some(f64::NAN), ..step("bad") } };
    let commands = vec![begun(1), stepped(1, "a"), bad, stepped(1, "b"), stepped(7, "to nobody")];
    let applied = rig.engine.apply(commands.into_iter().map(Ok).collect());
    let told: Vec<String> = applied.iter().map(told).collect();
    assert_eq!(told, ["begun", "seq 0", "invalid_number", "seq 1", "unknown_action"]);
    assert_eq!(rig.stats().steps, 2);
}

#[test]
fn nothing_is_nothing() {
    let rig = Rig::open();
    assert!(rig.engine.apply(Vec::new()).is_empty());
    assert!(rig.record(rig.begin(), Vec::new()).is_empty());
    let id = rig.begin();
    assert_eq!(rig.engine.complete(id, Completion::default()).unwrap().credits, [0.0; 0]);
}
