//! Harmful writes in recorded runs of tau-bench: of a real agent's failed runs, does credit blame the write that did the
//! harm?
//!
//! A run counts where it failed and at least one of its writes took the database further from its goal (its Shapley value
//! for the progress is negative). A method finds it where its most negative advantage, over all steps of the run, is a
//! harmful write's, and no other step's advantage is as low. See the README beside the data.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use accredit_credit::{CreditMethod, Decay, RidgeRd, Sample, StepFeatures, Trajectory};
use accredit_model::ActionId;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::measures::top_1;

/// Characters of a decision; one with longer arguments is the tool's name alone.
const DECISION_CHARS_MAX: usize = 480;

/// First words of the benchmark's tools that change the database.
const WRITE_VERBS: [&str; 7] = ["book", "cancel", "exchange", "modify", "return", "send", "update"];
/// First words of those that only look.
const READ_VERBS: [&str; 6] = ["calculate", "find", "get", "list", "search", "think"];

/// One recorded run.
#[derive(Clone, Debug, PartialEq)]
pub struct TauRun {
    /// Task and trial.
    pub goal: String,
    /// Which attempt.
    pub trial: u64,
    /// 1 where the database is right in the end, else 0.
    pub reward: f64,
    /// Tool calls and assistant messages without one, in order.
    pub steps: Vec<TauStep>,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct TauStep {
    /// The tool, or `respond`.
    pub tool: String,
    /// The tool with its arguments, where they are no prose.
    pub decision: String,
    /// Whether it changed the database: by the tool's verb, and not where the result was an error.
    pub effect: Option<bool>,
    /// Whether the replay says that it did harm.
    pub is_harmful: bool,
}

/// One number of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct TauRow {
    /// `leave_one_out`: the model knows nothing of the run. `outcome_added`: the same, told the outcome.
    /// `own_outcome`: the run is part of the fit. `goal_solved`: those of which another attempt succeeded. `effect` and
    /// `effect_leave_one_out`: with the knowledge of which steps changed the world.
    pub measure: &'static str,
    /// The method; `decay` and `last_write` learn nothing.
    pub method: &'static str,
    /// Runs whose harmful write was found.
    pub n_found: usize,
    /// Runs.
    pub n: usize,
}

impl TauRow {
    /// The share of runs.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.n_found as f64 / self.n.max(1) as f64
    }

    /// Wilson's 95 % interval of the share ("Probable Inference, the Law of Succession, and Statistical Inference", 1927).
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        let (n, share, z) = (self.n.max(1) as f64, self.share(), 1.959_964);
        let middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        (middle - half, middle + half)
    }
}

#[derive(Deserialize)]
struct Truth {
    task_id: Value,
    trial: u64,
    writes: Vec<Write>,
}

#[derive(Deserialize)]
struct Write {
    message: usize,
    shapley_progress: f64,
}

#[derive(Deserialize)]
struct Recorded {
    task_id: Value,
    trial: u64,
    reward: f64,
    traj: Vec<Value>,
}

/// The runs of a folder that holds `gpt-4o-airline.json` and `write_credit.jsonl`; those without a truth are left out.
///
/// # Errors
/// When a file cannot be read or is not what it should be.
pub fn tau_runs(folder: &Path) -> Result<Vec<TauRun>, String> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    let runs: Vec<Recorded> =
        serde_json::from_str(&read("gpt-4o-airline.json")?).map_err(|error| format!("runs: {error}"))?;
    let mut harmful: HashMap<(String, u64), BTreeSet<usize>> = HashMap::new();
    for line in read("write_credit.jsonl")?.lines().filter(|line| !line.is_empty()) {
        let truth: Truth = serde_json::from_str(line).map_err(|error| format!("truth: {error}"))?;
        let writes = truth.writes.iter().filter(|write| write.shapley_progress < 0.0).map(|write| write.message);
        harmful.insert((truth.task_id.to_string(), truth.trial), writes.collect());
    }
    let run = |run: Recorded| {
        let goal = run.task_id.to_string();
        let harmful = harmful.get(&(goal.clone(), run.trial))?;
        Some(TauRun { goal, trial: run.trial, reward: run.reward, steps: steps(&run.traj, harmful) })
    };
    Ok(runs.into_iter().filter_map(run).collect())
}

