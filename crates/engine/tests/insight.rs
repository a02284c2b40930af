//! What is said of decisions and of agents.

use accredit::{ActionType, AgentId, Begin, Completion, Engine, LearnedMethod, Method, Step, Usage};

use crate::support::{IntoBody, Rig, begin, step};

fn rig() -> Rig {
    Rig::open_with(|config| config.method = Method::Learned(LearnedMethod::TdCe))
}

/// `good` earns 1 and `bad` 0; what comes before never varies.
fn decide(engine: &Engine, good: bool) {
    let id = engine.begin(Begin { agent_id: "ann".into(), ..begin() }).unwrap().action_id;
    let at = |state: &str, decision: &str| {
        let usage = Usage { input_tokens: Some(900), output_tokens: Some(100), cost_usd: Some(0.5), latency_ms: None };
        let (state_key, key) = (Some(state.to_owned()), Some(decision.to_owned()));
        Step { state_key, key, confidence: Some(0.9), usage: Some(usage), ..step(decision) }.into_body()
    };
    engine.record(id, vec![at("first", "look"), at("second", if good { "good" } else { "bad" })]).unwrap();
    let reward = if good { 1.0 } else { 0.0 };
    engine.complete(id, Completion { reward: Some(reward), ..Completion::default() }).unwrap();
}

#[test]
fn decisions_are_told_with_intervals_that_hold_the_truth() {
    let rig = rig();
    (0..40).for_each(|at| decide(&rig.engine, at % 2 == 0));
    rig.engine.learn_now().unwrap();
    let told = rig.engine.insights(&begin().action_type).unwrap();
    assert_eq!((told.n_actions, told.model.as_ref().unwrap().method.as_str()), (40, "td_ce"));
    let of = |decision: &str| {
        let found = |row: &&accredit::DecisionInsight| row.decision == decision && row.state.is_some();
        told.decisions.iter().find(found).cloned().unwrap()
    };
    let (good, bad, look) = (of("good"), of("bad"), of("look"));
    assert!(good.low < 0.5 && 0.5 < good.high + 0.05 && good.low > 0.0, "{good:?}");
    assert!(bad.high < 0.0 && good.q < 0.05 && bad.q < 0.05, "{bad:?}");
    assert_eq!((good.n, good.examples.len(), good.state.as_deref()), (20, 2, Some("second")));
    assert!(!look.identifiable && look.advantage == 0.0, "nothing else was ever done there: {look:?}");
    assert!(!told.decisions.first().unwrap().decision.contains("look"), "what is certain comes first");
}

#[test]
fn a_type_that_nobody_recorded_has_no_insights() {
    let told = rig().engine.insights(&ActionType::from("nothing")).unwrap();
    assert_eq!((told.n_actions, told.model, told.decisions.len()), (0, None, 0));
}

#[test]
fn an_agent_is_told_by_what_it_did() {
    let rig = rig();
    (0..40).for_each(|at| decide(&rig.engine, at % 2 == 0));
    rig.engine.learn_now().unwrap();
    rig.engine.reattribute(None).unwrap();
    let told = rig.engine.agent(&AgentId::from("ann")).unwrap().unwrap();
    assert_eq!((told.actions, told.closed, told.evaluated, told.learned), (40, 40, 40, 40));
    assert_eq!((told.success_score, told.steps, told.tokens), (Some(0.5), 80, 80_000));
    assert!((told.cost_usd - 40.0).abs() < 1e-9 && told.advantage.abs() < 1e-9, "{told:?}");
    let calibration = told.calibration.unwrap();
    // It says 0.9 of everything, and half of it succeeds.
    assert!((calibration.ece - 0.4).abs() < 1e-9 && calibration.n == 80, "{calibration:?}");
    assert!((calibration.brier - (0.5 * 0.01 + 0.5 * 0.81)).abs() < 1e-9);
    assert_eq!(rig.engine.agent(&AgentId::from("nobody")).unwrap(), None);
}
