//! Recording: what is clamped, what is refused, and that a client's key is stored once.

use accredit::{Completion, EntryBody, Error, Observation, Payload, Recorded, RefusalReason, Revision, Step, Usage};
use serde_json::json;

use crate::support::{IntoBody, Rig, chosen_id, new_seq, outcome_of, probe, reason, refusal_of, revision_to, step};

#[test]
fn numbers_out_of_range_are_clamped() {
    let rig = Rig::open();
    let id = rig.begin();
    let check = |given: Option<f64>, stored: Option<f64>| {
        let entries = vec![
            Step { confidence: given, ..step("s") }.into_body(),
            Observation { confidence: given, score: given, ..probe(&json!({})) }.into_body(),
        ];
        let first = new_seq(&rig.record(id, entries)[0]);
        let chain = rig.engine.chain(id).unwrap();
        let at = usize::try_from(first).unwrap();
        assert_eq!(chain[at].step().unwrap().confidence, stored, "{given:?}");
        let observation = chain[at + 1].observation().unwrap();
        assert_eq!((observation.confidence, observation.score), (stored, stored), "{given:?}");
        assert!(chain[at].truncated.is_empty(), "a clamp cuts nothing");
    };
    check(Some(0.3), Some(0.3));
    check(Some(1.7), Some(1.0));
    check(Some(1e300), Some(1.0));
    check(Some(-0.2), Some(0.0));
    // Not given stays not given; it only weighs as a half.
    check(None, None);
}

#[test]
fn what_cannot_be_repaired_is_refused_and_counted() {
    let rig = Rig::open();
    let id = rig.begin();
    rig.steps(id, 1);
    let check = |entry: EntryBody, expected: RefusalReason| {
        let before = rig.stats();
        let recorded = rig.record(id, vec![entry.clone()]);
        assert_eq!(reason(&recorded[0]), Some(expected), "{entry:?}");
        let after = rig.stats();
        let counted = |stats: &accredit::Stats| stats.refused.get(expected.code()).copied().unwrap_or_default();
        assert_eq!(counted(&after), counted(&before) + 1, "{entry:?}");
        assert_eq!((after.received, after.recorded), (before.received + 1, before.recorded), "{entry:?}");
    };
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let invalid = RefusalReason::InvalidNumber;
        check(Step { confidence: Some(number), ..step("s") }.into_body(), invalid);
        check(Step { propensity: Some(number), ..step("s") }.into_body(), invalid);
        check(Step { reward: Some(number), ..step("s") }.into_body(), invalid);
        let usage = Usage { cost_usd: Some(number), ..Usage::default() };
        check(Step { usage: Some(usage), ..step("s") }.into_body(), invalid);
        check(Observation { confidence: Some(number), ..probe(&json!({})) }.into_body(), invalid);
        check(Observation { score: Some(number), ..probe(&json!({})) }.into_body(), invalid);
    }
    check(Step { propensity: Some(0.0), ..step("s") }.into_body(), RefusalReason::InvalidField);
    check(Step { propensity: Some(1.1), ..step("s") }.into_body(), RefusalReason::InvalidField);
    let usage = Usage { latency_ms: Some(-1.0), ..Usage::default() };
    check(Step { usage: Some(usage), ..step("s") }.into_body(), RefusalReason::InvalidField);
    check(Observation { step: Some(1), ..probe(&json!({})) }.into_body(), RefusalReason::UnknownStep);
    check(Step { idempotency_key: Some(String::new()), ..step("s") }.into_body(), RefusalReason::InvalidId);
    assert_eq!(rig.engine.chain(id).unwrap().len(), 1);
}

#[test]
fn a_reward_that_is_no_number_closes_nothing() {
    let rig = Rig::open();
    let id = rig.begin();
    for number in [f64::NAN, f64::INFINITY] {
        let completion = Completion { reward: Some(number), ..outcome_of(&json!({"rows": 8})) };
        assert_eq!(refusal_of(rig.engine.complete(id, completion)), RefusalReason::InvalidNumber);
    }
    assert_eq!(rig.stats().open, 1);
    rig.complete(id, &json!({"rows": 8}));
    let revision = Revision { reward: Some(f64::NAN), ..revision_to(&json!({})) };
    assert_eq!(refusal_of(rig.engine.revise(id, revision)), RefusalReason::InvalidNumber);
    assert_eq!(rig.engine.action(id).unwrap().version, 1);
}

