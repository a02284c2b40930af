//! The form of a row in the route table.

use axum::http::Method;
use axum::routing::MethodRouter;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::app::App;
use crate::param::Param;

pub(crate) const JSON: &str = "application/json";
pub(crate) const NDJSON: &str = "application/x-ndjson";
pub(crate) const SSE: &str = "text/event-stream";
pub(crate) const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Derives a schema, leaving what it refers to in the generator.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

pub(crate) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// One object or an array of them.
pub(crate) fn one_or_many<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let one = generator.subschema_for::<T>();
    schemars::json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
}

/// Any command, with its `op`. What its schema defines moves to where the generator keeps definitions.
pub(crate) fn command(generator: &mut SchemaGenerator) -> Schema {
    let schemas = accredit::json_schemas().into_iter().find(|(name, _)| *name == "command");
    let text = schemas.map(|(_, schema)| schema.to_string()).unwrap_or_default();
    let text = text.replace("\"#/$defs/", "\"#/components/schemas/");
    let mut schema: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    schema.remove("$schema");
    if let Some(Value::Object(definitions)) = schema.remove("$defs") {
        generator.definitions_mut().extend(definitions);
    }
    schema.into()
}

/// The methods in use.
#[derive(Clone, Copy)]
pub(crate) enum Verb {
    Get,
    Post,
}

impl Verb {
    /// Its key in the OpenAPI document.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
        }
    }

    /// Whether it takes this method; where there is a GET, there is a HEAD.
    pub(crate) fn takes(self, method: &Method) -> bool {
        match self {
            Self::Get => method == Method::GET || method == Method::HEAD,
            Self::Post => method == Method::POST,
        }
    }
}

/// One call: what serves it and what the OpenAPI document says of it.
pub(crate) struct Route {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    /// The OpenAPI `operationId`.
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [Param],
    pub(crate) headers: &'static [Param],
    pub(crate) body: Option<Input>,
    pub(crate) answers: &'static [Answer],
    /// Statuses of problems beyond those that any call, any call with a body, or any call with an id can have.
    pub(crate) problems: &'static [u16],
    pub(crate) handler: fn() -> MethodRouter<App>,
}

/// What a call takes.
pub(crate) struct Input {
    pub(crate) media: &'static str,
    pub(crate) is_required: bool,
    pub(crate) schema: SchemaOf,
    /// Another type that it takes.
    pub(crate) also: Option<(&'static str, SchemaOf)>,
}

/// What a call answers when all is well.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) media: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) schema: SchemaOf,
}

impl Route {
    pub(crate) const fn get(path: &'static str, name: &'static str, handler: fn() -> MethodRouter<App>) -> Self {
        Self {
            verb: Verb::Get,
            path,
            name,
            summary: "",
            query: &[],
            headers: &[],
            body: None,
            answers: &[],
            problems: &[],
            handler,
        }
    }

    pub(crate) const fn post(path: &'static str, name: &'static str, handler: fn() -> MethodRouter<App>) -> Self {
        Self { verb: Verb::Post, ..Self::get(path, name, handler) }
    }
}

impl Input {
    pub(crate) const fn required(media: &'static str, schema: SchemaOf) -> Self {
        Self { media, is_required: true, schema, also: None }
    }

    pub(crate) const fn optional(media: &'static str, schema: SchemaOf) -> Self {
        Self { media, is_required: false, schema, also: None }
    }
}

impl Answer {
    pub(crate) const fn json(status: u16, summary: &'static str, schema: SchemaOf) -> Self {
        Self { status, media: JSON, summary, schema }
    }

    pub(crate) const fn text(media: &'static str, summary: &'static str) -> Self {
        Self { status: 200, media, summary, schema: of::<String> }
    }
}
