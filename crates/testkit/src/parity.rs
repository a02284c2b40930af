//! The runner of parity scenarios: calls with the answers of the older module, played against an engine with its
//! limits and a fake clock.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use accredit::{
    Action, ActionId, Begin, Completion, Config, Engine, Error, EventBody, Experience, JsonObject, Limits, Observation,
    Payload, Step, Timestamp, compat_chain, interaction_prompt,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{FakeClock, environment};

/// Seconds since 1970 at which a scenario starts.
const START_SECS: f64 = 1_700_000_000.0;

/// One scenario file.
#[derive(Debug, Deserialize)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    limits: ScenarioLimits,
    calls: Vec<Call>,
    completions: Vec<Value>,
    events: Vec<Value>,
    stats: Value,
}

#[derive(Debug, Deserialize)]
struct ScenarioLimits {
    max_open_actions: u64,
    max_items_per_action: u64,
    ttl_seconds: u64,
}

#[derive(Debug, Deserialize)]
struct Call {
    at: f64,
    call: String,
    args: JsonObject,
    #[serde(rename = "as")]
    name: Option<String>,
    returns: Option<Value>,
}

/// The scenario files of a folder, in order of their names.
///
/// # Errors
/// When the folder or a file cannot be read, or a file is no scenario.
pub fn scenarios(folder: &Path) -> Result<Vec<Scenario>, String> {
    let listed = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = listed.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
        })
        .collect()
}

/// Plays a scenario against a new store; answers every difference.
///
/// # Errors
/// When the engine cannot be opened or a call fails where the older module had an answer.
pub fn differences(scenario: &Scenario) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let limits = Limits {
        open_actions_max: scenario.limits.max_open_actions,
        entries_max: scenario.limits.max_items_per_action,
        idle_secs_max: scenario.limits.ttl_seconds,
        ..Limits::compat()
    };
    let config = Config { limits, sweep_secs: 0, ..Config::compat(folder.path().join("parity.db")) };
    let clock = Arc::new(FakeClock::at(seconds(START_SECS)));
    let engine = Engine::open_with(config, environment(&clock)).map_err(|error| error.to_string())?;
    let mut player = Player { engine, clock, names: HashMap::new(), found: Vec::new() };
    let mut subscription = player.engine.subscribe(None);
    for (index, call) in scenario.calls.iter().enumerate() {
        player.play(index, call).map_err(|error| format!("call {index} ({}): {error}", call.call))?;
    }
    let mut events = Vec::new();
    while let Some(event) = subscription.next(Duration::ZERO) {
        events.extend(player.event(&event.body));
    }
    let expected = scenario.completions.iter().cloned().map(with_free_parent).collect();
    player.compare("completions", &Value::Array(player.completions()?), &Value::Array(expected));
    player.compare("events", &Value::Array(events), &Value::Array(scenario.events.clone()));
    let stats = player.stats()?;
    player.compare("stats", &stats, &scenario.stats);
    Ok(player.found)
}

struct Player {
    engine: Engine,
    clock: Arc<FakeClock>,
    names: HashMap<String, ActionId>,
    found: Vec<String>,
}

impl Player {
    fn play(&mut self, index: usize, call: &Call) -> Result<(), String> {
        self.clock.set(seconds(START_SECS + call.at));
        let args = &call.args;
        let returned = match call.call.as_str() {
            "begin_action" => {
                let id = self.begin(args)?;
                let name = call.name.clone().ok_or("a begin without a name")?;
                self.names.insert(format!("${name}"), id);
                Value::Null
            }
            "record_step" => json!(self.step(args)?),
            "record_observation" => json!(self.observe(args)?),
            "complete_action" => json!(self.complete(args)?),
            "cleanup_expired" => json!(self.engine.cleanup_expired().map_err(|error| error.to_string())?),
            other => return Err(format!("unknown call {other}")),
        };
        if let Some(expected) = &call.returns
            && *expected != returned
        {
            self.found.push(format!("call {index} {}({args:?}) answered {returned}, not {expected}", call.call));
        }
        Ok(())
    }

    fn begin(&self, args: &JsonObject) -> Result<ActionId, String> {
        let begin = Begin {
            agent_id: text(args, "agent_id").unwrap_or_default().into(),
            action_type: text(args, "action_type").unwrap_or_default().into(),
            goal_id: text(args, "goal_id").map(Into::into),
            expected_outcome: object(args, "expected_outcome"),
            acceptance_criteria: args
                .get("acceptance_criteria")
                .and_then(Value::as_array)
                .map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            parent_action_id: args.get("parent_action_id").and_then(Value::as_str).and_then(|name| self.id(name)),
            ..Begin::default()
        };
        self.engine.begin(begin).map(|begun| begun.action_id).map_err(|error| error.to_string())
    }

    fn step(&self, args: &JsonObject) -> Result<bool, String> {
        let Some(id) = self.target(args) else { return Ok(false) };
        let step = Step {
            description: text(args, "description").unwrap_or_default(),
            state: args.get("state").map(Payload::from),
            decision: text(args, "decision"),
            confidence: args.get("confidence").and_then(Value::as_f64),
            ..Step::default()
        };
        self.engine.step(id, step).map(|recorded| recorded.is_stored()).map_err(|error| error.to_string())
    }

