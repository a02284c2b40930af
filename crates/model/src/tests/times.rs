//! Points in time.

use proptest::prelude::*;

use super::wire::time;
use crate::Timestamp;

#[test]
fn read_from_text_and_numbers() {
    let check = |json: &str, expected: &str| {
        let time: Timestamp = serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
        assert_eq!(time.to_string(), expected, "{json}");
    };
    check(r#""2026-01-31T12:00:00Z""#, "2026-01-31T12:00:00.000000Z");
    check(r#""2026-01-31T14:00:00+02:00""#, "2026-01-31T12:00:00.000000Z");
    check(r#""2026-01-31T06:30:00.25-05:30""#, "2026-01-31T12:00:00.250000Z");
    check(r#""2026-01-31T12:00:00.123456789Z""#, "2026-01-31T12:00:00.123456Z");
    check("0", "1970-01-01T00:00:00.000000Z");
    check("-1", "1969-12-31T23:59:59.000000Z");
    check("1769860800", "2026-01-31T12:00:00.000000Z");
    check("1769860800.000001", "2026-01-31T12:00:00.000001Z");
    check("1769860800.5", "2026-01-31T12:00:00.500000Z");
    check("1.7698608e9", "2026-01-31T12:00:00.000000Z");
    check(r#""1769860800.5""#, "2026-01-31T12:00:00.500000Z");
    check("253402207200", "9999-12-30T22:00:00.000000Z");
    check("-62135596800", "0001-01-01T00:00:00.000000Z");
}

#[test]
fn refused_without_repeating_it() {
    let check = |json: &str| {
        let error = serde_json::from_str::<Timestamp>(json).expect_err(json).to_string();
        assert!(error.contains("expected an RFC 3339 time"), "{json}: {error}");
        assert!(!error.contains("hunter2") && !error.contains("253402207201"), "{json}: {error}");
    };
    check("\"hunter2\"");
    check("\"\"");
    check("\"NaN\"");
    check("\"inf\"");
    check("\"2026-01-31\"");
    check("\"2026-01-31T12:00:00\"");
    check("\"2026-02-30T12:00:00Z\"");
    check("253402207201");
    check("-62135596801");
    check("\"0000-12-31T23:59:59Z\"");
    check("1e300");
    check("18446744073709551615");
}

#[test]
fn differences_do_not_overflow() {
    let (least, most) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
    assert_eq!(most.micros_since(least), i64::MAX);
    assert_eq!(most.plus_micros(1), most);
    assert_eq!(Timestamp::from_seconds(f64::NAN), None);
    assert_eq!(Timestamp::from_seconds(1.5), Some(Timestamp::from_micros(1_500_000)));
}

proptest! {
    #[test]
    fn any_time_survives_the_wire(time in time()) {
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&serde_json::to_string(&time).unwrap()).unwrap(), time);
        prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
    }

    #[test]
    fn seconds_of_this_century_are_exact(micros in 0_i64..4_102_444_800_000_000) {
        let time = Timestamp::from_micros(micros);
        prop_assert_eq!(Timestamp::from_seconds(time.seconds()), Some(time));
    }
}

proptest! {
    /// The short way of reading our own form and the library agree, on valid text and on text that only looks so.
    #[test]
    fn the_short_way_reads_as_the_library_does(
        text in r"(19[67][0-9]|20[0-9]{2}|[0-9]{4})-[0-2][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{6}Z",
    ) {
        let library = text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond);
        let library = library.filter(|micros| *micros >= -62_135_596_800_000_000);
        prop_assert_eq!(text.parse::<Timestamp>().ok().map(Timestamp::micros), library);
    }
}

proptest! {
    /// The short way of writing and the library agree.
    #[test]
    fn the_short_way_writes_as_the_library_does(micros in 0_i64..253_402_207_200_000_000) {
        let library = format!("{:.6}", jiff::Timestamp::from_microsecond(micros).unwrap());
        prop_assert_eq!(Timestamp::from_micros(micros).to_string(), library);
    }
}
