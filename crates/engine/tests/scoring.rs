//! From outcome and expectation to score and verdict.

use accredit::{Attribution, Begin, Cancel, Closing, Completion, Grounding, RefusalReason, Source, Verdict};
use serde_json::{Value, json};

use crate::support::{Rig, assert_close, begin, judgement, object, outcome_of, probe, refusal_of};

/// Completes an action of which this was expected with this outcome.
fn judged(rig: &Rig, expected: &Value, outcome: &Value) -> Attribution {
    rig.complete(rig.begin_expecting(expected), outcome)
}

#[test]
fn failure_signals_come_before_everything() {
    let rig = Rig::open();
    let check = |outcome: Value, fails: bool| {
        // The expectation is met in every row.
        let mut outcome = object(&outcome);
        outcome.insert("rows".to_owned(), json!(8));
        let attribution = judged(&rig, &json!({"rows": 8}), &Value::Object(outcome.clone()));
        let expected = if fails { (0.0, Verdict::Failure) } else { (1.0, Verdict::Success) };
        assert_eq!((attribution.success_score, attribution.verdict), expected, "{outcome:?}");
        assert!(attribution.evaluated && attribution.expectation[0].matched, "{outcome:?}");
    };
    check(json!({"status": "error"}), true);
    check(json!({"status": "failed"}), true);
    check(json!({"status": "failure"}), true);
    check(json!({"success": false}), true);
    check(json!({"error": "disk full"}), true);
    check(json!({"error": "0 errors"}), true);
    check(json!({"error": 1}), true);
    check(json!({"error": [null]}), true);
    check(json!({"error": {"code": 0}}), true);
    check(json!({"success": true, "error": true}), true);
    // Text is not interpreted, and what Python calls false is no error.
    check(json!({"status": "FAILED"}), false);
    check(json!({"status": "failed over"}), false);
    check(json!({"status": ["error"]}), false);
    check(json!({"success": 0}), false);
    check(json!({"success": null}), false);
    check(json!({"error": ""}), false);
    check(json!({"error": 0}), false);
    check(json!({"error": null}), false);
    check(json!({"error": []}), false);
    check(json!({"error": {}}), false);
    check(json!({"errors": "disk full"}), false);
}

#[test]
fn values_match_by_their_kind() {
    let rig = Rig::open();
    let check = |expected: Value, actual: Value, matches: bool| {
        let attribution = judged(&rig, &json!({"key": expected}), &json!({"key": actual}));
        let [item] = &attribution.expectation[..] else { panic!("one key, {:?}", attribution.expectation) };
        assert_eq!((item.matched, item.source), (matches, Source::Claimed), "{expected} {actual}");
        assert_eq!(attribution.success_score, f64::from(u8::from(matches)), "{expected} {actual}");
    };
    // A bare number: 0.05 absolute or 10 % relative.
    check(json!(0.9), json!(0.94), true);
    check(json!(0.9), json!(0.82), true);
    check(json!(0.9), json!(0.8), false);
    check(json!(0.02), json!(0.06), true);
    check(json!(0), json!(0.05), true);
    check(json!(0), json!(0.051), false);
    check(json!(200), json!(219.9), true);
    check(json!(200), json!(221), false);
    check(json!(-200), json!(-181), true);
    check(json!(1), json!(1.0), true);
    // A boolean is no number, and neither is text; null matches a null that is there.
    check(json!(true), json!(true), true);
    check(json!(true), json!(1), false);
    check(json!(1), json!(true), false);
    check(json!(false), json!(0), false);
    check(json!(false), json!(null), false);
    check(json!(null), json!(null), true);
    check(json!(null), json!(0), false);
    check(json!(null), json!(""), false);
    check(json!("1"), json!(1), false);
    check(json!("Paris"), json!("Paris"), true);
    check(json!("Paris"), json!("paris"), false);
    // Objects and arrays, by the same rules inside.
    check(json!({"a": {"b": [0.9, null]}}), json!({"a": {"b": [0.93, null], "more": 1}}), true);
    check(json!({"a": {"b": [0.9, null]}}), json!({"a": {"b": [0.93, 0]}}), false);
    check(json!({"a": {"b": true}}), json!({"a": {"b": 1}}), false);
    check(json!({"a": null}), json!({}), false);
    check(json!([1, 2]), json!([1, 2]), true);
    check(json!([1, 2]), json!([2, 1]), false);
    check(json!([1, 2]), json!([1, 2, 3]), false);
    check(json!({}), json!({"a": 1}), true);
    check(json!({}), json!([]), false);
}

