//! `list`, `show`, `why`, `export`, `top`, `verify`, `dead-letters`: shapes and exit codes.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::Program;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("it is an object").keys().map(String::as_str).collect()
}

#[test]
fn json_has_the_shapes_of_the_contract() {
    let program = Program::with_runs();
    let list = program.json(&["list", "--json"]);
    assert_eq!(list.as_array().map(Vec::len), Some(3));
    let id = list[0]["action_id"].as_str().expect("an action has an id").to_owned();
    let show = program.json(&["show", &id, "--json"]);
    assert_eq!(keys(&show), ["cursor", "action", "attribution", "chain"]);
    assert_eq!(show["action"], list[0]);
    let why = program.json(&["why", &id, "--json"]);
    let wanted = ["action", "attribution", "evidence_note", "steps", "for", "against", "versions", "children"];
    assert_eq!(keys(&why), wanted);
    let credits: f64 = why["steps"].as_array().expect("steps").iter().filter_map(|step| step["credit"].as_f64()).sum();
    assert!((credits - 1.0).abs() < 1e-9, "{credits}");
    let export = program.json(&["export", "--json"]);
    assert_eq!(export.as_array().map(Vec::len), Some(3));
    assert_eq!(keys(&export[0]), ["cursor", "action", "attribution", "chain"]);
    assert_eq!(program.json(&["export", "--json", "--agent", "nobody"]), json!([]));
    assert_eq!(keys(&program.json(&["top", "--json"])), ["stats", "open", "closed"]);
    assert_eq!(program.json(&["verify", "--json"])["problems"], json!([]));
    assert_eq!(program.json(&["dead-letters", "--json"]), json!([]));
    assert_eq!(program.json(&["dead-letters", "replay", "--json"]), json!({ "replayed": 0 }));
}

#[test]
fn an_open_action_shows_what_there_is() {
    let program = Program::new();
    let lines = r#"{"op":"begin","action_id":"018f0000-0000-7000-8000-000000000000","agent_id":"a","action_type":"t"}
{"op":"step","action_id":"018f0000-0000-7000-8000-000000000000","description":"thinking about it"}"#;
    program.run_with(&["import", "-"], lines).expect_code(0);
    assert_eq!(keys(&program.json(&["show", "last", "--json"])), ["action", "chain"]);
    assert!(program.run(&["show", "018f"]).expect_code(0).stdout.contains("thinking about it"));
    assert!(program.run(&["why", "last"]).expect_code(3).stderr.contains("it is open"));
    assert_eq!(program.json(&["top", "--json"])["open"].as_array().map(Vec::len), Some(1));
    assert_eq!(program.json(&["export", "--json"]), json!([]));
}

#[test]
fn actions_are_found_by_prefix_and_last() {
    let program = Program::with_runs();
    let id = program.id("task-15");
    let prefix = id.split('-').next().expect("an id has a first part");
    assert!(program.run(&["show", prefix]).expect_code(0).stdout.contains(&id));
    assert!(program.run(&["why", prefix]).expect_code(0).stdout.contains("changed the world"));
    let ending = id.split_at(id.len() - 8).1;
    assert!(program.run(&["show", ending]).expect_code(0).stdout.contains(&id));
    program.run(&["why", "last"]).expect_code(0);
    assert!(program.run(&["show", "ffffffff"]).expect_code(3).stderr.contains("help: "));
    program.run(&["show", "xyz"]).expect_code(2);
    program.run(&["show", "abc"]).expect_code(2);
}

