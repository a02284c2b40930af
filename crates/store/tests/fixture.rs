//! Stores of every released schema are opened and tell what they told when they were made.
//!
//! `tests/fixtures/schema-N.db` is a store as the release with schema N left it, `schema-N.json` what it tells. Neither
//! is ever changed. [`make`] made them, once, with `ACCREDIT_FIXTURE_FOLDER` naming the folder to write to; for a new
//! schema it writes new files beside the old ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail like tests")]

#[path = "suite/build.rs"]
mod build;

use std::fs;
use std::path::{Path, PathBuf};

use accredit_model::{Closing, RefusalReason};
use accredit_store::{
    ActionSpec, Amend, Deliveries, Delivery, Fate, Filter, IdleFrom, Learned, LearningState, NewAction, NewAttribution,
    SCHEMA_VERSION, SqliteStore, Store, Write,
};
use serde_json::{Value, json};

use build::{
    action, amend, amended, at, attribution, begin, close_as, close_write, freeze, heartbeat, id, learned, model,
    problems, refused, say, to,
};

/// A store with one of everything: open and closed in each way, with and without parent, goal, specification, keys,
/// late observations, long chains, revisions, long attributions, and a sink with each kind of delivery.
fn make(store: &dyn Store) {
    let object = |value: Value| value.as_object().cloned().unwrap();
    let spec = ActionSpec {
        expected_outcome: object(json!({"tests_passed": true, "cost_usd": {"$lte": 0.5}})),
        acceptance_criteria: vec!["tests_passed".to_owned(), "it reads well".to_owned()],
        attributes: object(json!({"repository": "example", "größe": 3})),
        truncated: vec![],
    };
    let first = NewAction { goal_id: Some("goal".into()), spec, begun_at: at(-30), ..action(1) };
    let child = NewAction { parent: Some(id(1)), agent_id: "helper".into(), ..action(2) };
    store.commit(vec![Write::Begin(Box::new(first)), to(1).at(1).steps(["read", "edited"]).write()]).unwrap();
    store.commit(vec![Write::Begin(Box::new(child)), begin(3), begin(4), begin(5), begin(6)]).unwrap();
    store
        .commit(vec![
            to(1).at(2).observation("tests").grounds(1).key(0xfeed).write(),
            to(2).at(3).step("looked").write(),
        ])
        .unwrap();
    store.commit(vec![to(1).at(4).step("edited again").key(1).write(), to(6).at(5).step("waits").write()]).unwrap();
    store.commit(vec![to(6).at(6).observation("nothing yet").key(2).write(), heartbeat(6, 7)]).unwrap();
    for (n, closing) in [(3, Closing::TimedOut), (4, Closing::Evicted), (5, Closing::Cancelled)] {
        close_as(store, n, closing);
    }
    store.commit(vec![freeze(1)]).unwrap();
    let Write::Close(mut close) = close_write(store, 1, Closing::Completed) else { unreachable!() };
    let body = format!(r#"{{"version":1,"note":"{}"}}"#, "long enough to be compressed ".repeat(100));
    close.attribution = NewAttribution { body: body.into_bytes(), reward: Some(-2.5), ..attribution(1, 0.5) };
    assert_eq!(say(store, vec![Write::Close(close)]), "attributed 4");
    let late = Some(to(1).at(80).observation("complaint").key(3).append());
    let late = Amend { late, attribution: Some(attribution(2, 0.25)), ..amend(1, 1, 4) };
    let truth =
        Amend { attribution: Some(attribution(2, 1.0)), completed: Some((at(90), 90_000_000)), ..amend(3, 1, 0) };
    assert_eq!(say(store, vec![amended(late), amended(truth)]), "attributed 5 late 4; attributed 6");
    let accept = Write::Accept { action: id(7), completion: br#"{"outcome":{"tests_passed":true}}"#.to_vec() };
    assert_eq!(say(store, vec![begin(7), to(7).at(8).step("done").write(), accept]), "begun; 0; frozen 1+0 begun 0");
    deliver(store);
    learn(store);
    let again = to(6).at(9).observation("nothing yet").key(2).observation("no").grounds(9);
    assert_eq!(
        say(store, vec![again.write(), refused(RefusalReason::TooDeep, 2), Write::Flush]),
        "1= unknown_step; done; done"
    );
}

fn deliver(store: &dyn Store) {
    store.register_sink("file").unwrap();
    store.register_sink("learner").unwrap();
    let error = || "the learner did not answer".to_owned();
    let fates = [
        Fate::Delivered,
        Fate::Retry { attempts: 2, due_at: at(100), error: error() },
        Fate::Dead { attempts: 10, failed_at: at(95), error: error() },
    ];
    let outcomes = (1..).zip(fates).map(|(cursor, fate)| Delivery { cursor, fate }).collect();
    let taken = Deliveries { sink: "learner".to_owned(), taken_to: Some(3), outcomes };
    assert_eq!(say(store, vec![Write::Deliveries(taken)]), "done");
}

fn learn(store: &dyn Store) {
    let new = Learned {
        state: LearningState { writer: 0xfeed_0000_0000_0001, format: 1, taken_to: 5 },
        models: vec![model("work", 1, 2, b"first"), model("work", 2, 3, &b"a model that is compressed ".repeat(200))],
        forgotten: vec![id(5)],
        ..learned(&[("work", &b"what is kept of many actions ".repeat(200)), ("play", b"little")])
    };
    assert_eq!(say(store, vec![Write::Learned(Box::new(new))]), "done");
}

/// What the store tells of what was learned, as JSON.
fn told_learned(store: &dyn Store) -> Value {
    let state = store.learning_state().unwrap();
    let learned = store.learned_types().unwrap().into_iter().map(|action_type| {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let models = store.models(&action_type, 10).unwrap().into_iter().map(|model| {
            json!({"version": model.version, "created_at": model.created_at, "n_actions": model.n_actions,
                "method": model.method, "bytes": text(model.bytes)})
        });
        json!({"action_type": action_type, "bytes": store.learner(&action_type).unwrap().map(text),
            "models": models.collect::<Vec<_>>()})
    });
    json!({
        "state": [format!("{:x}", state.writer), state.format, state.taken_to],
        "learned": learned.collect::<Vec<_>>(),
        "forgotten": store.forgotten().unwrap(),
    })
}

/// Everything that the store tells, as JSON.
fn told(store: &dyn Store) -> Value {
    let (listed, _) = store.list(&Filter::default(), 1_000, None).unwrap();
    let actions: Vec<Value> = listed
        .iter()
        .map(|action| {
            let id = action.action_id;
            let chain = store.chain(id).unwrap().unwrap();
            let lines: Vec<&str> = chain.lines().map(|(_, line)| line).collect();
            let children: Vec<String> =
                store.children(id).unwrap().iter().map(|child| child.action_id.to_string()).collect();
            json!({"action": action, "lines": lines, "n_sealed": chain.n_sealed, "children": children})
        })
        .collect();
    let feed: Vec<Value> = store
        .attributions_after(0, 1_000)
        .unwrap()
        .iter()
        .map(|stored| {
            let body: Value = serde_json::from_slice(&stored.body).unwrap();
            json!({"cursor": stored.cursor, "action_id": stored.action, "version": stored.version, "body": body})
        })
        .collect();
    let due: Vec<(u64, u32)> =
        store.due("learner", at(1_000), 10).unwrap().iter().map(|due| (due.cursor, due.attempts)).collect();
    let accepted: Vec<(String, String)> = store
        .accepted()
        .unwrap()
        .into_iter()
        .map(|(id, bytes)| (id.to_string(), String::from_utf8(bytes).unwrap()))
        .collect();
    json!({
        "actions": actions,
        "feed": feed,
        "stats": store.stats().unwrap(),
        "dead_letters": store.dead_letters().unwrap(),
        "due": due,
        "learning": told_learned(store),
        "accepted": accepted,
        "idle": store.idle(IdleFrom::Activity, at(1_000), 10).unwrap(),
    })
}

/// Says where `found` lacks or changes something of `expected`. What is new beside it is no difference.
fn differences(path: &str, found: &Value, expected: &Value, into: &mut Vec<String>) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (key, expected) in expected {
                differences(&format!("{path}.{key}"), found.get(key).unwrap_or(&Value::Null), expected, into);
            }
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
                differences(&format!("{path}[{place}]"), found, expected, into);
            }
        }
        _ if found == expected => {}
        _ => into.push(format!("{path} is {found}, not {expected}")),
    }
}

