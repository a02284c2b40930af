//! Problem details (RFC 9457): the one form of every error.

use std::error::Error as _;
use std::fmt::Write as _;

use accredit::{ErrorKind, Refusal, WireError};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::with_media;

/// The media type of problem details.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// An error on its way to the caller.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

/// Problem details as in RFC 9457, with the code that programs go by.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemDetails {
    /// Names the kind of problem: `/problems/` and the code. It identifies; there is no page behind it.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem in words.
    title: String,
    /// The status of the answer, repeated.
    status: u16,
    /// What went wrong this time and what can be done about it.
    detail: String,
    /// The kind of problem as a stable code: `unknown_action`, `conflict`, `invalid_parameter`…
    code: &'static str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    pub(crate) fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path; GET /openapi.json lists all")
    }

    pub(crate) fn method_not_allowed() -> Self {
        let detail = "this path does not take this method; the header `Allow` lists those it takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    pub(crate) fn internal() -> Self {
        let detail = "the server failed; its log says more. Repeating the request may help";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The code and the detail, for an answer that is one of many.
    pub(crate) fn into_reason(self) -> (&'static str, String) {
        (self.code, self.detail)
    }

    /// The same problem as a mistake in a query parameter.
    pub(crate) fn in_parameter(self, name: &str) -> Self {
        Self::bad_request("invalid_parameter", format!("parameter `{name}`: {}", self.detail))
    }
}

/// The one table from the engine's errors to statuses.
fn status(error: &accredit::Error) -> StatusCode {
    match (error.kind(), error.code()) {
        (_, "overloaded") => StatusCode::TOO_MANY_REQUESTS,
        (_, "malformed") => StatusCode::BAD_REQUEST,
        (_, "read_only") => StatusCode::FORBIDDEN,
        // Whoever set the server up can help it, no caller can.
        (_, "config" | "sink" | "export" | "no_store" | "store_unusable") => StatusCode::INTERNAL_SERVER_ERROR,
        (ErrorKind::Expected, _) => StatusCode::UNPROCESSABLE_ENTITY,
        (ErrorKind::NotFound, _) => StatusCode::NOT_FOUND,
        (ErrorKind::Conflict, _) => StatusCode::CONFLICT,
        (ErrorKind::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        (ErrorKind::Corrupt | ErrorKind::Bug, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<accredit::Error> for Problem {
    fn from(error: accredit::Error) -> Self {
        let (status, code) = (status(&error), error.code());
        if status.is_server_error() {
            tracing::error!(code, error = %chain(&error), "a request failed");
        }
        let detail = match error {
            accredit::Error::Refused(refusal) => refusal.detail,
            error => error.to_string(),
        };
        Self { status, code, detail }
    }
}

impl From<WireError> for Problem {
    fn from(error: WireError) -> Self {
        Self::from(accredit::Error::Refused(Refusal::from(error)))
    }
}

/// The error and its causes in one line.
fn chain(error: &accredit::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a `String` cannot fail.
        let _infallible = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, detail } = self;
        let details = ProblemDetails {
            kind: format!("/problems/{code}"),
            title: code.replace('_', " "),
            status: status.as_u16(),
            detail,
            code,
        };
        // Five plain fields always print.
        let body = serde_json::to_vec(&details).unwrap_or_default();
        let mut response = with_media(status, PROBLEM_JSON, Body::from(body));
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
