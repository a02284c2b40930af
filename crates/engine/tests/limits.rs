//! Every limit of recording and what happens at it.

use accredit::{
    Action, ActionId, Begin, Cancel, EntryBody, Field, JsonObject, Limits, Observation, Payload, RefusalReason,
    Revision, Step,
};
use serde_json::{Value, json};

use crate::support::{IntoBody, Rig, begin, chosen_id, object, outcome_of, probe, reason, refusal_of, step};

/// Characters of one to four bytes.
fn text(chars: usize) -> String {
    "aß語🛫".chars().cycle().take(chars).collect()
}

fn recorded(rig: &Rig, body: EntryBody) -> accredit::Entry {
    let id = rig.begin();
    assert_eq!(reason(&rig.record(id, vec![body])[0]), None);
    rig.engine.chain(id).unwrap().pop().unwrap()
}

#[test]
fn text_is_cut_at_a_character_and_marked() {
    for (rig, description_max, decision_max, text_max) in
        [(Rig::open(), 4_000, 1_000, 256), (Rig::compat(), 500, 200, 100)]
    {
        let check = |over: usize, truncated: [&[Field]; 2]| {
            let said = Step { decision: Some(text(decision_max + over)), ..step(&text(description_max + over)) };
            let entry = recorded(&rig, said.into_body());
            let kept = entry.step().unwrap();
            assert_eq!(
                (&kept.description, kept.decision.as_ref()),
                (&text(description_max), Some(&text(decision_max)))
            );
            assert_eq!(entry.truncated, truncated[0]);
            let seen = Observation {
                observation_type: text(text_max + over),
                source: Some(text(text_max + over)),
                ..Observation::default()
            };
            let entry = recorded(&rig, seen.into_body());
            let kept = entry.observation().unwrap();
            assert_eq!((&kept.observation_type, kept.source.as_ref()), (&text(text_max), Some(&text(text_max))));
            assert_eq!(entry.truncated, truncated[1]);
        };
        check(0, [&[], &[]]);
        check(1, [&[Field::Description, Field::Decision], &[Field::ObservationType, Field::Source]]);
        check(40_000, [&[Field::Description, Field::Decision], &[Field::ObservationType, Field::Source]]);
    }
}

#[test]
fn json_is_cut_and_stays_json() {
    let rig = Rig::open();
    let check = |state: &Value, check: &dyn Fn(&Value)| {
        let entry = recorded(&rig, Step { state: Some(state.into()), ..step("s") }.into_body());
        let kept = entry.step().unwrap().state.as_ref().unwrap();
        assert!(kept.get().len() <= 64 * 1024, "{} bytes are left", kept.get().len());
        check(&kept.to_value().unwrap());
        let is_cut = kept.to_value().unwrap() != *state;
        assert_eq!(entry.truncated, if is_cut { vec![Field::State] } else { vec![] });
        let entry = recorded(&rig, probe(state).into_body());
        check(&entry.observation().unwrap().data.as_ref().unwrap().to_value().unwrap());
        assert_eq!(entry.truncated, if is_cut { vec![Field::Data] } else { vec![] });
    };
    check(&json!({"rows": [1, 2.5, null, "x"]}), &|kept| assert_eq!(*kept, json!({"rows": [1, 2.5, null, "x"]})));
    check(&json!({"text": text(8_000)}), &|kept| assert_eq!(kept["text"], text(8_000)));
    // A string keeps its characters up to the limit and shows that there were more.
    check(&json!({"deep": [text(8_001)], "n": 1}), &|kept| {
        assert_eq!(*kept, json!({"deep": [text(8_000) + "..."], "n": 1}));
    });
    // What is still too large with its strings cut is replaced, and says how large it was: a part where that is
    // enough, else the whole.
    let told = |kept: &Value, whole: &Value| {
        assert_eq!(kept["$truncated"]["bytes"], whole.to_string().len());
        let preview = kept["$truncated"]["preview"].as_str().unwrap();
        assert!(!preview.is_empty() && whole.to_string().starts_with(preview), "{preview}");
    };
    let rows = json!(vec![json!({"name": "row", "at": 123_456_789}); 5_000]);
    check(&rows, &|kept| told(kept, &rows));
    check(&json!({"rows": rows, "n": 1}), &|kept| {
        told(&kept["rows"], &rows);
        assert_eq!(kept["n"], 1);
    });
    let many: JsonObject = (0..5_000).map(|n| (format!("key {n}"), json!(n))).collect();
    let many = Value::Object(many);
    check(&many, &|kept| told(kept, &many));
}

