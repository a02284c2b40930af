//! Completions that are durable before they are attributed.

use accredit::{
    Answer, Applied, Begin, Closing, Completion, Config, Engine, Environment, Recorder, RecorderOptions, Step,
};
use accredit_store::{SqliteStore, Store, Write};

fn recorder(engine: &Engine) -> Recorder {
    Recorder::new(Box::new(engine.clone()), Environment::default(), RecorderOptions::default()).unwrap()
}

fn begin() -> Begin {
    Begin { agent_id: "a".into(), action_type: "t".into(), ..Begin::default() }
}

fn outcome(text: &str) -> Completion {
    Completion { outcome: Some(serde_json::from_str(text).unwrap()), reward: Some(0.25), ..Completion::default() }
}

#[test]
fn a_recorders_completion_is_accepted_then_attributed() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(Config::at(folder.path().join("store.db"))).unwrap();
    let recorder = recorder(&engine);
    for n in 0..50 {
        let action = recorder.begin(begin()).unwrap();
        let step = Step { description: format!("step {n}"), ..Step::default() };
        recorder.record(&action, accredit::EntryBody::Step(step)).unwrap();
        let answer = recorder.complete(action.id(), outcome(r#"{"done": true}"#), &mut || false).unwrap();
        assert!(matches!(answer, Answer::Applied(Applied::Accepted | Applied::Attributed(_))), "{answer:?}");
        assert!(action.is_closed());
        // Again the same is a repeat, another one a conflict: both wait for the attribution.
        if n % 10 == 0 {
            let again = recorder.complete(action.id(), outcome(r#"{"done": true}"#), &mut || false).unwrap();
            assert!(matches!(&again, Answer::Applied(Applied::Attributed(made)) if made.repeat), "{again:?}");
            let other = recorder.complete(action.id(), outcome(r#"{"done": 1}"#), &mut || false).unwrap();
            assert!(matches!(&other, Answer::Applied(Applied::Failed(accredit::Error::Conflict { .. }))), "{other:?}");
        }
    }
    engine.wait_accepted();
    let stats = engine.stats().unwrap();
    assert_eq!((stats.completed, stats.open, stats.steps), (50, 0, 50));
}

#[test]
fn what_a_dead_process_had_accepted_is_closed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Engine::open(Config::at(&path)).unwrap();
    let id = engine.begin(begin()).unwrap().action_id;
    engine.step(id, Step { description: "done".into(), ..Step::default() }).unwrap();
    engine.close().unwrap();
    // What a process leaves behind that was killed right after the answer.
    let store = SqliteStore::open(&path).unwrap();
    let completion = br#"{"outcome":{"success":true},"reward":0.5,"accepted_at":"2030-01-01T00:00:00Z"}"#.to_vec();
    store.commit(vec![Write::Accept { action: id, completion }]).unwrap();
    drop(store);
    let engine = Engine::open(Config::at(&path)).unwrap();
    let late = engine.step(id, Step { description: "late".into(), ..Step::default() }).unwrap();
    assert!(!late.is_stored());
    engine.wait_accepted();
    let made = engine.attribution(id, None).unwrap();
    assert_eq!((made.closing, made.reward, made.success_score), (Closing::Completed, Some(0.5), 1.0));
    assert!(engine.action(id).unwrap().duration_seconds.unwrap() > 0.0);
    engine.close().unwrap();
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.accepted().unwrap(), []);
}

#[test]
fn closing_the_engine_closes_what_was_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Engine::open(Config::at(&path)).unwrap();
    let recorder = recorder(&engine);
    let ids: Vec<_> = (0..20).map(|_| recorder.begin(begin()).unwrap().id()).collect();
    for id in &ids {
        recorder.complete(*id, outcome("{}"), &mut || false).unwrap();
    }
    recorder.close();
    engine.close().unwrap();
    let engine = Engine::open(Config::read_only(&path)).unwrap();
    assert_eq!(engine.stats().unwrap().completed, 20);
}
