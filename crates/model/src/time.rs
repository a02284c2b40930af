//! Points in time.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
///
/// Written as RFC 3339 in UTC with microseconds; read from RFC 3339 with any offset or from a number of seconds since
/// 1970, whole or with a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment this many microseconds after 1970 began.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The moment this many seconds after 1970 began, rounded to a microsecond; `None` where it is not finite or lies
    /// outside the years 1 to 9999.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let micros = (seconds * 1e6).round();
        // The comparison is false for NaN, and the range fits an i64 with room to spare.
        #[expect(clippy::cast_possible_truncation, reason = "checked against the range of times just before")]
        (MIN_MICROS..=MAX_MICROS).contains(&micros).then_some(Self(micros as i64))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Seconds since 1970. Exact to a microsecond for any date in this century.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "microseconds of this era stay below 2^53")]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Microseconds from `earlier` to `self`; negative where `earlier` is the later one. Saturates.
    #[must_use]
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment `micros` later. Saturates.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

// The years that RFC 3339 can write.
const MIN_MICROS: f64 = -62_135_596_800_000_000.0;
const MAX_MICROS: f64 = 253_402_207_200_000_000.0;

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = written(self.0) {
            return std::str::from_utf8(&text).map_err(|_| fmt::Error).and_then(|text| f.write_str(text));
        }
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => write!(f, "{} s since 1970", self.seconds()),
        }
    }
}

/// The text is no time. The message does not repeat it: it may be private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3339 time (2026-01-31T12:00:00Z) or seconds since 1970, of the years 1 to 9999")]
pub struct TimeError;

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        if let Some(time) = own_form(text) {
            return Ok(time);
        }
        match text.parse::<jiff::Timestamp>() {
            #[expect(clippy::cast_precision_loss, reason = "only the years at the ends are compared")]
            Ok(time) if time.as_microsecond() as f64 >= MIN_MICROS => Ok(Self(time.as_microsecond())),
            Ok(_) => Err(TimeError),
            Err(_) => text.parse().ok().and_then(Self::from_seconds).ok_or(TimeError),
        }
    }
}

/// `2026-01-31T12:00:00.000000Z`; every recorded entry has one, so it is written without detours. `None` for times
/// before 1970 and after 9999, which are left to the library.
fn written(micros: i64) -> Option<[u8; 27]> {
    let seconds = u64::try_from(micros).ok()? / 1_000_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // The reverse of `own_form`, by the same source.
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut put = |from: usize, to: usize, mut number: u64| {
        for place in text.get_mut(from..to).into_iter().flatten().rev() {
            *place = b"0123456789"[usize::try_from(number % 10).unwrap_or(0)];
            number /= 10;
        }
    };
    put(0, 4, year);
    put(5, 7, month);
    put(8, 10, day);
    put(11, 13, second / 3600);
    put(14, 16, second / 60 % 60);
    put(17, 19, second % 60);
    put(20, 26, u64::try_from(micros).ok()? % 1_000_000);
    (year <= 9999).then_some(text)
}

/// Reads the form that this type writes, `2026-01-31T12:00:00.000000Z`, as every stored line holds it. `None` for any
/// other, valid or not.
fn own_form(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 27] = text.as_bytes().try_into().ok()?;
    let digits = |from: usize, to: usize| {
        let mut number = 0_i64;
        for byte in bytes.get(from..to)? {
            number = number * 10 + i64::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
        }
        Some(number)
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (26, b'Z')];
    if marks.iter().any(|(at, mark)| bytes.get(*at) != Some(mark)) {
        return None;
    }
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute, second, micros) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?, digits(20, 26)?);
    // The last days of months, the first years and leap seconds are left to the library.
    let is_plain = year >= 1970 && (1..=12).contains(&month) && (1..=28).contains(&day);
    if !is_plain || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days since 1970 of a proleptic Gregorian date, with years that begin in March (Hinnant, "chrono-compatible
    // low-level date algorithms").
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(Timestamp((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micros))
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time or seconds since 1970")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
                Timestamp::from_seconds(seconds).ok_or_else(|| E::custom(TimeError))
            }

            #[expect(clippy::cast_precision_loss, reason = "a number too large for f64 is no time either")]
            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
                self.visit_f64(seconds as f64)
            }

            #[expect(clippy::cast_precision_loss, reason = "a number too large for f64 is no time either")]
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
                self.visit_f64(seconds as f64)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "RFC 3339, or seconds since 1970; always RFC 3339 in UTC in answers",
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "number", "minimum": MIN_MICROS / 1e6, "maximum": MAX_MICROS / 1e6},
            ],
        })
    }
}
