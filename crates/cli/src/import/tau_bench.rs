//! Results of tau-bench (sierra-research): one run, one action.
//!
//! The reward of a run is the benchmark's own comparison of the database after it, so it is filed as an observation
//! (`evaluation`, source `tau_bench`) beside the outcome, and `reward >= 1` is the expectation: reward 1 is a success.

use accredit_model::{Begin, Completion, JsonObject, Observation, Payload, Refusal};
use serde_json::{Value, json};

use super::messages::{Commands, Run};
use super::{Origin, unusable};

/// Names of the benchmark's domains, as file names end in them and policies are headed.
const DOMAINS: [&str; 4] = ["airline", "retail", "telecom", "banking"];

/// The commands of one run.
pub(super) fn commands(run: &Value, origin: &Origin) -> Result<Commands, Refusal> {
    let Some(run) = run.as_object() else { return Err(unusable("a tau-bench run is an object")) };
    let messages = run.get("traj").and_then(Value::as_array).ok_or_else(|| unusable("a tau-bench run has `traj`"))?;
    let reward = run.get("reward").and_then(Value::as_f64).ok_or_else(|| unusable("a tau-bench run has a `reward`"))?;
    let task = run.get("task_id").ok_or_else(|| unusable("a tau-bench run has a `task_id`"))?;
    let trial = run.get("trial").unwrap_or(&Value::Null);
    let info = run.get("info").unwrap_or(&Value::Null);
    let domain = domain(messages, origin);
    let task = super::step::plain(task);
    let outcome = outcome(run, info);
    let begin = Begin {
        agent_id: agent(origin).into(),
        action_type: origin.action_type.clone().unwrap_or_else(|| format!("tau_bench:{domain}")).into(),
        goal_id: Some(format!("task-{task}").into()),
        expected_outcome: Some(object(json!({ "reward": { "$gte": 1 } }))),
        attributes: Some(attributes(run, info, origin)),
        ..Begin::default()
    };
    let evaluation = Observation {
        observation_type: "evaluation".to_owned(),
        data: Some(Payload::from(Value::Object(outcome.clone()))),
        source: Some("tau_bench".to_owned()),
        ..Observation::default()
    };
    Run {
        begin,
        identity: vec!["tau-bench".to_owned(), task, trial.to_string()],
        messages,
        evaluation: Some(evaluation),
        completion: Completion { outcome: Some(outcome), reward: Some(reward), at: None },
    }
    .commands()
}

/// `reward` and what the evaluator said about it (`r_actions`, `r_outputs`, hashes).
fn outcome(run: &JsonObject, info: &Value) -> JsonObject {
    let mut outcome = JsonObject::new();
    outcome.insert("reward".to_owned(), run.get("reward").cloned().unwrap_or_default());
    let details = info.pointer("/reward_info/info").and_then(Value::as_object);
    for (name, value) in details.into_iter().flatten() {
        outcome.entry(name).or_insert_with(|| value.clone());
    }
    outcome
}

fn attributes(run: &JsonObject, info: &Value, origin: &Origin) -> JsonObject {
    let found = [
        ("task_id", run.get("task_id")),
        ("trial", run.get("trial")),
        ("instruction", info.pointer("/task/instruction")),
        ("user_id", info.pointer("/task/user_id")),
        ("expected_actions", info.pointer("/reward_info/actions").or_else(|| info.pointer("/task/actions"))),
        ("expected_outputs", info.pointer("/task/outputs")),
        ("user_cost", info.get("user_cost")),
    ];
    let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    let found = found.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !empty(value))?)));
    let mut attributes: JsonObject = found.map(|(name, value)| (name.to_owned(), value.clone())).collect();
    attributes.insert("file".to_owned(), json!(origin.file));
    attributes
}

/// `gpt-4o` of `gpt-4o-airline.json`.
fn agent(origin: &Origin) -> String {
    if let Some(agent) = &origin.agent {
        return agent.clone();
    }
    let Some(stem) = origin.stem() else { return "tau-bench-agent".to_owned() };
    let ending =
        DOMAINS.iter().find_map(|domain| stem.strip_suffix(domain)).map(|name| name.trim_end_matches(['-', '_']));
    ending.filter(|name| !name.is_empty()).unwrap_or(stem).to_owned()
}

/// The benchmark's domain: from the heading of its policy, else from the file's name.
fn domain(messages: &[Value], origin: &Origin) -> &'static str {
    let policy =
        messages.first().and_then(|message| message.get("content")).and_then(Value::as_str).unwrap_or_default();
    let heading = policy.lines().next().unwrap_or_default().to_lowercase();
    let name = origin.stem().unwrap_or_default().to_lowercase();
    let of = |text: &str| DOMAINS.into_iter().find(|domain| text.contains(domain));
    of(&heading).or_else(|| of(&name)).unwrap_or("unknown")
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}
