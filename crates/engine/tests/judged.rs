//! Scores of single steps: they outrank every estimate, whenever they come and whoever credits; nobody judges himself.

use accredit::{
    ActionId, AgentId, Attribution, Completion, Evidence, LearnedMethod, Method, Observation, OnRefit, Step,
};
use serde_json::json;

use crate::support::{IntoBody, Rig, assert_close, begin, judgement, step};

/// What somebody says of a step.
fn said(source: &str, step: u64, score: f64) -> Observation {
    Observation {
        observation_type: "review".to_owned(),
        source: Some(source.to_owned()),
        step: Some(step),
        score: Some(score),
        ..Observation::default()
    }
}

#[track_caller]
fn assert_adds_up(made: &Attribution) {
    let explained = made.baseline + made.advantages.iter().sum::<f64>() + made.residual;
    assert_close(explained, made.effective_reward(), 1e-9);
    assert_close(made.credits.iter().sum(), 1.0, 1e-9);
    let n = made.credits.len();
    assert!([0, n].contains(&made.std_errors.len()) && made.std_errors.len() == made.forecast.len());
}

fn standing(rig: &Rig, id: ActionId) -> Attribution {
    let made = rig.engine.attribution(id, None).unwrap();
    assert_adds_up(&made);
    made
}

#[test]
fn a_judge_moves_the_credit_of_a_step() {
    let rig = Rig::open_with(|config| config.method = Method::Uniform);
    let id = rig.begin();
    rig.steps(id, 4);
    rig.record(id, vec![said("ann", 1, 1.0).into_body()]);
    let made = rig.complete(id, &json!({"success": true}));
    assert_adds_up(&made);
    assert_eq!((made.judged.as_slice(), made.evidence, made.method.as_str()), (&[1][..], Evidence::None, "uniform"));
    assert_eq!(made.advantages, [0.0, 0.5, 0.0, 0.0]);
    // Weights 1/4, 2/4, 1/4, 1/4.
    made.credits.iter().zip([0.2, 0.4, 0.2, 0.2]).for_each(|(found, expected)| assert_close(*found, expected, 1e-12));
    assert_eq!((made.std_errors, made.n), (vec![None, Some(0.0), None, None], vec![0, 1, 0, 0]));
    assert_eq!(made.forecast, [0.5, 1.0, 1.0, 1.0]);
}

#[test]
fn a_late_judgement_moves_it_too() {
    let rig = Rig::open_with(|config| config.method = Method::Uniform);
    let id = rig.begin();
    rig.steps(id, 4);
    let before = rig.complete(id, &json!({"success": true}));
    assert_eq!((before.judged.as_slice(), before.std_errors.len()), (&[][..], 0));
    let check = |observation: Observation, version: u32, judged: &[u64], credits: [f64; 4], n: u64| {
        assert!(rig.engine.observe(id, observation).unwrap().is_stored());
        let made = standing(&rig, id);
        assert_eq!((made.version, made.judged.as_slice()), (version, judged));
        for (found, expected) in made.credits.iter().zip(credits) {
            assert_close(*found, expected, 1e-12);
        }
        assert_eq!(judged.first().map_or(0, |step| made.n[usize::try_from(*step).unwrap()]), n);
    };
    // Who acted does not judge: its score is stored, and changes nothing.
    check(said("planner", 2, 1.0), 1, &[], [0.25; 4], 0);
    check(said("self", 2, 1.0), 1, &[], [0.25; 4], 0);
    check(Observation { criterion: Some("it reads well".to_owned()), ..said("ann", 2, 1.0) }, 1, &[], [0.25; 4], 0);
    check(said("ann", 2, 0.0), 2, &[2], [1.0 / 3.0, 1.0 / 3.0, 0.0, 1.0 / 3.0], 1);
    // Another one, and the mean of both is neither good nor bad; then the first one thinks again.
    check(said("bob", 2, 1.0), 3, &[2], [0.25; 4], 2);
    check(said("ann", 2, 1.0), 4, &[2], [0.2, 0.2, 0.4, 0.2], 2);
    check(said("ann", 2, 1.0), 4, &[2], [0.2, 0.2, 0.4, 0.2], 2);
    check(said("ann", 0, 0.0), 5, &[0, 2], [0.0, 0.25, 0.5, 0.25], 1);
    assert_eq!(rig.engine.attributions(id).unwrap()[1].reason.as_deref(), Some("late observation"));
    // A revision keeps what was said: of a failure the bad step has the larger part.
    let failed = accredit::Revision { reward: Some(0.0), ..accredit::Revision::default() };
    let made = rig.engine.revise(id, failed).unwrap();
    assert_adds_up(&made);
    assert_eq!((made.judged.as_slice(), made.credits[2]), (&[0, 2][..], 0.0));
    assert_close(made.credits[0], 0.5, 1e-12);
    assert_eq!(rig.engine.verify(&mut |_, _| {}).unwrap().problems, []);
}

