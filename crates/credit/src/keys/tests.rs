//! Unit tests.

use serde_json::Value;

use super::situation::{DEPTH_MAX, FEATURES_MAX, bucket};
use super::*;

fn keys_of(steps: &[StepFeatures<'_>]) -> Vec<StepKeys<'static>> {
    let mut keys = Vec::new();
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    action_keys(steps, Wants::ALL, &mut |_, found| {
        let (state_label, decision_label) = (owned(found.state_label), owned(found.decision_label));
        let situation = found.situation.map(|(at, features)| (at, Cow::Owned(features.into_owned())));
        keys.push(StepKeys { state_label, decision_label, situation, ..found });
    });
    keys
}

impl StepKeys<'_> {
    fn features(&self) -> &[u64] {
        self.situation.as_ref().map_or(&[], |(_, features)| features)
    }
}

/// The keys of a step after one of which nothing is told but its decision.
fn of(step: StepFeatures<'_>) -> StepKeys<'static> {
    let before = StepFeatures { key: Some("before"), ..StepFeatures::default() };
    keys_of(&[before, step]).pop().unwrap()
}

fn with_state(state: &str) -> StepKeys<'static> {
    of(StepFeatures { state: Some(state), key: Some("k"), ..StepFeatures::default() })
}

#[test]
fn what_is_given_goes_before_what_is_guessed() {
    let check = |step: StepFeatures<'_>, decision: &str, state: &str| {
        let keys = of(step);
        assert_eq!((&*keys.decision_label, &*keys.state_label), (decision, state));
        assert_eq!(keys.decision, hash(Domain::Decision, decision));
        assert_eq!(keys.state, hash(Domain::State, state));
    };
    let all = StepFeatures {
        description: "Deleting the old files",
        decision: Some("delete"),
        key: Some("cleanup-17"),
        state_key: Some("full-42"),
        state: Some(r#"{"disk": "full"}"#),
        ..StepFeatures::default()
    };
    check(all, "cleanup-17", "full-42");
    check(StepFeatures { key: None, ..all }, "delete", "full-42");
    check(StepFeatures { key: None, decision: Some("rm(path=/tmp/1)"), ..all }, "rm(path=/tmp/1)", "full-42");
    let sentence = "I will now delete 3 of the files in job 8f14e45f";
    check(
        StepFeatures { key: None, decision: Some(sentence), ..all },
        "i will now delete of the files in job",
        "full-42",
    );
    check(StepFeatures { key: None, decision: None, ..all }, "deleting the old files", "full-42");
    check(StepFeatures { state_key: None, ..all }, "cleanup-17", "disk=full");
    for state in [None, Some("{}"), Some("no json"), Some(r#"{"id": "a"}"#)] {
        check(StepFeatures { state_key: None, state, ..all }, "cleanup-17", "after before");
    }
    let first = keys_of(&[StepFeatures { key: Some("k"), ..StepFeatures::default() }]);
    assert_eq!(first[0].state_label, "after the beginning");
}

#[test]
fn what_tells_actions_apart_and_not_situations_is_left_out() {
    let check = |state: &str, same: bool| {
        let is_same = with_state(state).state == with_state(r#"{"disk": "full", "n": 3}"#).state;
        assert_eq!(is_same, same, "{state}");
    };
    for name in ["id", "ID", "uuid", "timestamp", "created_at", "user_id", "wait_time", "nonce", "Token", "seen_ts"] {
        check(&format!(r#"{{"disk": "full", "{name}": "x", "n": 3}}"#), true);
    }
    check(r#"{"disk": "full", "n": 3, "said": "yes"}"#, true);
    check(r#"{"disk": "full", "n": 3, "note": "this text says something of its own"}"#, true);
    check(r#"{"disk": "full", "n": 3, "run": "2026-03-01T10:00:00"}"#, true);
    check(r#"{"disk": "full", "n": 3, "job": "8f14e45fceea"}"#, true);
    check(r#"{"disk": "empty", "n": 3}"#, false);
    check(r#"{"disk": "full", "n": 4}"#, false);
    check(r#"{"disk": "full", "n": 3, "is_late": false}"#, false);
    check(r#"{"disk": "full", "m": 3}"#, false);
}

#[test]
fn numbers_come_in_buckets() {
    let check = |number: f64, expected: &str| assert_eq!(bucket(number), expected, "{number}");
    check(0.0, "0");
    check(-0.0, "0");
    check(9.0, "9");
    check(-9.0, "-9");
    check(10.0, "2^3");
    check(15.9, "2^3");
    check(16.0, "2^4");
    check(-17.0, "-2^4");
    check(0.25, "0.2");
    check(0.04, "0.0");
    check(1.5, "2^0");
    check(1e308, "2^1023");
    // Small whole numbers are categories, the others are not.
    assert_eq!(with_state(r#"{"n": 3}"#).features().len(), 1);
    assert_eq!(with_state(r#"{"n": 300, "share": 0.5}"#).features().len(), 0);
}

#[test]
fn descriptions_lose_what_holds_digits() {
    let check = |text: &str, expected: &str| assert_eq!(without_identifiers(text), expected);
    check("Deleted 17 files from job-8f14e45f at 10:30", "deleted files from job at");
    check("Retry #3 (of 5)", "retry of");
    check("42", "");
    check("", "");
    check("ÄRGER mit dem Straßenbau", "ärger mit dem straßenbau");
    assert!(without_identifiers(&"word ".repeat(10_000)).len() < 300);
}

#[test]
fn hostile_states_end_and_stay_small() {
    let deep = |n: usize| format!("{}1{}", r#"{"a":"#.repeat(n), "}".repeat(n));
    let wide = format!("[{}]", vec![r#"{"a": true}"#; 50_000].join(","));
    let names: Vec<String> = (0..5_000).map(|at| format!(r#""name {at}": "x""#)).collect();
    let states = [
        deep(100),
        deep(100_000),
        wide,
        format!("{{{}}}", names.join(",")),
        format!("{{\"{}\": true}}", "n".repeat(1 << 20)),
        "[".repeat(1 << 20),
        "1e999".to_owned(),
        r#"{"a": 1e308, "b": -1e-308, "c": "\u0000"}"#.to_owned(),
        "\u{feff}{}".to_owned(),
        "null".to_owned(),
    ];
    for state in &states {
        let keys = with_state(state);
        assert!(keys.features().len() <= FEATURES_MAX);
        assert_eq!(keys, with_state(state));
    }
    // Below the depth nothing is looked at.
    assert_eq!(with_state(&deep(DEPTH_MAX)).state_label.matches("a.").count(), DEPTH_MAX - 1);
    assert_eq!(with_state(&deep(DEPTH_MAX + 1)).state_label, "after before");
}

#[test]
fn a_text_has_another_hash_in_each_domain() {
    use Domain::{Agent, Column, Decision, Detail, Feature, Goal, Situation, State};
    let mut hashes =
        [State, Decision, Detail, Feature, Goal, Agent, Column, Situation].map(|domain| hash(domain, "retry")).to_vec();
    hashes.extend([combine(&[1, 2]), combine(&[2, 1]), combine(&[1]), combine(&[])]);
    let n = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), n);
}

#[test]
fn values_of_one_path_share_the_upper_half() {
    let feature = |state: &str| with_state(state).features()[0];
    let (yes, no, other) = (feature(r#"{"a": "yes"}"#), feature(r#"{"a": "no"}"#), feature(r#"{"b": "yes"}"#));
    assert_eq!(yes & PATH, no & PATH);
    assert!(yes != no && yes & PATH != other & PATH);
}

#[test]
fn a_state_that_echoes_the_decision_is_no_situation() {
    // Per step the state and the decision; which of them keep what the state says.
    let check = |steps: &[(&str, &str)], state_key: Option<&str>, kept: &[bool]| {
        let steps: Vec<StepFeatures<'_>> = steps
            .iter()
            .map(|(state, key)| StepFeatures { state: Some(state), key: Some(key), state_key, ..Default::default() })
            .collect();
        let found: Vec<bool> = keys_of(&steps).iter().map(|keys| !keys.features().is_empty()).collect();
        assert_eq!(found, kept, "{steps:?}");
    };
    const GET: &str = r#"{"tool":"get"}"#;
    const PUT: &str = r#"{"tool":"put"}"#;
    for state_key in [None, Some("s")] {
        // Once every step whose state held a text like its decision lost what the state says: in `memory_len` that is
        // half of those that see the bit, and that it was lost told what was decided.
        check(&[(GET, "get"), (GET, "put"), (PUT, "get")], state_key, &[true; 3]);
        check(&[(GET, "get"), (PUT, "put"), (GET, "get")], state_key, &[false; 3]);
        check(&[(GET, "get"), (PUT, "put"), (r#"{"n":1}"#, "get")], state_key, &[false, false, true]);
        check(&[(r#"{"a":{"tool":"get"}}"#, "get"), (PUT, "get")], state_key, &[true; 2]);
        check(&[("get", "get"), ("[\"get\"]", "put"), ("1", "1")], state_key, &[false, true, true]);
    }
    // One that never changes may be either.
    check(&[(GET, "get")], None, &[false]);
    check(&[(GET, "get"), (GET, "get")], None, &[false; 2]);
    check(&[(GET, "get"), (GET, "get")], Some("s"), &[true; 2]);
}

#[test]
fn a_state_says_the_same_wherever_it_stands() {
    let states = [r#"{"a":"x","n":3}"#, r#"{"a":"y","n":300}"#, "no json", r#"{"a":"x","n":3}"#, "{}"];
    let step = |state| StepFeatures { state: Some(state), key: Some("k"), ..StepFeatures::default() };
    for (keys, state) in keys_of(&states.map(step)).into_iter().zip(states) {
        let alone = of(step(state));
        assert_eq!((keys.features(), keys.decision, keys.detail), (alone.features(), alone.decision, alone.detail));
        if !alone.features().is_empty() {
            assert_eq!((keys.state, keys.state_label), (alone.state, alone.state_label));
        }
    }
}

/// The leaves of a tree of values, with their paths: what is found as the text is read must be these.
fn leaves(path: &str, value: &Value, depth: usize, say: &mut dyn FnMut(String, bool)) {
    let mut say_leaf =
        |text: &str, is_category: bool| say(format!("{}={text}", path.trim_start_matches('.')), is_category);
    match value {
        _ if depth > DEPTH_MAX => {}
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !["id", "created_at"].contains(&name.as_str()));
            kept.for_each(|(name, value)| leaves(&format!("{path}.{name}"), value, depth + 1, say));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| leaves(&format!("{path}.{at}"), item, depth + 1, say));
        }
        Value::String(text) if is_category(text) => say_leaf(text, true),
        Value::String(_) => {}
        Value::Bool(value) => say_leaf(&value.to_string(), true),
        Value::Null => say_leaf("null", true),
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            say_leaf(&bucket(number), number.fract() == 0.0 && number.abs() < 10.0);
        }
    }
}

#[test]
fn a_state_says_what_its_tree_of_values_says() {
    let states = [
        r#"{"a":{"b":[1,2.5,{"c":null}],"id":"x"},"created_at":"now","\u0064":"e\"f","n":-3,"big":18446744073709551615}"#,
        r#"[[[[[[["too deep"]]]]]],true]"#,
        r#"{"a":{"a":{"a":{"a":{"a":{"a":"as deep as may be","b":1}}}}},"z":[[],{},"",false]}"#,
        r#" {"text":"this is longer than what names a category by any measure","u":-0.0,"v":1e300} "#,
        r#""alone""#,
        "17",
    ];
    for state in states {
        let (mut label, mut n_categories) = (Vec::new(), 0);
        leaves("", &serde_json::from_str(state).unwrap(), 0, &mut |leaf, is_category| {
            label.push(leaf);
            n_categories += usize::from(is_category);
        });
        let keys = with_state(state);
        assert_eq!(keys.state_label, if label.is_empty() { "after before".to_owned() } else { label.join(" ") });
        assert_eq!(keys.features().len(), n_categories, "{state}");
    }
    for state in ["", "{", "{} {}", r#"{"a":1,}"#, "[1", r#"{"a" 1}"#, "nul", r#"{"id":tru}"#, r#"{"id":[}"#] {
        assert_eq!(with_state(state).situation, None, "{state}");
    }
}

#[test]
fn categories_are_the_same_by_either_way() {
    let texts =
        ["", "ok", "job-8f14e45f", "ab12cd", "ab12c", "1234", "123", "a b c d", "a b c d e", "12 ab cd", "a\x0bb"];
    for text in texts.iter().copied().chain(["x".repeat(48).as_str(), "x".repeat(49).as_str(), "2026-03-01 10"]) {
        let slow = text.chars().count() <= 48 && text.split_whitespace().count() <= 4 && !is_identifier(text);
        assert_eq!(is_category(text), slow, "{text:?}");
        let other = format!("{text}é");
        let slow = other.chars().count() <= 48 && other.split_whitespace().count() <= 4 && !is_identifier(&other);
        assert_eq!(is_category(&other), slow, "{other:?}");
    }
}
