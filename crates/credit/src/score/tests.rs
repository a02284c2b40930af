//! Unit tests.

use accredit_model::Payload;
use serde_json::json;

use super::*;

/// What an action is judged by, with everything left out that a row does not say.
#[derive(Clone)]
struct Row {
    expected: Value,
    criteria: Vec<&'static str>,
    outcome: Value,
    reward: Option<f64>,
    closing: Closing,
    observations: Vec<Observation>,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            expected: json!({}),
            criteria: Vec::new(),
            outcome: json!({}),
            reward: None,
            closing: Closing::Completed,
            observations: Vec::new(),
        }
    }
}

fn scored(row: &Row) -> Score {
    let criteria: Vec<String> = row.criteria.iter().map(ToString::to_string).collect();
    let observations: Vec<&Observation> = row.observations.iter().collect();
    let facts = ActionFacts {
        agent_id: "tester",
        action_type: "test",
        goal_id: None,
        step_count: 3,
        observation_count: observations.len() as u64,
        duration_seconds: 12.5,
    };
    score(&ScoreInput {
        expected: row.expected.as_object().unwrap(),
        criteria: &criteria,
        outcome: row.outcome.as_object().unwrap(),
        reward: row.reward,
        closing: row.closing,
        observations: &observations,
        facts,
    })
}

fn observed(data: Value) -> Observation {
    Observation { observation_type: "sensor".into(), data: Some(Payload::from(data)), ..Observation::default() }
}

#[test]
fn the_reference_scores_these() {
    let check = |expected: Value, criteria: &[&'static str], outcome: Value, success_score: f64| {
        let row = Row { expected, criteria: criteria.to_vec(), outcome, ..Row::default() };
        assert_eq!(scored(&row).success_score, success_score, "{} {:?} {}", row.expected, row.criteria, row.outcome);
    };
    let shards = ["hive_score >= 0.93", "all_shards_complete"];
    let health = ["health_score > baseline"];
    let four = || json!({"score": 0.5, "rows": 100, "label": "cat", "missing": 1});
    // Rows of data/parity: number tolerance, missing keys, unevaluable criteria left out.
    check(json!({"health_score_delta": 0.05}), &[], json!({"health_score_delta": 0.1001}), 0.0);
    check(json!({"health_score_delta": 0.05}), &health, json!({"zero": 0.04}), 0.0);
    check(json!({"health_score_delta": 0.05}), &[], json!({}), 0.0);
    check(json!({"nested": {"a": 1}, "list": [1, 2]}), &[], json!({"nested": {"a": 1}, "list": [1, 2]}), 1.0);
    check(json!({"nested": {"a": 1}, "list": [1, 2]}), &[], json!({"status": "timeout"}), 0.0);
    check(four(), &shards, json!({"score": 0.55, "rows": 90, "label": "cat"}), 0.5);
    check(four(), &shards, json!({"status": "completed", "score": 0.9}), 0.0);
    check(json!({"score": 0.927, "status": "completed"}), &[], json!({"status": "completed", "score": 0.9}), 1.0);
    check(json!({"score": 0.927, "status": "completed"}), &shards, json!({"error": "boom", "score": 0.93}), 0.0);
    check(json!({"status": "ok"}), &[], json!({"status": "ok"}), 1.0);
    check(json!({"status": "ok"}), &[], json!({"status": "completed", "score": 0.9}), 0.0);
    check(json!({"zero": 0}), &[], json!({"zero": 0.04}), 1.0);
    check(json!({"zero": 0}), &health, json!({"zero": 0.06}), 0.0);
    check(json!({"zero": 0}), &shards, json!({"zero": 0.04}), 1.0);
    check(json!({}), &health, json!({"status": "completed", "score": 0.5805}), 0.5);
    check(json!({}), &shards, json!({}), 0.5);
    check(json!({}), &health, json!({"status": "timeout"}), 0.2);
    check(json!({}), &[], json!({"status": "error"}), 0.0);
    check(json!({}), &[], json!({"error": "boom", "score": 0.93}), 0.0);
    check(json!({}), &[], json!({"health_score_delta": 0.1}), 0.5);
}

