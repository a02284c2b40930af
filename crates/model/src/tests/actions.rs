//! The words of the wire: states, closings, verdicts, reasons, topics; and the forms that hold them.

use serde_json::{Value, json};

use super::{ID, check_json};
use crate::{
    Attribution, Closing, CriterionVerdict, Event, EventBody, Evidence, Grounding, Refusal, RefusalReason, Source,
    Status, Verdict,
};

#[test]
fn states_are_one_word() {
    let words = ["open", "completed", "timed_out", "evicted", "cancelled"];
    let states = [Status::Open].into_iter().chain(Closing::ALL.map(Status::Closed));
    for (word, status) in words.into_iter().zip(states) {
        assert_eq!(check_json::<Status>(&format!("\"{word}\"")), status);
        assert_eq!((status.code(), Status::from_code(word)), (word, Some(status)));
        assert_eq!(status.closing().map(Closing::code), (word != "open").then_some(word));
    }
    assert_eq!(Status::from_code("Open"), None);
    for json in ["\"closed\"", "null", "{\"open\":null,\"x\":1}", "1"] {
        assert!(serde_json::from_str::<Status>(json).is_err(), "{json}");
    }
}

#[test]
fn codes_are_the_wire_words() {
    fn check<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(value: T, word: &str) {
        assert_eq!(check_json::<T>(&format!("\"{word}\"")), value);
    }
    Closing::ALL.into_iter().for_each(|it| check(it, it.code()));
    Verdict::ALL.into_iter().for_each(|it| check(it, it.code()));
    RefusalReason::ALL.iter().for_each(|it| check(*it, it.code()));
    check(Grounding::Claimed, "claimed");
    check(Grounding::Observed, "observed");
    check(Grounding::Judged, "judged");
    check(Source::Missing, "missing");
    check(Source::Judged, "judged");
    check(Evidence::None, "none");
    check(Evidence::Learned, "learned");
    check(CriterionVerdict::Unevaluable, "unevaluable");
    assert!(Grounding::Claimed < Grounding::Observed && Grounding::Observed < Grounding::Judged);
}

/// What learning adds is left out where there is none, so that what was stored before it was known reads the same.
#[test]
fn attributions_with_and_without_what_was_learned() {
    let without = json!({
        "action_id": ID, "version": 1, "method": "decay", "model_version": null, "evidence": "none",
        "success_score": 1.0, "evaluated": true, "verdict": "success", "closing": "completed", "grounding": "claimed",
        "reward": null, "baseline": 0.5, "residual": 0.5, "credits": [1.0], "advantages": [0.0], "criteria": [],
        "expectation": [], "outcome": {"success": true}, "attributed_at": "2026-01-31T12:00:00.000000Z",
    });
    let attribution: Attribution = serde_json::from_value(without.clone()).unwrap();
    assert!(attribution.std_errors.is_empty() && attribution.n.is_empty() && attribution.forecast.is_empty());
    assert_eq!((serde_json::to_value(&attribution).unwrap(), attribution.selection_reason), (without.clone(), None));
    let mut with = without;
    let learned = json!({
        "std_errors": [0.25, null], "n": [12, 0], "forecast": [0.75, 1.0], "selection_reason": "it forecasts best",
    });
    with.as_object_mut().unwrap().extend(learned.as_object().unwrap().clone());
    let attribution: Attribution = serde_json::from_value(with.clone()).unwrap();
    assert_eq!((attribution.std_errors.as_slice(), attribution.n.as_slice()), (&[Some(0.25), None][..], &[12, 0][..]));
    assert_eq!(serde_json::to_value(&attribution).unwrap(), with);
}

#[test]
fn refusals_read_as_a_sentence() {
    let refusal: Refusal = check_json(r#"{"reason":"action_full","detail":"it has 1,000 entries"}"#);
    assert_eq!(refusal.to_string(), "action_full: it has 1,000 entries");
    assert_eq!(refusal, Refusal::new(RefusalReason::ActionFull, "it has 1,000 entries"));
}

#[test]
fn events_have_topic_and_data() {
    let check = |topic: &str, data: Value| {
        let event: Event = check_json(&json!({"id": "9-1", "topic": topic, "data": data}).to_string());
        assert_eq!(event.body.topic(), topic);
        event.body.action_id().map(|id| id.to_string())
    };
    let begun = json!({"action_id": ID, "agent_id": "a", "action_type": "t", "goal_id": null, "parent_action_id": ID});
    assert_eq!(check("agent.action.begun", begun).as_deref(), Some(ID));
    let recorded = json!({"action_id": ID, "first_seq": 3, "entries": 2});
    assert_eq!(check("agent.action.recorded", recorded).as_deref(), Some(ID));
    let completed = json!({
        "action_id": ID, "agent_id": "a", "action_type": "t", "goal_id": "g", "duration_seconds": 1.25,
        "step_count": 2, "success_score": 1.0, "verdict": "success", "version": 1, "closing": "completed",
    });
    assert_eq!(check("agent.action.completed", completed).as_deref(), Some(ID));
    assert_eq!(check("gap", json!({"missed": null})), None);
    assert_eq!(EventBody::Gap { missed: Some(2) }.topic(), "gap");
}