#[test]
fn everything_that_was_said_is_read_back() {
    let rig = Rig::open();
    let id = rig.begin();
    let said = vec![
        Step {
            description: "søk 🛫 \"flight\"\n\\ done".to_owned(),
            state: Some(Payload::from_json("{ \"b\": 1.50, \"a\" : [1e3, \"\\u00e6\"] }".to_owned()).unwrap()),
            decision: Some("cheapest".to_owned()),
            confidence: Some(0.123_456_789_012_345_68),
            key: Some("search".to_owned()),
            state_key: Some("start".to_owned()),
            effect: Some(false),
            propensity: Some(0.25),
            reward: Some(-1e9),
            usage: Some(Usage {
                input_tokens: Some(u64::MAX),
                output_tokens: Some(0),
                cost_usd: Some(1e-9),
                latency_ms: Some(12.5),
            }),
            idempotency_key: Some("key".to_owned()),
            at: accredit::Timestamp::from_seconds(1_600_000_000.25),
        }
        .into_body(),
        step("").into_body(),
        Observation {
            observation_type: "sensor".to_owned(),
            data: Some((&json!([null, 3])).into()),
            source: Some("thermometer".to_owned()),
            confidence: Some(0.5),
            score: Some(0.0),
            step: Some(0),
            criterion: Some("warm".to_owned()),
            idempotency_key: Some("other key".to_owned()),
            at: accredit::Timestamp::from_seconds(-5.0),
        }
        .into_body(),
        Observation::default().into_body(),
    ];
    rig.record(id, said.clone());
    let read = |rig: &Rig| rig.engine.chain(id).unwrap().into_iter().map(|entry| entry.body).collect::<Vec<_>>();
    assert_eq!(read(&rig), said);
    let rig = rig.reopen();
    assert_eq!(read(&rig), said);
    rig.complete(id, &json!({}));
    assert_eq!(read(&rig), said);
}

#[test]
fn an_entry_with_a_key_is_stored_once() {
    let rig = Rig::open();
    let (id, other) = (rig.begin(), rig.begin());
    let keyed = |key: &str| Step { idempotency_key: Some(key.to_owned()), ..step(key) }.into_body();
    let stored = |seq: u64, repeat: bool| Recorded::Stored { seq, repeat };
    assert_eq!(rig.record(id, vec![keyed("a")]), [stored(0, false)]);
    // In a retry, in another batch, twice in one batch.
    assert_eq!(rig.record(id, vec![keyed("a")]), [stored(0, true)]);
    let batch = vec![keyed("b"), keyed("a"), keyed("b"), keyed("c")];
    assert_eq!(rig.record(id, batch), [stored(1, false), stored(0, true), stored(1, true), stored(2, false)]);
    // What comes under a known key is not looked at, whatever it says.
    let observation = Observation { idempotency_key: Some("a".to_owned()), ..probe(&json!({"rows": 1})) };
    assert_eq!(rig.record(id, vec![observation.clone().into_body()]), [stored(0, true)]);
    // A key belongs to its action.
    assert_eq!(rig.record(other, vec![keyed("a")]), [stored(0, false)]);
    // After reopening, and after closing.
    let rig = rig.reopen();
    assert_eq!(rig.record(id, vec![keyed("b"), keyed("d")]), [stored(1, true), stored(3, false)]);
    rig.complete(id, &json!({"success": true}));
    assert_eq!(rig.record(id, vec![keyed("d"), observation.into_body()]), [stored(3, true), stored(0, true)]);
    assert_eq!(reason(&rig.record(id, vec![keyed("e")])[0]), Some(RefusalReason::ClosedAction));
    let stats = rig.stats();
    assert_eq!((stats.recorded, stats.repeated, stats.refused_total), (5, 7, 1));
    assert_eq!(rig.engine.action(id).unwrap().version, 1);
}