#[test]
fn another_method_is_asked_for() {
    let program = Program::with_runs();
    let json = program.json(&["why", "last", "--method", "last", "--json"]);
    let attribution = &json["attribution"];
    assert_eq!((&attribution["what_if"], &attribution["method"]), (&json!(true), &json!("last")));
    assert_eq!(attribution["credits"].as_array().expect("credits").last(), Some(&json!(1.0)));
    let page = program.run(&["why", "last", "--method", "gae", "--lambda", "0.5"]).expect_code(0).stdout;
    assert!(page.contains("stored nowhere; version 1, which stands, is by decay"), "{page}");
    let standing = program.run(&["why", "last"]).expect_code(0).stdout;
    assert!(!standing.contains("what if"), "{standing}");
    let rows: [(&[&str], &str); 4] = [
        (&["--method", "gae", "--version", "1"], "leave one of them out"),
        (&["--method", "gae", "--lambda", "2"], "`lambda` of `gae` must be a number from 0 to 1"),
        (&["--method", "mc", "--lambda", "1"], "it takes none"),
        (&["--method", "guess"], "ochiai"),
    ];
    for (args, said) in rows {
        let stderr = program.run(&[&["why", "last"], args].concat()).expect_code(2).stderr;
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
}

#[test]
fn exit_codes_are_those_of_the_table() {
    let program = Program::with_runs();
    let id = program.id("task-15");
    let nobody = "00000000-0000-4000-8000-000000000000";
    let rows: [(&[&str], i32); 12] = [
        (&["list"], 0),
        (&["--version"], 0),
        (&["why", "--help"], 0),
        (&[], 2),
        (&["nonsense"], 2),
        (&["list", "--status", "closed"], 2),
        (&["show", nobody], 3),
        (&["why", nobody], 3),
        (&["why", &id, "--version", "9"], 3),
        (&["--store", "/no/such/store.db", "list"], 3),
        (&["--store", "http://127.0.0.1:9", "list"], 5),
        (&["--store", "http://127.0.0.1:9", "verify"], 2),
    ];
    for (args, code) in rows {
        let said = program.run(args);
        assert_eq!(said.code, code, "{args:?}: {}", said.stderr);
        if code > 2 {
            let lines: Vec<&str> = said.stderr.lines().collect();
            assert!(
                matches!(lines.as_slice(), [error, help] if error.starts_with("error: ") && help.starts_with("help: ")),
                "{args:?}: {lines:?}"
            );
        }
    }
    let other = program.file("other.db", &"not a database".repeat(400));
    program.run(&["--store", &other, "list"]).expect_code(2);
    // A store whose pages behind the first, which says what the file is, have been overwritten.
    let mut bytes = std::fs::read(&program.store).unwrap();
    bytes.iter_mut().skip(4096).for_each(|byte| *byte = 0xff);
    let damaged = program.path("damaged.db");
    std::fs::write(&damaged, bytes).unwrap();
    program.run(&["--store", &damaged.to_string_lossy(), "list"]).expect_code(6);
    let config = program.file("accredit.toml", "no_such_key = 1\n");
    let said = program.run(&["--config", &config, "list"]).expect_code(2);
    assert!(said.stderr.contains("no_such_key"), "{}", said.stderr);
}

#[test]
fn lists_go_on_where_they_ended() {
    let program = Program::with_runs();
    let first = program.run(&["list", "--limit", "2"]).expect_code(0).stdout;
    let cursor = first.split("--cursor ").nth(1).and_then(|rest| rest.split(',').next()).expect("there is more");
    let rest = program.json(&["list", "--json", "--cursor", cursor]);
    assert_eq!(rest.as_array().map(Vec::len), Some(1));
    assert_eq!(program.json(&["list", "--json", "--limit", "1", "--all"]).as_array().map(Vec::len), Some(3));
}

#[test]
fn a_pipe_gets_no_colour_and_may_close_early() {
    let program = Program::with_runs();
    for args in [["why", "last"], ["show", "last"]] {
        assert!(!program.run(&args).expect_code(0).stdout.contains('\x1b'));
    }
    let mut child =
        program.command(&["export"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
}

#[test]
fn exports_go_to_files_too() {
    let program = Program::with_runs();
    program.run(&["export", "-o", "out.jsonl", "--verdict", "failure"]).expect_code(0);
    let text = std::fs::read_to_string(program.path("out.jsonl")).expect("the file is there");
    assert_eq!(text.lines().count(), 2);
    assert_eq!(text, program.run(&["export", "--verdict", "failure"]).stdout);
}
