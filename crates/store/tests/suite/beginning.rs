//! Opening actions.

use accredit_model::{Field, Status};
use accredit_store::{ActionSpec, NewAction, Write};
use serde_json::json;

use super::Database;
use super::build::{action, at, begin, close, id, say, stats, to};

pub(crate) fn begins(database: &impl Database) {
    let store = database.open();
    let object = |value: serde_json::Value| value.as_object().cloned().unwrap();
    let spec = ActionSpec {
        expected_outcome: object(json!({"z": 1.5, "a": {"$gte": 0.25}})),
        acceptance_criteria: vec!["z > 1".to_owned(), "it is \"nice\"\n".to_owned()],
        attributes: object(json!({"κλειδί": null})),
        truncated: vec![Field::Attributes],
    };
    let new = NewAction {
        goal_id: Some("goal".into()),
        parent: Some(id(9)),
        spec: spec.clone(),
        begun_at: at(-5),
        received_at: at(3),
        steady: at(4),
        ..action(1)
    };
    assert_eq!(say(&*store, vec![Write::Begin(Box::new(new))]), "begun");
    let action = store.action(id(1)).unwrap().unwrap();
    assert_eq!((action.action_id, action.agent_id.as_str(), action.action_type.as_str()), (id(1), "agent", "work"));
    assert_eq!((action.goal_id.unwrap().as_str(), action.parent_action_id), ("goal", Some(id(9))));
    let read = ActionSpec {
        expected_outcome: action.expected_outcome,
        acceptance_criteria: action.acceptance_criteria,
        attributes: action.attributes,
        truncated: action.truncated,
    };
    assert_eq!(read, spec);
    assert_eq!((action.begun_at, action.last_activity_at), (at(-5), at(3)));
    assert_eq!((action.status, action.version, action.parent_step_count), (Status::Open, 0, None));
    assert_eq!((action.step_count, action.observation_count), (0, 0));
    assert_eq!((action.closed_at, action.duration_seconds), (None, None));
    assert_eq!((action.outcome, action.reward, action.success_score, action.verdict), (None, None, None, None));
    assert_eq!(store.action(id(2)).unwrap(), None);
    assert!(store.chain(id(2)).unwrap().is_none());
    assert_eq!(store.chain(id(1)).unwrap().unwrap().n_entries(), 0);
}

pub(crate) fn repeats(database: &impl Database) {
    let store = database.open();
    let other = NewAction { agent_id: "another".into(), ..action(1) };
    assert_eq!(say(&*store, vec![begin(1), begin(1), begin(2)]), "begun; begun before; begun");
    assert_eq!(say(&*store, vec![Write::Begin(Box::new(other))]), "begun before");
    assert_eq!(store.action(id(1)).unwrap().unwrap().agent_id.as_str(), "agent");
    close(&*store, 1);
    assert_eq!(say(&*store, vec![begin(1)]), "begun before");
    drop(store);
    let store = database.open();
    assert_eq!(say(&*store, vec![begin(1), begin(2), begin(3)]), "begun before; begun before; begun");
    assert_eq!((stats(&*store).begun, stats(&*store).open), (3, 2));
}

pub(crate) fn capacity(database: &impl Database) {
    let store = database.open();
    let begin_of_two = |n| Write::Begin(Box::new(NewAction { open_max: 2, ..action(n) }));
    let batch = vec![begin_of_two(1), begin_of_two(2), begin_of_two(3), begin_of_two(1)];
    assert_eq!(say(&*store, batch), "begun; begun; at capacity; begun before");
    assert_eq!(store.action(id(3)).unwrap(), None);
    close(&*store, 1);
    assert_eq!(say(&*store, vec![begin_of_two(3), begin_of_two(4)]), "begun; at capacity");
    assert_eq!(stats(&*store).begun, 3);
}

fn child(n: u64, parent: u64) -> Write {
    Write::Begin(Box::new(NewAction { parent: Some(id(parent)), ..action(n) }))
}

pub(crate) fn parents(database: &impl Database) {
    let store = database.open();
    let check = |writes: Vec<Write>, expected: &str| assert_eq!(say(&*store, writes), expected);
    check(vec![child(1, 1)], "parent_cycle");
    check(vec![begin(2), to(2).steps(["a", "b"]).observation("o").write(), child(3, 2)], "begun; 0 1 2; begun");
    assert_eq!(store.action(id(3)).unwrap().unwrap().parent_step_count, Some(2));
    // The parent comes later, and may not be one of its own descendants.
    check(vec![child(4, 5), child(6, 4)], "begun; begun");
    assert_eq!(store.action(id(4)).unwrap().unwrap().parent_step_count, None);
    check(vec![child(5, 6)], "parent_cycle");
    check(vec![child(5, 4)], "parent_cycle");
    check(vec![child(5, 2)], "begun");
    // One that is closed is a parent all the same; how many steps it had is not known here.
    close(&*store, 2);
    check(vec![child(7, 2)], "begun");
    assert_eq!(store.action(id(7)).unwrap().unwrap().parent_step_count, None);
}

pub(crate) fn deep_trees(database: &impl Database) {
    const DEPTH: u64 = 10_000;
    let store = database.open();
    let batch: Vec<Write> = (1..DEPTH).map(|n| child(n, n + 1)).collect();
    store.commit(batch).unwrap();
    // The root comes last and names the leaf: the whole way is walked.
    assert_eq!(say(&*store, vec![child(DEPTH, 1)]), "parent_cycle");
    assert_eq!(say(&*store, vec![begin(DEPTH)]), "begun");
    assert_eq!(store.children(id(DEPTH)).unwrap().len(), 1);
}
