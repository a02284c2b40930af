//! Unit tests.

use CriterionVerdict::{Fail, Pass, Unevaluable};
use accredit_model::{Closing, JsonObject, Observation, Payload};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{ActionFacts, ScoreInput, score};

fn evaluated(criterion: &str, observations: &[Observation]) -> CriterionResult {
    let object = |value: Value| -> JsonObject { value.as_object().unwrap().clone() };
    let outcome = json!({
        "hive_score": 0.95, "health_score": 0.9, "baseline": 0.8, "all_shards_complete": true, "reservations": 1,
        "exact": 1.0, "empty": "", "none": null, "rows": [{"ok": true, "n": 1}, {"ok": false, "n": 2}], "a.b": {"c": 3},
        "package": 1, "int": 5, "type": "x", "error": "",
    });
    let result = score(&ScoreInput {
        expected: &object(json!({"target": 0.9})),
        criteria: &[criterion.to_owned()],
        outcome: &object(outcome),
        reward: None,
        closing: Closing::Completed,
        observations: &observations.iter().collect::<Vec<_>>(),
        facts: ActionFacts {
            agent_id: "tester",
            action_type: "deploy",
            goal_id: Some("goal"),
            step_count: 12,
            observation_count: 2,
            duration_seconds: 61.5,
        },
    });
    result.criteria.into_iter().next().unwrap()
}

fn observed(data: Value) -> Observation {
    Observation { observation_type: "sensor".into(), data: Some(Payload::from(data)), ..Observation::default() }
}

fn judged(criterion: &str, score: f64) -> Observation {
    Observation { criterion: Some(criterion.into()), score: Some(score), ..observed(json!({})) }
}

#[test]
fn criteria_over_claims_pass_fail_or_say_nothing() {
    let check = |criterion: &str, result: CriterionVerdict| {
        let source = if result == Unevaluable { Source::Missing } else { Source::Claimed };
        assert_eq!(evaluated(criterion, &[]), CriterionResult { criterion: criterion.into(), result, source });
    };
    check("hive_score >= 0.93", Pass);
    check("health_score > baseline", Pass);
    check("health_score < baseline", Fail);
    check("reservations == 1 && exact == 1 && reservations == 1.0 && exact == 1.0", Pass);
    check("rows.all(row, row.n > 0) && rows.exists(row, row.ok)", Pass);
    check("rows.all(row, row.ok)", Fail);
    // A bare name is a truth test of any value.
    check("all_shards_complete", Pass);
    check(" all_shards_complete ", Pass);
    check("reservations", Pass);
    check("rows", Pass);
    check("empty", Fail);
    check("none", Fail);
    check("package", Pass);
    check("outcome", Pass);
    check("observed", Fail);
    check("int", Pass);
    // Anything else must be a boolean.
    check("reservations + 1", Unevaluable);
    check("!reservations", Unevaluable);
    check("!all_shards_complete", Fail);
    check("true", Pass);
    check("1 == 2", Fail);
    // The other names.
    check("outcome.hive_score == hive_score && hive_score >= expected.target", Pass);
    check("action.step_count <= 20 && action.duration_seconds < 62.0 && action.observation_count == 2", Pass);
    check("action.agent_id == 'tester' && action.action_type == 'deploy' && action.goal_id == 'goal'", Pass);
    check("outcome['a.b'].c == 3 && a.b.c == 3", Pass);
    check("int == 5 && type == 'x'", Pass);
    check("type(reservations) == double", Fail);
    check("has(outcome.rows) && !has(outcome.zzz)", Pass);
    // A name that nothing supplies is never a fail, not even beside a pass.
    check("unknown", Unevaluable);
    check("unknown > 1", Unevaluable);
    check("all_shards_complete || unknown", Unevaluable);
    check("observed.rows > 1", Unevaluable);
    check("outcome.zzz > 1", Unevaluable);
    check("expected.zzz > 1", Unevaluable);
    check("hive_score > 'high'", Unevaluable);
    check("none > 1", Unevaluable);
    check("rows.all(row, row.zzz > 1)", Unevaluable);
    check("rows.all(row, other > 1)", Unevaluable);
    // No expression.
    check("the report is readable", Unevaluable);
    check("", Unevaluable);
    check("hive_score >=", Unevaluable);
}

#[test]
fn observed_names_decide_and_are_named_as_the_source() {
    let check = |criterion: &str, result: CriterionVerdict, source: Source| {
        let observations = [
            observed(json!({"hive_score": 0.1, "cpu": 0.5})),
            observed(json!({"hive_score": 0.2})),
            Observation { observation_type: "human".into(), ..observed(json!({"readable": true})) },
        ];
        let item = evaluated(criterion, &observations);
        assert_eq!((item.result, item.source), (result, source), "{criterion}");
    };
    check("hive_score >= 0.93", Fail, Source::Observed);
    check("hive_score == 0.2 && outcome.hive_score == 0.95", Pass, Source::Observed);
    check("outcome.hive_score >= 0.93", Pass, Source::Claimed);
    // What only the world knows.
    check("cpu < 0.6", Pass, Source::Observed);
    check("cpu", Pass, Source::Observed);
    check("readable", Pass, Source::Judged);
    check("readable && cpu < 0.6", Pass, Source::Judged);
    check("observed.cpu < 0.6", Pass, Source::Observed);
    check("observed['cpu'] < 0.6", Pass, Source::Observed);
    check("observed.readable", Pass, Source::Judged);
    check("has(observed.readable)", Pass, Source::Judged);
    check("has(observed.zzz)", Fail, Source::Claimed);
    check("size(observed) == 3", Pass, Source::Judged);
    check("observed.zzz > 1", Unevaluable, Source::Missing);
    check("reservations == 1", Pass, Source::Claimed);
}

#[test]
fn a_judge_decides_text_and_expressions() {
    let check = |criterion: &str, observations: &[Observation], result: CriterionVerdict, source: Source| {
        let item = evaluated(criterion, observations);
        assert_eq!((item.result, item.source), (result, source), "{criterion}");
    };
    let text = "the report is readable";
    check(text, &[judged(text, 0.5)], Pass, Source::Judged);
    check(text, &[judged(text, 0.49)], Fail, Source::Judged);
    check(text, &[judged(text, 0.1), judged(text, 0.9)], Pass, Source::Judged);
    check(text, &[judged("another", 0.9)], Unevaluable, Source::Missing);
    check(text, &[Observation { score: None, ..judged(text, 1.0) }], Unevaluable, Source::Missing);
    check("hive_score >= 0.93", &[judged("hive_score >= 0.93", 0.0)], Fail, Source::Judged);
    check("unknown", &[judged("unknown", 1.0)], Pass, Source::Judged);
}

proptest! {
    #[test]
    fn any_criterion_over_any_observation_does_no_harm(text in "\\PC{0,40}", json in "\\PC{0,40}") {
        let data = Payload::from_json(json).ok();
        let _item: CriterionResult = evaluated(&text, &[Observation { data, ..Observation::default() }]);
    }
}