#[test]
fn failure_signals_come_first() {
    let check = |outcome: Value, success_score: f64| {
        let row = Row { expected: json!({"rows": 1}), criteria: vec!["rows == 1"], outcome, ..Row::default() };
        let score = scored(&row);
        assert_eq!(score.success_score, success_score, "{}", row.outcome);
        assert!(score.evaluated);
        assert_eq!(score.verdict == Verdict::Failure, success_score == 0.0);
        // The items are shown whatever the signals say.
        assert!(score.expectation[0].matched);
        assert_eq!(score.criteria[0].result, CriterionVerdict::Pass);
    };
    check(json!({"rows": 1}), 1.0);
    for status in ["error", "failed", "failure"] {
        check(json!({"rows": 1, "status": status}), 0.0);
    }
    check(json!({"rows": 1, "status": "Failed"}), 1.0);
    check(json!({"rows": 1, "status": ["error"]}), 1.0);
    check(json!({"rows": 1, "success": false}), 0.0);
    for not_false in [json!(true), json!(0), json!(null), json!("false")] {
        check(json!({"rows": 1, "success": not_false}), 1.0);
    }
    // Python's truth.
    for truthy in [json!("boom"), json!("0 errors"), json!(1), json!(-0.5), json!(true), json!([0]), json!({"a": null})]
    {
        check(json!({"rows": 1, "error": truthy}), 0.0);
    }
    for falsy in [json!(""), json!(0), json!(0.0), json!(null), json!(false), json!([]), json!({})] {
        check(json!({"rows": 1, "error": falsy}), 1.0);
    }
}

