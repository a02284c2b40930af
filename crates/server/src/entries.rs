//! Recording steps and observations. Each entry stands for itself: one that cannot be read is refused at its index and
//! the others are recorded.

use accredit::{ActionId, Engine, EntryBody, Recorded, Refusal, RefusalReason, Seq, Ticket, WireError, body_from_json};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::runtime::Handle;

use crate::app::{App, json};
use crate::body::{Document, Id};
use crate::problem::Problem;
use crate::routes::IDEMPOTENCY_KEY;

/// Entries in one body: a body of eight million brackets would be answered by a gigabyte of refusals.
const ENTRIES_MAX: usize = 65_536;

/// Bodies up to this size are read and guarded where the request is; longer ones on a thread of their own, so that they
/// hold up nobody.
const INLINE_BYTES_MAX: usize = 32 << 10;

/// The nil UUID.
const NO_ACTION: ActionId = ActionId::from_bytes([0; 16]);

/// The answer to recording entries.
#[derive(Serialize, JsonSchema)]
pub(crate) struct EntriesAnswer {
    /// How many are stored now, those that had been stored before under the same key included.
    recorded: u64,
    /// Those that were not, in order.
    refused: Vec<RefusedEntry>,
    /// Position in the action of the first that is stored.
    first_seq: Option<Seq>,
}

/// One entry that was not recorded.
#[derive(Serialize, JsonSchema)]
struct RefusedEntry {
    /// Its position in the body; 0 for a single object.
    index: usize,
    /// The code that it is counted under.
    reason: RefusalReason,
    /// What was wrong.
    detail: String,
}

pub(crate) async fn steps(
    State(app): State<App>,
    id: Result<Id, Problem>,
    headers: HeaderMap,
    Document(text): Document,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let is_short = text.len() <= INLINE_BYTES_MAX;
    let work = move |engine: &Engine| {
        submit(engine, id.ok(), key.as_deref(), &text, |text| body_from_json(text).map(EntryBody::Step))
    };
    let submitted = if is_short { work(app.engine()) } else { app.blocking(work).await }?;
    json(StatusCode::OK, &submitted.answer().await?)
}

pub(crate) async fn observations(
    State(app): State<App>,
    id: Result<Id, Problem>,
    headers: HeaderMap,
    Document(text): Document,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let runtime = Handle::current();
    // One that comes after the closing is scored by whoever waits for it: that is no work for a thread of the runtime.
    app.answer(move |engine| {
        let read = |text: &str| body_from_json(text).map(EntryBody::Observation);
        let submitted = submit(engine, id.ok(), key.as_deref(), &text, read)?;
        runtime.block_on(submitted.answer())
    })
    .await
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY.name) else { return Ok(None) };
    let no_text = |_| Problem::bad_request("invalid_header", "header `Idempotency-Key`: not plain ASCII text");
    key.to_str().map(|key| Some(key.to_owned())).map_err(no_text)
}

/// Entries on their way to the store, and those that will not get there.
struct Submitted {
    ticket: Ticket<Vec<Recorded>>,
    /// Positions in the body of the entries behind the ticket.
    indices: Vec<usize>,
    refused: Vec<RefusedEntry>,
}

fn submit(
    engine: &Engine,
    id: Option<Id>,
    key: Option<&str>,
    text: &str,
    read: fn(&str) -> Result<EntryBody, WireError>,
) -> Result<Submitted, Problem> {
    let mut refusals = Vec::new();
    let (mut bodies, mut indices) = (Vec::new(), Vec::new());
    for (index, raw) in elements(text)?.into_iter().enumerate() {
        let body = if id.is_some() { read(raw.get()).map_err(Refusal::from) } else { Err(no_id()) };
        match body {
            Ok(mut body) => {
                if let Some(key) = key {
                    own_key(&mut body).get_or_insert_with(|| format!("{key}#{index}"));
                }
                bodies.push(body);
                indices.push(index);
            }
            Err(refusal) => refusals.push((index, refusal)),
        }
    }
    // Counted first, so that the count is durable with the answer.
    let reasons: Vec<RefusalReason> = refusals.iter().map(|(_, refusal)| refusal.reason).collect();
    if !reasons.is_empty() {
        engine.refused_elsewhere(&reasons);
    }
    // Where there is no action there are no bodies: then it waits for the count alone.
    let ticket = engine.try_record(id.map_or(NO_ACTION, |Id(id)| id), bodies)?;
    let refused = refusals.into_iter().map(|(index, refusal)| RefusedEntry::new(index, refusal)).collect();
    Ok(Submitted { ticket, indices, refused })
}

/// The elements of the array, or the one object, each unparsed.
fn elements(text: &str) -> Result<Vec<&RawValue>, Problem> {
    let parsed = match text.trim_start().as_bytes().first() {
        Some(b'[') => serde_json::from_str(text),
        Some(b'{') => serde_json::from_str(text).map(|one| vec![one]),
        _ => return Err(Problem::bad_request("malformed", "the body is neither a JSON object nor an array of them")),
    };
    let elements: Vec<&RawValue> = parsed.map_err(|error| {
        let detail = format!("the body is not JSON (line {}, column {})", error.line(), error.column());
        Problem::bad_request("malformed", detail)
    })?;
    if elements.len() > ENTRIES_MAX {
        let detail = format!("a body has at most {ENTRIES_MAX} entries; send several, or POST /v1/ingest");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_entries", detail));
    }
    Ok(elements)
}

fn no_id() -> Refusal {
    Refusal::new(RefusalReason::InvalidId, "the id in the path is no UUID, so no action has it")
}

const fn own_key(body: &mut EntryBody) -> &mut Option<String> {
    match body {
        EntryBody::Step(step) => &mut step.idempotency_key,
        EntryBody::Observation(observation) => &mut observation.idempotency_key,
    }
}

impl RefusedEntry {
    fn new(index: usize, Refusal { reason, detail }: Refusal) -> Self {
        Self { index, reason, detail }
    }
}

impl Submitted {
    /// Waits until the entries are durable.
    async fn answer(self) -> Result<EntriesAnswer, Problem> {
        let Self { ticket, indices, mut refused } = self;
        let (mut recorded, mut first_seq) = (0, None);
        for (index, answer) in indices.into_iter().zip(ticket.await?) {
            match answer {
                Recorded::Stored { seq, .. } => {
                    recorded += 1;
                    first_seq.get_or_insert(seq);
                }
                Recorded::Refused(refusal) => refused.push(RefusedEntry::new(index, refusal)),
            }
        }
        refused.sort_unstable_by_key(|entry| entry.index);
        Ok(EntriesAnswer { recorded, refused, first_seq })
    }
}
