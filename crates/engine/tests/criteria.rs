//! Acceptance criteria, and observed values against claimed ones.

use accredit::{Attribution, Begin, CriterionVerdict, Observation, Source};
use serde_json::{Value, json};

use crate::support::{Rig, begin, judgement, object, probe};

const PASS: CriterionVerdict = CriterionVerdict::Pass;
const FAIL: CriterionVerdict = CriterionVerdict::Fail;
const UNEVALUABLE: CriterionVerdict = CriterionVerdict::Unevaluable;

/// An action of two steps that took 90 seconds, with one criterion.
fn judged(rig: &Rig, criterion: &str, observations: Vec<Observation>, outcome: &Value) -> Attribution {
    let id = rig.begin_with(Begin {
        expected_outcome: Some(object(&json!({"rows": 8}))),
        acceptance_criteria: Some(vec![criterion.to_owned()]),
        goal_id: Some("goal".into()),
        ..begin()
    });
    rig.steps(id, 2);
    for observation in observations {
        assert!(rig.engine.observe(id, observation).unwrap().is_stored());
    }
    rig.clock.advance_secs(90);
    rig.complete(id, outcome)
}

#[test]
fn criteria_are_expressions_over_what_is_known() {
    let rig = Rig::open();
    let outcome = json!({
        "rows": 8, "health_score": 0.97, "baseline": 0.9, "all_shards_complete": true, "leftovers": [],
        "shards": [{"rows": 3}, {"rows": 5}], "note": "all is well",
    });
    let check = |criterion: &str, result: CriterionVerdict| {
        let attribution = judged(&rig, criterion, vec![probe(&json!({"temperature": 21}))], &outcome);
        let [decided] = &attribution.criteria[..] else { panic!("one criterion, {:?}", attribution.criteria) };
        assert_eq!((decided.criterion.as_str(), decided.result), (criterion, result));
        assert_eq!(decided.source == Source::Missing, result == UNEVALUABLE, "{criterion}: {:?}", decided.source);
    };
    // Names: two of them, and one alone as a truth test.
    check("health_score > baseline", PASS);
    check("health_score < baseline", FAIL);
    check("all_shards_complete", PASS);
    check("leftovers", FAIL);
    check("!all_shards_complete", FAIL);
    check("rows == 8 && health_score >= 0.95", PASS);
    check("rows == 8.0", PASS);
    check("shards.all(shard, shard.rows > 2)", PASS);
    check("size(shards) == 3", FAIL);
    check("note.contains('well')", PASS);
    check("note.matches('^all')", PASS);
    // What stands beside the outcome's keys.
    check("outcome.rows > 5", PASS);
    check("outcome.rows == expected.rows", PASS);
    check("observed.temperature < 30", PASS);
    check("temperature < 20", FAIL);
    check("action.step_count == 2", PASS);
    check("action.observation_count == 1", PASS);
    check("action.duration_seconds < 60", FAIL);
    check("action.duration_seconds == 90.0", PASS);
    check("action.agent_id == 'planner' && action.action_type == 'book_flight' && action.goal_id == 'goal'", PASS);
    // A name that nothing supplies, and what is no expression or no truth.
    check("unheard_of > 5", UNEVALUABLE);
    check("unheard_of", UNEVALUABLE);
    check("rows > unheard_of", UNEVALUABLE);
    check("outcome.unheard_of > 1", UNEVALUABLE);
    check("rows > 'many'", UNEVALUABLE);
    check("rows + 1", UNEVALUABLE);
    check("the answer reads well", UNEVALUABLE);
    check("rows >", UNEVALUABLE);
    check("", UNEVALUABLE);
}

