//! `GET /v1/experiences`: the durable feed for learners, by pages, by long poll, or as server-sent events.

use std::collections::VecDeque;
use std::time::Duration;

use accredit::{EventBody, Experience, Subscription};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::response::sse::Event;
use futures_util::stream;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::app::{App, json};
use crate::events::{answer, last_event_id};
use crate::param::Query;
use crate::problem::Problem;
use crate::route::SSE;
use crate::routes::{AFTER, LIMIT, WAIT};

/// A page ends with the experience that reaches this size.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// Experiences read at once; chains may be long, so few.
const READ_AT_ONCE: usize = 8;

/// Events wake whoever waits; an engine that reads beside another process hears none of that one's, so it looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// A page of the feed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct FeedAnswer {
    /// In order of their cursors.
    #[schemars(schema_with = "experiences_schema")]
    experiences: Vec<Box<RawValue>>,
    /// What to give as `after` next; the same as before where there was nothing.
    next_cursor: u64,
}

fn experiences_schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Vec<Experience>>()
}

pub(crate) async fn experiences(State(app): State<App>, query: Query, headers: HeaderMap) -> Result<Response, Problem> {
    let mut after: u64 = query.count(&AFTER)?.unwrap_or_default();
    let limit = query.size(&LIMIT)?;
    let wait = Duration::from_secs_f64(query.seconds(&WAIT)?);
    let accepts_events =
        headers.get_all(header::ACCEPT).iter().any(|accept| accept.as_bytes().starts_with(SSE.as_bytes()));
    if !accepts_events {
        let page = wait_for_page(&app, after, limit, Instant::now() + wait).await?;
        let next_cursor = page.last().map_or(after, |(cursor, _)| *cursor);
        let experiences = page.into_iter().map(|(_, experience)| experience).collect();
        return json(axum::http::StatusCode::OK, &FeedAnswer { experiences, next_cursor });
    }
    if let Some(id) = last_event_id(&headers)? {
        let cursor = id.parse().ok().filter(|cursor| i64::try_from(*cursor).is_ok());
        let no_cursor = || Problem::bad_request("invalid_header", "header `Last-Event-ID`: not a cursor of this feed");
        after = cursor.ok_or_else(no_cursor)?;
    }
    let feed = Feed { place: app.admit_stream()?, app: app.clone(), after, ready: VecDeque::new() };
    Ok(answer(&app, stream::unfold(feed, async |mut feed| Some((feed.next().await?, feed)))))
}

type Page = Vec<(u64, Box<RawValue>)>;

/// The experiences after a cursor; where there are none, those that come before the deadline.
async fn wait_for_page(app: &App, after: u64, limit: usize, deadline: Instant) -> Result<Page, Problem> {
    // Subscribed before reading, so that nothing falls in between.
    let mut subscription = (deadline > Instant::now()).then(|| app.engine().subscribe(None));
    let mut stopping = Box::pin(app.stopping());
    loop {
        let page = app.blocking(move |engine| read_page(engine, after, limit)).await?;
        let Some(subscription) = subscription.as_mut().filter(|_| page.is_empty() && Instant::now() < deadline) else {
            return Ok(page);
        };
        let until = deadline.min(Instant::now() + LOOK_AGAIN);
        tokio::select! {
            _ = tokio::time::timeout_at(until, heard(subscription)) => {}
            () = &mut stopping => return Ok(page),
        }
    }
}

/// Resolves when there may be a new experience.
async fn heard(subscription: &mut Subscription) {
    loop {
        match subscription.recv().await {
            Some(event) if !matches!(event.body, EventBody::Completed { .. } | EventBody::Gap { .. }) => {}
            Some(_) => return,
            // The engine has closed: nothing will come, and the next reading says so.
            None => return std::future::pending().await,
        }
    }
}

fn read_page(engine: &accredit::Engine, after: u64, limit: usize) -> Result<Page, Problem> {
    let mut page = Page::new();
    let (mut bytes, mut after) = (0, after);
    while page.len() < limit && bytes < PAGE_BYTES_MAX {
        let wanted = READ_AT_ONCE.min(limit - page.len());
        let experiences = engine.experiences(after, wanted)?;
        let is_end = experiences.len() < wanted;
        for experience in experiences {
            let text = to_raw_value(&experience).map_err(|error| {
                tracing::error!(%error, "cannot write an experience as JSON");
                Problem::internal()
            })?;
            bytes += text.get().len();
            after = experience.cursor;
            page.push((after, text));
        }
        if is_end {
            break;
        }
    }
    Ok(page)
}

/// The feed as a stream without end.
struct Feed {
    app: App,
    after: u64,
    ready: VecDeque<(u64, Box<RawValue>)>,
    #[expect(dead_code, reason = "held for as long as the stream is open")]
    place: OwnedSemaphorePermit,
}

impl Feed {
    async fn next(&mut self) -> Option<Event> {
        while self.ready.is_empty() {
            let deadline = Instant::now() + Duration::from_secs(30);
            // An error ends the stream; the learner connects again and resumes.
            self.ready = wait_for_page(&self.app, self.after, READ_AT_ONCE, deadline).await.ok()?.into();
        }
        let (cursor, experience) = self.ready.pop_front()?;
        self.after = cursor;
        Some(Event::default().event("experience").id(cursor.to_string()).data(experience.get()))
    }
}
