//! What a chat message says about a step: its words, its key, whether it changed the world.

use accredit_model::{Observation, Payload, Step};
use serde_json::{Map, Value, json};

use crate::text;

/// The first words of tool names that say that the tool changes the world. A call of such a tool has `effect: true`
/// unless its result says that it failed. `docs/import.md` lists them for users.
pub(crate) const WRITE_VERBS: &[&str] = &[
    "add", "append", "approve", "assign", "book", "buy", "cancel", "charge", "commit", "confirm", "create", "delete",
    "deploy", "disable", "edit", "enable", "exchange", "insert", "install", "merge", "modify", "move", "order",
    "patch", "pay", "place", "post", "publish", "purchase", "put", "refund", "remove", "rename", "replace", "reserve",
    "reset", "restart", "return", "revoke", "save", "schedule", "send", "set", "submit", "toggle", "update", "upload",
    "upsert", "write",
];

/// First words of tool names that only look: a call of such a tool has `effect: false`. Other tools have no `effect`:
/// nobody knows.
pub(crate) const READ_VERBS: &[&str] = &[
    "calculate",
    "check",
    "compute",
    "count",
    "describe",
    "fetch",
    "find",
    "get",
    "grep",
    "list",
    "load",
    "look",
    "lookup",
    "query",
    "read",
    "retrieve",
    "search",
    "show",
    "think",
    "view",
];

/// Columns of a step's description: enough to tell it from its neighbours. The state holds the whole.
const DESCRIPTION_COLUMNS: usize = 240;

/// Characters of a decision; one with longer arguments is the tool's name alone, for free text repeats nowhere.
const DECISION_CHARS_MAX: usize = 480;

/// A tool call's step, before its result is known.
pub(super) fn call(tool: &str, arguments: &Value, said: Option<&str>) -> Step {
    let mut state = Map::new();
    state.insert("tool".to_owned(), json!(tool));
    state.insert("arguments".to_owned(), arguments.clone());
    if let Some(said) = said {
        state.insert("said".to_owned(), json!(said));
    }
    Step {
        description: text::line(&format!("{tool}({})", readable(arguments)), DESCRIPTION_COLUMNS),
        state: Some(Payload::from(Value::Object(state))),
        decision: Some(decision(tool, arguments)),
        key: Some(tool.to_owned()),
        effect: effect(tool),
        ..Step::default()
    }
}

/// The step of a message without tool calls.
pub(super) fn respond(content: &str) -> Step {
    Step {
        description: text::line(content, DESCRIPTION_COLUMNS),
        state: Some(Payload::from(json!({ "content": content }))),
        decision: Some("respond".to_owned()),
        key: Some("respond".to_owned()),
        ..Step::default()
    }
}

/// A tool's result as an observation.
pub(super) fn result(tool: &str, content: &str, step: Option<u64>) -> Observation {
    let data = serde_json::from_str(content).unwrap_or_else(|_| json!(content));
    let mut observation = Observation {
        observation_type: "tool_result".to_owned(),
        data: Some(Payload::from(data)),
        source: Some(tool.to_owned()),
        step,
        ..Observation::default()
    };
    if is_error(&observation) {
        observation.observation_type = "tool_error".to_owned();
    }
    observation
}

/// Whether an observation says that what it observed went wrong: by its type, or by the usual forms of an error.
pub(crate) fn is_error(observation: &Observation) -> bool {
    if observation.observation_type == "error" || observation.observation_type.ends_with("_error") {
        return true;
    }
    let Some(data) = &observation.data else { return false };
    // Most results are long and no errors: look before parsing.
    if !data.get().get(..4096).unwrap_or(data.get()).to_ascii_lowercase().contains("error") {
        return false;
    }
    match data.to_value() {
        Ok(Value::String(text)) => starts_with_error(&text),
        Ok(Value::Object(object)) => {
            object.get("error").is_some_and(is_truthy)
                || object.get("is_error") == Some(&Value::Bool(true))
                || object.get("status").is_some_and(|status| status == "error")
        }
        _ => false,
    }
}

fn starts_with_error(text: &str) -> bool {
    let text = text.trim_start();
    text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("error"))
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn effect(tool: &str) -> Option<bool> {
    let verb = first_word(tool);
    if WRITE_VERBS.contains(&verb.as_str()) {
        Some(true)
    } else if READ_VERBS.contains(&verb.as_str()) {
        Some(false)
    } else {
        None
    }
}

/// `book_reservation`, `bookReservation`, `book-reservation` → `book`; of `airline.book_x`, what follows the last dot.
fn first_word(tool: &str) -> String {
    let name = tool.rsplit(['.', '/', ':']).next().unwrap_or(tool);
    let mut word = String::new();
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && word.ends_with(char::is_lowercase)) {
            break;
        }
        word.push(c);
    }
    word.to_lowercase()
}

/// Arguments as a person reads them: `origin=JFK, flights=[{HAT136, 2024-05-20}]`. Inside a list the values speak for
/// themselves; the state keeps the names.
pub(crate) fn readable(arguments: &Value) -> String {
    match arguments {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name}={}", values(value)));
            fields.collect::<Vec<_>>().join(", ")
        }
        other => values(other),
    }
}

fn values(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(values).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => format!("{{{}}}", fields.values().map(values).collect::<Vec<_>>().join(", ")),
        other => plain(other),
    }
}

/// A value without the quotes around a text.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(|| number.to_string(), |it| it.to_string())
        }
        other => other.to_string(),
    }
}

fn decision(tool: &str, arguments: &Value) -> String {
    let canonical = format!("{tool} {}", canonical(arguments));
    let free_text = |value: &Value| value.as_str().is_some_and(|text| text.split(' ').nth(6).is_some());
    let prose = arguments.as_object().is_some_and(|fields| fields.values().any(free_text));
    if prose || canonical.chars().nth(DECISION_CHARS_MAX).is_some() { tool.to_owned() } else { canonical }
}

/// JSON with the keys of every object in order, so that equal arguments are equal text.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields = fields.into_iter().map(|(name, value)| format!("{}:{}", json!(name), canonical(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