#[test]
fn a_judge_decides_what_it_names() {
    let rig = Rig::open();
    let check = |criterion: &str, observations: Vec<Observation>, result: CriterionVerdict, source: Source| {
        let attribution = judged(&rig, criterion, observations, &json!({"rows": 8}));
        let decided = &attribution.criteria[0];
        assert_eq!((decided.result, decided.source), (result, source), "{criterion}");
    };
    check("the answer reads well", vec![judgement("the answer reads well", 0.9)], PASS, Source::Judged);
    check("the answer reads well", vec![judgement("the answer reads well", 0.5)], PASS, Source::Judged);
    check("the answer reads well", vec![judgement("the answer reads well", 0.4)], FAIL, Source::Judged);
    check("the answer reads well", vec![judgement("the answer is short", 0.9)], UNEVALUABLE, Source::Missing);
    // The latest word stands, and an expression can be overruled.
    let changed = vec![judgement("the answer reads well", 0.9), judgement("the answer reads well", 0.1)];
    check("the answer reads well", changed, FAIL, Source::Judged);
    check("rows > 5", vec![judgement("rows > 5", 0.0)], FAIL, Source::Judged);
    // Without a score it is no judgement, and without a criterion it is none of this one.
    let without_score = Observation { score: None, ..judgement("the answer reads well", 0.0) };
    check("the answer reads well", vec![without_score], UNEVALUABLE, Source::Missing);
    let of_the_whole = Observation { criterion: None, ..judgement("", 0.9) };
    check("the answer reads well", vec![of_the_whole], UNEVALUABLE, Source::Missing);
}

#[test]
fn observed_beats_claimed() {
    let rig = Rig::open();
    let check = |observations: Vec<Observation>, claimed: Value, matched: bool, source: Source| {
        let attribution = judged(&rig, "rows == 8", observations, &claimed);
        let (item, criterion) = (&attribution.expectation[0], &attribution.criteria[0]);
        assert_eq!((item.matched, item.source), (matched, source), "{claimed}");
        assert_eq!((criterion.result == PASS, criterion.source), (matched, source), "{claimed}");
        assert_eq!(attribution.outcome, object(&claimed), "the claim is kept as it was");
    };
    let user = |data: Value| Observation { observation_type: "user_feedback".to_owned(), ..probe(&data) };
    check(vec![], json!({"rows": 8}), true, Source::Claimed);
    check(vec![probe(&json!({"rows": 3}))], json!({"rows": 8}), false, Source::Observed);
    check(vec![probe(&json!({"rows": 8}))], json!({"rows": 3}), true, Source::Observed);
    check(vec![probe(&json!({"rows": "8"}))], json!({"rows": 8}), false, Source::Observed);
    check(vec![probe(&json!({"rows": null}))], json!({"rows": 8}), false, Source::Observed);
    // The latest observation that has the key.
    let twice = vec![probe(&json!({"rows": 3})), probe(&json!({"rows": 8})), probe(&json!({"shards": 1}))];
    check(twice, json!({"rows": 1}), true, Source::Observed);
    check(vec![user(json!({"rows": 3}))], json!({"rows": 8}), false, Source::Judged);
    check(vec![probe(&json!([{"rows": 3}]))], json!({"rows": 8}), true, Source::Claimed);
    check(vec![probe(&json!({"other": {"rows": 3}}))], json!({"rows": 8}), true, Source::Claimed);
    // However unreliable the source: what weighs it is learning, not scoring.
    let unsure = Observation { confidence: Some(0.01), ..probe(&json!({"rows": 3})) };
    check(vec![unsure], json!({"rows": 8}), false, Source::Observed);
}

#[test]
fn the_world_contradicts_success_and_failure() {
    let rig = Rig::open();
    let check = |observation: Observation, claimed: Value, score: f64| {
        let id = rig.begin();
        rig.steps(id, 1);
        rig.engine.observe(id, observation).unwrap();
        assert_eq!(rig.complete(id, &claimed).success_score, score, "{claimed}");
    };
    check(probe(&json!({"success": false})), json!({"success": true}), 0.0);
    check(probe(&json!({"success": true})), json!({"success": false}), 1.0);
    check(probe(&json!({"status": "failed"})), json!({"status": "ok"}), 0.0);
    check(probe(&json!({"status": "ok"})), json!({"status": "failed", "success": true}), 1.0);
    check(probe(&json!({"error": "timeout"})), json!({"error": null, "success": true}), 0.0);
    // What grounds one step reports on that step: a tool's failure that the agent recovered from is no failed action.
    let of_a_step = Observation { step: Some(0), ..probe(&json!({"success": false, "error": "no such file"})) };
    check(of_a_step, json!({"success": true, "error": null}), 1.0);
}