#[test]
fn observed_beats_claimed() {
    let check = |observations: &[Observation], success_score: f64, source: Source, grounding: Grounding| {
        let row = Row {
            expected: json!({"rows": {"$gte": 100}}),
            outcome: json!({"rows": 120, "success": true}),
            observations: observations.to_vec(),
            ..Row::default()
        };
        let score = scored(&row);
        assert_eq!((score.success_score, score.expectation[0].source), (success_score, source), "{observations:?}");
        assert_eq!(score.grounding, grounding);
    };
    check(&[], 1.0, Source::Claimed, Grounding::Claimed);
    check(&[observed(json!({"cpu": 1}))], 1.0, Source::Claimed, Grounding::Claimed);
    check(&[observed(json!({"rows": 90}))], 0.0, Source::Observed, Grounding::Observed);
    // The latest counts, and of one object's repeated keys the last.
    check(&[observed(json!({"rows": 90})), observed(json!({"rows": 100}))], 1.0, Source::Observed, Grounding::Observed);
    check(&[observed(json!({"rows": 100})), observed(json!({"cpu": 1}))], 1.0, Source::Observed, Grounding::Observed);
    let twice = Payload::from_json(r#"{"rows": 1, "r\u006fws": 200}"#.into()).unwrap();
    check(&[Observation { data: Some(twice), ..observed(json!(1)) }], 1.0, Source::Observed, Grounding::Observed);
    // An observation of a step supplies values as well; one that is no object, or no number that there is, none.
    check(
        &[Observation { step: Some(0), ..observed(json!({"rows": 90})) }],
        0.0,
        Source::Observed,
        Grounding::Observed,
    );
    check(&[observed(json!(["rows", 90]))], 1.0, Source::Claimed, Grounding::Claimed);
    let endless = Payload::from_json(r#"{"rows": 1e999}"#.into()).unwrap();
    check(&[Observation { data: Some(endless), ..observed(json!(1)) }], 1.0, Source::Claimed, Grounding::Claimed);
    // A score or a type that says so makes it a judgement.
    let judged = Observation { score: Some(0.9), ..observed(json!({"rows": 90})) };
    check(&[judged], 0.0, Source::Judged, Grounding::Judged);
    for name in ["judge", "judgement", "human", "user_feedback", "review", "evaluation", "annotation"] {
        let judged = Observation { observation_type: name.into(), ..observed(json!({"rows": 90})) };
        check(&[judged], 0.0, Source::Judged, Grounding::Judged);
    }
}

#[test]
fn a_key_that_the_outcome_lacks_does_not_match_even_if_observed() {
    let row = Row { expected: json!({"rows": 1}), observations: vec![observed(json!({"rows": 1}))], ..Row::default() };
    let score = scored(&row);
    assert_eq!((score.success_score, score.expectation[0].source), (0.0, Source::Missing));
    assert_eq!(score.grounding, Grounding::Claimed);
}

#[test]
fn observations_of_a_step_do_not_override_failure_signals() {
    let check = |outcome: Value, observation: Observation, success_score: f64, grounding: Grounding| {
        let row = Row { outcome, observations: vec![observation], ..Row::default() };
        let score = scored(&row);
        assert_eq!((score.success_score, score.grounding), (success_score, grounding), "{:?}", row.observations);
    };
    let failed = || observed(json!({"success": false}));
    let of_a_step = || Observation { step: Some(0), ..failed() };
    check(json!({"success": true}), failed(), 0.0, Grounding::Observed);
    check(json!({"success": true}), of_a_step(), 1.0, Grounding::Claimed);
    check(json!({"success": false}), observed(json!({"success": true})), 1.0, Grounding::Observed);
    check(json!({"error": "boom"}), observed(json!({"error": ""})), 0.5, Grounding::Claimed);
    let judged = Observation { score: Some(1.0), ..observed(json!({"status": "failed"})) };
    check(json!({"status": "ok"}), judged, 0.0, Grounding::Judged);
    // The outcome does not claim the key: nothing to override.
    check(json!({}), failed(), 0.5, Grounding::Claimed);
}

#[test]
fn without_items_the_word_of_the_whole_counts() {
    let check = |outcome: Value, reward: Option<f64>, closing: Closing, expected: (f64, bool, Verdict)| {
        let row = Row { outcome, reward, closing, criteria: vec!["nobody knows"], ..Row::default() };
        let score = scored(&row);
        assert_eq!((score.success_score, score.evaluated, score.verdict), expected, "{} {reward:?}", row.outcome);
        assert_eq!(score.criteria[0].result, CriterionVerdict::Unevaluable);
    };
    let unknown = (0.5, false, Verdict::Unknown);
    let unfinished = (0.2, false, Verdict::Unknown);
    check(json!({}), None, Closing::Completed, unknown);
    check(json!({"success": true}), None, Closing::Completed, (1.0, true, Verdict::Success));
    check(json!({"success": true}), Some(0.1), Closing::Completed, (1.0, true, Verdict::Success));
    check(json!({"success": 1}), None, Closing::Completed, unknown);
    check(json!({}), Some(0.0), Closing::Completed, (0.0, true, Verdict::Failure));
    check(json!({}), Some(0.7), Closing::Completed, (0.7, true, Verdict::Partial));
    check(json!({}), Some(1.0), Closing::Completed, (1.0, true, Verdict::Success));
    check(json!({}), Some(1.1), Closing::Completed, unknown);
    check(json!({}), Some(-0.1), Closing::Completed, unknown);
    check(json!({}), Some(f64::NAN), Closing::Completed, unknown);
    check(json!({"status": "timeout"}), None, Closing::Completed, unfinished);
    check(json!({"status": "timeout"}), Some(0.7), Closing::Completed, (0.7, true, Verdict::Partial));
    check(json!({"status": "evicted"}), None, Closing::Completed, unknown);
    for closing in [Closing::TimedOut, Closing::Evicted, Closing::Cancelled] {
        check(json!({}), None, closing, unfinished);
        // What the outcome says is not looked at; a reward, which only somebody can have given, is.
        check(json!({"success": true}), None, closing, unfinished);
        check(json!({"error": "boom"}), None, closing, unfinished);
        check(json!({}), Some(0.7), closing, (0.7, true, Verdict::Partial));
    }
}

#[test]
fn engine_closings_score_what_matches_an_empty_outcome() {
    let check = |expected: Value, criteria: &[&'static str], success_score: f64, verdict: Verdict| {
        let row = Row {
            expected,
            criteria: criteria.to_vec(),
            outcome: json!({"rows": 1, "done": true}),
            closing: Closing::TimedOut,
            observations: vec![observed(json!({"saved": true}))],
            ..Row::default()
        };
        let score = scored(&row);
        assert_eq!((score.success_score, score.verdict), (success_score, verdict), "{} {criteria:?}", row.expected);
    };
    check(json!({"rows": 1}), &[], 0.0, Verdict::Failure);
    check(json!({"rows": 1}), &["saved"], 0.5, Verdict::Partial);
    check(json!({}), &["saved"], 1.0, Verdict::Success);
    check(json!({}), &["done"], 0.2, Verdict::Unknown);
    check(json!({}), &["action.step_count == 3"], 1.0, Verdict::Success);
    check(json!({}), &["size(outcome) == 0"], 1.0, Verdict::Success);
}

#[test]
fn items_of_both_kinds_count_alike() {
    let row = Row {
        expected: json!({"rows": 100, "label": "cat", "missing": 1}),
        criteria: vec!["rows > 90", "label == 'dog'", "unknown > 1", "all is well", "rows"],
        outcome: json!({"rows": 101, "label": "cat"}),
        ..Row::default()
    };
    let score = scored(&row);
    // Two of three expected keys and two of three criteria that can be evaluated.
    assert_eq!(score.success_score, 4.0 / 6.0);
    assert_eq!(score.verdict, Verdict::Partial);
    let keys: Vec<(&str, bool)> = score.expectation.iter().map(|item| (item.key.as_str(), item.matched)).collect();
    assert_eq!(keys, [("rows", true), ("label", true), ("missing", false)]);
    let results: Vec<CriterionVerdict> = score.criteria.iter().map(|item| item.result).collect();
    use CriterionVerdict::{Fail, Pass, Unevaluable};
    assert_eq!(results, [Pass, Fail, Unevaluable, Unevaluable, Pass]);
}

#[test]
fn all_criteria_of_an_action_together_have_a_limit() {
    let outcome = json!({ "list": vec![1; 150] });
    let row = Row { outcome, criteria: vec!["list.all(x, list.all(y, x == y))"; 100], ..Row::default() };
    let score = scored(&row);
    let n_evaluated = score.criteria.iter().filter(|item| item.result == CriterionVerdict::Pass).count();
    assert!((5..50).contains(&n_evaluated), "{n_evaluated}");
    assert_eq!(score.success_score, 1.0);
}
