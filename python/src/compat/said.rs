//! What Python hears of an action, as JSON values.

use accredit::{compat_chain, interaction_prompt};
use accredit_model::{Action, Entry, EventBody, Experience, rounded_duration};
use serde_json::{Value, json};

/// The fields of the dataclasses of `accredit.compat`.
pub(super) fn open_action(action: &Action, chain: &[Entry]) -> Value {
    let step = |entry: &Entry| {
        entry.step().map(|step| {
            json!({
                "timestamp": entry.time().seconds(),
                "description": step.description,
                "state": step.state.as_ref().map_or_else(|| json!({}), |state| json!(state)),
                "decision": step.decision.as_deref().unwrap_or_default(),
                "confidence": step.confidence.unwrap_or(0.5),
            })
        })
    };
    let observation = |entry: &Entry| {
        entry.observation().map(|observation| {
            json!({
                "timestamp": entry.time().seconds(),
                "observation_type": observation.observation_type,
                "data": observation.data,
                "source": observation.source.as_deref().unwrap_or_default(),
                "confidence": observation.confidence.unwrap_or(0.5),
            })
        })
    };
    let parent = action.parent_action_id.map(|parent| json!(parent));
    json!({
        "action_id": action.action_id,
        "agent_id": action.agent_id,
        "action_type": action.action_type,
        "goal_id": action.goal_id,
        "expected_outcome": action.expected_outcome,
        "acceptance_criteria": action.acceptance_criteria,
        // What is no action's id is kept beside.
        "parent_action_id": parent.or_else(|| action.attributes.get("parent_action_id").cloned()),
        "started_at": action.begun_at.seconds(),
        "steps": chain.iter().filter_map(step).collect::<Vec<_>>(),
        "observations": chain.iter().filter_map(observation).collect::<Vec<_>>(),
    })
}

/// What the learner's bridge and the event's listener hear of a closed action.
pub(super) fn said_of(experience: &Experience) -> Value {
    let Experience { action, attribution, .. } = experience;
    let duration = action.duration_seconds.unwrap_or_default();
    let event = EventBody::Completed {
        action_id: action.action_id,
        agent_id: action.agent_id.clone(),
        action_type: action.action_type.clone(),
        goal_id: action.goal_id.clone(),
        duration_seconds: rounded_duration(action.begun_at, duration),
        step_count: action.step_count,
        success_score: attribution.success_score,
        verdict: attribution.verdict,
        version: attribution.version,
        closing: attribution.closing,
    };
    json!({
        "event": event,
        "prompt": interaction_prompt(experience),
        "latency_ms": duration * 1000.0,
        "attribution_chain": compat_chain(experience),
    })
}
