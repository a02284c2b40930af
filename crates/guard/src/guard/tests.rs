//! Unit tests.

use accredit_model::{ActionId, Payload};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn guard() -> Guard {
    Guard::new(Limits {
        description_chars_max: 8,
        decision_chars_max: 5,
        text_chars_max: 6,
        criterion_chars_max: 7,
        criteria_max: 2,
        string_chars_max: 10,
        ..Limits::default()
    })
}

fn step() -> Step {
    Step { description: "step".into(), ..Step::default() }
}

fn observation() -> Observation {
    Observation { observation_type: "probe".into(), ..Observation::default() }
}

fn begin() -> Begin {
    Begin { agent_id: "agent".into(), action_type: "type".into(), ..Begin::default() }
}

/// A refusal's reason and the field that its detail names.
fn refused<T>(result: Result<Clean<T>, Refusal>) -> Option<(RefusalReason, String)> {
    let refusal = result.err()?;
    let field = refusal.detail.split('`').nth(1).unwrap_or_default().to_owned();
    Some((refusal.reason, field))
}

#[test]
fn numbers_are_clamped_or_refused_by_name() {
    let check = |confidence: f64, expected: Option<f64>| {
        let of_step = guard().step(Step { confidence: Some(confidence), ..step() });
        let of_score = guard().observation(Observation { score: Some(confidence), ..observation() });
        let of_both = guard().observation(Observation { confidence: Some(confidence), ..observation() });
        let Some(expected) = expected else {
            let refusal = |field: &str| Some((RefusalReason::InvalidNumber, field.to_owned()));
            assert_eq!(refused(of_step), refusal("confidence"));
            assert_eq!(refused(of_score), refusal("score"));
            assert_eq!(refused(of_both), refusal("confidence"));
            return;
        };
        assert_eq!(of_step.unwrap().value().confidence, Some(expected));
        assert_eq!(of_score.unwrap().value().score, Some(expected));
        assert_eq!(of_both.unwrap().value().confidence, Some(expected));
    };
    check(0.0, Some(0.0));
    check(0.25, Some(0.25));
    check(7.0, Some(1.0));
    check(-1.0, Some(0.0));
    check(f64::MAX, Some(1.0));
    check(f64::NAN, None);
    check(f64::INFINITY, None);
    check(f64::NEG_INFINITY, None);
    // Not given stays not given.
    assert_eq!(guard().step(step()).unwrap().value().confidence, None);
}

#[test]
fn numbers_with_a_meaning_are_refused_outside_their_range() {
    let check = |propensity: Option<f64>, usage: Usage, expected: Option<(RefusalReason, &str)>| {
        let result = guard().step(Step { propensity, usage: Some(usage), ..step() });
        assert_eq!(
            refused(result),
            expected.map(|(reason, field)| (reason, field.to_owned())),
            "{propensity:?} {usage:?}"
        );
    };
    use RefusalReason::{InvalidField, InvalidNumber};
    let cost = |cost_usd: f64| Usage { cost_usd: Some(cost_usd), ..Usage::default() };
    let latency = |latency_ms: f64| Usage { latency_ms: Some(latency_ms), ..Usage::default() };
    let none = Usage::default();
    check(Some(1.0), none, None);
    check(Some(1e-9), none, None);
    check(Some(0.0), none, Some((InvalidField, "propensity")));
    check(Some(1.1), none, Some((InvalidField, "propensity")));
    check(Some(-0.1), none, Some((InvalidField, "propensity")));
    check(Some(f64::NAN), none, Some((InvalidNumber, "propensity")));
    check(None, cost(0.0), None);
    check(None, cost(-0.01), Some((InvalidField, "usage.cost_usd")));
    check(None, cost(f64::INFINITY), Some((InvalidNumber, "usage.cost_usd")));
    check(None, latency(-1.0), Some((InvalidField, "usage.latency_ms")));
    check(None, latency(f64::NAN), Some((InvalidNumber, "usage.latency_ms")));
}

