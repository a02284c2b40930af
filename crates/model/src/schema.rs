//! JSON Schema of the public forms.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::{
    Action, ActionId, Attribution, Begin, Cancel, Completion, Event, Experience, Observation, Refusal, Revision, Stats,
    Step,
};

/// The schema of one type (draft 2020-12), with what it refers to under `$defs`.
#[must_use]
pub fn json_schema<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}

/// The schemas of wire format v1 by file name: the commands in one, each answer in its own.
#[must_use]
pub fn json_schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("command", command_schema()),
        ("action", json_schema::<Action>().to_value()),
        ("attribution", json_schema::<Attribution>().to_value()),
        ("experience", json_schema::<Experience>().to_value()),
        ("event", json_schema::<Event>().to_value()),
        ("refusal", json_schema::<Refusal>().to_value()),
        ("stats", json_schema::<Stats>().to_value()),
    ]
}

/// A command is the body of its operation with `op` and, for all but a begin, `action_id` beside the fields.
fn command_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let id = generator.subschema_for::<ActionId>().to_value();
    let variant = |op: &str, mut body: Value| {
        let Some(object) = body.as_object_mut() else { return body };
        object.remove("$schema");
        object.insert("title".to_owned(), json!(op));
        object.insert("additionalProperties".to_owned(), json!(false));
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        properties["op"] = json!({ "const": op });
        let mut required = vec![json!("op")];
        if op != "begin" {
            properties["action_id"] = id.clone();
            required.push(json!("action_id"));
        }
        if let Some(Value::Array(own)) = object.get("required") {
            required.extend(own.iter().cloned());
        }
        object.insert("required".to_owned(), Value::Array(required));
        body
    };
    let mut inline = |schema: fn(&mut schemars::SchemaGenerator) -> Schema| schema(&mut generator).to_value();
    let bodies = [
        ("begin", inline(Begin::json_schema)),
        ("step", inline(Step::json_schema)),
        ("observe", inline(Observation::json_schema)),
        ("complete", inline(Completion::json_schema)),
        ("revise", inline(Revision::json_schema)),
        ("cancel", inline(Cancel::json_schema)),
        ("heartbeat", json!({ "type": "object", "description": "Says that the agent is still at work." })),
    ];
    let variants: Vec<Value> = bodies.into_iter().map(|(op, body)| variant(op, body)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Command",
        "description": "One command of wire format v1: a line of an NDJSON file or of POST /v1/ingest",
        "oneOf": variants,
        "$defs": generator.take_definitions(true),
    })
}
