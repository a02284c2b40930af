//! What was expected against what came out.

use accredit_model::{JsonObject, Refusal, RefusalReason};
use serde_json::Value;

use crate::matcher::{self, DEPTH_MAX};

/// Regular expressions in an expectation; each is compiled at every scoring, which takes 10 ms at worst.
const PATTERNS_MAX: usize = 20;

/// Characters of a key that a refusal shows.
const SHOWN_CHARS_MAX: usize = 64;

/// Whether a value meets an expectation.
///
/// A matcher is met by what meets all its operators. A bare number matches within 0.05 or 10 %; a boolean matches only
/// the same boolean and null only null; strings match exactly; arrays element by element and in the same number;
/// objects key by key, where the outcome may have more keys than were expected. At every level the same rules hold.
pub(crate) fn is_match(expected: &Value, actual: &Value) -> bool {
    is_match_at(expected, actual, 0)
}

fn is_match_at(expected: &Value, actual: &Value, depth: usize) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    match (expected, actual) {
        (Value::Object(expected), _) if matcher::is_matcher(expected) => matcher::is_met(expected, actual),
        (Value::Object(expected), Value::Object(actual)) => expected
            .iter()
            .all(|(key, expected)| actual.get(key).is_some_and(|actual| is_match_at(expected, actual, depth + 1))),
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len()
                && expected.iter().zip(actual).all(|(expected, actual)| is_match_at(expected, actual, depth + 1))
        }
        (Value::Number(_), Value::Number(_)) => matcher::is_close(expected, actual),
        _ => expected == actual,
    }
}

/// Checks the matchers of an expectation, which would otherwise quietly match nothing.
///
/// # Errors
/// [`RefusalReason::InvalidField`] that names the first key whose matcher has an unknown operator, an operand of the
/// wrong type or a bad regular expression, that mixes operators with plain keys, or that has one regular expression
/// more than 20.
pub fn validate_expectation(expected: &JsonObject) -> Result<(), Refusal> {
    let mut n_patterns = 0;
    for (key, value) in expected {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(elements) => open.extend(elements),
                Value::Object(object) if matcher::is_matcher(object) => {
                    n_patterns += usize::from(object.contains_key(matcher::REGEX));
                    if n_patterns > PATTERNS_MAX {
                        return Err(refusal(key, matcher::REGEX, "is used more than 20 times"));
                    }
                    if let Some((operator, defect)) = matcher::defect(object) {
                        return Err(refusal(key, operator, defect));
                    }
                }
                Value::Object(object) => {
                    if let Some(operator) = object.keys().find(|key| key.starts_with('$')) {
                        return Err(refusal(key, operator, "stands beside keys that are no operators"));
                    }
                    open.extend(object.values());
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn refusal(key: &str, operator: &str, defect: &str) -> Refusal {
    let shown = |text: &str| text.chars().take(SHOWN_CHARS_MAX).collect::<String>();
    let detail = format!(
        "field `expected_outcome`: key `{}`: operator `{}` {defect}; the operators are {}, with `abs` and `rel` beside \
         `$near`",
        shown(key),
        shown(operator),
        matcher::OPERATORS.join(" "),
    );
    Refusal::new(RefusalReason::InvalidField, detail)
}

#[cfg(test)]
mod tests;
