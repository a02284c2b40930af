//! Unit tests.

use super::*;

#[test]
fn the_two_sets_hold_the_numbers_of_the_contract() {
    let check = |limits: Limits, numbers: [u64; 9], order: EvictionOrder, from: IdleFrom| {
        assert_eq!(limits.validate(), Ok(()));
        let chars = [
            limits.open_actions_max,
            limits.entries_max,
            u64::from(limits.observation_reserve_percent),
            limits.description_chars_max as u64,
            limits.decision_chars_max as u64,
            limits.text_chars_max as u64,
            limits.json_bytes_max as u64,
            limits.string_chars_max as u64,
            limits.nested_json_chars_max as u64,
        ];
        assert_eq!(chars, numbers);
        assert_eq!((limits.eviction_order, limits.idle_from), (order, from));
        assert_eq!((limits.idle_secs_max, limits.json_depth_max), (21_600, 64));
        assert_eq!((limits.criteria_max, limits.criterion_chars_max), (100, 1_000));
    };
    check(
        Limits::default(),
        [100_000, 100_000, 10, 4_000, 1_000, 256, 65_536, 8_000, 65_536],
        EvictionOrder::OldestActivity,
        IdleFrom::LastActivity,
    );
    check(
        Limits::compat(),
        [500, 1_000, 0, 500, 200, 100, 65_536, 500, 1_000],
        EvictionOrder::OldestStart,
        IdleFrom::Start,
    );
}

#[test]
fn the_reserve_is_what_steps_cannot_use() {
    let check = |entries_max: u64, observation_reserve_percent: u8, reserve: u64| {
        let limits = Limits { entries_max, observation_reserve_percent, ..Limits::default() };
        assert_eq!((limits.observation_reserve(), limits.steps_max()), (reserve, entries_max - reserve));
    };
    check(100_000, 10, 10_000);
    check(1_000, 0, 0);
    check(9, 10, 0);
    check(15, 50, 7);
    check(7, 100, 7);
    check(u64::MAX, 10, u64::MAX / 100 * 10);
}

#[test]
fn limits_that_cannot_work_are_named() {
    let check = |limits: Limits, message: &str| {
        assert_eq!(limits.validate().unwrap_err().to_string(), message);
    };
    let limits = Limits::default;
    check(Limits { entries_max: 0, ..limits() }, "limit `entries_max` is 0; it must be at least 1");
    check(Limits { open_actions_max: 0, ..limits() }, "limit `open_actions_max` is 0; it must be at least 1");
    check(Limits { idle_secs_max: 0, ..limits() }, "limit `idle_secs_max` is 0; it must be at least 1");
    check(Limits { json_bytes_max: 10, ..limits() }, "limit `json_bytes_max` is 10; it must be at least 1024");
    check(
        Limits { nested_json_chars_max: 9, ..limits() },
        "limit `nested_json_chars_max` is 9; it must be at least 500",
    );
    check(Limits { json_depth_max: 121, ..limits() }, "limit `json_depth_max` is 121; it must be at most 120");
    check(
        Limits { observation_reserve_percent: 101, ..limits() },
        "limit `observation_reserve_percent` is 101; it must be at most 100",
    );
    // No criteria at all is a policy that somebody may have.
    assert_eq!(Limits { criteria_max: 0, ..limits() }.validate(), Ok(()));
}

#[test]
fn settings_are_read_by_name() {
    let limits: Limits = serde_json::from_str(r#"{"entries_max": 5, "idle_from": "start"}"#).unwrap();
    assert_eq!(limits, Limits { entries_max: 5, idle_from: IdleFrom::Start, ..Limits::default() });
    let error = serde_json::from_str::<Limits>(r#"{"entries": 5}"#).unwrap_err().to_string();
    assert!(error.contains("unknown field `entries`"), "{error}");
    let written = serde_json::to_string(&Limits::compat()).unwrap();
    assert_eq!(serde_json::from_str::<Limits>(&written).unwrap(), Limits::compat());
}
