//! The schemas name every field that the types have, and no other.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rows::examples;
use crate::json_schemas;

#[test]
fn one_schema_a_form() {
    let names: Vec<&str> = json_schemas().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["command", "action", "attribution", "experience", "event", "refusal", "stats"]);
    for (name, schema) in json_schemas() {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        assert!(schema["description"].is_string(), "{name}");
    }
}

/// The examples hold every field of every operation, so the schema's properties are exactly theirs.
#[test]
fn command_schema_has_the_fields_of_the_commands() {
    let commands: Vec<Value> = examples().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (_, schema) = json_schemas().remove(0);
    for variant in schema["oneOf"].as_array().unwrap() {
        let op = &variant["properties"]["op"]["const"];
        let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        let (mut all, mut required) = (BTreeSet::new(), None::<BTreeSet<String>>);
        for command in commands.iter().filter(|command| command["op"] == *op) {
            let fields = fields(command);
            required = Some(required.map_or_else(|| fields.clone(), |it| it.intersection(&fields).cloned().collect()));
            all.extend(fields);
        }
        assert_eq!(fields(&variant["properties"]), all, "{op}");
        assert_eq!(variant["additionalProperties"], false, "{op}");
        let said: BTreeSet<String> =
            variant["required"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
        assert_eq!(Some(said), required, "{op}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(root: &Value, value: &Value, name: &str) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    let pointer = reference.strip_prefix('#').expect("references stay in their file");
                    assert!(root.pointer(pointer).is_some(), "{name}: {reference}");
                }
                object.values().for_each(|it| check(root, it, name));
            }
            Value::Array(items) => items.iter().for_each(|it| check(root, it, name)),
            _ => {}
        }
    }
    for (name, schema) in json_schemas() {
        check(&schema, &schema, name);
    }
}
