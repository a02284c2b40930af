//! The attribution chain and the interaction sentence, as learners of the older module know them.

use serde_json::{Value, json};

use crate::{Entry, Experience, Timestamp};

/// Entries at the end of a chain that the summaries show.
const SUMMARY_ENTRIES: usize = 50;

/// The attribution chain: identity, score, credits by step index, and the last fifty steps and observations, each
/// step with its own credit.
#[must_use]
pub fn compat_chain(experience: &Experience) -> Value {
    let Experience { action, attribution, chain, .. } = experience;
    let n_steps = attribution.credits.len();
    let steps: Vec<Value> = experience
        .steps()
        .zip(&attribution.credits)
        .skip(n_steps.saturating_sub(SUMMARY_ENTRIES))
        .map(|((_, step), credit)| {
            json!({
                "desc": step.description,
                "decision": step.decision.as_deref().unwrap_or_default(),
                "confidence": step.confidence.unwrap_or(0.5),
                "credit": credit,
            })
        })
        .collect();
    let observations: Vec<&Entry> = chain.iter().filter(|entry| entry.observation().is_some()).collect();
    let observations: Vec<Value> = observations
        .iter()
        .skip(observations.len().saturating_sub(SUMMARY_ENTRIES))
        .filter_map(|entry| {
            let observation = entry.observation()?;
            Some(json!({
                "timestamp": entry.time().seconds(),
                "observation_type": observation.observation_type,
                "data": observation.data,
                "source": observation.source.as_deref().unwrap_or_default(),
                "confidence": observation.confidence.unwrap_or(0.5),
            }))
        })
        .collect();
    json!({
        "action_id": action.action_id,
        "parent_action_id": action.parent_action_id,
        "agent_id": action.agent_id,
        "action_type": action.action_type,
        "goal_id": action.goal_id,
        "expected_outcome": action.expected_outcome,
        "acceptance_criteria": action.acceptance_criteria,
        "duration_seconds": rounded_duration(action.begun_at, action.duration_seconds.unwrap_or_default()),
        "step_count": action.step_count,
        "observation_count": action.observation_count,
        "outcome": attribution.outcome,
        "success_score": attribution.success_score,
        "step_credits": attribution.credits,
        "steps_summary": steps,
        "observations": observations,
        "version": attribution.version,
        "method": attribution.method,
        "model_version": attribution.model_version,
        "advantages": attribution.advantages,
        "verdict": attribution.verdict,
        "evaluated": attribution.evaluated,
        "grounding": attribution.grounding,
        "criteria_verdicts": attribution.criteria,
        "closing": attribution.closing,
    })
}

/// The experience in one English sentence, the prompt of the learner bridge.
#[must_use]
pub fn interaction_prompt(experience: &Experience) -> String {
    let Experience { action, attribution, .. } = experience;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "None".to_owned());
    format!(
        "{} ran {} (goal={}, parent={}, steps={}, observations={}, success={:?})",
        action.agent_id,
        action.action_type,
        or_none(action.goal_id.as_ref().map(ToString::to_string)),
        or_none(action.parent_action_id.as_ref().map(ToString::to_string)),
        action.step_count,
        action.observation_count,
        attribution.success_score,
    )
}

/// A duration in seconds, rounded to two decimals as the older module did: from the difference of two times of day in
/// floating point, whose last bits decide where the third decimal is a five.
#[must_use]
pub fn rounded_duration(begun_at: Timestamp, seconds: f64) -> f64 {
    let begun = begun_at.seconds();
    two_decimals((begun + seconds) - begun)
}

/// Rounds to two decimals, ties to even in the exact binary value, as the older module did.
pub(crate) fn two_decimals(seconds: f64) -> f64 {
    format!("{seconds:.2}").parse().unwrap_or(seconds)
}
