//! Wire format v1: what is read, what is refused, and what the refusal says.

use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::ID;
use super::rows::{commands_refused, examples, fields_refused};
use crate::RefusalReason::{Malformed, UnknownField};
use crate::{
    Begin, Cancel, Command, Completion, JsonObject, Observation, Payload, Revision, Step, Timestamp, Usage,
    body_from_json,
};

#[test]
fn every_op_reads_and_writes() {
    for line in examples() {
        let command = Command::from_json(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(serde_json::to_string(&command).unwrap(), line);
        let has_id = line.contains(&format!(r#""action_id":"{ID}""#));
        assert_eq!(command.action_id().map(|id| id.to_string()), has_id.then(|| ID.to_owned()), "{line}");
    }
}

#[test]
fn refusals_name_the_field_and_keep_the_value() {
    for (line, reason, detail) in commands_refused().into_iter().chain(fields_refused()) {
        let error = Command::from_json(&line).expect_err(&line);
        assert_eq!(error.reason, reason, "{line}: {error}");
        assert!(error.detail.contains(detail), "{line}\n{error}\ndoes not hold\n{detail}");
        assert!(!error.detail.contains("hunter2"), "{line}: {error}");
    }
}

#[test]
fn fields_in_any_order_with_spaces_and_escapes() {
    let line = format!(
        "\n {{ \"descr\\u0069ption\" : \"a\\nb\" ,\t\"\\u0061ction_id\":\"{ID}\", \"op\" : \"st\\u0065p\" }} \n"
    );
    let command = Command::from_json(&line).unwrap();
    let step = Step { description: "a\nb".into(), ..Step::default() };
    assert_eq!(command, Command::Step { action_id: ID.parse().unwrap(), step });
}

#[test]
fn null_is_not_given() {
    let line =
        format!(r#"{{"op":"step","action_id":"{ID}","description":"d","confidence":null,"state":null,"at":null}}"#);
    let step = Step { description: "d".into(), ..Step::default() };
    assert_eq!(Command::from_json(&line), Ok(Command::Step { action_id: ID.parse().unwrap(), step }));
}

#[test]
fn an_id_is_any_uuid_in_any_spelling() {
    let same = "{\"op\":\"heartbeat\",\"action_id\":\"018f0000-0000-7000-8000-000000000000\"}";
    for id in [
        "018F0000-0000-7000-8000-000000000000",
        "018f0000000070008000000000000000",
        "urn:uuid:018f0000-0000-7000-8000-000000000000",
    ] {
        let command = Command::from_json(&format!(r#"{{"op":"heartbeat","action_id":"{id}"}}"#)).unwrap();
        assert_eq!(serde_json::to_string(&command).unwrap(), same);
    }
    for version in 0..16 {
        let id = format!("018f0000-0000-{version:x}000-8000-000000000000");
        assert_eq!(id.parse::<crate::ActionId>().unwrap().to_string(), id);
    }
}

#[test]
fn bodies_have_no_op() {
    assert_eq!(body_from_json::<Cancel>(r#"{"reason":"r"}"#), Ok(Cancel { reason: Some("r".into()) }));
    assert_eq!(body_from_json::<Completion>("{}"), Ok(Completion::default()));
    let error = body_from_json::<Step>(r#"{"op":"step","description":"d"}"#).unwrap_err();
    assert_eq!((error.reason, error.detail.contains("`op`")), (UnknownField, true));
    assert_eq!(body_from_json::<Begin>("[1]").unwrap_err().reason, Malformed);
}

#[test]
fn payloads_keep_their_text() {
    for text in
        [r#"{"b": 1,  "a":1.50,"b":2}"#, "12345678901234567890123", "1e999", "\"\\u0061\"", "[ ]", "-0.0", "false"]
    {
        let payload =
            body_from_json::<Step>(&format!(r#"{{"description":"d","state":{text}}}"#)).unwrap().state.unwrap();
        assert_eq!(payload.get(), text);
        assert_eq!(serde_json::to_string(&payload).unwrap(), text);
    }
}

#[test]
fn payloads_are_one_line() {
    let text = "{\r\n  \"a\": \"x\\ny\",\n  \"b\": []\n}";
    let step: Step = body_from_json(&format!("{{\"description\":\"d\",\"state\":{text}}}")).unwrap();
    let one_line = Payload::from_json(text.to_owned()).unwrap();
    assert_eq!(one_line.get(), "{    \"a\": \"x\\ny\",   \"b\": [] }");
    assert_eq!(step.state.unwrap(), one_line);
    assert_eq!(one_line.to_value().unwrap(), json!({"a": "x\ny", "b": []}));
    assert!(Payload::from_json("{} {}".to_owned()).is_err());
}

#[test]
fn payloads_are_not_logged() {
    let payload = Payload::from_value(&json!({"password": "hunter2"})).unwrap();
    assert_eq!(format!("{payload:?}"), "Payload(22 bytes)");
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has finite numbers", |it| it.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = JsonObject> {
    prop::collection::vec((any::<String>(), value()), 0..6).prop_map(|pairs| pairs.into_iter().collect())
}

/// Any payload but `null`, which is the same as none.
fn payload() -> impl Strategy<Value = Payload> {
    value().prop_filter("null is not given", |it| !it.is_null()).prop_map(Payload::from)
}

fn number() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("JSON has finite numbers", |it| it.is_finite())
}

pub(super) fn time() -> impl Strategy<Value = Timestamp> {
    (-62_135_596_800_000_000_i64..=253_402_207_200_000_000).prop_map(Timestamp::from_micros)
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let usage = (of(any::<u64>()), of(any::<u64>()), of(number()), of(number())).prop_map(
        |(input_tokens, output_tokens, cost_usd, latency_ms)| Usage {
            input_tokens,
            output_tokens,
            cost_usd,
            latency_ms,
        },
    );
    let words = (any::<String>(), of(any::<String>()), of(any::<String>()), of(any::<String>()), of(any::<String>()));
    let rest = (of(payload()), of(number()), of(any::<bool>()), of(number()), of(number()), of(usage), of(time()));
    (words, rest).prop_map(|(words, rest)| {
        let (description, decision, key, state_key, idempotency_key) = words;
        let (state, confidence, effect, propensity, reward, usage, at) = rest;
        Step {
            description,
            state,
            decision,
            confidence,
            key,
            state_key,
            effect,
            propensity,
            reward,
            usage,
            idempotency_key,
            at,
        }
    })
}

pub(super) fn observation() -> impl Strategy<Value = Observation> {
    let words = (any::<String>(), of(any::<String>()), of(any::<String>()), of(any::<String>()));
    let rest = (of(payload()), of(number()), of(number()), of(any::<u64>()), of(time()));
    (words, rest).prop_map(|(words, rest)| {
        let (observation_type, source, criterion, idempotency_key) = words;
        let (data, confidence, score, step, at) = rest;
        Observation { observation_type, data, source, confidence, score, step, criterion, idempotency_key, at }
    })
}

fn begin() -> impl Strategy<Value = Begin> {
    let id = || of(any::<[u8; 16]>().prop_map(crate::ActionId::from_bytes));
    let words =
        (any::<String>(), any::<String>(), of(any::<String>()), of(prop::collection::vec(any::<String>(), 0..3)));
    (id(), id(), words, of(object()), of(object()), of(time())).prop_map(
        |(action_id, parent_action_id, words, expected_outcome, attributes, at)| Begin {
            action_id,
            agent_id: words.0.into(),
            action_type: words.1.into(),
            goal_id: words.2.map(Into::into),
            expected_outcome,
            acceptance_criteria: words.3,
            parent_action_id,
            attributes,
            at,
        },
    )
}

fn command() -> impl Strategy<Value = Command> {
    let id = any::<[u8; 16]>().prop_map(crate::ActionId::from_bytes);
    let ending = (of(object()), of(number()), of(any::<String>()), of(time()));
    (id, 0..7, begin(), step(), observation(), ending).prop_map(|(action_id, op, begin, step, observation, ending)| {
        let (outcome, reward, reason, at) = ending;
        match op {
            0 => Command::Begin(begin),
            1 => Command::Step { action_id, step },
            2 => Command::Observe { action_id, observation },
            3 => Command::Complete { action_id, completion: Completion { outcome, reward, at } },
            4 => Command::Revise { action_id, revision: Revision { outcome, reward, reason, at } },
            5 => Command::Cancel { action_id, cancel: Cancel { reason } },
            _ => Command::Heartbeat { action_id },
        }
    })
}

proptest! {
    #[test]
    fn any_command_survives_the_wire(command in command()) {
        let line = serde_json::to_string(&command).unwrap();
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(Command::from_json(&line), Ok(command));
    }

    #[test]
    fn no_text_panics_and_no_refusal_is_empty(text in r#"[{}\[\]":,a-z0-9.\\ ]{0,40}"#) {
        if let Err(error) = Command::from_json(&text) {
            prop_assert!(!error.detail.is_empty());
        }
    }
}
