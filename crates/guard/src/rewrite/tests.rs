//! Unit tests.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Small limits, all within what `validate` asks for.
fn limits() -> Limits {
    Limits {
        json_bytes_max: 2_000,
        string_chars_max: 10,
        nested_json_chars_max: 600,
        json_depth_max: 6,
        ..Limits::default()
    }
}

fn guarded(text: &str) -> (String, bool) {
    let mut payload = Payload::from_json(text.to_owned()).unwrap();
    let cut = super::payload("state", &mut payload, &limits()).unwrap();
    (payload.get().to_owned(), cut)
}

#[test]
fn strings_are_cut_at_a_character_and_everything_else_stays_as_it_was_written() {
    let check = |text: &str, expected: &str| {
        assert_eq!(guarded(text), (expected.to_owned(), text != expected), "{text}");
        assert_eq!(guarded(expected), (expected.to_owned(), false), "again: {expected}");
    };
    check(r#"{"a": "0123456789"}"#, r#"{"a": "0123456789"}"#);
    check(r#"{"a": "0123456789x"}"#, r#"{"a": "0123456789..."}"#);
    check(r#""0123456789x""#, r#""0123456789...""#);
    check(r#"["0123456789x",{"b":"y0123456789"}]"#, r#"["0123456789...",{"b":"y012345678..."}]"#);
    // Keys, digits, spacing and order are the sender's.
    check(
        r#"{ "z0123456789" :  1.50, "a":12345678901234567890123, "b" : "0123456789x" , "c":1E5}"#,
        r#"{ "z0123456789" :  1.50, "a":12345678901234567890123, "b" : "0123456789..." , "c":1E5}"#,
    );
    // Characters are scalar values, and an escape is one.
    check(r#""ééééééééééé""#, r#""éééééééééé...""#);
    check(r#""🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀""#, r#""🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀...""#);
    check(r#""\u00e9\u00e9\u00e9\u00e9""#, r#""\u00e9\u00e9\u00e9\u00e9""#);
    check(r#""\n\t\"\\\/\b\f\r\u0041xyz""#, r#""\n\t\"\\/\b\f\rAx...""#);
    check(r#""\ud83e\udd80234567890""#, r#""\ud83e\udd80234567890""#);
    check(r#""\ud83e\udd802345678901""#, r#""🦀234567890...""#);
    // Half a pair is a character too; nothing but the cut replaces it.
    check(r#""\ud83e23456""#, r#""\ud83e23456""#);
    check(r#""\ud83e2345678901""#, "\"\u{fffd}234567890...\"");
    // What ends in dots where a cut would end is taken for cut.
    check(r#""0123456789...""#, r#""0123456789...""#);
    check(r#""0123456789....""#, r#""0123456789...""#);
}

#[test]
fn values_that_stay_too_large_are_replaced() {
    let check = |text: &str, expected: &str| {
        assert_eq!(guarded(text), (expected.to_owned(), true), "{text}");
        assert_eq!(guarded(expected), (expected.to_owned(), false), "again: {expected}");
    };
    let numbers = |n: usize| format!("[{}0]", "1,".repeat(n));
    // A nested container, whatever else stands beside it.
    check(
        &format!(r#"{{"a":1,"b":{},"c":2}}"#, numbers(300)),
        r#"{"a":1,"b":{"$truncated":{"bytes":603,"preview":"[1,1,1,1,1"}},"c":2}"#,
    );
    check(
        &format!(r#"[{},{{"k":{}}}]"#, numbers(300), numbers(300)),
        r#"[{"$truncated":{"bytes":603,"preview":"[1,1,1,1,1"}},{"$truncated":{"bytes":609,"preview":"{\"k\":[1,1,"}}]"#,
    );
    // A payload as a whole.
    check(&numbers(1_000), r#"{"$truncated":{"bytes":2003,"preview":"[1,1,1,1,1"}}"#);
    check(&"7".repeat(2_001), r#"{"$truncated":{"bytes":2001,"preview":"7777777777"}}"#);
    let keys: String = (0..300).map(|i| format!(r#""key{i}":{i},"#)).collect();
    check(
        &format!("{{{keys}\"x\":1}}"),
        &format!(r#"{{"$truncated":{{"bytes":{},"preview":"{{\"key0\":0,"}}}}"#, keys.len() + 7),
    );
    // Strings are cut before sizes are compared.
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(5_000));
    check(&long, r#"{"a":"xxxxxxxxxx..."}"#);
}

#[test]
fn objects_lose_their_largest_values_first() {
    let check = |value: Value, expected: Option<Value>| {
        let mut guarded = value.as_object().unwrap().clone();
        let cut = object("outcome", &mut guarded, &limits()).unwrap();
        assert_eq!(cut, expected.is_some());
        assert_eq!(Value::from(guarded.clone()), expected.unwrap_or(value));
        assert!(serde_json::to_string(&guarded).unwrap().len() <= limits().json_bytes_max);
        assert!(!object("outcome", &mut guarded.clone(), &limits()).unwrap(), "again");
    };
    check(json!({}), None);
    check(json!({"a": "0123456789", "b": [1, 2.5, null]}), None);
    check(json!({"a": "0123456789x"}), Some(json!({"a": "0123456789..."})));
    // Ten lists of 401 bytes: the largest give way until the rest fits.
    let list = |n: usize| vec![1; n];
    let replaced = |bytes: usize| json!({"$truncated": {"bytes": bytes, "preview": "[1,1,1,1,1"}});
    check(
        json!({"a": list(290), "b": list(100), "c": list(280), "d": list(270), "e": list(150)}),
        Some(json!({"a": replaced(581), "b": list(100), "c": list(280), "d": list(270), "e": list(150)})),
    );
    let many: JsonObject = (0..9).map(|i| (format!("k{i}"), json!(list(200 + i)))).collect();
    let kept = |i: usize| if i < 4 { json!(list(200 + i)) } else { replaced(401 + 2 * i) };
    check(Value::from(many), Some((0..9).map(|i| (format!("k{i}"), kept(i))).collect::<JsonObject>().into()));
    // Too many small ones: the whole.
    let keys: JsonObject = (0..500).map(|i| (format!("k{i}"), json!(i))).collect();
    let bytes = serde_json::to_string(&keys).unwrap().len();
    check(Value::from(keys), Some(json!({"$truncated": {"bytes": bytes, "preview": "{\"k0\":0,\"k"}})));
}

#[test]
fn json_that_is_too_deep_is_refused_without_recursing() {
    let check = |text: String| {
        let mut payload = Payload::from_json(text).unwrap();
        let refusal = super::payload("data", &mut payload, &limits()).unwrap_err();
        assert_eq!(refusal, Refusal::new(RefusalReason::TooDeep, "field `data`: nested deeper than 6 levels"));
    };
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert_eq!(guarded(&nested(6)), (nested(6), false));
    check(nested(7));
    check(nested(100_000));
    let mut deep: JsonObject =
        [("a".to_owned(), (0..5).fold(json!(1), |value, _| json!([value])))].into_iter().collect();
    assert_eq!(object("outcome", &mut deep, &limits()), Ok(false));
    let mut deeper = [("a".to_owned(), json!({ "b": deep["a"] }))].into_iter().collect();
    let refusal = object("outcome", &mut deeper, &limits()).unwrap_err();
    assert_eq!(refusal.to_string(), "too_deep: field `outcome`: nested deeper than 6 levels");
}

/// Any JSON of a few levels, with strings of every kind.
fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["\\PC{0,30}", "[\\x00-\\x1f\"\\\\/.a]{0,30}", any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 200, 40, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..40).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..20)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every string within the limit and its dots, nothing deeper or larger than it may be.
fn is_within(value: &Value, depth: usize) -> bool {
    match value {
        Value::String(text) => {
            let n_chars = text.chars().count();
            n_chars <= limits().string_chars_max || (n_chars == limits().string_chars_max + 3 && text.ends_with("..."))
        }
        Value::Array(elements) => depth < 6 && elements.iter().all(|value| is_within(value, depth + 1)),
        Value::Object(members) => depth < 6 && members.values().all(|value| is_within(value, depth + 1)),
        _ => true,
    }
}

proptest! {
    #[test]
    fn a_payload_comes_out_as_json_within_the_limits_and_stays_so(value in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let mut payload = Payload::from_json(text).unwrap();
        let before = payload.clone();
        match super::payload("state", &mut payload, &limits()) {
            Ok(cut) => {
                prop_assert_eq!(cut, payload != before);
                prop_assert!(payload.get().len() <= limits().json_bytes_max);
                prop_assert!(is_within(&payload.to_value().unwrap(), 0), "{}", payload.get());
                let mut again = payload.clone();
                prop_assert_eq!(super::payload("state", &mut again, &limits()), Ok(false));
                prop_assert_eq!(again, payload);
            }
            Err(refusal) => {
                prop_assert_eq!(refusal.reason, RefusalReason::TooDeep);
                prop_assert!(!is_within(&value, 0));
            }
        }
    }

    #[test]
    fn an_object_comes_out_within_the_limits_and_stays_so(
        members in prop::collection::vec(("\\PC{0,8}", json()), 0..12),
    ) {
        let mut guarded: JsonObject = members.into_iter().collect();
        let before = guarded.clone();
        if let Ok(cut) = object("outcome", &mut guarded, &limits()) {
            prop_assert_eq!(cut, guarded != before);
            prop_assert!(serde_json::to_string(&guarded).unwrap().len() <= limits().json_bytes_max);
            prop_assert!(is_within(&Value::from(guarded.clone()), 0));
            let mut again = guarded.clone();
            prop_assert_eq!(object("outcome", &mut again, &limits()), Ok(false));
            prop_assert_eq!(again, guarded);
        }
    }
}