    fn observe(&self, args: &JsonObject) -> Result<bool, String> {
        let Some(id) = self.target(args) else { return Ok(false) };
        let observation = Observation {
            observation_type: text(args, "observation_type").unwrap_or_default(),
            data: args.get("data").map(Payload::from),
            source: text(args, "source"),
            confidence: args.get("confidence").and_then(Value::as_f64),
            ..Observation::default()
        };
        self.engine.observe(id, observation).map(|recorded| recorded.is_stored()).map_err(|error| error.to_string())
    }

    /// The older module answers false where nothing new was completed.
    fn complete(&self, args: &JsonObject) -> Result<bool, String> {
        let Some(id) = self.target(args) else { return Ok(false) };
        let completion = Completion { outcome: object(args, "outcome"), ..Completion::default() };
        match self.engine.complete(id, completion) {
            Ok(attribution) => Ok(!attribution.repeat),
            Err(Error::Conflict { .. } | Error::Refused(_)) => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }

    fn id(&self, name: &str) -> Option<ActionId> {
        self.names.get(name).copied()
    }

    /// The action a call is about; a name that no begin gave is no id of ours.
    fn target(&self, args: &JsonObject) -> Option<ActionId> {
        text(args, "action_id").and_then(|name| self.id(&name))
    }

    fn name(&self, id: ActionId) -> String {
        let found = self.names.iter().find(|(_, known)| **known == id);
        found.map_or_else(|| id.to_string(), |(name, _)| name.clone())
    }

    fn completions(&self) -> Result<Vec<Value>, String> {
        let experiences = self.engine.experiences(0, usize::MAX).map_err(|error| error.to_string())?;
        Ok(experiences.iter().map(|experience| self.completion(experience)).collect())
    }

    /// The attribution chain with the submission to the learner, ids replaced by the scenario's names.
    fn completion(&self, experience: &Experience) -> Value {
        let action: &Action = &experience.action;
        let mut chain = compat_chain(experience);
        let parent = action.parent_action_id;
        let goal = action.goal_id.as_ref().map(ToString::to_string);
        chain["action_id"] = json!(self.name(action.action_id));
        chain["parent_action_id"] = json!(parent.map(|parent| self.name(parent)));
        chain["submission"] = json!({
            "user_id": action.agent_id,
            "prompt_id": self.name(action.action_id),
            "prompt": interaction_prompt(experience),
            "model_id": format!("{}:{}", action.agent_id, action.action_type),
            "goal_id": goal,
            "latency_ms": action.duration_seconds.unwrap_or_default() * 1000.0,
            "response": experience.attribution.outcome,
        });
        with_free_parent(chain)
    }

    fn event(&self, body: &EventBody) -> Option<Value> {
        let EventBody::Completed { action_id, .. } = body else { return None };
        let mut event = serde_json::to_value(body).ok()?;
        event["data"]["action_id"] = json!(self.name(*action_id));
        Some(event)
    }

    fn stats(&self) -> Result<Value, String> {
        let stats = self.engine.stats().map_err(|error| error.to_string())?;
        Ok(json!({
            "total_begun": stats.begun,
            "total_completed": stats.begun - stats.open,
            "total_timed_out": stats.timed_out + stats.evicted,
            "total_steps_recorded": stats.steps,
            "open_count": stats.open,
        }))
    }

    fn compare(&mut self, path: &str, found: &Value, expected: &Value) {
        match (found, expected) {
            (Value::Object(found), Value::Object(expected)) => {
                // What is new beside the older module's keys is not compared.
                for (key, expected) in expected {
                    let found = found.get(key).unwrap_or(&Value::Null);
                    self.compare(&format!("{path}.{key}"), found, expected);
                }
            }
            (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
                for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                    self.compare(&format!("{path}[{index}]"), found, expected);
                }
            }
            (Value::Number(found), Value::Number(expected)) if close(found.as_f64(), expected.as_f64()) => {}
            (found, expected) if found == expected => {}
            _ => self.found.push(format!("{path}: {} where {} was", shortened(found), shortened(expected))),
        }
    }
}

/// Ids are free: the parent's, which the prompt quotes, is the one that has no name in the files.
fn with_free_parent(mut chain: Value) -> Value {
    if let Some(Value::String(prompt)) = chain.pointer_mut("/submission/prompt")
        && let Some((before, rest)) = prompt.split_once("parent=")
        && let Some((parent, after)) = rest.split_once(',')
        && parent.parse::<ActionId>().is_ok()
    {
        *prompt = format!("{before}parent=$parent,{after}");
    }
    chain
}

/// Numbers agree to one part in a million.
fn close(found: Option<f64>, expected: Option<f64>) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-6 * expected.abs().max(f64::MIN_POSITIVE),
        _ => false,
    }
}

fn seconds(seconds: f64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap_or_default()
}

fn text(args: &JsonObject, key: &str) -> Option<String> {
    args.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn object(args: &JsonObject, key: &str) -> Option<JsonObject> {
    args.get(key).and_then(Value::as_object).cloned()
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 120 { format!("{}…", text.chars().take(120).collect::<String>()) } else { text }
}
