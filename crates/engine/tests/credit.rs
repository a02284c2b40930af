//! Credit of single actions: the prior's formula, alignment with the steps, and the older module's chain.

use accredit::{Completion, Entry, Evidence, Method, Step, compat_chain};
use accredit_testkit::Random;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{IntoBody, Rig, assert_close, outcome_of, probe, step};

/// `w_i = 0.9^(n-1-i) (0.5 + 0.5 c_i)`, credit `w_i / sum(w)`: the formula of the contract as it stands there.
fn decay(confidences: &[Option<f64>]) -> Vec<f64> {
    let n = confidences.len();
    let weight = |(i, confidence): (usize, &Option<f64>)| {
        0.9_f64.powi(i32::try_from(n - 1 - i).unwrap()) * (0.5 + 0.5 * confidence.unwrap_or(0.5))
    };
    let weights: Vec<f64> = confidences.iter().enumerate().map(weight).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

/// Records steps of these confidences with an observation after every third, and completes.
fn check(rig: &Rig, confidences: &[Option<f64>]) {
    let id = rig.begin();
    let mut entries = Vec::new();
    for (at, confidence) in confidences.iter().enumerate() {
        entries.push(Step { confidence: *confidence, ..step(&format!("step {at}")) }.into_body());
        if at % 3 == 2 {
            entries.push(probe(&json!({"at": at})).into_body());
        }
    }
    rig.record(id, entries);
    let attribution = rig.complete(id, &json!({"success": true}));
    assert_eq!((attribution.method.as_str(), attribution.model_version), ("decay", None));
    assert_eq!(attribution.evidence, Evidence::None);
    let expected = decay(confidences);
    assert_eq!(attribution.credits.len(), expected.len());
    for (at, (found, expected)) in attribution.credits.iter().zip(&expected).enumerate() {
        assert!((found - expected).abs() <= 1e-13 + 1e-9 * expected, "step {at}: {found} {expected}");
    }
    assert!(attribution.credits.iter().all(|credit| *credit > 0.0 && credit.is_finite()));
    assert_close(attribution.credits.iter().sum(), if confidences.is_empty() { 0.0 } else { 1.0 }, 1e-12);
    assert_eq!(attribution.advantages, vec![0.0; confidences.len()], "the prior knows nothing of single decisions");

    // Each credit stands with its own step, wherever they are read.
    let experience = rig.engine.experience(id, None).unwrap();
    assert_eq!(experience.steps().count(), confidences.len());
    for (at, (entry, step)) in experience.steps().enumerate() {
        assert_eq!(step.description, format!("step {at}"));
        assert_eq!(step.confidence, confidences[at]);
        assert_eq!(entry.seq, (at + at / 3) as u64);
    }
    let chain = compat_chain(&experience);
    assert_eq!(chain["step_credits"], json!(attribution.credits));
    let summary = chain["steps_summary"].as_array().unwrap();
    let first = confidences.len().saturating_sub(50);
    assert_eq!(summary.len(), confidences.len() - first);
    for (shown, at) in summary.iter().zip(first..) {
        assert_eq!(shown["desc"], json!(format!("step {at}")));
        assert_eq!(shown["credit"], json!(attribution.credits[at]));
        assert_eq!(shown["confidence"], json!(confidences[at].unwrap_or(0.5)));
    }
    let observations = chain["observations"].as_array().unwrap();
    assert_eq!(observations.len(), (confidences.len() / 3).min(50));
    assert_eq!(chain["observation_count"], json!(confidences.len() / 3));
}

#[test]
fn credits_follow_the_formula_and_their_steps() {
    let rig = Rig::open();
    let mut random = Random::new(7);
    let mut confidences = |n: usize| -> Vec<Option<f64>> {
        (0..n).map(|_| Some(f64::from(u32::try_from(random.below(1001)).unwrap()) / 1000.0)).collect()
    };
    check(&rig, &[]);
    check(&rig, &[Some(0.0)]);
    check(&rig, &[None, Some(1.0), Some(0.0)]);
    check(&rig, &confidences(50));
    check(&rig, &confidences(51));
    check(&rig, &confidences(60));
    check(&rig, &confidences(1_000));
    check(&rig, &[None; 120]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn credits_of_any_chain_follow_the_formula(
        confidences in prop::collection::vec(prop::option::of(0.0..=1.0), 0..200)
    ) {
        check(&Rig::open(), &confidences);
    }
}

#[test]
fn baseline_residual_and_reward_add_up() {
    let rig = Rig::open();
    let check = |reward: Option<f64>, outcome: Value| {
        let id = rig.begin();
        rig.steps(id, 3);
        let made = rig.engine.complete(id, Completion { reward, ..outcome_of(&outcome) }).unwrap();
        let explained = made.baseline + made.advantages.iter().sum::<f64>() + made.residual;
        assert_close(explained, reward.unwrap_or(made.success_score), 1e-9);
        assert_eq!(made.effective_reward(), reward.unwrap_or(made.success_score));
    };
    check(None, json!({"success": true}));
    check(None, json!({"success": false}));
    check(Some(-12.5), json!({"success": true}));
    check(Some(40_000.0), json!({}));
}

#[test]
fn the_uniform_method_shares_equally() {
    let rig = Rig::open_with(|config| config.method = Method::Uniform);
    let id = rig.begin();
    rig.steps(id, 8);
    let attribution = rig.complete(id, &json!({}));
    assert_eq!((attribution.method.as_str(), attribution.credits), ("uniform", vec![0.125; 8]));
}

#[test]
fn one_end_takes_all_where_it_is_asked_for() {
    for (method, credits) in [(Method::First, [1.0, 0.0, 0.0]), (Method::Last, [0.0, 0.0, 1.0])] {
        let rig = Rig::open_with(|config| (config.method, config.compat) = (method, method == Method::Last));
        let id = rig.begin();
        rig.steps(id, 3);
        let attribution = rig.complete(id, &json!({}));
        assert_eq!((attribution.method.as_str(), attribution.credits), (method.name(), credits.to_vec()));
    }
}

#[test]
fn the_chain_tells_what_the_older_module_told() {
    let rig = Rig::open();
    let parent = rig.begin();
    let id = rig.begin_with(accredit::Begin {
        goal_id: Some("goal".into()),
        expected_outcome: Some(crate::support::object(&json!({"rows": 8}))),
        acceptance_criteria: Some(vec!["rows > 5".to_owned()]),
        parent_action_id: Some(parent),
        ..crate::support::begin()
    });
    let entries = vec![
        Step { decision: Some("search".to_owned()), confidence: Some(0.8), ..step("look") }.into_body(),
        accredit::Observation {
            source: Some("probe 7".to_owned()),
            confidence: Some(0.9),
            ..probe(&json!({"rows": 8}))
        }
        .into_body(),
        probe(&json!({})).into_body(),
    ];
    rig.record(id, entries);
    rig.clock.advance_secs(754);
    rig.complete(id, &json!({"rows": 8}));
    let chain = compat_chain(&rig.engine.experience(id, None).unwrap());
    let started = crate::support::START_SECS;
    assert_eq!(
        chain,
        json!({
            "action_id": id, "parent_action_id": parent, "agent_id": "planner", "action_type": "book_flight",
            "goal_id": "goal", "expected_outcome": {"rows": 8}, "acceptance_criteria": ["rows > 5"],
            "duration_seconds": 754.0, "step_count": 1, "observation_count": 2, "outcome": {"rows": 8},
            "success_score": 1.0, "step_credits": [1.0],
            "steps_summary": [{"desc": "look", "decision": "search", "confidence": 0.8, "credit": 1.0}],
            "observations": [
                {"timestamp": started, "observation_type": "probe", "data": {"rows": 8}, "source": "probe 7",
                 "confidence": 0.9},
                {"timestamp": started, "observation_type": "probe", "data": {}, "source": "", "confidence": 0.5},
            ],
            "version": 1, "method": "decay", "model_version": null, "advantages": [0.0], "verdict": "success",
            "evaluated": true, "grounding": "observed",
            "criteria_verdicts": [{"criterion": "rows > 5", "result": "pass", "source": "observed"}],
            "closing": "completed",
        })
    );
}

#[test]
fn an_experience_has_every_step_with_state_and_time() {
    let rig = Rig::open();
    let id = rig.begin();
    for at in 0..120_i64 {
        rig.clock.advance_secs(1);
        let state = json!({"at": at, "text": "x".repeat(600)});
        rig.engine.step(id, Step { state: Some((&state).into()), ..step("s") }).unwrap();
    }
    rig.complete(id, &json!({}));
    let experience = rig.engine.experience(id, None).unwrap();
    assert_eq!(experience.chain.len(), 120);
    let mut times: Vec<_> = experience.chain.iter().map(Entry::time).collect();
    times.dedup();
    assert_eq!((times.len(), times.is_sorted()), (120, true));
    for (at, (_, step)) in experience.steps().enumerate() {
        let state = step.state.as_ref().unwrap().to_value().unwrap();
        assert_eq!((&state["at"], state["text"].as_str().unwrap().len()), (&json!(at), 600));
    }
}