/// The steps as an import makes them: each tool call, and each assistant message without one.
fn steps(messages: &[Value], harmful: &BTreeSet<usize>) -> Vec<TauStep> {
    let mut steps: Vec<TauStep> = Vec::new();
    let mut calls: HashMap<&str, usize> = HashMap::new();
    for (index, message) in messages.iter().enumerate() {
        let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
        match text("role") {
            "assistant" => {
                let found = message.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                for call in found {
                    calls.insert(call.get("id").and_then(Value::as_str).unwrap_or_default(), steps.len());
                    let tool = call.pointer("/function/name").and_then(Value::as_str).unwrap_or("tool");
                    let arguments = call.pointer("/function/arguments").and_then(Value::as_str).unwrap_or("{}");
                    let arguments = serde_json::from_str(arguments).unwrap_or_else(|_| json!(arguments));
                    steps.push(TauStep {
                        tool: tool.to_owned(),
                        decision: decision(tool, &arguments),
                        effect: effect(tool),
                        is_harmful: harmful.contains(&index),
                    });
                }
                if found.is_empty() {
                    let respond = || "respond".to_owned();
                    steps.push(TauStep { tool: respond(), decision: respond(), effect: None, is_harmful: false });
                }
            }
            "tool" if text("content").trim_start().to_lowercase().starts_with("error") => {
                let step = calls.get(text("tool_call_id")).and_then(|step| steps.get_mut(*step));
                // A write that was turned down changed nothing, and did no harm.
                if let Some(step) = step.filter(|step| step.effect == Some(true)) {
                    step.effect = Some(false);
                    step.is_harmful = false;
                }
            }
            _ => {}
        }
    }
    steps
}

fn effect(tool: &str) -> Option<bool> {
    let verb = tool.split('_').next().unwrap_or_default();
    if WRITE_VERBS.contains(&verb) { Some(true) } else { READ_VERBS.contains(&verb).then_some(false) }
}

fn decision(tool: &str, arguments: &Value) -> String {
    let canonical = format!("{tool} {}", canonical(arguments));
    let free_text = |value: &Value| value.as_str().is_some_and(|text| text.split(' ').nth(6).is_some());
    let prose = arguments.as_object().is_some_and(|fields| fields.values().any(free_text));
    if prose || canonical.chars().nth(DECISION_CHARS_MAX).is_some() { tool.to_owned() } else { canonical }
}

/// JSON with the keys of every object in order.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, Value> =
                fields.iter().map(|(name, value)| (name, canonical(value))).collect();
            Value::Object(sorted.into_iter().map(|(name, value)| (name.clone(), value)).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(canonical).collect(),
        other => other.clone(),
    }
}

impl TauRun {
    /// The run as learning keeps it, with or without the knowledge of which steps changed the world.
    #[must_use]
    pub fn sample(&self, knows_effects: bool) -> Sample {
        let features = |step: &'_ TauStep| step.effect.filter(|_| knows_effects);
        let steps: Vec<StepFeatures<'_>> = self
            .steps
            .iter()
            .map(|step| StepFeatures {
                key: Some(&step.tool),
                decision: Some(&step.decision),
                effect: features(step),
                ..StepFeatures::default()
            })
            .collect();
        let goal_id = format!("task-{}", self.goal);
        let trajectory = Trajectory {
            action_id: None,
            agent_id: "gpt-4o",
            goal_id: Some(&goal_id),
            steps: &steps,
            reward: self.reward,
        };
        let mut id = [0; 16];
        for (slot, byte) in id.iter_mut().zip(format!("{:>12}{:>4}", self.goal, self.trial).bytes()) {
            *slot = byte;
        }
        Sample::of(ActionId::from_bytes(id), 0, &trajectory)
    }

    /// Whether it is measured.
    #[must_use]
    pub fn is_harmful(&self) -> bool {
        self.reward < 1.0 && self.steps.iter().any(|step| step.is_harmful)
    }