#[test]
fn matchers_say_the_direction() {
    let rig = Rig::open();
    let check = |matcher: Value, actual: Value, matches: bool| {
        let attribution = judged(&rig, &json!({"key": matcher}), &json!({"key": actual}));
        assert_eq!(attribution.expectation[0].matched, matches, "{matcher} {actual}");
    };
    check(json!({"$gte": 0.93}), json!(0.93), true);
    check(json!({"$gte": 0.93}), json!(7), true);
    check(json!({"$gte": 0.93}), json!(0.9299), false);
    check(json!({"$gte": 0.93}), json!("1"), false);
    check(json!({"$gte": 0.93}), json!(true), false);
    check(json!({"$gt": 1}), json!(1.0001), true);
    check(json!({"$gt": 1}), json!(1), false);
    check(json!({"$lte": 3}), json!(3), true);
    check(json!({"$lte": 3}), json!(3.1), false);
    check(json!({"$lt": 3}), json!(-5), true);
    check(json!({"$lt": 3}), json!(3), false);
    check(json!({"$lt": "m"}), json!("a"), true);
    check(json!({"$gte": 0.2, "$lt": 0.4}), json!(0.3), true);
    check(json!({"$gte": 0.2, "$lt": 0.4}), json!(0.4), false);
    check(json!({"$eq": 1}), json!(1.0), true);
    check(json!({"$eq": 1}), json!(1.01), false);
    check(json!({"$ne": "x"}), json!("y"), true);
    check(json!({"$ne": "x"}), json!("x"), false);
    check(json!({"$in": ["a", 1, null]}), json!(null), true);
    check(json!({"$in": ["a", 1, null]}), json!(1.04), false);
    check(json!({"$regex": "^v[0-9]+$"}), json!("v12"), true);
    check(json!({"$regex": "^v[0-9]+$"}), json!("v"), false);
    check(json!({"$regex": "1"}), json!(1), false);
    check(json!({"$near": 0.9, "abs": 0.01, "rel": 0}), json!(0.905), true);
    check(json!({"$near": 0.9, "abs": 0.01, "rel": 0}), json!(0.93), false);
    check(json!({"deep": [{"$gt": 1}]}), json!({"deep": [2]}), true);
    check(json!({"deep": [{"$gt": 1}]}), json!({"deep": [1]}), false);
}

#[test]
fn a_key_that_the_outcome_lacks_does_not_match() {
    let rig = Rig::open();
    for matcher in [json!(1), json!(null), json!(false), json!({"$ne": 1}), json!({"$lte": 3})] {
        let attribution = judged(&rig, &json!({"key": matcher, "other": 1}), &json!({"other": 1}));
        assert_eq!(attribution.success_score, 0.5, "{matcher}");
        let [missing, there] = &attribution.expectation[..] else { panic!("{:?}", attribution.expectation) };
        assert_eq!((missing.key.as_str(), missing.matched, missing.source), ("key", false, Source::Missing));
        assert_eq!((there.key.as_str(), there.matched, there.source), ("other", true, Source::Claimed));
    }
}

#[test]
fn a_matcher_that_nothing_can_meet_is_refused_at_begin() {
    let rig = Rig::open();
    let check = |expected: Value| {
        let begun = rig.engine.begin(Begin { expected_outcome: Some(object(&expected)), ..begin() });
        assert_eq!(refusal_of(begun), RefusalReason::InvalidField, "{expected}");
    };
    check(json!({"score": {"$gtee": 1}}));
    check(json!({"score": {"$gte": true}}));
    check(json!({"score": {"$in": 1}}));
    check(json!({"score": {"$regex": "("}}));
    check(json!({"score": {"$near": "x"}}));
    check(json!({"score": {"$gte": 1, "plain": 2}}));
    check(json!({"deep": [{"score": {"$oops": 1}}]}));
    assert_eq!(rig.stats().begun, 0);
}

#[test]
fn the_score_is_matched_over_evaluable() {
    let rig = Rig::open();
    let check = |criteria: &[&str], outcome: Value, score: f64, verdict: Verdict| {
        let id = rig.begin_with(Begin {
            expected_outcome: Some(object(&json!({"rows": 8, "city": "Paris"}))),
            acceptance_criteria: Some(criteria.iter().map(ToString::to_string).collect()),
            ..begin()
        });
        let attribution = rig.complete(id, &outcome);
        assert_close(attribution.success_score, score, 1e-12);
        assert_eq!((attribution.verdict, attribution.evaluated), (verdict, true), "{criteria:?} {outcome}");
    };
    check(&[], json!({"rows": 8, "city": "Paris"}), 1.0, Verdict::Success);
    check(&[], json!({"rows": 8}), 0.5, Verdict::Partial);
    check(&[], json!({}), 0.0, Verdict::Failure);
    check(&["rows > 5", "rows > 9"], json!({"rows": 8}), 2.0 / 4.0, Verdict::Partial);
    check(&["rows > 5"], json!({"rows": 8, "city": "Paris"}), 1.0, Verdict::Success);
    // What cannot be evaluated counts neither for nor against.
    check(&["unheard_of > 5", "it reads well"], json!({"rows": 8, "city": "Rome"}), 1.0 / 2.0, Verdict::Partial);
    // Items come before the agent's word and the reward.
    check(&[], json!({"success": true, "rows": 8}), 0.5, Verdict::Partial);
}

