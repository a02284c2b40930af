//! Beginning, completing, revising, cancelling actions, and their heartbeat.

use accredit::{ActionId, Begin, Cancel, Completion, Revision, body_from_json};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::{App, json};
use crate::body::{Document, Id};
use crate::problem::Problem;

/// The answer to a begin.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BeginAnswer {
    /// The action's id: the client's own, or made by accredit.
    action_id: ActionId,
}

/// A heartbeat says nothing more.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Heartbeat {}

/// The answer to a heartbeat.
#[derive(Serialize, JsonSchema)]
pub(crate) struct HeartbeatAnswer {
    /// The action that is still open.
    action_id: ActionId,
}

pub(crate) async fn begin(State(app): State<App>, Document(text): Document) -> Result<Response, Problem> {
    let begin: Begin = body_from_json(&text)?;
    let begun = app.blocking(|engine| Ok(engine.begin(begin)?)).await?;
    let status = if begun.repeat { StatusCode::OK } else { StatusCode::CREATED };
    json(status, &BeginAnswer { action_id: begun.action_id })
}

pub(crate) async fn complete(State(app): State<App>, Id(id): Id, document: Document) -> Result<Response, Problem> {
    let completion: Completion = body_from_json(&document.or_empty_object())?;
    app.answer(move |engine| Ok(engine.complete(id, completion)?)).await
}

pub(crate) async fn revise(State(app): State<App>, Id(id): Id, document: Document) -> Result<Response, Problem> {
    let revision: Revision = body_from_json(&document.or_empty_object())?;
    app.answer(move |engine| Ok(engine.revise(id, revision)?)).await
}

pub(crate) async fn cancel(State(app): State<App>, Id(id): Id, document: Document) -> Result<Response, Problem> {
    let cancel: Cancel = body_from_json(&document.or_empty_object())?;
    app.answer(move |engine| Ok(engine.cancel(id, cancel)?)).await
}

pub(crate) async fn heartbeat(State(app): State<App>, Id(id): Id, document: Document) -> Result<Response, Problem> {
    let Heartbeat {} = body_from_json(&document.or_empty_object())?;
    app.answer(move |engine| {
        engine.heartbeat(id)?;
        Ok(HeartbeatAnswer { action_id: id })
    })
    .await
}
