//! Unit tests.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn values_match_by_their_kind() {
    let check = |expected: Value, actual: Value, matches: bool| {
        assert_eq!(is_match(&expected, &actual), matches, "{expected} {actual}");
    };
    // Bare numbers, at both ends of both tolerances, in plain arithmetic.
    check(json!(0.05), json!(0.1), true);
    check(json!(0.05), json!(0.1001), false);
    check(json!(0.05), json!(0.0), true);
    check(json!(0.5), json!(0.55), false);
    check(json!(0.5), json!(0.549), true);
    check(json!(100), json!(90), true);
    check(json!(100), json!(89), false);
    check(json!(100), json!(109), true);
    check(json!(100), json!(111), false);
    check(json!(-100), json!(-91), true);
    check(json!(0), json!(0.04), true);
    check(json!(0), json!(0.06), false);
    check(json!(1), json!(1.0), true);
    check(json!(u64::MAX), json!(u64::MAX), true);
    // Each kind only with its own.
    check(json!(1), json!(true), false);
    check(json!(true), json!(1), false);
    check(json!(true), json!(true), true);
    check(json!(false), json!(null), false);
    check(json!(null), json!(null), true);
    check(json!(null), json!(0), false);
    check(json!("1"), json!(1), false);
    check(json!("ok"), json!("ok"), true);
    check(json!("ok"), json!("OK"), false);
    // Containers, by the same rules inside.
    check(json!([1, 2]), json!([1.01, 2.1]), true);
    check(json!([1, 2]), json!([1, 2, 3]), false);
    check(json!([1, 2]), json!([2, 1]), false);
    check(json!([]), json!([]), true);
    check(json!({}), json!({"a": 1}), true);
    check(json!({"a": 1}), json!({"a": 1.04, "b": 2}), true);
    check(json!({"a": 1, "b": null}), json!({"a": 1}), false);
    check(json!({"a": {"b": [true, {"c": 1}]}}), json!({"a": {"b": [true, {"c": 1}]}}), true);
    check(json!({"a": {"b": [true, {"c": 1}]}}), json!({"a": {"b": [true, {"c": 2}]}}), false);
    check(json!({"a": 1}), json!([1]), false);
}

#[test]
fn matchers_say_the_direction() {
    let check = |expected: Value, met_by: &[Value], not_met_by: &[Value]| {
        assert_eq!(validate_expectation(json!({ "key": expected }).as_object().unwrap()), Ok(()), "{expected}");
        for actual in met_by {
            assert!(is_match(&expected, actual), "{expected} {actual}");
        }
        for actual in not_met_by {
            assert!(!is_match(&expected, actual), "{expected} {actual}");
        }
    };
    check(
        json!({"$gte": 0.93}),
        &[json!(0.93), json!(1), json!(9e9)],
        &[json!(0.92), json!("1"), json!(null), json!([1])],
    );
    check(json!({"$gt": 1}), &[json!(2), json!(1.001)], &[json!(1), json!(1.0), json!(true)]);
    check(json!({"$lte": 3}), &[json!(3), json!(-1)], &[json!(3.1), json!(null)]);
    check(json!({"$lt": "m"}), &[json!("a"), json!("")], &[json!("m"), json!("z"), json!(1)]);
    check(json!({"$gte": 0.2, "$lt": 0.4}), &[json!(0.2), json!(0.3)], &[json!(0.4), json!(0.1)]);
    check(
        json!({"$gt": 9_007_199_254_740_992_u64}),
        &[json!(9_007_199_254_740_993_u64)],
        &[json!(9_007_199_254_740_992_u64)],
    );
    check(json!({"$eq": 1}), &[json!(1), json!(1.0)], &[json!(1.01), json!("1"), json!(true)]);
    check(json!({"$eq": {"a": [1]}}), &[json!({"a": [1.0]})], &[json!({"a": [1.01]}), json!({"a": [1], "b": 2})]);
    check(json!({"$ne": "x"}), &[json!("y"), json!(null), json!(1)], &[json!("x")]);
    check(
        json!({"$in": ["a", 1, null]}),
        &[json!("a"), json!(1.0), json!(null)],
        &[json!("b"), json!(1.01), json!(["a"])],
    );
    check(json!({"$in": []}), &[], &[json!(null), json!([])]);
    check(json!({"$regex": "^v[0-9]+$"}), &[json!("v12")], &[json!("v"), json!(12), json!("xv1")]);
    check(json!({"$regex": "oo"}), &[json!("foot")], &[json!("fot")]);
    check(json!({"$near": 0.9, "abs": 0.01, "rel": 0}), &[json!(0.9), json!(0.905)], &[json!(0.92), json!("0.9")]);
    check(json!({"$near": 10, "rel": 0.2}), &[json!(12), json!(8)], &[json!(12.1)]);
    check(json!({"$near": 10}), &[json!(11)], &[json!(11.1)]);
    check(json!({"$near": 10, "abs": 0, "rel": 0, "$ne": 11}), &[json!(10)], &[json!(10.1)]);
    // At any level.
    check(
        json!({"a": [{"$gt": 1}, {"b": {"$in": [1]}}]}),
        &[json!({"a": [2, {"b": 1}]})],
        &[json!({"a": [2, {"b": 2}]})],
    );
    // What the guard put in place of a value that was too large is met by nothing, itself included.
    let truncated = json!({"$truncated": {"bytes": 9, "preview": "x"}});
    check(truncated.clone(), &[], &[truncated, json!(null)]);
}

