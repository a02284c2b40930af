//! Lists of chat messages as OpenAI writes them: `[…]`, or `{"messages": […]}` with what a trainer puts beside.
//!
//! Beside the messages, `reward`, `outcome`, `metadata` (agent, model, task), `model` and `tools` are read. A list is a
//! finished conversation: it is completed, with an empty outcome where none is given, and then its verdict is unknown.

use accredit_model::{Begin, Completion, JsonObject, Refusal};
use serde_json::{Value, json};

use super::messages::{Commands, Run};
use super::{Origin, step, unusable};

/// The action type where nothing names one.
const ACTION_TYPE: &str = "conversation";

/// The commands of one list.
pub(super) fn commands(item: &Value, origin: &Origin) -> Result<Commands, Refusal> {
    let none = JsonObject::new();
    let (messages, beside) = match item {
        Value::Array(messages) => (messages, &none),
        Value::Object(object) => match object.get("messages") {
            Some(Value::Array(messages)) => (messages, object),
            _ => return Err(unusable("an object with a list of messages has it as `messages`")),
        },
        _ => return Err(unusable("neither a list of messages nor an object with `messages`")),
    };
    if messages.is_empty() {
        return Err(unusable("a list without messages"));
    }
    let reward = match beside.get("reward") {
        None | Some(Value::Null) => None,
        Some(reward) => Some(reward.as_f64().ok_or_else(|| unusable("`reward` is a number"))?),
    };
    let outcome = match beside.get("outcome") {
        None | Some(Value::Null) => JsonObject::new(),
        Some(Value::Object(outcome)) => outcome.clone(),
        Some(other) => JsonObject::from_iter([("outcome".to_owned(), other.clone())]),
    };
    let metadata = beside.get("metadata").and_then(Value::as_object).unwrap_or(&none);
    let said = |names: &[&str]| {
        let found = names.iter().find_map(|name| metadata.get(*name).or_else(|| beside.get(*name)));
        found.filter(|value| value.is_string() || value.is_number()).map(step::plain)
    };
    let agent = origin.agent.clone().or_else(|| said(&["agent_id", "agent", "model"]));
    let agent = agent.or_else(|| origin.stem().map(str::to_owned)).unwrap_or_else(|| "assistant".to_owned());
    let action_type = origin.action_type.clone().or_else(|| said(&["action_type"]));
    let goal = said(&["goal_id", "task_id"]);
    let begin = Begin {
        agent_id: agent.into(),
        action_type: action_type.unwrap_or_else(|| ACTION_TYPE.to_owned()).into(),
        goal_id: goal.clone().map(Into::into),
        attributes: Some(attributes(beside, metadata, origin)),
        ..Begin::default()
    };
    let trial = said(&["trial", "id"]).unwrap_or_default();
    Run {
        begin,
        identity: vec!["openai".to_owned(), goal.unwrap_or_default(), trial],
        messages,
        evaluation: None,
        completion: Completion { outcome: Some(outcome), reward, at: None },
    }
    .commands()
}

fn attributes(beside: &JsonObject, metadata: &JsonObject, origin: &Origin) -> JsonObject {
    let mut attributes = metadata.clone();
    if let Some(Value::Array(tools)) = beside.get("tools") {
        let name = |tool: &Value| tool.pointer("/function/name").or_else(|| tool.get("name")).cloned();
        attributes.insert("tools".to_owned(), Value::Array(tools.iter().filter_map(name).collect()));
    }
    for name in ["model", "id"] {
        if let Some(value) = beside.get(name) {
            attributes.entry(name).or_insert_with(|| value.clone());
        }
    }
    attributes.insert("file".to_owned(), json!(origin.file));
    attributes
}
