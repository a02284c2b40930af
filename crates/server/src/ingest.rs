//! `POST /v1/ingest`: NDJSON commands in, one NDJSON answer for each, in order.
//!
//! Reading and answering do not wait for each other: most clients read nothing before they have sent everything, and a
//! server that then waits to be read would wait for ever. Answers wait in memory up to a limit instead.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use accredit::{ActionId, Applied, Attribution, Command, Recorded, Refusal, RefusalReason, Seq, Verdict, Version};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;

use crate::app::{App, with_media};
use crate::body::require_media;
use crate::lines::{Line, Lines};
use crate::problem::Problem;
use crate::route::NDJSON;

/// Lines handed to the engine at once.
const BATCH_LINES_MAX: usize = 1024;

/// Bytes of lines handed to the engine at once; the last line may reach beyond.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// How long a batch that is not full waits for more lines. A client that sends one line and waits pays this.
const LINGER: Duration = Duration::from_millis(2);

/// Bytes of answers that wait to be read.
const ANSWERS_BYTES_MAX: usize = 64 << 20;

/// How long a client that reads nothing holds up its own lines, once so many answers wait.
const STALL_MAX: Duration = Duration::from_secs(30);

pub(crate) async fn ingest(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    require_media(&headers, is_ndjson, NDJSON)?;
    let place = app.admit_stream()?;
    // Not bounded by its length: the bytes in it are, by permits that travel with them.
    let (out, answers) = unbounded_channel();
    let ingest =
        Ingest { app, out, room: Arc::new(Semaphore::new(ANSWERS_BYTES_MAX)), waiting: Vec::new(), n_bytes: 0 };
    let work = async move {
        ingest.run(body).await;
        drop(place);
    };
    tokio::spawn(work.in_current_span());
    let answers = stream::unfold(answers, async |mut answers| {
        let answer: io::Result<(Bytes, OwnedSemaphorePermit)> = answers.recv().await?;
        Some((answer.map(|(bytes, _room)| bytes), answers))
    });
    Ok(with_media(StatusCode::OK, NDJSON, Body::from_stream(answers)))
}

fn is_ndjson(essence: &str) -> bool {
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/json"].contains(&essence)
}

struct Ingest {
    app: App,
    out: UnboundedSender<io::Result<(Bytes, OwnedSemaphorePermit)>>,
    room: Arc<Semaphore>,
    /// Lines that were read and not applied yet, and their bytes.
    waiting: Vec<Line>,
    n_bytes: usize,
}

impl Ingest {
    async fn run(mut self, body: Body) {
        if let Err(error) = self.read(body).await {
            tracing::debug!(%error, "an ingest was cut off");
            // Breaks the answer off, so that the client does not take it for whole. It may be gone already.
            drop(self.out.send(Err(error)));
        }
    }

    async fn read(&mut self, body: Body) -> io::Result<()> {
        let mut chunks = body.into_data_stream();
        let mut lines = Lines::default();
        let mut stopping = Box::pin(self.app.stopping());
        loop {
            let linger = if self.waiting.is_empty() { Duration::MAX } else { LINGER };
            let chunk = tokio::select! {
                chunk = tokio::time::timeout(linger, chunks.next()) => chunk,
                () = &mut stopping => {
                    self.apply().await?;
                    return Err(io::Error::other("the server stops"));
                }
            };
            match chunk {
                Err(_lingered) => self.apply().await?,
                Ok(Some(Ok(bytes))) => self.take(&mut lines, &bytes).await?,
                Ok(Some(Err(error))) => {
                    self.apply().await?;
                    return Err(io::Error::other(error));
                }
                Ok(None) => break,
            }
        }
        lines.finish(|line| self.waiting.push(line));
        self.apply().await
    }

    async fn take(&mut self, lines: &mut Lines, bytes: &[u8]) -> io::Result<()> {
        lines.feed(bytes, |line| self.waiting.push(line));
        self.n_bytes += bytes.len();
        if self.waiting.len() >= BATCH_LINES_MAX || self.n_bytes >= BATCH_BYTES_MAX {
            self.apply().await
        } else {
            Ok(())
        }
    }

