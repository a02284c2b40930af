//! Request bodies and ids in paths.

use std::time::Duration;

use accredit::ActionId;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;

use crate::problem::Problem;

/// The longest JSON body.
pub(crate) const BODY_BYTES_MAX: usize = 8 << 20;

/// How long a body may pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The action named in the path. What is no UUID names no action.
pub(crate) struct Id(pub(crate) ActionId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.ok().and_then(|Path(text)| text.parse().ok()).map(Self).ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, "unknown_action", "the id in the path is no UUID, so no action has it")
        })
    }
}

/// A JSON body, unparsed. An empty body is the empty text, whatever its declared type.
pub(crate) struct Document(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Document {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let declared = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if declared.is_some_and(|bytes: usize| bytes > BODY_BYTES_MAX) {
            return Err(too_large());
        }
        let bytes = read(body).await?;
        if !bytes.is_empty() {
            require_media(&parts.headers, is_json, "application/json")?;
        }
        let not_utf8 = |_| Problem::bad_request("malformed", "the body is not UTF-8 text");
        String::from_utf8(bytes).map(Self).map_err(not_utf8)
    }
}

impl Document {
    /// The text, or `{}` for a body in which nothing was said.
    pub(crate) fn or_empty_object(self) -> String {
        if self.0.trim().is_empty() { "{}".to_owned() } else { self.0 }
    }
}

async fn read(body: Body) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    loop {
        let Ok(chunk) = tokio::time::timeout(PAUSE_MAX, chunks.next()).await else {
            let detail = format!("the body paused for {} s; send the request again", PAUSE_MAX.as_secs());
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail));
        };
        match chunk {
            None => return Ok(bytes),
            Some(Ok(chunk)) if bytes.len() + chunk.len() > BODY_BYTES_MAX => return Err(too_large()),
            Some(Ok(chunk)) => bytes.extend_from_slice(&chunk),
            Some(Err(_)) => return Err(Problem::bad_request("malformed", "the body broke off")),
        }
    }
}

fn too_large() -> Problem {
    let detail = format!("a body has at most {BODY_BYTES_MAX} bytes; send several, or stream them to POST /v1/ingest");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

/// Refuses a body that says it is something else. A body without a type is taken for what it should be.
pub(crate) fn require_media(headers: &HeaderMap, is_it: fn(&str) -> bool, wanted: &str) -> Result<(), Problem> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = given.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if is_it(&essence) {
        return Ok(());
    }
    let detail = format!("this call takes `Content-Type: {wanted}`, or none");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}