#[test]
fn a_reward_is_any_finite_number() {
    let check = |reward: f64, passes: bool| {
        let completion = guard().completion(Completion { reward: Some(reward), ..Completion::default() });
        let revision = guard().revision(Revision { reward: Some(reward), ..Revision::default() });
        let step = guard().step(Step { reward: Some(reward), ..step() });
        let expected = (!passes).then(|| (RefusalReason::InvalidNumber, "reward".to_owned()));
        let found = [refused(completion), refused(revision), refused(step)];
        assert_eq!(found, [expected.clone(), expected.clone(), expected], "{reward}");
    };
    check(-1e300, true);
    check(0.5, true);
    check(f64::NAN, false);
    check(f64::INFINITY, false);
}

#[test]
fn ids_are_refused_where_they_are_empty_or_too_long() {
    let check = |result: Option<(RefusalReason, String)>, field: Option<&str>| {
        assert_eq!(result, field.map(|field| (RefusalReason::InvalidId, field.to_owned())));
    };
    let long = || "1234567".to_owned();
    check(refused(guard().begin(begin())), None);
    check(refused(guard().begin(Begin { agent_id: "".into(), ..begin() })), Some("agent_id"));
    check(refused(guard().begin(Begin { agent_id: long().into(), ..begin() })), Some("agent_id"));
    check(refused(guard().begin(Begin { agent_id: "ééééé6".into(), ..begin() })), None);
    check(refused(guard().begin(Begin { action_type: "".into(), ..begin() })), Some("action_type"));
    check(refused(guard().begin(Begin { goal_id: Some(long().into()), ..begin() })), Some("goal_id"));
    check(refused(guard().begin(Begin { goal_id: Some("".into()), ..begin() })), None);
    check(refused(guard().step(Step { key: Some(long()), ..step() })), Some("key"));
    check(refused(guard().step(Step { state_key: Some(long()), ..step() })), Some("state_key"));
    check(refused(guard().step(Step { idempotency_key: Some(long()), ..step() })), Some("idempotency_key"));
    check(refused(guard().step(Step { idempotency_key: Some(String::new()), ..step() })), Some("idempotency_key"));
    let keyed = |key: &str| Observation { idempotency_key: Some(key.into()), ..observation() };
    check(refused(guard().observation(keyed(&long()))), Some("idempotency_key"));
    check(refused(guard().observation(keyed("123456"))), None);
    let refusal = guard().begin(Begin { agent_id: long().into(), ..begin() }).unwrap_err();
    assert_eq!(refusal.detail, "field `agent_id`: longer than 6 characters; ids are not cut");
    // An empty key names nothing.
    let clean = guard().step(Step { key: Some(String::new()), state_key: Some(String::new()), ..step() }).unwrap();
    assert_eq!((clean.value().key.as_ref(), clean.value().state_key.as_ref()), (None, None));
    // An action that is its own parent.
    let id = Some(ActionId::from_bytes([7; 16]));
    let own_parent = guard().begin(Begin { action_id: id, parent_action_id: id, ..begin() });
    assert_eq!(refused(own_parent), Some((RefusalReason::ParentCycle, "parent_action_id".into())));
}