#[test]
fn a_begin_with_a_known_id_is_the_same_action() {
    let rig = Rig::open();
    let begin = || accredit::Begin { action_id: Some(chosen_id(1)), ..crate::support::begin() };
    let answer = |rig: &Rig| {
        let begun = rig.engine.begin(begin()).unwrap();
        assert_eq!(begun.action_id, chosen_id(1));
        begun.repeat
    };
    assert!(!answer(&rig));
    assert!(answer(&rig));
    rig.steps(chosen_id(1), 2);
    let rig = rig.reopen();
    assert!(answer(&rig));
    rig.complete(chosen_id(1), &json!({}));
    assert!(answer(&rig));
    let stats = rig.stats();
    assert_eq!((stats.begun, stats.open, stats.completed), (1, 0, 1));
    assert_eq!(rig.engine.action(chosen_id(1)).unwrap().step_count, 2);
}

#[test]
fn an_unknown_action_takes_nothing() {
    let rig = Rig::open();
    let id = chosen_id(9);
    let recorded = rig.record(id, vec![step("s").into_body(), probe(&json!({})).into_body()]);
    assert!(recorded.iter().all(|recorded| reason(recorded) == Some(RefusalReason::UnknownAction)));
    let unknown = RefusalReason::UnknownAction;
    assert_eq!(refusal_of(rig.engine.heartbeat(id)), unknown);
    assert_eq!(refusal_of(rig.engine.complete(id, Completion::default())), unknown);
    assert_eq!(refusal_of(rig.engine.revise(id, Revision::default())), unknown);
    assert_eq!(refusal_of(rig.engine.cancel(id, accredit::Cancel::default())), unknown);
    assert_eq!(refusal_of(rig.engine.action(id)), unknown);
    assert_eq!(refusal_of(rig.engine.chain(id)), unknown);
    assert_eq!(refusal_of(rig.engine.attribution(id, None)), unknown);
    assert_eq!(refusal_of(rig.engine.tree(id)), unknown);
    assert_eq!(rig.stats().refused["unknown_action"], 2);
}

#[test]
fn strict_mode_raises_and_stores_the_rest() {
    let rig = Rig::open_with(|config| config.strict = true);
    let id = rig.begin();
    let bad = || Step { confidence: Some(f64::NAN), ..step("bad") };
    assert_eq!(refusal_of(rig.engine.step(id, bad())), RefusalReason::InvalidNumber);
    let batch = vec![step("good").into_body(), bad().into_body(), step("better").into_body()];
    assert_eq!(refusal_of(rig.engine.record(id, batch)), RefusalReason::InvalidNumber);
    let said: Vec<String> =
        rig.engine.chain(id).unwrap().iter().map(|entry| entry.step().unwrap().description.clone()).collect();
    assert_eq!(said, ["good", "better"]);
    rig.complete(id, &json!({}));
    assert_eq!(refusal_of(rig.engine.step(id, step("late"))), RefusalReason::ClosedAction);
    assert_eq!(refusal_of(rig.engine.step(chosen_id(9), step("lost"))), RefusalReason::UnknownAction);
    let stats = rig.stats();
    assert_eq!((stats.recorded, stats.refused_total), (2, 4));
}

#[test]
fn what_a_door_could_not_read_is_counted() {
    let rig = Rig::open();
    rig.engine.refused_elsewhere(&[RefusalReason::Malformed, RefusalReason::UnknownField, RefusalReason::Malformed]);
    rig.engine.is_writable().unwrap();
    let refused = rig.stats().refused;
    assert_eq!((refused["malformed"], refused["unknown_field"]), (2, 1));
    assert_eq!(rig.reopen().stats().refused, refused);
}

#[test]
fn a_closed_engine_says_so() {
    let rig = Rig::open();
    let id = rig.begin();
    let clone = rig.engine.clone();
    let Rig { engine, .. } = rig;
    engine.close().unwrap();
    assert!(matches!(clone.step(id, step("s")), Err(Error::Closed)));
    assert!(matches!(clone.is_writable(), Err(Error::Closed)));
    assert_eq!(clone.action(id).unwrap().step_count, 0, "reading goes on");
}
