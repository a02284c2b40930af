//! One writer, any number of readers.

use accredit::{Access, Config, Engine, Error, ErrorKind, Filter, SinkConfig, SinkKind, Status};
use serde_json::json;

use crate::support::{Rig, begin, chosen_id, outcome_of, probe, refusal_of, step};

#[test]
fn a_second_writer_is_told_what_to_do() {
    let rig = Rig::open();
    let locked = Engine::open(Config::at(rig.file("accredit.db"))).unwrap_err();
    assert!(locked.to_string().contains("accredit serve"), "{locked}");
    assert!(locked.to_string().contains("accredit.db"), "{locked}");
    assert_eq!(locked.kind(), ErrorKind::Unavailable);
    let Rig { engine, .. } = rig.reopen();
    assert!(engine.is_writable().is_ok(), "once the first has closed it may");
}

#[test]
fn a_reader_beside_a_writer_sees_what_is_committed() {
    let rig = Rig::open();
    let id = rig.begin();
    let reader = Engine::open(Config::read_only(rig.file("accredit.db"))).unwrap();
    assert_eq!(reader.config().access, Access::ReadOnly);
    assert_eq!(reader.action(id).unwrap().status, Status::Open);
    assert!(reader.chain(id).unwrap().is_empty());

    rig.steps(id, 3);
    rig.engine.observe(id, probe(&json!({"rows": 8}))).unwrap();
    let action = reader.action(id).unwrap();
    assert_eq!((action.step_count, action.observation_count), (3, 1));
    assert_eq!(reader.chain(id).unwrap(), rig.engine.chain(id).unwrap());
    assert_eq!(reader.tree(id).unwrap(), rig.engine.tree(id).unwrap());
    assert_eq!(reader.stats().unwrap(), rig.stats());

    let made = rig.complete(id, &json!({"success": true}));
    assert_eq!(reader.attribution(id, None).unwrap(), made);
    let later = rig.begin();
    let listed = reader.list(&Filter::default(), 10, None).unwrap().actions;
    assert_eq!(listed.iter().map(|action| action.action_id).collect::<Vec<_>>(), [later, id]);
    assert_eq!(reader.experiences(0, 10).unwrap(), rig.engine.experiences(0, 10).unwrap());
    assert_eq!(reader.stats().unwrap(), rig.stats());
    assert_eq!(reader.verify(&mut |_, _| {}).unwrap().problems, []);
}

#[test]
fn a_reader_writes_nothing() {
    let rig = Rig::open();
    let id = rig.begin();
    let stats = rig.stats();
    let sinks =
        vec![SinkConfig { name: "file".to_owned(), kind: SinkKind::Jsonl { path: rig.file("experiences.jsonl") } }];
    let reader = Engine::open(Config { sinks, ..Config::read_only(rig.file("accredit.db")) }).unwrap();
    let check = |result: Result<(), Error>| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::ReadOnly), "{error}");
        assert_eq!(error.kind(), ErrorKind::Expected);
    };
    check(reader.begin(begin()).map(drop));
    check(reader.step(id, step("s")).map(drop));
    check(reader.observe(id, probe(&json!({}))).map(drop));
    check(reader.try_record(id, Vec::new()).map(drop));
    check(reader.heartbeat(id));
    check(reader.complete(id, outcome_of(&json!({}))).map(drop));
    check(reader.cancel(id, accredit::Cancel::default()).map(drop));
    check(reader.replay_dead_letters(None).map(drop));
    check(reader.is_writable());
    reader.close().unwrap();
    assert_eq!(rig.stats(), stats);
    assert!(!rig.file("experiences.jsonl").exists(), "it delivers nothing either");
}

#[test]
fn there_must_be_something_to_read() {
    let rig = Rig::open();
    let missing = Engine::open(Config::read_only(rig.file("other.db"))).unwrap_err();
    assert_eq!((missing.kind(), missing.code()), (ErrorKind::NotFound, "no_store"));
    assert!(!rig.file("other.db").exists());
    let text = rig.file("notes.txt");
    std::fs::write(&text, "not a store ".repeat(100)).unwrap();
    for config in [Config::read_only(&text), Config::at(&text)] {
        let other = Engine::open(config).unwrap_err();
        assert!(other.to_string().contains("not an accredit store"), "{other}");
    }
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("not a store"));
}

#[test]
fn clones_are_one_engine() {
    let rig = Rig::open();
    let clone = rig.engine.clone();
    let id = rig.begin();
    clone.step(id, step("s")).unwrap();
    drop(clone);
    assert_eq!(rig.engine.action(id).unwrap().step_count, 1);
    assert_eq!(refusal_of(rig.engine.action(chosen_id(1))).code(), "unknown_action");
}

#[test]
fn closing_gives_the_store_free_while_a_clone_lives() {
    let rig = Rig::open();
    let id = rig.begin();
    rig.steps(id, 2);
    let clone = rig.engine.clone();
    rig.engine.clone().close().unwrap();
    assert!(matches!(clone.step(id, step("late")), Err(Error::Closed)));
    let next = Engine::open(Config::at(rig.file("accredit.db"))).unwrap();
    next.step(id, step("more")).unwrap();
    // The clone reads, and sees what the next writer commits.
    assert_eq!(clone.chain(id).unwrap(), next.chain(id).unwrap());
    assert_eq!(clone.stats().unwrap(), next.stats().unwrap());
}
