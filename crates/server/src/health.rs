//! Whether the server runs, whether it takes writes, and its metrics.

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::{App, json, with_media};
use crate::problem::Problem;
use crate::route::METRICS;

/// All is well.
#[derive(Serialize, JsonSchema)]
pub(crate) struct HealthAnswer {
    /// `ok`; anything else is a problem with a status of its own.
    status: &'static str,
}

const OK: HealthAnswer = HealthAnswer { status: "ok" };

/// `GET /healthz`.
pub(crate) async fn alive() -> Result<Response, Problem> {
    json(StatusCode::OK, &OK)
}

/// `GET /readyz`: 503 where the store does not take writes, whatever the reason.
pub(crate) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    app.answer(|engine| match engine.is_writable() {
        Ok(()) => Ok(OK),
        Err(error) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), error.to_string())),
    })
    .await
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let stats = app.blocking(|engine| Ok(engine.stats()?)).await?;
    Ok(with_media(StatusCode::OK, METRICS, Body::from(app.meter().render(&stats))))
}