#[test]
fn compat_cuts_what_the_older_module_cut() {
    let rig = Rig::compat();
    let nested = json!({"list": (0..400).collect::<Vec<u32>>()});
    let state = json!({"text": text(501), "short": "x", "nested": nested, "small": {"a": [1]}});
    let entry = recorded(&rig, Step { state: Some((&state).into()), ..step("s") }.into_body());
    let kept = entry.step().unwrap().state.as_ref().unwrap().to_value().unwrap();
    assert_eq!(kept["text"], json!(text(500) + "..."));
    assert_eq!((&kept["short"], &kept["small"]), (&json!("x"), &json!({"a": [1]})));
    assert_eq!(kept["nested"]["$truncated"]["bytes"], nested.to_string().len());
    assert_eq!(entry.truncated, [Field::State]);
}

#[test]
fn outcome_and_expectation_are_cut_alike() {
    let rig = Rig::open();
    let long = json!({"text": text(9_000), "rows": 8});
    let cut = json!({"text": text(8_000) + "...", "rows": 8});
    let id = rig.begin_with(Begin {
        expected_outcome: Some(object(&json!({"rows": 8, "text": text(9_000)}))),
        attributes: Some(object(&long)),
        ..begin()
    });
    let Action { expected_outcome, attributes, truncated, .. } = rig.engine.action(id).unwrap();
    assert_eq!((Value::Object(expected_outcome), Value::Object(attributes)), (cut.clone(), cut.clone()));
    assert_eq!(truncated, [Field::ExpectedOutcome, Field::Attributes]);
    let made = rig.engine.complete(id, outcome_of(&long)).unwrap();
    assert_eq!((Value::Object(made.outcome), made.success_score), (cut, 1.0));
    // The same long outcome again is the same.
    assert!(rig.engine.complete(id, outcome_of(&long)).unwrap().repeat);
    // The largest values give way first.
    let huge = json!({"rows": 8, "log": vec![text(7_000); 12]});
    let made = rig.engine.complete(rig.begin_expecting(&json!({"rows": 8})), outcome_of(&huge)).unwrap();
    assert_eq!((&made.outcome["rows"], made.success_score), (&json!(8), 1.0));
    assert!(made.outcome["log"]["$truncated"]["bytes"].as_u64().unwrap() > 64 * 1024);
}

#[test]
fn a_reason_and_criteria_are_cut() {
    let rig = Rig::open();
    let id = rig.begin_with(Begin {
        action_type: text(257).as_str().into(),
        acceptance_criteria: Some(vec![format!("rows > 1{}", " ".repeat(2_000)); 101]),
        ..begin()
    });
    let action = rig.engine.action(id).unwrap();
    assert_eq!(action.action_type.as_str(), text(256));
    assert_eq!(action.acceptance_criteria.len(), 100);
    assert!(action.acceptance_criteria[0].ends_with('…') && action.acceptance_criteria[0].chars().count() == 1_000);
    assert_eq!(action.truncated, [Field::ActionType, Field::AcceptanceCriteria]);
    // What was cut is no expression any more, so it cannot turn out as another one.
    let made = rig.complete(id, &json!({"rows": 8}));
    assert!(made.criteria.iter().all(|decided| decided.result == accredit::CriterionVerdict::Unevaluable));
    let revision = Revision { reason: Some(text(5_000)), ..Revision::default() };
    assert_eq!(rig.engine.revise(id, revision).unwrap().reason, Some(text(4_000)));
    let cancelled = rig.engine.cancel(rig.begin(), Cancel { reason: Some(text(5_000)) }).unwrap();
    assert_eq!(cancelled.outcome["reason"], json!(text(4_000)));
}

#[test]
fn ids_and_keys_are_refused_and_never_cut() {
    for (rig, max) in [(Rig::open(), 256), (Rig::compat(), 100)] {
        let long = || text(max + 1);
        let check = |begin: Begin| assert_eq!(refusal_of(rig.engine.begin(begin)), RefusalReason::InvalidId);
        check(Begin { agent_id: long().into(), ..begin() });
        check(Begin { agent_id: "".into(), ..begin() });
        check(Begin { action_type: "".into(), ..begin() });
        check(Begin { goal_id: Some(long().into()), ..begin() });
        assert_eq!(rig.stats().begun, 0);
        let id = rig.begin_with(Begin { agent_id: text(max).into(), goal_id: Some(text(max).into()), ..begin() });
        let refused = [
            Step { key: Some(long()), ..step("s") },
            Step { state_key: Some(long()), ..step("s") },
            Step { idempotency_key: Some(long()), ..step("s") },
        ];
        for body in refused {
            assert_eq!(reason(&rig.record(id, vec![body.into_body()])[0]), Some(RefusalReason::InvalidId));
        }
        let kept = Step { key: Some(text(max)), idempotency_key: Some(text(max)), ..step("s") };
        assert_eq!(reason(&rig.record(id, vec![kept.into_body()])[0]), None);
        assert_eq!(rig.engine.action(id).unwrap().agent_id.as_str(), text(max));
    }
}

