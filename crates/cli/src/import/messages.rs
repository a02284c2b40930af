//! Chat messages as the entries of an action.
//!
//! Every tool call is a step, and so is an assistant message without one (key `respond`). A tool's result is an
//! observation that grounds the step of its call; a user's message is an observation that grounds nothing.

use std::collections::HashMap;

use accredit_model::{Begin, Command, Completion, EntryBody, JsonObject, Observation, Payload, Refusal};
use serde_json::{Value, json};

use super::{identity, step, unusable};
use crate::text;

/// Columns of a system prompt that the attributes keep.
const SYSTEM_COLUMNS: usize = 2_000;

/// A conversation on its way to being an action.
pub(super) struct Run<'a> {
    /// Who, what, which task; without id and without the system prompt.
    pub(super) begin: Begin,
    /// What the id is made of beside agent, type and messages: format, task, trial.
    pub(super) identity: Vec<String>,
    /// The messages.
    pub(super) messages: &'a [Value],
    /// What an evaluator said after the last message.
    pub(super) evaluation: Option<Observation>,
    /// The outcome and the reward.
    pub(super) completion: Completion,
}

/// The commands of one action in order, each with its weight in bytes.
pub(super) type Commands = Vec<(Command, usize)>;

impl Run<'_> {
    /// All commands: begin, entries, completion.
    pub(super) fn commands(self) -> Result<Commands, Refusal> {
        let Self { mut begin, identity, messages, evaluation, completion } = self;
        let mut entries = Entries::default();
        for (index, message) in messages.iter().enumerate() {
            entries.add(message).map_err(|what| unusable(format!("message {index}: {what}")))?;
        }
        let content = Value::Array(messages.to_vec()).to_string();
        let mut parts: Vec<&str> = identity.iter().map(String::as_str).collect();
        parts.extend([begin.agent_id.as_str(), begin.action_type.as_str(), &content]);
        let action_id = identity::action_id(&parts);
        begin.action_id = Some(action_id);
        if let Some(system) = entries.system {
            begin.attributes.get_or_insert_default().insert("system".to_owned(), json!(system));
        }
        let mut commands = vec![(Command::Begin(begin), 1_024)];
        let entries = entries.bodies.into_iter().chain(evaluation.map(EntryBody::Observation));
        commands.extend(entries.enumerate().map(|(index, body)| {
            let key = Some(format!("import:{index}"));
            match body {
                EntryBody::Step(mut step) => {
                    step.idempotency_key = key;
                    let bytes = step.state.as_ref().map_or(0, |state| state.get().len());
                    (Command::Step { action_id, step }, bytes + 512)
                }
                EntryBody::Observation(mut observation) => {
                    observation.idempotency_key = key;
                    let bytes = observation.data.as_ref().map_or(0, |data| data.get().len());
                    (Command::Observe { action_id, observation }, bytes + 256)
                }
            }
        }));
        commands.push((Command::Complete { action_id, completion }, 512));
        Ok(commands)
    }
}

#[derive(Default)]
struct Entries {
    bodies: Vec<EntryBody>,
    n_steps: u64,
    /// Tool call id, or tool name where calls have no ids, → place among the bodies, index among the steps, tool.
    calls: HashMap<String, (usize, u64, String)>,
    system: Option<String>,
}

impl Entries {
    fn add(&mut self, message: &Value) -> Result<(), String> {
        let Some(message) = message.as_object() else { return Err("is no object".to_owned()) };
        let role = message.get("role").and_then(Value::as_str).ok_or("has no `role`")?;
        let content = content(message.get("content"));
        match role {
            "system" | "developer" => {
                self.system.get_or_insert_with(|| text::fit(&content, SYSTEM_COLUMNS));
            }
            "user" => self.observe(Observation {
                observation_type: "user_message".to_owned(),
                data: Some(Payload::from(json!(content))),
                source: Some("user".to_owned()),
                ..Observation::default()
            }),
            "assistant" => self.assistant(message, &content)?,
            "tool" | "function" => self.result(message, &content),
            _ => return Err("has a `role` other than system, developer, user, assistant, tool, function".to_owned()),
        }
        Ok(())
    }

    fn observe(&mut self, observation: Observation) {
        self.bodies.push(EntryBody::Observation(observation));
    }

    fn assistant(&mut self, message: &JsonObject, content: &str) -> Result<(), String> {
        let calls = message.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut said = (!content.trim().is_empty()).then_some(content);
        if let Some(call) = message.get("function_call").filter(|call| call.is_object()) {
            self.call(None, call, said)?;
        } else if calls.is_empty() {
            self.bodies.push(EntryBody::Step(step::respond(content)));
            self.n_steps += 1;
        }
        for call in calls {
            let function =
                call.get("function").or_else(|| call.get("custom")).ok_or("has a tool call without `function`")?;
            self.call(call.get("id").and_then(Value::as_str), function, said.take())?;
        }
        Ok(())
    }

    fn call(&mut self, id: Option<&str>, function: &Value, said: Option<&str>) -> Result<(), String> {
        let tool = function.get("name").and_then(Value::as_str).ok_or("has a tool call without a name")?;
        let arguments = match function.get("arguments").or_else(|| function.get("input")) {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
            Some(value) => value.clone(),
            None => json!({}),
        };
        self.calls.insert(id.unwrap_or(tool).to_owned(), (self.bodies.len(), self.n_steps, tool.to_owned()));
        self.bodies.push(EntryBody::Step(step::call(tool, &arguments, said)));
        self.n_steps += 1;
        Ok(())
    }

    fn result(&mut self, message: &JsonObject, content: &str) {
        let name = message.get("name").and_then(Value::as_str);
        let id = message.get("tool_call_id").and_then(Value::as_str).or(name);
        let call = id.and_then(|id| self.calls.get(id)).cloned();
        let tool = name.or(call.as_ref().map(|(_, _, tool)| tool.as_str())).unwrap_or("tool");
        let observation = step::result(tool, content, call.as_ref().map(|(_, step, _)| *step));
        // A write that was turned down changed nothing.
        if let Some((place, ..)) = call
            && step::is_error(&observation)
            && let Some(EntryBody::Step(step)) = self.bodies.get_mut(place)
            && step.effect == Some(true)
        {
            step.effect = Some(false);
        }
        self.observe(observation);
    }
}

/// The text of a message: a string, nothing, or parts of which the text is taken and the rest is named.
fn content(content: Option<&Value>) -> String {
    match content {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let part = |part: &Value| match (part.get("text"), part.get("refusal"), part.get("type")) {
                (Some(Value::String(text)), ..) | (None, Some(Value::String(text)), _) => text.clone(),
                (_, _, Some(Value::String(kind))) => format!("[{kind}]"),
                _ => step::plain(part),
            };
            parts.iter().map(part).collect::<Vec<_>>().join("\n")
        }
        Some(other) => other.to_string(),
    }
}
