//! The document says what the router does.

use std::collections::BTreeSet;

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::Door;

/// The calls of the wire format (docs/wire-format.md) and those around it.
const CALLS: [(&str, &str); 26] = [
    ("post", "/v1/actions"),
    ("get", "/v1/actions"),
    ("get", "/v1/actions/{id}"),
    ("get", "/v1/actions/{id}/chain"),
    ("get", "/v1/actions/{id}/attribution"),
    ("get", "/v1/actions/{id}/attributions"),
    ("get", "/v1/actions/{id}/tree"),
    ("post", "/v1/actions/{id}/steps"),
    ("post", "/v1/actions/{id}/observations"),
    ("post", "/v1/actions/{id}/complete"),
    ("post", "/v1/actions/{id}/revise"),
    ("post", "/v1/actions/{id}/cancel"),
    ("post", "/v1/actions/{id}/heartbeat"),
    ("post", "/v1/ingest"),
    ("get", "/v1/experiences"),
    ("get", "/v1/events"),
    ("get", "/v1/insights"),
    ("get", "/v1/models"),
    ("get", "/v1/stats"),
    ("get", "/v1/agents/{agent_id}"),
    ("get", "/v1/dead-letters"),
    ("post", "/v1/dead-letters/replay"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
    ("get", "/openapi.json"),
];

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(|(method, operation)| (method.clone(), path.clone(), operation.clone()))
    });
    operations.collect()
}

#[tokio::test]
async fn the_document_has_every_call() {
    let door = Door::open();
    let document = door.get("/openapi.json").await.json();
    assert_eq!(document, accredit_server::openapi());
    assert_eq!(document["openapi"], "3.1.0");
    let operations = operations(&document);
    let documented: BTreeSet<(&str, &str)> =
        operations.iter().map(|(method, path, _)| (method.as_str(), path.as_str())).collect();
    assert_eq!(documented, BTreeSet::from(CALLS));
    let names: BTreeSet<String> = operations.iter().map(|(_, _, one)| one["operationId"].to_string()).collect();
    assert_eq!(names.len(), CALLS.len(), "every call has a name of its own");
}

#[tokio::test]
async fn every_call_in_the_document_answers_as_documented() {
    let door = Door::open();
    let action = door.completed().await;
    let id = action.rsplit('/').next().unwrap();
    for (method, path, operation) in operations(&accredit_server::openapi()) {
        if path == "/v1/events" {
            // It does not end; `streams` reads it.
            continue;
        }
        let path = path.replace("{id}", id).replace("{agent_id}", "tester");
        let reply = door.call(&method.to_uppercase(), &path, &[], Body::empty()).await;
        assert!(![404, 405, 500].contains(&reply.status.as_u16()), "{method} {path}: {}", reply.text());
        assert!(operation["responses"].get(reply.status.as_str()).is_some(), "{method} {path}: {}", reply.status);
        let unknown = door
            .call(&method.to_uppercase(), &format!("{}?colour=red", path.replace("{id}", id)), &[], Body::empty())
            .await;
        assert_eq!(
            (unknown.status.as_u16(), &unknown.json()["code"]),
            (400, &json!("invalid_parameter")),
            "{method} {path}"
        );
        for parameter in operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "query") {
            let query = format!("{}?{}=7", path.replace("{id}", id), parameter["name"].as_str().unwrap());
            let reply = door.call(&method.to_uppercase(), &query, &[], Body::empty()).await;
            assert!(!reply.text().contains("unknown parameter"), "{method} {query}: {}", reply.text());
        }
    }
}

/// Every method, and every option with its range.
#[test]
fn the_document_knows_every_method() {
    let document = accredit_server::openapi();
    let parameters = &document["paths"]["/v1/actions/{id}/attribution"]["get"]["parameters"];
    let schema = |name: &str| {
        let parameter = parameters.as_array().unwrap().iter().find(|one| one["name"] == name);
        parameter.map(|parameter| parameter["schema"].clone())
    };
    assert_eq!(schema("method").unwrap()["enum"], json!(accredit::METHOD_NAMES));
    for option in accredit::METHODS.iter().flat_map(|info| info.options) {
        let expected = json!({ "type": "number", "minimum": option.min, "maximum": option.max });
        assert_eq!(schema(option.name), Some(expected), "{}", option.name);
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(array) => array.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = accredit_server::openapi();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.contains("#/components/schemas/Attribution"), "{found:?}");
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

/// The table is the only place that adds routes.
#[test]
fn no_route_is_outside_the_table() {
    let source = include_str!("../../src/serve.rs");
    assert_eq!(source.matches(".route(").count(), 1);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let adds = [".route(", ".nest(", ".merge(", ".route_service("].iter().any(|call| text.contains(call));
        assert!(!adds || path.ends_with("serve.rs"), "{} adds routes", path.display());
    }
}
