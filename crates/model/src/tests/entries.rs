//! Entries: the flat JSON form and the stored line.

use proptest::prelude::*;

use super::check_json;
use super::wire::{observation, step, time};
use crate::{Entry, EntryBody, EntryKind, Field, LineWriter};

const STEP: &str = r#"{"seq":7,"kind":"step","recorded_at":"2026-01-31T12:00:00.000001Z","late":true,"description":"d","state":{"z": 1.50, "a":12345678901234567890123},"decision":"go","confidence":0.25,"key":"k","state_key":"s","effect":false,"propensity":0.5,"reward":-1.5,"usage":{"input_tokens":3},"idempotency_key":"i","at":"2026-01-31T11:00:00.000000Z","truncated":["description","state"]}"#;
const OBSERVATION: &str = r#"{"seq":0,"kind":"observation","recorded_at":"1970-01-01T00:00:00.000000Z","observation_type":"sensor","data":[1,  2],"source":"s","confidence":0.5,"score":0.75,"step":3,"criterion":"c","idempotency_key":"i","at":"2026-01-31T11:00:00.000000Z"}"#;

#[test]
fn flat_form() {
    let entry: Entry = check_json(STEP);
    assert_eq!(entry.step().unwrap().state.as_ref().unwrap().get(), r#"{"z": 1.50, "a":12345678901234567890123}"#);
    assert_eq!((entry.seq, entry.late, entry.body.kind()), (7, true, EntryKind::Step));
    assert_eq!(entry.truncated, [Field::Description, Field::State]);
    assert_eq!(entry.time().to_string(), "2026-01-31T11:00:00.000000Z");
    assert!(entry.observation().is_none());
    let entry: Entry = check_json(OBSERVATION);
    assert_eq!(entry.observation().unwrap().data.as_ref().unwrap().get(), "[1,  2]");
    assert_eq!(entry.body.idempotency_key(), Some("i"));
    assert!(entry.step().is_none());
    let entry: Entry =
        check_json(r#"{"seq":1,"kind":"step","recorded_at":"1970-01-01T00:00:01.000000Z","description":""}"#);
    assert_eq!(entry.time().micros(), 1_000_000);
}

#[test]
fn no_entry() {
    let check = |json: &str, expected: &str| {
        let error = serde_json::from_str::<Entry>(json).expect_err(json).to_string();
        assert!(error.contains(expected), "{json}: {error}");
    };
    check(r#"{"recorded_at":0,"description":"d"}"#, "missing field `kind`");
    check(r#"{"kind":"step","description":"d"}"#, "missing field `recorded_at`");
    check(r#"{"kind":"step","recorded_at":0}"#, "missing field `description`");
    check(r#"{"kind":"observation","recorded_at":0}"#, "missing field `observation_type`");
    check(r#"{"kind":"note","recorded_at":0}"#, "unknown variant `note`");
    check(r#"{"kind":"step","recorded_at":0,"description":"d","colour":1}"#, "unknown field `colour`");
    check(r#"{"kind":"step","recorded_at":0,"description":"d","truncated":["colour"]}"#, "unknown variant `colour`");
}

fn entry() -> impl Strategy<Value = Entry> {
    let body = prop_oneof![step().prop_map(EntryBody::Step), observation().prop_map(EntryBody::Observation)];
    let truncated = prop::sample::subsequence(vec![Field::Description, Field::State, Field::Data, Field::Source], 0..4);
    (any::<u64>(), time(), any::<bool>(), truncated, body).prop_map(|(seq, recorded_at, late, truncated, body)| Entry {
        seq,
        recorded_at,
        late,
        truncated,
        body,
    })
}

proptest! {
    #[test]
    fn any_entry_survives_both_forms(entry in entry()) {
        let json = serde_json::to_string(&entry).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Entry>(&json).unwrap(), &entry);
        let mut line = Vec::new();
        LineWriter::new(entry.recorded_at, entry.late).write(&mut line, &entry.truncated, &entry.body).unwrap();
        assert_eq!(line.pop(), Some(b'\n'));
        prop_assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
        let line = String::from_utf8(line).unwrap();
        prop_assert!(line.starts_with("{\"kind\""), "the kind comes first");
        prop_assert_eq!(&Entry::from_line(&line, entry.seq).unwrap(), &entry);
    }
}
