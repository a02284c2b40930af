//! What files become.

use accredit_model::{ActionId, Command, Refusal, Step};
use serde_json::{Value, json};

use super::detect::{Head, Layout, decide};
use super::messages::Commands;
use super::step::WRITE_VERBS;
use super::{LINE_BYTES_MAX, Origin, identity, openai, read, tau_bench};
use crate::cli::ImportFormat;

const RUNS: &str = include_str!("../../tests/data/tau_bench/gpt-4o-airline.json");

fn origin(file: &str) -> Origin {
    Origin { file: file.to_owned(), agent: None, action_type: None }
}

fn runs() -> Vec<Value> {
    serde_json::from_str(RUNS).expect("the fixture is JSON")
}

fn tau(run: &Value) -> Vec<Command> {
    alone(tau_bench::commands(run, &origin("gpt-4o-airline.json")))
}

fn chat(item: &Value) -> Vec<Command> {
    alone(openai::commands(item, &origin("chats.jsonl")))
}

fn alone(commands: Result<Commands, Refusal>) -> Vec<Command> {
    commands.expect("the run is usable").into_iter().map(|(command, _)| command).collect()
}

fn steps(commands: &[Command]) -> Vec<&Step> {
    let steps = commands.iter().filter_map(|command| match command {
        Command::Step { step, .. } => Some(step),
        _ => None,
    });
    steps.collect()
}