#[test]
fn without_items_the_word_or_the_reward_is_the_score() {
    let rig = Rig::open();
    let check = |outcome: Value, reward: Option<f64>, score: f64, verdict: Verdict| {
        let attribution =
            rig.engine.complete(rig.begin(), Completion { reward, ..outcome_of(&outcome) }).expect("is accepted");
        let evaluated = verdict != Verdict::Unknown;
        let found = (attribution.success_score, attribution.verdict, attribution.evaluated);
        assert_eq!(found, (score, verdict, evaluated), "{outcome} {reward:?}");
        assert_eq!(attribution.reward, reward);
        assert_eq!(attribution.grounding, Grounding::Claimed);
    };
    check(json!({"success": true}), None, 1.0, Verdict::Success);
    check(json!({"success": true}), Some(0.25), 1.0, Verdict::Success);
    check(json!({}), Some(0.25), 0.25, Verdict::Partial);
    check(json!({}), Some(0.0), 0.0, Verdict::Failure);
    check(json!({}), Some(1.0), 1.0, Verdict::Success);
    check(json!({"success": false}), Some(1.0), 0.0, Verdict::Failure);
    // A reward of another scale is kept for learning and is no score.
    check(json!({}), Some(-3.5), 0.5, Verdict::Unknown);
    check(json!({}), Some(1e300), 0.5, Verdict::Unknown);
    check(json!({}), None, 0.5, Verdict::Unknown);
    check(json!({"success": "true", "rows": 8}), None, 0.5, Verdict::Unknown);
}

#[test]
fn what_the_engine_closes_is_unfinished() {
    let rig = Rig::open_with(|config| config.limits.open_actions_max = 1);
    let close = |closing: Closing, expected: Option<Value>| {
        let id = match expected {
            Some(expected) => rig.begin_expecting(&expected),
            None => rig.begin(),
        };
        // What was observed shows that the data was there, but nobody claimed to be done.
        rig.engine.observe(id, probe(&json!({"rows": 8}))).unwrap();
        match closing {
            Closing::Cancelled => drop(rig.engine.cancel(id, Cancel::default()).unwrap()),
            Closing::TimedOut => assert_eq!(rig.expire(), 1),
            Closing::Evicted => {
                let next = rig.begin();
                rig.complete(next, &json!({}));
            }
            Closing::Completed => panic!("the engine does not complete"),
        }
        rig.engine.attribution(id, None).unwrap()
    };
    for closing in [Closing::Cancelled, Closing::TimedOut, Closing::Evicted] {
        let nothing_expected = close(closing, None);
        assert_eq!((nothing_expected.closing, nothing_expected.success_score), (closing, 0.2));
        assert_eq!((nothing_expected.evaluated, nothing_expected.verdict), (false, Verdict::Unknown));
        let expected = close(closing, Some(json!({"rows": 8})));
        assert_eq!((expected.closing, expected.success_score), (closing, 0.0));
        assert_eq!((expected.evaluated, expected.verdict), (true, Verdict::Failure));
    }
}

#[test]
fn grounding_says_what_the_score_rests_on() {
    let rig = Rig::open();
    let check = |observations: Vec<accredit::Observation>, criteria: &[&str], grounding: Grounding| {
        let id = rig.begin_with(Begin {
            expected_outcome: Some(object(&json!({"rows": 8}))),
            acceptance_criteria: Some(criteria.iter().map(ToString::to_string).collect()),
            ..begin()
        });
        for observation in observations {
            rig.engine.observe(id, observation).unwrap();
        }
        assert_eq!(rig.complete(id, &json!({"rows": 8})).grounding, grounding, "{criteria:?}");
    };
    let human = |data: Value| accredit::Observation { observation_type: "human".to_owned(), ..probe(&data) };
    check(vec![], &[], Grounding::Claimed);
    check(vec![probe(&json!({"unasked": 1}))], &[], Grounding::Claimed);
    check(vec![probe(&json!({"rows": 8}))], &[], Grounding::Observed);
    check(vec![human(json!({"rows": 8}))], &[], Grounding::Judged);
    check(vec![human(json!({"rows": 8})), probe(&json!({"rows": 8}))], &[], Grounding::Observed);
    check(vec![judgement("it reads well", 0.9)], &["it reads well"], Grounding::Judged);
    check(vec![judgement("it reads well", 0.9)], &["it is short"], Grounding::Claimed);
    check(vec![probe(&json!({"shards": 3}))], &["shards == 3"], Grounding::Observed);
}
