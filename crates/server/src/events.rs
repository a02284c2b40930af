//! `GET /v1/events`: committed events as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use futures_util::{Stream, StreamExt};
use serde_json::Value;

use crate::app::App;
use crate::problem::Problem;
use crate::routes::LAST_EVENT_ID;

/// A comment is sent where nothing else was for so long, so that both sides notice a dead connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(crate) async fn events(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let place = app.admit_stream()?;
    let subscription = app.engine().subscribe(last_event_id(&headers)?);
    let events = stream::unfold((subscription, place), |(mut subscription, place)| async {
        let event = subscription.recv().await?;
        Some((to_sse(&event), (subscription, place)))
    });
    Ok(answer(&app, events))
}

/// The event's topic, its id to resume after, and its data.
fn to_sse(event: &accredit::Event) -> Event {
    let body = serde_json::to_value(&event.body).map(|mut body| body.get_mut("data").map(Value::take));
    let data = body.ok().flatten().unwrap_or_default();
    Event::default().event(event.body.topic()).id(&event.id).data(data.to_string())
}

/// The stream as an answer that ends when the server stops.
pub(crate) fn answer(app: &App, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let events = events.take_until(Box::pin(app.stopping())).map(Ok::<_, Infallible>);
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

pub(crate) fn last_event_id(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(id) = headers.get(LAST_EVENT_ID.name) else { return Ok(None) };
    let no_text = |_| Problem::bad_request("invalid_header", "header `Last-Event-ID`: not plain ASCII text");
    id.to_str().map(Some).map_err(no_text)
}
