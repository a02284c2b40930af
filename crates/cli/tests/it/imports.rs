//! `accredit import`

use serde_json::json;

use crate::harness::{Program, runs};

#[test]
fn importing_twice_stores_once() {
    let program = Program::new();
    let file = runs().to_string_lossy().into_owned();
    let first = program.json(&["import", "--json", &file]);
    assert_eq!((&first["actions"], &first["steps"], &first["observations"]), (&json!(3), &json!(25), &json!(31)));
    assert_eq!((&first["closed"], &first["refused"]), (&json!(3), &json!(0)));
    for _ in 0..2 {
        let again = program.json(&["import", "--json", &file]);
        assert_eq!((&again["actions"], &again["steps"], &again["observations"]), (&json!(0), &json!(0), &json!(0)));
        assert_eq!((&again["actions_repeated"], &again["refused"]), (&json!(3), &json!(0)));
    }
    let export = program.run(&["export"]).expect_code(0).stdout;
    let lines: Vec<serde_json::Value> =
        export.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines.iter().map(|it| it["chain"].as_array().map_or(0, Vec::len)).sum::<usize>(), 56);
    program.run(&["verify"]).expect_code(0);
}

#[test]
fn rewards_decide_verdicts() {
    let program = Program::with_runs();
    let actions = program.json(&["list", "--json"]);
    for action in actions.as_array().expect("a list is an array") {
        let verdict = if action["reward"] == json!(1.0) { "success" } else { "failure" };
        assert_eq!(action["verdict"], verdict, "{action}");
        assert_eq!((&action["agent_id"], &action["action_type"]), (&json!("gpt-4o"), &json!("tau_bench:airline")));
    }
    assert_eq!(program.json(&["list", "--json", "--verdict", "success"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn native_lines_are_read_one_by_one() {
    let program = Program::new();
    let id = "018f0000-0000-7000-8000-000000000000";
    let begin = format!(r#"{{"op":"begin","action_id":"{id}","agent_id":"a","action_type":"t"}}"#);
    let step = format!(r#"{{"op":"step","action_id":"{id}","description":"same words"}}"#);
    let complete = format!(r#"{{"op":"complete","action_id":"{id}","outcome":{{"success":true}}}}"#);
    // Two steps with the same words are two steps, an interrupted import goes on where it was.
    let open = format!("{begin}\n{step}\n\n{step}\n");
    let said = program.run_with(&["import", "--json", "-"], &open).expect_code(0).json();
    assert_eq!((&said["actions"], &said["steps"]), (&json!(1), &json!(2)));
    let whole = format!("{open}{step}\nnonsense\n{complete}\n");
    let said = program.run_with(&["import", "--json", "-"], &whole).expect_code(1).json();
    assert_eq!((&said["steps"], &said["repeated"], &said["closed"]), (&json!(1), &json!(2), &json!(1)));
    assert_eq!(said["first_refused"][0]["line"], 6);
    let said = program.run_with(&["import", "-"], &whole).expect_code(1).stdout;
    assert!(said.contains("1 refused\n  -:6: malformed: not a JSON object"), "{said}");
    assert_eq!(program.json(&["show", "last", "--json"])["action"]["step_count"], 3);
}

#[test]
fn another_outcome_of_the_same_run_is_a_conflict() {
    let program = Program::with_runs();
    let mut runs: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(runs()).expect("the fixture is there")).expect("and JSON");
    runs[0]["reward"] = json!(0.0);
    let file = program.file("gpt-4o-airline.json", &runs.to_string());
    let said = program.run(&["import", "--json", &file]).expect_code(1).json();
    assert!(said["refused_by_reason"]["conflict"].as_u64() >= Some(1), "{said}");
    assert_eq!(program.json(&["list", "--json", "--verdict", "success"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn lists_of_messages_become_actions() {
    let program = Program::new();
    let line = |word: &str, reward: f64| json!({ "messages": [{ "role": "user", "content": word }, { "role": "assistant", "content": "fine" }], "reward": reward });
    let file = program.file("model-x.jsonl", &format!("{}\n{}\n{{\"messages\":[]}}\n", line("a", 0.5), line("b", 1.0)));
    let said = program.run(&["import", "--json", &file, "--type", "chat"]).expect_code(1).json();
    assert_eq!((&said["actions"], &said["refused"]), (&json!(2), &json!(1)));
    assert_eq!(said["first_refused"][0]["line"], 3);
    let list = program.json(&["list", "--json", "--agent", "model-x", "--type", "chat", "--verdict", "partial"]);
    assert_eq!(list[0]["success_score"], 0.5);
    let bare = program.file("bare.json", r#"[{"role":"user","content":"hi"},{"role":"assistant","content":"hello"}]"#);
    program.run(&["import", &bare]).expect_code(0);
    assert_eq!(program.json(&["why", "last", "--json"])["attribution"]["verdict"], "unknown");
}

#[test]
fn what_is_no_format_says_what_was_tried() {
    let program = Program::new();
    let file = program.file("strange.json", r#"{"a": 1}"#);
    let said = program.run(&["import", &file]).expect_code(2);
    assert!(said.stderr.starts_with("error: ") && said.stderr.contains("strange.json"), "{}", said.stderr);
    assert!(said.stderr.contains("help: it begins with an object of `a`; tried native"), "{}", said.stderr);
    let broken = program.file("broken.json", r#"[{"task_id":1,"reward":1,"traj":[]"#);
    let said = program.run(&["import", &broken]).expect_code(1).stdout;
    assert!(said.contains("1 refused\n  broken.json item 1: malformed: not JSON: EOF"), "{said}");
    program.run(&["import", "no-such-file"]).expect_code(3);
}

/// The whole published file, where it is at hand: `ACCREDIT_TAU_BENCH=…/gpt-4o-airline.json`.
#[test]
fn the_whole_benchmark_is_imported() {
    let Some(file) = std::env::var_os("ACCREDIT_TAU_BENCH") else { return };
    let program = Program::new();
    let said = program.json(&["import", "--json", &file.to_string_lossy()]);
    assert_eq!((&said["actions"], &said["steps"], &said["refused"]), (&json!(150), &json!(1_808), &json!(0)));
    assert_eq!(program.json(&["list", "--json", "--all", "--verdict", "success"]).as_array().map(Vec::len), Some(63));
    // The benchmark's own replay counts 130 calls that wrote to its database.
    let export = program.run(&["export"]).expect_code(0).stdout;
    assert_eq!(export.matches(r#""effect":true"#).count(), 130);
}
