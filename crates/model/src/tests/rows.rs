//! Commands and what is no command, one row each.

use super::ID;
use crate::RefusalReason::{self, InvalidField, InvalidId, InvalidNumber, Malformed, TooDeep, UnknownField};

/// Every operation, bare and with every field it has.
pub(super) fn examples() -> Vec<String> {
    let other = "018f0000-0000-7000-8000-000000000001";
    let at = "2026-01-31T12:00:00.000000Z";
    let usage = r#"{"input_tokens":1200,"output_tokens":80,"cost_usd":0.004,"latency_ms":812.5}"#;
    vec![
        r#"{"op":"begin","agent_id":"a","action_type":"t"}"#.to_owned(),
        format!(
            r#"{{"op":"begin","action_id":"{ID}","agent_id":"a","action_type":"t","goal_id":"g","expected_outcome":{{"rows":{{"$gte":9}},"ok":true}},"acceptance_criteria":["rows > 3","is kind"],"parent_action_id":"{other}","attributes":{{"z":1,"a":null}},"at":"{at}"}}"#
        ),
        format!(r#"{{"op":"step","action_id":"{ID}","description":"d"}}"#),
        format!(
            r#"{{"op":"step","action_id":"{ID}","description":"d","state":{{"z": 1.50, "a":[ ]}},"decision":"go","confidence":0.25,"key":"k","state_key":"s","effect":true,"propensity":0.5,"reward":-1.5,"usage":{usage},"idempotency_key":"i","at":"{at}"}}"#
        ),
        format!(r#"{{"op":"observe","action_id":"{ID}","observation_type":"sensor"}}"#),
        format!(
            r#"{{"op":"observe","action_id":"{ID}","observation_type":"judge","data":{{"rows":12345678901234567890}},"source":"s","confidence":1.0,"score":0.5,"step":3,"criterion":"is kind","idempotency_key":"i","at":"{at}"}}"#
        ),
        format!(r#"{{"op":"complete","action_id":"{ID}"}}"#),
        format!(r#"{{"op":"complete","action_id":"{ID}","outcome":{{"rows":10,"a":0.1}},"reward":-3.5,"at":"{at}"}}"#),
        format!(r#"{{"op":"revise","action_id":"{ID}"}}"#),
        format!(
            r#"{{"op":"revise","action_id":"{ID}","outcome":{{"rows":11}},"reward":0.0,"reason":"counted again","at":"{at}"}}"#
        ),
        format!(r#"{{"op":"cancel","action_id":"{ID}"}}"#),
        format!(r#"{{"op":"cancel","action_id":"{ID}","reason":"not needed"}}"#),
        format!(r#"{{"op":"heartbeat","action_id":"{ID}"}}"#),
    ]
}

/// A row: a text that is no command, the reason it is counted under, and what the explanation holds.
type Refused = (String, RefusalReason, &'static str);

/// What is wrong with a command as a whole, with a begin, a completion, a heartbeat.
pub(super) fn commands_refused() -> Vec<Refused> {
    let begin = |fields: &str| format!(r#"{{"op":"begin","agent_id":"a","action_type":"t",{fields}}}"#);
    let deep = format!(r#""expected_outcome":{{"a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    vec![
        (String::new(), Malformed, "not a JSON object: EOF"),
        ("[]".to_owned(), Malformed, "invalid type: sequence, expected a JSON object"),
        (r#""hunter2""#.to_owned(), Malformed, "invalid type: string, expected a JSON object"),
        ("{".to_owned(), Malformed, "not a JSON object"),
        (r#"{"op":"heartbeat"} {}"#.to_owned(), Malformed, "trailing characters"),
        (r#"{"action_id":"x"}"#.to_owned(), InvalidField, "missing field `op`"),
        (r#"{"op":7}"#.to_owned(), InvalidField, "field `op`: invalid type: integer, expected a string"),
        (r#"{"op":"hunter2"}"#.to_owned(), Malformed, "unknown op; it is one of begin, step, observe"),
        (r#"{"op":"step","description":"d"}"#.to_owned(), InvalidField, "missing field `action_id`"),
        (r#"{"op":"step","action_id":"hunter2"}"#.to_owned(), InvalidId, "field `action_id`: expected a UUID"),
        (r#"{"op":"step","action_id":5}"#.to_owned(), InvalidField, "field `action_id`: invalid type: integer"),
        (r#"{"op":"begin","agent_id":"a"}"#.to_owned(), InvalidField, "missing field `action_type`"),
        (begin(r#""parent_action_id":"hunter2""#), InvalidId, "field `parent_action_id`: expected a UUID"),
        (begin(r#""expected_outcome":["hunter2"]"#), InvalidField, "field `expected_outcome`: invalid type: sequence"),
        (
            begin(r#""acceptance_criteria":"hunter2""#),
            InvalidField,
            "field `acceptance_criteria`: invalid type: string",
        ),
        (begin(r#""colour":"hunter2""#), UnknownField, "unknown field `colour`"),
        (begin(&deep), TooDeep, "field `expected_outcome`: nested too deep"),
        (format!(r#"{{"op":"complete","action_id":"{ID}","reward":1e999}}"#), InvalidNumber, "field `reward`"),
        (
            format!(r#"{{"op":"complete","action_id":"{ID}","outcome":{{"a":-1e999}}}}"#),
            InvalidNumber,
            "field `outcome`",
        ),
        (
            format!(r#"{{"op":"complete","action_id":"{ID}","outcome":"hunter2"}}"#),
            InvalidField,
            "field `outcome`: invalid type: string",
        ),
        (format!(r#"{{"op":"heartbeat","action_id":"{ID}","at":1}}"#), UnknownField, "unknown field `at`"),
        (format!(r#"{{"op":"heartbeat","op":"cancel","action_id":"{ID}"}}"#), UnknownField, "unknown field `op`"),
    ]
}

/// What is wrong with the fields of a step.
pub(super) fn fields_refused() -> Vec<Refused> {
    let step = |fields: &str| format!(r#"{{"op":"step","action_id":"{ID}",{fields}}}"#);
    vec![
        (step(r#""decision":"d""#), InvalidField, "missing field `description`"),
        (step(r#""description":"d","note":"hunter2""#), UnknownField, "unknown field `note`"),
        (step(r#""description":"d","observation_type":"s""#), UnknownField, "unknown field `observation_type`"),
        (
            step(r#""description":{"a":"hunter2"}"#),
            InvalidField,
            "field `description`: invalid type: map, expected a string",
        ),
        (step(r#""description":"d","description":"e""#), InvalidField, "duplicate field `description`"),
        (step(&format!(r#""description":"d","action_id":"{ID}""#)), UnknownField, "unknown field `action_id`"),
        (step(r#""description":"d","confidence":NaN"#), Malformed, "not a JSON object"),
        (step(r#""description":"d","confidence":Infinity"#), Malformed, "not a JSON object"),
        (step(r#""description":"d","confidence":1e999"#), InvalidNumber, "field `confidence`: number out of range"),
        (
            step(r#""description":"d","confidence":"hunter2, expected it""#),
            InvalidField,
            "field `confidence`: invalid type: string, expected f64",
        ),
        (
            step(r#""description":"d","effect":"hunter2""#),
            InvalidField,
            "field `effect`: invalid type: string, expected a boolean",
        ),
        (step(r#""description":"d","usage":{"tokens":1}"#), UnknownField, "field `usage`: unknown field `tokens`"),
        (
            step(r#""description":"d","usage":{"input_tokens":-1}"#),
            InvalidField,
            "field `usage`: invalid value: integer, expected u64",
        ),
        (
            step(r#""description":"d","usage":{"input_tokens":1.5}"#),
            InvalidField,
            "field `usage`: invalid type: floating point, expected u64",
        ),
        (step(r#""description":"d","at":"hunter2""#), InvalidField, "field `at`: expected an RFC 3339 time"),
        (step(r#""description":"d","at":1e30"#), InvalidField, "field `at`: expected an RFC 3339 time"),
        (
            step(r#""description":"d","at":[]"#),
            InvalidField,
            "field `at`: invalid type: sequence, expected an RFC 3339",
        ),
        (step(r#""description":"d","state":{"a":}"#), Malformed, "not a JSON object"),
    ]
}