    /// Applies the lines that wait, and answers them.
    async fn apply(&mut self) -> io::Result<()> {
        self.n_bytes = 0;
        let mut lines = std::mem::take(&mut self.waiting).into_iter();
        loop {
            let batch: Vec<Line> = lines.by_ref().take(BATCH_LINES_MAX).collect();
            if batch.is_empty() {
                return Ok(());
            }
            let answers = self.app.blocking(|engine| Ok(apply(engine, batch))).await;
            let answers = answers.map_err(|_| io::Error::other("a batch of lines was not finished"))?;
            self.send(answers).await?;
        }
    }

    async fn send(&self, answers: Bytes) -> io::Result<()> {
        let n_bytes = u32::try_from(answers.len().min(ANSWERS_BYTES_MAX)).map_err(io::Error::other)?;
        let room = tokio::time::timeout(STALL_MAX, Arc::clone(&self.room).acquire_many_owned(n_bytes)).await;
        let room = room.map_err(|_| io::Error::other("the client does not read its answers"))?;
        let room = room.map_err(io::Error::other)?;
        self.out.send(Ok((answers, room))).map_err(|_| io::Error::other("the client has gone"))
    }
}

fn apply(engine: &accredit::Engine, lines: Vec<Line>) -> Bytes {
    let mut unreadable = Vec::new();
    let (numbers, commands): (Vec<u64>, Vec<Result<Command, Refusal>>) =
        lines.into_iter().map(|line| (line.number, read(line, &mut unreadable))).unzip();
    // Counted first, so that the count is durable with the answers.
    if !unreadable.is_empty() {
        engine.refused_elsewhere(&unreadable);
    }
    let mut answers = Vec::with_capacity(numbers.len() * 48);
    for (number, applied) in numbers.into_iter().zip(engine.apply(commands)) {
        if let Err(error) = serde_json::to_writer(&mut answers, &LineAnswer::new(number, applied)) {
            // Plain fields and finite numbers always print.
            tracing::error!(%error, "cannot write an answer as JSON");
        }
        answers.push(b'\n');
    }
    answers.into()
}

/// Reads the command. One that cannot be read, and may have been an entry, counts as an entry that arrived.
fn read(line: Line, unreadable: &mut Vec<RefusalReason>) -> Result<Command, Refusal> {
    #[derive(Deserialize)]
    struct Operation {
        op: String,
    }
    const NO_ENTRIES: [&str; 5] = ["begin", "complete", "revise", "cancel", "heartbeat"];

    let (refusal, operation) = match line.text {
        Ok(text) => match Command::from_json(&text) {
            Ok(command) => return Ok(command),
            Err(error) => (Refusal::from(error), serde_json::from_str(&text).ok()),
        },
        Err(refusal) => (refusal, None),
    };
    if !operation.is_some_and(|Operation { op }| NO_ENTRIES.contains(&op.as_str())) {
        unreadable.push(refusal.reason);
    }
    Err(refusal)
}

/// The answer to one line.
#[derive(Default, Serialize)]
struct LineAnswer {
    line: u64,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_id: Option<ActionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    success_score: Option<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repeat: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl LineAnswer {
    fn new(line: u64, applied: Applied) -> Self {
        let ok = Self { line, ok: true, ..Self::default() };
        match applied {
            Applied::Begun(begun) => Self { action_id: Some(begun.action_id), repeat: begun.repeat, ..ok },
            Applied::Entry(Recorded::Stored { seq, repeat }) => Self { seq: Some(seq), repeat, ..ok },
            Applied::Entry(Recorded::Refused(refusal)) => Self::refused(line, refusal.reason.code(), refusal.detail),
            Applied::Attributed(attribution) => {
                let Attribution { action_id, version, verdict, success_score, repeat, .. } = *attribution;
                Self {
                    action_id: Some(action_id),
                    version: Some(version),
                    verdict: Some(verdict),
                    success_score: Some(success_score),
                    repeat,
                    ..ok
                }
            }
            Applied::Alive | Applied::Accepted => ok,
            Applied::Failed(error) => {
                let (reason, detail) = Problem::from(error).into_reason();
                Self::refused(line, reason, detail)
            }
        }
    }

    fn refused(line: u64, reason: &'static str, detail: String) -> Self {
        Self { line, reason: Some(reason), detail: Some(detail), ..Self::default() }
    }
}