fn check(store: &dyn Store, expected: &Value) {
    let mut found = Vec::new();
    differences("store", &told(store), expected, &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(problems(store), [""; 0]);
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn expected_of(schema: u32) -> Value {
    serde_json::from_str(&fs::read_to_string(fixtures().join(format!("schema-{schema}.json"))).unwrap()).unwrap()
}

#[test]
fn every_schema_is_opened() {
    for schema in 1..=SCHEMA_VERSION {
        let expected = expected_of(schema);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.db");
        fs::copy(fixtures().join(format!("schema-{schema}.db")), &path).unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "a copy in a folder of this test")]
        permissions.set_readonly(false);
        fs::set_permissions(&path, permissions).unwrap();
        let schema_of = |path: &Path| -> u32 {
            let conn = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
            conn.unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
        };
        // A reader takes it as it is and changes nothing.
        check(&SqliteStore::open_read_only(&path).unwrap(), &expected);
        assert_eq!(schema_of(&path), schema);
        let store = SqliteStore::open(&path).unwrap();
        check(&store, &expected);
        if schema == 1 {
            assert_eq!(told_learned(&store), json!({"state": ["0", 0, 0], "learned": [], "forgotten": []}));
        }
        drop(store);
        assert_eq!(schema_of(&path), SCHEMA_VERSION);
        // It was brought up to date, if it had to be, and goes on.
        check(&SqliteStore::open_read_only(&path).unwrap(), &expected);
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(say(&store, vec![begin(6), to(6).step("goes on").write()]), "begun before; 2");
        assert_eq!(close_as(&store, 6, Closing::Completed), "attributed 7");
        assert_eq!(say(&store, vec![Write::Learned(Box::new(learned(&[("new", b"n")])))]), "done");
        assert_eq!(store.learner(&"new".into()).unwrap(), Some(b"n".to_vec()));
        assert_eq!(problems(&store), [""; 0]);
    }
}

/// The text of a commit that was made with this build is the same as it was at the release.
#[test]
fn what_is_made_today_tells_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    let store = SqliteStore::open(&path).unwrap();
    make(&store);
    let new = told(&store);
    drop(store);
    if let Some(out) = std::env::var_os("ACCREDIT_FIXTURE_FOLDER") {
        let named = |extension: &str| Path::new(&out).join(format!("schema-{SCHEMA_VERSION}.{extension}"));
        fs::copy(&path, named("db")).unwrap();
        fs::write(named("json"), format!("{:#}\n", new)).unwrap();
    }
    check(&SqliteStore::open(&path).unwrap(), &expected_of(SCHEMA_VERSION));
}
