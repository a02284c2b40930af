//! The attribution chain and the interaction sentence.

use serde_json::{Value, json};

use super::{ID, check_json};
use crate::chain::two_decimals;
use crate::{Entry, EntryBody, Experience, Observation, Step, Timestamp, compat_chain, interaction_prompt};

/// An experience with this many steps, an observation after every tenth, and credit `i/1000` on step `i`.
fn experience(n_steps: usize) -> Experience {
    let credits: Vec<f64> = (0..n_steps).map(|step| step as f64 / 1000.0).collect();
    let mut experience: Experience = serde_json::from_value(json!({
        "cursor": 1,
        "action": {
            "action_id": ID, "agent_id": "coder", "action_type": "fix", "goal_id": null, "parent_action_id": null,
            "expected_outcome": {"rows": 3}, "acceptance_criteria": ["rows > 2"], "attributes": {}, "status": "completed",
            "begun_at": 0, "last_activity_at": 1, "closed_at": 2, "duration_seconds": 2.675, "step_count": n_steps,
            "observation_count": n_steps / 10, "parent_step_count": null, "outcome": {"rows": 3}, "reward": null,
            "version": 1, "success_score": 1.0, "verdict": "success",
        },
        "attribution": {
            "action_id": ID, "version": 1, "method": "decay", "model_version": null, "evidence": "none",
            "success_score": 1.0, "evaluated": true, "verdict": "success", "closing": "completed", "grounding": "claimed",
            "reward": null, "baseline": 0.5, "residual": 0.0, "credits": credits, "advantages": credits,
            "criteria": [{"criterion": "rows > 2", "result": "pass", "source": "claimed"}],
            "expectation": [{"key": "rows", "matched": true, "source": "claimed"}],
            "outcome": {"rows": 3}, "attributed_at": 2,
        },
        "chain": [],
    }))
    .expect("the form is the documented one");
    for step_idx in 0..n_steps {
        experience.chain.push(entry(EntryBody::Step(Step { description: step_idx.to_string(), ..Step::default() })));
        if step_idx % 10 == 9 {
            let observation = Observation { observation_type: "probe".into(), at: time(7.5), ..Observation::default() };
            experience.chain.push(entry(EntryBody::Observation(observation)));
        }
    }
    experience
}

fn entry(body: EntryBody) -> Entry {
    Entry { seq: 0, recorded_at: Timestamp::default(), late: false, truncated: Vec::new(), body }
}

fn time(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_seconds(seconds)
}

#[test]
fn credits_stay_with_their_steps_past_fifty() {
    let chain = compat_chain(&experience(60));
    let summary = chain["steps_summary"].as_array().unwrap();
    assert_eq!(summary.len(), 50);
    for (index, step) in summary.iter().enumerate() {
        let step_idx = index + 10;
        assert_eq!(step["desc"], json!(step_idx.to_string()));
        assert_eq!(step["credit"], chain["step_credits"][step_idx]);
        assert_eq!((&step["decision"], &step["confidence"]), (&json!(""), &json!(0.5)));
    }
    assert_eq!(chain["step_credits"].as_array().unwrap().len(), 60);
    let observations = chain["observations"].as_array().unwrap();
    assert_eq!(observations.len(), 6);
    assert_eq!(
        observations[0],
        json!({"timestamp": 7.5, "observation_type": "probe", "data": null, "source": "", "confidence": 0.5}),
    );
    assert_eq!(compat_chain(&experience(1000))["observations"].as_array().unwrap().len(), 50);
}

#[test]
fn chain_has_the_known_keys_in_order() {
    let chain = compat_chain(&experience(0));
    let keys: Vec<&String> = chain.as_object().unwrap().keys().collect();
    let expected = [
        "action_id",
        "parent_action_id",
        "agent_id",
        "action_type",
        "goal_id",
        "expected_outcome",
        "acceptance_criteria",
        "duration_seconds",
        "step_count",
        "observation_count",
        "outcome",
        "success_score",
        "step_credits",
        "steps_summary",
        "observations",
        "version",
        "method",
        "model_version",
        "advantages",
        "verdict",
        "evaluated",
        "grounding",
        "criteria_verdicts",
        "closing",
    ];
    assert_eq!(keys, expected);
    assert_eq!((&chain["steps_summary"], &chain["goal_id"]), (&json!([]), &Value::Null));
    assert_eq!(chain["duration_seconds"], json!(2.67));
}

#[test]
fn prompt_is_one_sentence() {
    let mut experience = experience(1);
    assert_eq!(
        interaction_prompt(&experience),
        "coder ran fix (goal=None, parent=None, steps=1, observations=0, success=1.0)",
    );
    experience.action.goal_id = Some("g".into());
    experience.action.parent_action_id = Some(ID.parse().unwrap());
    experience.attribution.success_score = 2.0 / 3.0;
    let expected = format!("coder ran fix (goal=g, parent={ID}, steps=1, observations=0, success=0.6666666666666666)");
    assert_eq!(interaction_prompt(&experience), expected);
}

#[test]
fn experience_survives_the_wire() {
    let experience = experience(12);
    let again: Experience = check_json(&serde_json::to_string(&experience).unwrap());
    assert_eq!(again, experience);
    assert_eq!(again.steps().count(), 12);
}

/// The values are those of Python's `round(x, 2)`: the exact binary value decides, and a true tie goes to even.
#[test]
fn two_decimals_as_python_rounds() {
    let rows = [
        (0.125, 0.12),
        (0.375, 0.38),
        (0.625, 0.62),
        (0.875, 0.88),
        (2.675, 2.67),
        (1.005, 1.0),
        (0.005, 0.01),
        (0.015, 0.01),
        (0.025, 0.03),
        (1.115, 1.11),
        (-0.125, -0.12),
        (0.0, 0.0),
        (1e15 + 0.125, 1e15 + 0.12),
        (86_400.555, 86_400.55),
        (123_456_789.125, 123_456_789.12),
    ];
    for (seconds, expected) in rows {
        assert_eq!(two_decimals(seconds).to_bits(), f64::to_bits(expected), "{seconds}");
    }
}