#[test]
fn matchers_that_nothing_can_meet_are_refused_by_name() {
    let check = |expected: Value, says: &str| {
        let refusal = validate_expectation(expected.as_object().unwrap()).unwrap_err();
        assert_eq!(refusal.reason, RefusalReason::InvalidField);
        assert!(refusal.detail.contains(says), "{refusal}");
        assert!(refusal.detail.contains("$gte $gt $lte $lt $eq $ne $in $regex $near"), "{refusal}");
        let value = expected.as_object().unwrap().values().next().unwrap();
        assert!(!is_match(value, &json!(1)) && !is_match(value, &json!("x")));
    };
    check(json!({"score": {"$gtee": 1}}), "key `score`: operator `$gtee` is unknown");
    check(json!({"a": {"$gte": null}}), "key `a`: operator `$gte` needs a number or a string");
    check(json!({"a": {"$lt": [1]}}), "operator `$lt` needs a number or a string");
    check(json!({"a": {"$in": "x"}}), "operator `$in` needs an array");
    check(json!({"a": {"$regex": 1}}), "operator `$regex` needs a string");
    check(json!({"a": {"$regex": "("}}), "operator `$regex` is no regular expression");
    check(json!({"a": {"$regex": "(\\pL{500}){500}"}}), "operator `$regex` is no regular expression within");
    check(json!({"a": {"$near": "x"}}), "operator `$near` needs a number");
    check(json!({"a": {"$near": 1, "abs": -1}}), "operator `abs` needs a number that is not negative");
    check(json!({"a": {"$near": 1, "rel": "x"}}), "operator `rel` needs");
    check(json!({"a": {"$gte": 1, "b": 2}}), "key `a`: operator `$gte` stands beside keys");
    check(json!({"a": {"$gte": 1, "abs": 2}}), "operator `$gte` stands beside keys");
    check(json!({"a": [{"b": {"$nope": 1}}]}), "key `a`: operator `$nope` is unknown");
    let patterns = |n: usize| json!({ "a": vec![json!({"$regex": "x"}); n] });
    assert_eq!(validate_expectation(patterns(20).as_object().unwrap()), Ok(()));
    check(patterns(21), "key `a`: operator `$regex` is used more than 20 times");
    let long = "k".repeat(1_000);
    check(json!({ long: {"$x": 1} }), &format!("key `{}`:", "k".repeat(64)));
}

#[test]
fn values_deeper_than_the_limit_do_not_match() {
    let nested = |n: usize| (0..n).fold(json!(1), |value, _| json!([value]));
    assert!(is_match(&nested(120), &nested(120)));
    assert!(!is_match(&nested(1_000), &nested(1_000)));
    assert!(!is_match(&json!({ "$eq": nested(1_000) }), &nested(1_000)));
    assert_eq!(validate_expectation(json!({ "a": nested(1_000) }).as_object().unwrap()), Ok(()));
}

/// Any JSON, with keys that are often operators.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,4}".prop_map(Value::from),
    ];
    let keys =
        prop::sample::select(vec!["a", "b", "$gte", "$lt", "$in", "$regex", "$near", "abs", "rel", "$eq", "$ne", "$x"]);
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..4).prop_map(|members| Value::Object(
                members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn a_value_without_matchers_matches_itself(value in json()) {
        let has_operator = value.to_string().contains('$');
        let _answer: bool = is_match(&value, &value);
        prop_assert!(has_operator || is_match(&value, &value));
    }

    #[test]
    fn any_two_values_compare_without_harm(expected in json(), actual in json()) {
        let _answer: bool = is_match(&expected, &actual);
        let _result: Result<(), Refusal> = validate_expectation(json!({ "key": expected }).as_object().unwrap());
    }
}