/// The second step decides; rewards are 10 and 30.
fn decide(rig: &Rig, good: bool) -> ActionId {
    let id = rig.begin_with(begin());
    let at = |state: &str, decision: &str| {
        Step { state_key: Some(state.to_owned()), key: Some(decision.to_owned()), ..step(decision) }.into_body()
    };
    let chosen = if good { "good" } else { "bad" };
    rig.record(id, vec![at("first", "look"), at("second", chosen), at(&format!("after {chosen}"), "wait")]);
    let reward = Some(if good { 30.0 } else { 10.0 });
    rig.engine.complete(id, Completion { reward, ..Completion::default() }).unwrap();
    id
}

#[test]
fn a_judge_overrules_what_was_learned() {
    let rig = Rig::open_with(|config| {
        config.method = Method::Learned(LearnedMethod::TdCe);
        config.learning.on_refit = OnRefit::None;
    });
    for at in 0..20 {
        decide(&rig, at % 2 == 0);
    }
    rig.engine.refit(&begin().action_type).unwrap().unwrap();
    let id = decide(&rig, true);
    let before = standing(&rig, id);
    assert!(before.credits[1] > 0.99 && before.evidence == Evidence::Learned && before.judged.is_empty());
    rig.engine.observe(id, said("ann", 0, 0.9)).unwrap();
    rig.engine.observe(id, said("ann", 1, 0.5)).unwrap();
    let made = standing(&rig, id);
    // Half the range of the rewards is 10; 0.9 is 0.8 of the way from the middle to the best.
    assert_close(made.advantages[0], 8.0, 1e-9);
    assert_eq!(
        (made.advantages[1], made.advantages[2], made.judged.as_slice()),
        (0.0, before.advantages[2], &[0, 1][..])
    );
    assert_eq!((made.credits.as_slice(), made.evidence), (&[1.0, 0.0, 0.0][..], Evidence::Learned));
    assert_eq!((made.std_errors[0], made.n[0], made.model_version), (Some(0.0), 1, before.model_version));
    assert_close(made.forecast[0] - before.forecast[0], 8.0, 1e-9);
    // The judge stands above any other method too, and above the next model.
    for method in [Method::Last, Method::Learned(LearnedMethod::Gae { lambda: 1.0 })] {
        let answer = rig.engine.what_if(id, method).unwrap();
        assert_adds_up(&answer);
        assert_eq!(answer.judged, [0, 1]);
        assert!(answer.advantages[1].abs() < 1e-12 && answer.advantages[0] > 0.0, "{method}");
    }
    rig.engine.refit(&begin().action_type).unwrap().unwrap();
    rig.engine.reattribute(None).unwrap();
    assert_eq!(standing(&rig, id).credits, [1.0, 0.0, 0.0]);
    assert_eq!(rig.engine.verify(&mut |_, _| {}).unwrap().problems, []);
}

#[test]
fn the_older_module_knew_no_judges() {
    let rig = Rig::compat();
    let id = rig.begin();
    rig.steps(id, 2);
    rig.record(id, vec![said("ann", 0, 1.0).into_body()]);
    let made = rig.complete(id, &json!({"success": true}));
    assert_eq!((made.judged.len(), made.std_errors.len(), made.advantages), (0, 0, vec![0.0, 0.0]));
    assert!(made.credits[0] < made.credits[1]);
}

#[test]
fn an_agent_is_not_calibrated_by_its_own_word() {
    let rig = Rig::open();
    let id = rig.begin();
    rig.record(id, vec![Step { confidence: Some(1.0), ..step("s") }.into_body(), said("planner", 0, 1.0).into_body()]);
    rig.complete(id, &json!({"success": false}));
    let ece = |rig: &Rig| rig.engine.agent(&AgentId::from("planner")).unwrap().unwrap().calibration.unwrap().ece;
    assert_close(ece(&rig), 1.0, 1e-12);
    rig.record(id, vec![said("ann", 0, 1.0).into_body(), said("bob", 0, 0.5).into_body()]);
    assert_close(ece(&rig), 0.25, 1e-12);
}

#[test]
fn a_judge_of_the_whole_judges_no_step() {
    let rig = Rig::open();
    let id = rig.begin();
    rig.steps(id, 2);
    rig.record(id, vec![judgement("it reads well", 1.0).into_body()]);
    assert_eq!(rig.complete(id, &json!({"success": true})).judged, [0_u64; 0]);
}
