//! Experiences to files: every version, at least once, whatever is interrupted.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use accredit::{ActionId, Config, Engine, Error, Experience, SinkConfig, SinkKind, Stats};
use serde_json::json;

use crate::support::{Rig, eventually, judgement, revision_to};

fn sink(name: &str, path: &Path) -> SinkConfig {
    SinkConfig { name: name.to_owned(), kind: SinkKind::Jsonl { path: path.to_owned() } }
}

/// A rig with sinks of these names, each with its file.
fn rig(names: &[&str]) -> Rig {
    Rig::open_with(|config| add(config, names))
}

fn add(config: &mut Config, names: &[&str]) {
    let file = |name: &str| config.store.with_file_name(format!("{name}.jsonl"));
    config.sinks = names.iter().map(|name| sink(name, &file(name))).collect();
}

fn lines(path: &Path) -> Vec<Experience> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "half a line: {text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn complete(rig: &Rig, n: usize) -> Vec<ActionId> {
    (0..n)
        .map(|_| {
            let id = rig.begin();
            rig.steps(id, 2);
            rig.complete(id, &json!({"success": true}));
            id
        })
        .collect()
}

fn delivered(rig: &Rig) -> Stats {
    eventually("everything is delivered", || {
        let stats = rig.stats();
        (stats.pending == 0).then_some(stats)
    })
}

#[test]
fn every_version_reaches_the_file_in_order() {
    let rig = rig(&["file"]);
    let ids = complete(&rig, 3);
    rig.engine.revise(ids[0], revision_to(&json!({"success": false}))).unwrap();
    let judged = rig.begin_with(accredit::Begin {
        acceptance_criteria: Some(vec!["it reads well".to_owned()]),
        ..crate::support::begin()
    });
    rig.complete(judged, &json!({}));
    rig.engine.observe(judged, judgement("it reads well", 1.0)).unwrap();
    let timed_out = rig.begin();
    assert_eq!(rig.expire(), 1);
    rig.complete(timed_out, &json!({"success": true}));

    let stats = delivered(&rig);
    assert_eq!((stats.experiences, stats.delivered, stats.dead), (8, 8, 0));
    let lines = lines(&rig.file("file.jsonl"));
    let told: Vec<_> = lines.iter().map(|line| (line.action.action_id, line.attribution.version)).collect();
    let expected =
        [(ids[0], 1), (ids[1], 1), (ids[2], 1), (ids[0], 2), (judged, 1), (judged, 2), (timed_out, 1), (timed_out, 2)];
    assert_eq!(told, expected);
    assert!(lines.iter().map(|line| line.cursor).eq(1..=8));
    assert_eq!(lines[3], rig.engine.experience(ids[0], None).unwrap(), "a line is the whole experience");
}

#[test]
fn delivery_goes_on_after_reopening() {
    let mut rig = rig(&["file"]);
    let mut ids = Vec::new();
    for round in 0..4 {
        // Closed at once: what was not delivered yet comes the next time.
        ids.extend(complete(&rig, 5));
        if round == 2 {
            delivered(&rig);
        }
        rig = rig.reopen();
    }
    let stats = delivered(&rig);
    assert_eq!((stats.experiences, stats.delivered), (20, 20));
    let mut times: BTreeMap<ActionId, u32> = BTreeMap::new();
    for line in lines(&rig.file("file.jsonl")) {
        *times.entry(line.action.action_id).or_default() += 1;
    }
    assert!(ids.iter().all(|id| times.contains_key(id)), "each at least once");
    assert_eq!(times.len(), 20);
}

#[test]
fn a_torn_last_line_is_cut() {
    let rig = rig(&["file"]);
    complete(&rig, 3);
    delivered(&rig);
    let path = rig.file("file.jsonl");
    let whole = fs::read(&path).unwrap();
    for torn in [br#"{"cursor":4,"act"#.to_vec(), vec![b'x'; 10_000], vec![0; 4_096]] {
        fs::write(&path, [whole.as_slice(), &torn].concat()).unwrap();
        let mut config = rig.engine.config().clone();
        config.store = rig.file("other.db");
        Engine::open(config).unwrap().close().unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
    // A file of one line that never ended has nothing to keep.
    fs::write(&path, b"{\"cursor\":1").unwrap();
    let rig = rig.reopen();
    assert!(fs::read(&path).unwrap().is_empty());
    complete(&rig, 1);
    delivered(&rig);
    assert_eq!(lines(&path).iter().map(|line| line.cursor).collect::<Vec<_>>(), [4]);
}

#[test]
fn a_new_sink_is_owed_everything() {
    let rig = rig(&["first"]);
    complete(&rig, 4);
    delivered(&rig);
    let rig = rig.reopen_with(|config| add(config, &["first", "second"]));
    complete(&rig, 1);
    let stats = delivered(&rig);
    assert_eq!((stats.experiences, stats.delivered), (10, 10));
    let of_each: Vec<_> = stats.sinks.iter().map(|sink| (sink.name.as_str(), sink.delivered)).collect();
    assert_eq!(of_each, [("first", 5), ("second", 5)]);
    for file in ["first.jsonl", "second.jsonl"] {
        assert!(lines(&rig.file(file)).iter().map(|line| line.cursor).eq(1..=5), "{file}");
    }
    // A sink that is gone from the configuration is still owed what came since.
    let rig = rig.reopen_with(|config| add(config, &["second"]));
    complete(&rig, 1);
    eventually("the second sink has it", || (lines(&rig.file("second.jsonl")).len() == 6).then_some(()));
    let rig = rig.reopen_with(|config| add(config, &["first"]));
    eventually("the first sink catches up", || (lines(&rig.file("first.jsonl")).len() == 6).then_some(()));
    delivered(&rig);
}

#[test]
fn a_long_backlog_is_delivered_in_order() {
    let rig = Rig::open();
    complete(&rig, 200);
    assert_eq!(rig.stats().pending, 200);
    let rig = rig.reopen_with(|config| add(config, &["file"]));
    delivered(&rig);
    assert!(lines(&rig.file("file.jsonl")).iter().map(|line| line.cursor).eq(1..=200));
}

#[test]
fn a_sink_that_cannot_be_opened_is_named() {
    let rig = Rig::open();
    let config = |kind: SinkKind| {
        let sinks = vec![SinkConfig { name: "nowhere".to_owned(), kind }];
        Config { sinks, ..Config::at(rig.file("other.db")) }
    };
    let check = |kind: SinkKind| {
        let error = Engine::open(config(kind)).unwrap_err();
        assert!(matches!(error, Error::Sink { .. }), "{error}");
        assert!(error.to_string().contains("nowhere"), "{error}");
    };
    check(SinkKind::Jsonl { path: rig.file("no/such/folder/x.jsonl") });
    let token_env = Some("ACCREDIT_NO_SUCH_VARIABLE".to_owned());
    check(SinkKind::Replay { url: "http://127.0.0.1:9".to_owned(), token_env });
    // The store is free again.
    Engine::open(Config::at(rig.file("other.db"))).unwrap().close().unwrap();
}

#[test]
fn a_file_that_cannot_be_written_is_tried_again() {
    let rig = rig(&["file"]);
    let path = rig.file("file.jsonl");
    complete(&rig, 1);
    delivered(&rig);
    // Somebody else's line behind ours stays where it is.
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{}\n").unwrap();
    complete(&rig, 1);
    delivered(&rig);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().map(|line| line == "{}").collect::<Vec<_>>(), [false, true, false]);
}