#[test]
fn json_that_is_too_deep_is_refused() {
    let rig = Rig::open();
    let id = rig.begin();
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let step_with = |levels: usize| {
        let state = Payload::from_json(deep(levels)).unwrap();
        reason(&rig.record(id, vec![Step { state: Some(state), ..step("s") }.into_body()])[0])
    };
    assert_eq!(step_with(64), None);
    assert_eq!(step_with(65), Some(RefusalReason::TooDeep));
    assert_eq!(step_with(100_000), Some(RefusalReason::TooDeep));
    let data = Payload::from_json(deep(65)).unwrap();
    let observed = rig.record(id, vec![Observation { data: Some(data), ..Observation::default() }.into_body()]);
    assert_eq!(reason(&observed[0]), Some(RefusalReason::TooDeep));
    // An object stands around the value.
    let object = |levels: usize| -> Option<JsonObject> {
        Some([("key".to_owned(), serde_json::from_str(&deep(levels - 1)).unwrap())].into_iter().collect())
    };
    let begun = |levels: usize| rig.engine.begin(Begin { expected_outcome: object(levels), ..begin() });
    assert!(begun(64).is_ok());
    assert_eq!(refusal_of(begun(65)), RefusalReason::TooDeep);
    let complete = |levels: usize| {
        rig.engine.complete(id, accredit::Completion { outcome: object(levels), ..accredit::Completion::default() })
    };
    assert_eq!(refusal_of(complete(65)), RefusalReason::TooDeep);
    assert!(complete(64).is_ok());
    let revised = rig.engine.revise(id, Revision { outcome: object(65), ..Revision::default() });
    assert_eq!(refusal_of(revised), RefusalReason::TooDeep);
}

/// Offers so many steps, then so many observations; answers how many were stored of each.
fn fill(rig: &Rig, id: ActionId, n_steps: usize, n_observations: usize) -> (usize, usize) {
    let n_stored = |bodies: Vec<EntryBody>| {
        let recorded = rig.record(id, bodies);
        let refused = recorded.iter().filter_map(reason);
        assert!(refused.clone().all(|reason| reason == RefusalReason::ActionFull));
        recorded.len() - refused.count()
    };
    let steps = n_stored((0..n_steps).map(|_| step("s").into_body()).collect());
    (steps, n_stored((0..n_observations).map(|_| probe(&json!({"rows": 8})).into_body()).collect()))
}

#[test]
fn an_agent_cannot_blind_its_overseers() {
    let rig = Rig::with_limits(Limits { entries_max: 1_000, ..Limits::default() });
    let check = |n_steps: usize, n_observations: usize, stored: (usize, usize)| {
        let id = rig.begin();
        let before = rig.stats();
        assert_eq!(fill(&rig, id, n_steps, n_observations), stored);
        let after = rig.stats();
        let n_refused = (n_steps + n_observations - stored.0 - stored.1) as u64;
        assert_eq!(after.refused_total - before.refused_total, n_refused);
        assert_eq!(after.refused.get("action_full").copied().unwrap_or_default(), after.refused_total);
    };
    check(1_000, 1, (900, 1));
    check(1_000, 200, (900, 100));
    check(0, 1_001, (0, 1_000));
    check(950, 0, (900, 0));
    check(900, 100, (900, 100));
}

#[test]
fn in_compat_there_is_one_ceiling() {
    let rig = Rig::compat();
    assert_eq!(fill(&rig, rig.begin(), 1_000, 1), (1_000, 0));
    assert_eq!(fill(&rig, rig.begin(), 999, 5), (999, 1));
    assert_eq!(rig.stats().refused["action_full"], 5);
}

#[test]
fn a_full_action_can_be_closed() {
    let rig = Rig::with_limits(Limits { entries_max: 10, ..Limits::default() });
    let id = rig.begin_with(Begin { action_id: Some(chosen_id(3)), ..begin() });
    assert_eq!(fill(&rig, id, 20, 20), (9, 1));
    assert_eq!(rig.complete(id, &json!({"success": true})).credits.len(), 9);
}