#[test]
fn text_is_cut_and_marked() {
    let entry = Step {
        description: "ééééééééé".into(),
        decision: Some("123456".into()),
        state: Some(Payload::from(json!({"text": "0123456789x"}))),
        ..Step::default()
    };
    let (value, truncated) = guard().step(entry).unwrap().into_parts();
    assert_eq!((value.description.as_str(), value.decision.as_deref()), ("éééééééé", Some("12345")));
    assert_eq!(value.state.unwrap().get(), r#"{"text":"0123456789..."}"#);
    assert_eq!(truncated, [Field::Description, Field::Decision, Field::State]);

    let entry = Observation {
        observation_type: "1234567".into(),
        data: Some(Payload::from(json!(["0123456789x"]))),
        source: Some("1234567".into()),
        criterion: Some("a > 1000".into()),
        ..Observation::default()
    };
    let (value, truncated) = guard().observation(entry).unwrap().into_parts();
    assert_eq!((value.observation_type.as_str(), value.source.as_deref()), ("123456", Some("123456")));
    assert_eq!(value.criterion.as_deref(), Some("a > 10…"));
    assert_eq!(truncated, [Field::ObservationType, Field::Data, Field::Source, Field::Criterion]);

    let object = |value: serde_json::Value| value.as_object().cloned();
    let action = Begin {
        action_type: "1234567".into(),
        expected_outcome: object(json!({"a": "0123456789x"})),
        acceptance_criteria: Some(vec!["a > 1000".into(), "b".into(), "c".into()]),
        attributes: object(json!({"a": "0123456789x"})),
        ..begin()
    };
    let (value, truncated) = guard().begin(action).unwrap().into_parts();
    assert_eq!(value.action_type.as_str(), "123456");
    assert_eq!(value.acceptance_criteria.unwrap(), ["a > 10…", "b"]);
    assert_eq!(value.expected_outcome, object(json!({"a": "0123456789..."})));
    use Field::{AcceptanceCriteria, ActionType, Attributes, ExpectedOutcome};
    assert_eq!(truncated, [ActionType, ExpectedOutcome, AcceptanceCriteria, Attributes]);

    let outcome = object(json!({"a": "0123456789x"}));
    let completion = guard().completion(Completion { outcome: outcome.clone(), ..Completion::default() }).unwrap();
    assert_eq!(completion.truncated(), [Field::Outcome]);
    let reason = Some("123456789".to_owned());
    let revision = guard().revision(Revision { outcome, reason: reason.clone(), ..Revision::default() }).unwrap();
    assert_eq!(revision.value().reason.as_deref(), Some("12345678"));
    assert_eq!(revision.truncated(), [Field::Outcome, Field::Reason]);
    let cancel = guard().cancel(Cancel { reason }).unwrap();
    assert_eq!((cancel.value().reason.as_deref(), cancel.truncated()), (Some("12345678"), &[Field::Reason][..]));
}

#[test]
fn entries_are_guarded_as_what_they_are() {
    let clean = guard().entry(EntryBody::Step(Step { description: "123456789".into(), ..step() })).unwrap();
    assert_eq!(clean.truncated(), [Field::Description]);
    assert_eq!(clean.value(), &EntryBody::Step(Step { description: "12345678".into(), ..step() }));
    let clean = guard().entry(EntryBody::Observation(observation())).unwrap();
    assert_eq!(clean.into_parts(), (EntryBody::Observation(observation()), vec![]));
    let nan = EntryBody::Observation(Observation { score: Some(f64::NAN), ..observation() });
    assert_eq!(refused(guard().entry(nan)), Some((RefusalReason::InvalidNumber, "score".into())));
}

proptest! {
    #[test]
    fn guarding_twice_changes_nothing_more(
        description in any::<String>(), decision in any::<String>(), criterion in any::<String>(), source in "\\PC{0,9}",
        confidence in any::<f64>(), text in any::<String>(),
    ) {
        let step = Step {
            description,
            decision: Some(decision),
            confidence: Some(confidence),
            state: Some(Payload::from(json!({ "text": text, "list": [&text] }))),
            ..Step::default()
        };
        if let Ok(clean) = guard().step(step) {
            let (value, _) = clean.into_parts();
            prop_assert!(value.description.chars().count() <= 8);
            prop_assert_eq!(guard().step(value.clone()).unwrap().into_parts(), (value, vec![]));
        }
        let observation = Observation { source: Some(source), criterion: Some(criterion.clone()), ..observation() };
        let (value, _) = guard().observation(observation).unwrap().into_parts();
        prop_assert_eq!(guard().observation(value.clone()).unwrap().into_parts(), (value.clone(), vec![]));
        // A criterion and the judgement of it are cut alike, so that they still name each other.
        let begin = Begin { acceptance_criteria: Some(vec![criterion]), ..begin() };
        let (begin, _) = guard().begin(begin).unwrap().into_parts();
        prop_assert_eq!(begin.acceptance_criteria.and_then(|mut criteria| criteria.pop()), value.criterion);
    }
}
