//! Matchers: objects whose keys are operators, `{"$gte": 0.93}`.

use std::cmp::Ordering;

use accredit_model::JsonObject;
use serde_json::{Number, Value};

use crate::pattern;

/// A bare number matches within this distance…
const ABSOLUTE_TOLERANCE: f64 = 0.05;

/// …or within this share of what was expected.
const RELATIVE_TOLERANCE: f64 = 0.1;

/// Levels of JSON that are compared; deeper values do not match. The guard lets no more than 120 through.
pub(crate) const DEPTH_MAX: usize = 128;

/// The operators. `$truncated` is what the guard puts in place of a value that was too large: it matches nothing.
pub(crate) const OPERATORS: [&str; 10] = ["$gte", "$gt", "$lte", "$lt", "$eq", "$ne", "$in", REGEX, NEAR, TRUNCATED];

/// Searches a text for a regular expression, anywhere in it.
pub(crate) const REGEX: &str = "$regex";

const NEAR: &str = "$near";
const TRUNCATED: &str = "$truncated";

/// Keys beside `$near`.
const NEAR_TOLERANCES: [&str; 2] = ["abs", "rel"];

/// Whether an object is a matcher: every key is an operator, or a tolerance beside `$near`.
pub(crate) fn is_matcher(object: &JsonObject) -> bool {
    !object.is_empty() && object.keys().all(|key| key.starts_with('$') || is_tolerance(object, key))
}

fn is_tolerance(object: &JsonObject, key: &str) -> bool {
    NEAR_TOLERANCES.contains(&key) && object.contains_key(NEAR)
}

/// Whether a value meets all operators of a matcher. One that [`defect`] finds fault with is not met.
pub(crate) fn is_met(matcher: &JsonObject, actual: &Value) -> bool {
    matcher.iter().all(|(operator, operand)| {
        if is_tolerance(matcher, operator) {
            return true;
        }
        match operator.as_str() {
            "$gte" => order(actual, operand).is_some_and(Ordering::is_ge),
            "$gt" => order(actual, operand).is_some_and(Ordering::is_gt),
            "$lte" => order(actual, operand).is_some_and(Ordering::is_le),
            "$lt" => order(actual, operand).is_some_and(Ordering::is_lt),
            "$eq" => is_equal(actual, operand, 0),
            "$ne" => !is_equal(actual, operand, 0),
            "$in" => operand.as_array().is_some_and(|values| values.iter().any(|value| is_equal(actual, value, 0))),
            REGEX => is_found(operand, actual),
            NEAR => near(matcher, operand, actual),
            _ => false,
        }
    })
}

/// Why a matcher cannot be met by anything: the operator and what is wrong with it.
pub(crate) fn defect(matcher: &JsonObject) -> Option<(&str, &'static str)> {
    matcher.iter().find_map(|(key, operand)| operand_defect(key, operand).map(|defect| (key.as_str(), defect)))
}

fn operand_defect(key: &str, operand: &Value) -> Option<&'static str> {
    match key {
        "$gte" | "$gt" | "$lte" | "$lt" if !operand.is_number() && !operand.is_string() => {
            Some("needs a number or a string")
        }
        "$in" if !operand.is_array() => Some("needs an array"),
        REGEX => match operand.as_str() {
            None => Some("needs a string"),
            Some(text) => pattern::compile(text).is_none().then_some("is no regular expression within the size limit"),
        },
        NEAR if !operand.is_number() => Some("needs a number"),
        "abs" | "rel" if operand.as_f64().is_none_or(|tolerance| tolerance < 0.0) => {
            Some("needs a number that is not negative")
        }
        "abs" | "rel" => None,
        _ if OPERATORS.contains(&key) => None,
        _ => Some("is unknown"),
    }
}

/// Numbers with numbers and strings with strings, by character code; other pairs have no order.
fn order(actual: &Value, operand: &Value) -> Option<Ordering> {
    match (actual, operand) {
        (Value::Number(actual), Value::Number(operand)) => compare(actual, operand),
        (Value::String(actual), Value::String(operand)) => Some(actual.cmp(operand)),
        _ => None,
    }
}

/// Whole numbers compare exactly, others as `f64`.
fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// Equality without tolerance; 1 and 1.0 are equal.
fn is_equal(a: &Value, b: &Value, depth: usize) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b, depth + 1))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_equal(a, b, depth + 1)))
        }
        _ => a == b,
    }
}

fn is_found(operand: &Value, actual: &Value) -> bool {
    let (Some(text), Some(actual)) = (operand.as_str(), actual.as_str()) else { return false };
    pattern::compile(text).is_some_and(|pattern| pattern.is_match(actual))
}

fn near(matcher: &JsonObject, operand: &Value, actual: &Value) -> bool {
    let tolerance = |name, default| match matcher.get(name) {
        Some(tolerance) => tolerance.as_f64().filter(|tolerance| *tolerance >= 0.0),
        None => Some(default),
    };
    let (Some(absolute), Some(relative)) = (tolerance("abs", ABSOLUTE_TOLERANCE), tolerance("rel", RELATIVE_TOLERANCE))
    else {
        return false;
    };
    is_near(operand, actual, absolute, relative)
}

/// The reference's comparison of a bare number: `|a - e| <= 0.05` or `|a - e| <= 0.1 |e|`, both ends included, in
/// plain `f64` arithmetic. So 0.1 matches an expected 0.05, 0.1001 does not, and neither does 0.55 an expected 0.5:
/// their difference as numbers is 0.05000000000000004.
pub(crate) fn is_close(expected: &Value, actual: &Value) -> bool {
    is_near(expected, actual, ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE)
}

fn is_near(expected: &Value, actual: &Value, absolute: f64, relative: f64) -> bool {
    let (Value::Number(expected), Value::Number(actual)) = (expected, actual) else { return false };
    let (Some(expected), Some(actual)) = (expected.as_f64(), actual.as_f64()) else { return false };
    let distance = (actual - expected).abs();
    distance <= absolute || distance <= relative * expected.abs()
}