#[test]
fn formats_are_told_apart_by_content() {
    use ImportFormat::{Auto, Native, Openai, TauBench};
    let chat = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    let list = r#"[{"role":"user","content":"hi"}]"#;
    type Row<'a> = (&'a str, ImportFormat, Result<(ImportFormat, Layout), &'a str>);
    let rows: [Row<'_>; 16] = [
        (r#"{"op":"heartbeat","action_id":"x"}"#, Auto, Ok((Native, Layout::Lines))),
        ("\n\n  {\"action_id\":\"x\",\"op\":\"cancel\"}\n{}", Auto, Ok((Native, Layout::Lines))),
        (r#"[{"task_id":0,"reward":1.0,"info":{},"traj":[]}]"#, Auto, Ok((TauBench, Layout::Array))),
        ("{\"task_id\":0,\"traj\":[]}\n{\"task_id\":1,\"traj\":[]}", Auto, Ok((TauBench, Layout::Lines))),
        // Only the beginning of a long file is seen.
        (r#"[{"task_id":0,"reward":1.0,"info":{"a":"#, Auto, Ok((TauBench, Layout::Array))),
        (list, Auto, Ok((Openai, Layout::Whole))),
        (&format!("{list}\n{list}\n"), Auto, Ok((Openai, Layout::Lines))),
        (&format!("[{list},{list}]"), Auto, Ok((Openai, Layout::Array))),
        (&format!("{chat}\n{chat}\n"), Auto, Ok((Openai, Layout::Lines))),
        (&format!("[{chat}]"), Auto, Ok((Openai, Layout::Array))),
        ("{\n  \"messages\": [\n    {\"role\": \"user\"}\n  ]\n}", Auto, Ok((Openai, Layout::Whole))),
        ("no json", Native, Ok((Native, Layout::Lines))),
        ("no json", Auto, Err("does not begin with JSON")),
        ("", Auto, Err("does not begin with JSON")),
        ("42", Auto, Err("a plain JSON value")),
        (r#"{"a":1,"b":2}"#, Auto, Err("an object of `a`, `b`; tried native")),
    ];
    for (text, format, wanted) in rows {
        match (decide(&Head::of(text), format), wanted) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{text}"),
            (Err(tried), Err(wanted)) => assert!(tried.contains(wanted), "{text}: {tried}"),
            (found, wanted) => panic!("{text}: {found:?}, not {wanted:?}"),
        }
    }
}

#[test]
fn a_tau_bench_run_keeps_its_words_and_its_reward() {
    let run = &runs()[1];
    let commands = tau(run);
    let Command::Begin(begin) = &commands[0] else { panic!("the first command begins") };
    assert_eq!(begin.agent_id.as_str(), "gpt-4o");
    assert_eq!(begin.action_type.as_str(), "tau_bench:airline");
    assert_eq!(begin.goal_id.as_ref().map(|goal| goal.as_str()), Some("task-15"));
    assert_eq!(begin.expected_outcome.as_ref().map(|it| json!(it)), Some(json!({ "reward": { "$gte": 1 } })));
    let attributes = begin.attributes.as_ref().expect("a run has attributes");
    assert_eq!((&attributes["task_id"], &attributes["trial"]), (&json!(15), &json!(0)));
    assert!(attributes["instruction"].as_str().is_some_and(|it| it.contains("You are")));
    assert!(attributes["system"].as_str().is_some_and(|it| it.chars().count() <= 2_000));
    let Some(Command::Complete { completion, .. }) = commands.last() else { panic!("the last command completes") };
    assert_eq!(completion.reward, Some(0.0));
    assert_eq!(completion.outcome.as_ref().map(|it| it["reward"].clone()), Some(json!(0.0)));
    let messages = run["traj"].as_array().expect("a run has messages");
    let of = |role: &str| messages.iter().filter(|message| message["role"] == role).count();
    let observed = commands.iter().filter(|it| matches!(it, Command::Observe { .. })).count();
    // One tool call a message in this benchmark; the evaluation is one observation more.
    assert_eq!(steps(&commands).len(), of("assistant"));
    assert_eq!(observed, of("tool") + of("user") + 1);
}

#[test]
fn tool_results_ground_their_calls_and_writes_are_marked() {
    let wrote: Vec<(String, Option<bool>)> = runs()
        .iter()
        .flat_map(|run| {
            let commands = tau(run);
            let steps = steps(&commands);
            for command in &commands {
                let Command::Observe { observation, .. } = command else { continue };
                if let (Some(step), Some(source)) = (observation.step, &observation.source) {
                    let step = usize::try_from(step).expect("few steps");
                    assert_eq!(steps[step].key.as_ref(), Some(source), "a result grounds the call of its tool");
                }
            }
            let verb = |step: &&&Step| {
                let key = step.key.as_deref().unwrap_or_default();
                WRITE_VERBS.iter().any(|verb| key.starts_with(&format!("{verb}_")))
            };
            let writes = steps.iter().filter(verb);
            writes.map(|step| (step.key.clone().unwrap_or_default(), step.effect)).collect::<Vec<_>>()
        })
        .collect();
    let of = |effect| wrote.iter().filter(|(_, it)| *it == effect).count();
    assert_eq!((of(Some(true)), of(Some(false)), of(None)), (2, 1, 0), "{wrote:?}");
}

#[test]
fn descriptions_are_for_people_and_decisions_for_machines() {
    let message = |arguments: Value| {
        json!([{ "role": "assistant", "tool_calls": [
            { "id": "1", "function": { "name": "book_reservation", "arguments": arguments.to_string() } },
        ]}])
    };
    let commands =
        chat(&message(json!({ "to": "SEA", "flights": [{ "number": "HAT1", "day": 3 }], "insured": false })));
    let step = steps(&commands)[0].clone();
    assert_eq!(step.description, "book_reservation(to=SEA, flights=[{HAT1, 3}], insured=false)");
    let decision = r#"book_reservation {"flights":[{"day":3,"number":"HAT1"}],"insured":false,"to":"SEA"}"#;
    assert_eq!(step.decision.as_deref(), Some(decision));
    assert_eq!((step.key.as_deref(), step.effect), (Some("book_reservation"), Some(true)));
    let state = step.state.expect("a call has a state").to_value().expect("and it is JSON");
    assert_eq!(state["arguments"]["flights"][0]["number"], "HAT1");
    // Prose in the arguments repeats nowhere: the tool is the decision.
    let commands = chat(&message(json!({ "note": "one two three four five six seven eight" })));
    assert_eq!(steps(&commands)[0].decision.as_deref(), Some("book_reservation"));
}

#[test]
fn the_verb_of_a_tool_says_whether_it_writes() {
    let rows = [
        ("book_reservation", Some(true)),
        ("bookReservation", Some(true)),
        ("cancel-order", Some(true)),
        ("airline.update_flight", Some(true)),
        ("UPDATE_flight", Some(true)),
        ("get_user_details", Some(false)),
        ("bookings", None),
        ("transfer_to_human_agents", None),
        ("", None),
    ];
    for (tool, wanted) in rows {
        let item = json!([{ "role": "assistant", "tool_calls": [{ "id": "1", "function": { "name": tool, "arguments": "{}" } }] }]);
        assert_eq!(steps(&chat(&item))[0].effect, wanted, "{tool}");
    }
}

#[test]
fn an_error_turns_a_write_into_none() {
    let run = |result: &str| {
        let item = json!([
            { "role": "assistant", "tool_calls": [{ "id": "1", "function": { "name": "send_mail", "arguments": "{}" } }] },
            { "role": "tool", "tool_call_id": "1", "content": result },
        ]);
        let commands = chat(&item);
        let kind = commands.iter().find_map(|command| match command {
            Command::Observe { observation, .. } => Some(observation.observation_type.clone()),
            _ => None,
        });
        (steps(&commands)[0].effect, kind.expect("a result is an observation"))
    };
    for error in ["Error: no", "ERROR", r#"{"error":"no"}"#, r#"{"is_error":true}"#, r#"{"status":"error"}"#] {
        assert_eq!(run(error), (Some(false), "tool_error".to_owned()), "{error}");
    }
    for fine in ["sent", r#"{"error":null}"#, r#"{"errors":0}"#, r#""an error is not here""#, "[1]"] {
        assert_eq!(run(fine), (Some(true), "tool_result".to_owned()), "{fine}");
    }
}

#[test]
fn ids_follow_from_the_content_for_ever() {
    // Written down once: an import of the same file by a later release must be a repeat.
    assert_eq!(identity::action_id(&["tau-bench", "43", "0"]).to_string(), "a9a26098-b88f-8adb-8090-eca3bd2b3588");
    assert_ne!(identity::action_id(&["ab", "c"]), identity::action_id(&["a", "bc"]));
    let id = |run: &Value, origin: &Origin| -> ActionId {
        alone(tau_bench::commands(run, origin))[0].action_id().expect("an import sets the id")
    };
    let runs = runs();
    let here = origin("gpt-4o-airline.json");
    let all: std::collections::HashSet<_> = runs.iter().map(|run| id(run, &here)).collect();
    assert_eq!(all.len(), runs.len());
    let mut other = runs[0].clone();
    other["traj"][1]["content"] = json!("something else");
    assert_ne!(id(&runs[0], &here), id(&other, &here));
    let someone = Origin { agent: Some("someone".to_owned()), ..here.clone() };
    assert_ne!(id(&runs[0], &here), id(&runs[0], &someone));
    assert_eq!(id(&runs[0], &here).uuid().get_version_num(), 8);
}

#[test]
fn lists_of_messages_come_in_many_forms() {
    let call = json!({ "name": "get_time", "arguments": "{\"zone\":\"UTC\"}" });
    let item = json!({
        "messages": [
            { "role": "developer", "content": "be brief" },
            { "role": "user", "content": [{ "type": "text", "text": "time?" }, { "type": "image_url", "image_url": {} }] },
            { "role": "assistant", "content": "let me see", "function_call": call },
            { "role": "function", "name": "get_time", "content": "12:00" },
            { "role": "assistant", "content": "noon" },
        ],
        "reward": 0.5,
        "metadata": { "model": "m-1", "task_id": 7 },
        "tools": [{ "type": "function", "function": { "name": "get_time" } }],
    });
    let commands = chat(&item);
    let Command::Begin(begin) = &commands[0] else { panic!("the first command begins") };
    assert_eq!((begin.agent_id.as_str(), begin.action_type.as_str()), ("m-1", "conversation"));
    assert_eq!(begin.goal_id.as_ref().map(|goal| goal.as_str()), Some("7"));
    let attributes = json!(begin.attributes);
    assert_eq!((&attributes["system"], &attributes["tools"]), (&json!("be brief"), &json!(["get_time"])));
    let keys: Vec<_> = steps(&commands).iter().map(|step| step.key.clone().unwrap_or_default()).collect();
    assert_eq!(keys, ["get_time", "respond"]);
    let data: Vec<String> = commands
        .iter()
        .filter_map(|command| match command {
            Command::Observe { observation, .. } => observation.data.as_ref().map(|data| data.get().to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(data, [r#""time?\n[image_url]""#, r#""12:00""#]);
    let Some(Command::Complete { completion, .. }) = commands.last() else { panic!("the last command completes") };
    assert_eq!((completion.reward, completion.outcome.as_ref().map(|it| it.len())), (Some(0.5), Some(0)));
}

#[test]
fn unusable_conversations_say_where() {
    let rows = [
        (json!({ "messages": [] }), "without messages"),
        (json!({ "messages": "no" }), "has it as `messages`"),
        (json!([{ "role": "user" }, { "content": "x" }]), "message 1: has no `role`"),
        (json!([{ "role": "narrator" }]), "message 0: has a `role` other than"),
        (json!([{ "role": "assistant", "tool_calls": [{}] }]), "message 0: has a tool call without"),
        (json!({ "messages": [{ "role": "user" }], "reward": "high" }), "`reward` is a number"),
    ];
    for (item, wanted) in rows {
        let refusal = openai::commands(&item, &origin("-")).expect_err("it is unusable");
        assert!(refusal.detail.contains(wanted), "{item}: {}", refusal.detail);
    }
    let refusal = tau_bench::commands(&json!({ "traj": [], "task_id": 1 }), &origin("-")).expect_err("it is unusable");
    assert!(refusal.detail.contains("`reward`"), "{}", refusal.detail);
}

#[test]
fn names_of_files_tell_agents() {
    let agent = |file: &str| {
        let commands = alone(tau_bench::commands(&runs()[0], &origin(file)));
        let Command::Begin(begin) = &commands[0] else { panic!("the first command begins") };
        begin.agent_id.to_string()
    };
    let rows = [
        ("gpt-4o-airline.json", "gpt-4o"),
        ("sonnet-35-new-retail.json", "sonnet-35-new"),
        ("results.json", "results"),
        ("airline.json", "airline"),
        ("-", "tau-bench-agent"),
    ];
    for (file, wanted) in rows {
        assert_eq!(agent(file), wanted, "{file}");
    }
}

#[test]
fn a_line_too_long_is_refused_and_the_next_one_read() {
    let text = format!("first\n{}\n\nlast", "x".repeat(LINE_BYTES_MAX + 5));
    let mut seen = Vec::new();
    let each = &mut |number, line: Result<&str, Refusal>| {
        seen.push((number, line.map(str::to_owned).map_err(|refusal| refusal.detail)));
        Ok(())
    };
    read::lines(&mut text.as_bytes(), each).expect("memory can be read").expect("nothing stops");
    assert_eq!(seen.len(), 3);
    assert_eq!((&seen[0], &seen[2]), (&(1, Ok("first".to_owned())), &(4, Ok("last".to_owned()))));
    assert!(seen[1].1.as_ref().is_err_and(|detail| detail.contains("longer than")));
}

#[test]
fn keys_are_added_where_there_are_none() {
    let read = |line: &str| Command::from_json(line).expect("the line is a command");
    let id = "018f0000-0000-7000-8000-000000000000";
    let key = |line: &str, number| match identity::keyed(read(line), number, line) {
        Command::Step { step, .. } => step.idempotency_key,
        Command::Observe { observation, .. } => observation.idempotency_key,
        _ => None,
    };
    let step = format!(r#"{{"op":"step","action_id":"{id}","description":"x"}}"#);
    assert_eq!(key(&step, 1), key(&step, 1));
    assert_ne!(key(&step, 1), key(&step, 2));
    let own = format!(r#"{{"op":"observe","action_id":"{id}","observation_type":"x","idempotency_key":"mine"}}"#);
    assert_eq!(key(&own, 1).as_deref(), Some("mine"));
    assert_eq!(key(&format!(r#"{{"op":"heartbeat","action_id":"{id}"}}"#), 1), None);
}
