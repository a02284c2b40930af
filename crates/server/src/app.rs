//! What every handler shares.

use std::future::Future;
use std::sync::Arc;

use accredit::Engine;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, watch};

use crate::meter::Meter;
use crate::problem::Problem;

/// Requests at work at once, long polls included.
const REQUESTS_MAX: usize = 1024;

/// Streams open at once: events, experiences, ingest.
const STREAMS_MAX: usize = 256;

/// The engine, and what the server knows of itself. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    engine: Engine,
    shared: Arc<Shared>,
}

struct Shared {
    meter: Meter,
    requests: Semaphore,
    streams: Arc<Semaphore>,
    stop: watch::Sender<bool>,
}

impl App {
    pub(crate) fn new(engine: Engine) -> Self {
        let shared = Shared {
            meter: Meter::default(),
            requests: Semaphore::new(REQUESTS_MAX),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            stop: watch::Sender::new(false),
        };
        Self { engine, shared: Arc::new(shared) }
    }

    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    /// Tells streams and long polls to end.
    pub(crate) fn stop(&self) {
        self.shared.stop.send_replace(true);
    }

    /// Resolves when the server was told to stop.
    pub(crate) fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.shared.stop.subscribe();
        async move {
            // An error means that the sender is gone with the server, which is a stop too.
            drop(stop.wait_for(|stop| *stop).await);
        }
    }

    /// A place among the requests at work.
    pub(crate) fn admit(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.shared.requests.try_acquire().map_err(|_| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_requests_at_work",
                format!("{REQUESTS_MAX} requests are at work; repeat this one in a moment"),
            )
        })
    }

    /// A place among the open streams, held as long as the stream is.
    pub(crate) fn admit_stream(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.shared.streams).try_acquire_owned().map_err(|_| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_streams",
                format!("{STREAMS_MAX} streams are open; close one or repeat this request later"),
            )
        })
    }

    /// Runs blocking work on a thread made for it.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let engine = self.engine.clone();
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || span.in_scope(|| work(&engine))).await.unwrap_or_else(|error| {
            // The panic hook has already told where it happened.
            tracing::error!(%error, "a request's work did not finish");
            Err(Problem::internal())
        })
    }

    /// Runs blocking work and answers 200 with the JSON of its result.
    pub(crate) async fn answer<T: Serialize>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        // A long chain takes a while to write, so it is written on the same thread.
        self.blocking(|engine| work(engine).and_then(|answer| json(StatusCode::OK, &answer))).await
    }
}

/// An answer with a JSON body.
pub(crate) fn json<T: Serialize + ?Sized>(status: StatusCode, answer: &T) -> Result<Response, Problem> {
    let body = serde_json::to_vec(answer).map_err(|error| {
        tracing::error!(%error, "cannot write an answer as JSON");
        Problem::internal()
    })?;
    Ok(with_media(status, "application/json", body.into()))
}

/// An answer with a body of this media type.
pub(crate) fn with_media(status: StatusCode, media: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
