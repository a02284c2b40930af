//! The OpenAPI 3.1 document, built from the route table and the types themselves.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use accredit::Timestamp;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::app::with_media;
use crate::param::Param;
use crate::problem::{PROBLEM_JSON, ProblemDetails};
use crate::route::{Answer, JSON, Route};
use crate::routes::ROUTES;

/// What any call may answer: an unknown parameter, a foreign origin, a foreign host, a failure, too much at work.
const ANY: [u16; 5] = [400, 403, 421, 500, 503];

/// What a call with a body may answer besides.
const WITH_BODY: [u16; 3] = [408, 413, 415];

/// What a call with an id in its path may answer besides: no such action, or an id (empty, `.`) that makes another
/// path.
const WITH_ID: [u16; 2] = [404, 405];

/// The OpenAPI 3.1 document of all calls.
#[must_use]
pub fn openapi() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    // Parameters refer to it by name.
    generator.subschema_for::<Timestamp>();
    let problem = generator.subschema_for::<ProblemDetails>();
    let mut paths = Map::new();
    for route in ROUTES {
        let operation = operation(route, &mut generator);
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.verb.key()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "accredit",
            "description": "Gives each step of an agent's work the credit it earned. Errors are problem details.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "responses": {
                "Problem": { "description": "What went wrong", "content": { PROBLEM_JSON: { "schema": problem } } },
            },
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": responses(route, generator),
    });
    if let Some(body) = &route.body {
        let mut content = json!({ body.media: { "schema": (body.schema)(generator) } });
        if let Some((media, schema)) = body.also {
            content[media] = json!({ "schema": schema(generator) });
        }
        operation["requestBody"] = json!({ "required": body.is_required, "content": content });
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let id = json!({
        "name": "id",
        "in": "path",
        "required": true,
        "description": "The action's id",
        "schema": { "type": "string", "format": "uuid" },
    });
    let agent_id = json!({
        "name": "agent_id",
        "in": "path",
        "required": true,
        "description": "The agent's id",
        "schema": { "type": "string", "minLength": 1 },
    });
    let has_agent_id = route.path.contains("{agent_id}");
    has_id(route)
        .then_some(id)
        .into_iter()
        .chain(has_agent_id.then_some(agent_id))
        .chain(route.query.iter().map(|param| describe(param, "query")))
        .chain(route.headers.iter().map(|param| describe(param, "header")))
        .collect()
}

fn describe(param: &Param, place: &str) -> Value {
    json!({ "name": param.name, "in": place, "description": param.summary, "schema": param.kind.schema() })
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> Map<String, Value> {
    let mut responses = Map::new();
    for Answer { status, media, summary, schema } in route.answers {
        let response =
            responses.entry(status.to_string()).or_insert_with(|| json!({ "description": summary, "content": {} }));
        response["content"][media] = json!({ "schema": schema(generator) });
    }
    let mut problems: BTreeSet<u16> = ANY.iter().chain(route.problems).copied().collect();
    problems.extend(WITH_BODY.iter().filter(|_| route.body.is_some()));
    problems.extend(WITH_ID.iter().filter(|_| has_id(route)));
    for status in problems {
        responses.insert(status.to_string(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    responses
}

fn has_id(route: &Route) -> bool {
    route.path.contains("{id}")
}

/// `GET /openapi.json`.
pub(crate) async fn document() -> Response {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| openapi().to_string().into());
    with_media(StatusCode::OK, JSON, Body::from(DOCUMENT.clone()))
}