    /// Whether the largest blame, and no other, is a harmful write's.
    #[must_use]
    pub fn is_found(&self, blame: &[f64]) -> bool {
        let worst = |(index, step): (usize, &TauStep)| step.is_harmful && blame.get(index).is_some_and(|it| *it > 0.0);
        // Of several harmful writes either will do, so each is held against the steps that did none.
        let others = |found: usize| -> Vec<f64> {
            let harmless = |index: usize| index == found || self.steps.get(index).is_some_and(|step| !step.is_harmful);
            (0..blame.len()).map(|index| if harmless(index) { blame[index] } else { f64::NEG_INFINITY }).collect()
        };
        self.steps.iter().enumerate().any(|(index, step)| worst((index, step)) && top_1(&others(index), index))
    }
}

/// The table: every measure for `ridge_rd` and for the methods that learn nothing. One fit for each harmful run and
/// each kind of knowledge.
#[must_use]
pub fn tau_table(runs: &[TauRun]) -> Vec<TauRow> {
    let solved: BTreeSet<&str> = runs.iter().filter(|run| run.reward >= 1.0).map(|run| run.goal.as_str()).collect();
    let mut table = Table::default();
    for knows_effects in [false, true] {
        let samples: Vec<Sample> = runs.iter().map(|run| run.sample(knows_effects)).collect();
        let all = RidgeRd::fit(&samples.iter().collect::<Vec<_>>());
        for (index, run) in runs.iter().enumerate().filter(|(_, run)| run.is_harmful()) {
            let others: Vec<&Sample> = samples.iter().filter(|sample| sample.action != samples[index].action).collect();
            let without = RidgeRd::fit(&others);
            let blame = |advantages: Vec<f64>| advantages.into_iter().map(|value| -value).collect::<Vec<f64>>();
            let own = blame(all.assess(&samples[index]).advantages);
            let left_out = blame(without.assess(&samples[index]).advantages);
            let added = blame(without.assess_with_outcome(&samples[index]).advantages);
            let decay = decay(run, knows_effects);
            let mut add = |measure, ridge: &[f64]| {
                table.add(measure, "ridge_rd", run.is_found(ridge));
                table.add(measure, "decay", run.is_found(&decay));
            };
            if knows_effects {
                add("effect_leave_one_out", &left_out);
                add("effect", &own);
                table.add("effect", "last_write", run.is_found(&last_write(run)));
                continue;
            }
            add("leave_one_out", &left_out);
            add("outcome_added", &added);
            add("own_outcome", &own);
            if solved.contains(run.goal.as_str()) {
                add("goal_solved", &own);
            }
        }
    }
    table.0
}

#[derive(Default)]
struct Table(Vec<TauRow>);

impl Table {
    fn add(&mut self, measure: &'static str, method: &'static str, is_found: bool) {
        let at = self.0.iter().position(|row| (row.measure, row.method) == (measure, method)).unwrap_or_else(|| {
            self.0.push(TauRow { measure, method, n_found: 0, n: 0 });
            self.0.len() - 1
        });
        self.0[at].n += 1;
        self.0[at].n_found += usize::from(is_found);
    }
}

/// The credit of the failure by the prior.
fn decay(run: &TauRun, knows_effects: bool) -> Vec<f64> {
    let steps = vec![StepFeatures::default(); run.steps.len()];
    let credits = Decay.assign(&Trajectory { steps: &steps, reward: run.reward, ..Trajectory::default() }).credits;
    let changed_nothing = |step: &TauStep| knows_effects && step.effect == Some(false);
    credits.iter().zip(&run.steps).map(|(credit, step)| if changed_nothing(step) { 0.0 } else { *credit }).collect()
}

fn last_write(run: &TauRun) -> Vec<f64> {
    let last = run.steps.iter().rposition(|step| step.effect == Some(true));
    (0..run.steps.len()).map(|index| f64::from(u8::from(Some(index) == last))).collect()
}

#[cfg(test)]
mod tests;
