//! The route table: the only place that says which calls there are. The router and the OpenAPI document come from it.

use accredit::{
    Action, AgentReport, Attribution, Begin, Cancel, Closing, Completion, DeadLetter, Entry, Insights, METHOD_NAMES,
    ModelSummary, Observation, Page, Revision, Stats, Status, Step, Tree, Verdict,
};
use axum::routing::{get, post};

use crate::actions::{self, BeginAnswer, Heartbeat, HeartbeatAnswer};
use crate::entries::{self, EntriesAnswer};
use crate::feed::{self, FeedAnswer};
use crate::health::{self, HealthAnswer};
use crate::param::{Kind, Param};
use crate::reads::{self, Replay, ReplayAnswer};
use crate::route::{Answer, Input, JSON, METRICS, NDJSON, Route, SSE, command, of, one_or_many};
use crate::{events, ingest, openapi};

const fn param(name: &'static str, summary: &'static str, kind: Kind) -> Param {
    Param { name, summary, kind }
}

pub(crate) const LIMIT: Param =
    param("limit", "How many at most", Kind::Count { min: 1, max: 1000, default: Some(50) });
pub(crate) const CURSOR: Param = param("cursor", "The `next_cursor` of the page before", Kind::Text);
pub(crate) const AGENT_ID: Param = param("agent_id", "Only this agent's", Kind::Text);
pub(crate) const ACTION_TYPE: Param = param("action_type", "Only of this type", Kind::Text);
pub(crate) const LEARNED_TYPE: Param = param("action_type", "The action type; must be given", Kind::Text);
pub(crate) const GOAL_ID: Param = param("goal_id", "Only attempts at this goal", Kind::Text);
pub(crate) const STATUS: Param = param("status", "Only in this status", Kind::OneOf(&STATUSES));
pub(crate) const VERDICT: Param = param("verdict", "Only with this verdict", Kind::OneOf(&VERDICTS));
pub(crate) const FROM: Param = param("from", "Only begun at this time or later", Kind::Time);
pub(crate) const TO: Param = param("to", "Only begun before this time", Kind::Time);
pub(crate) const VERSION: Param = param(
    "version",
    "This version; the one that stands where absent",
    Kind::Count { min: 1, max: u32::MAX as u64, default: None },
);
pub(crate) const METHOD: Param = param(
    "method",
    "As this method would give it now: computed for this answer, stored nowhere; not together with `version`",
    Kind::OneOf(&METHOD_NAMES),
);
const LAMBDA: Param = param(
    "lambda",
    "Of the methods `td_lambda` and `gae`: how far a step answers for what follows it",
    Kind::Number { min: 0.0, max: 1.0 },
);
const WEIGHT: Param = param(
    "weight",
    "Of the method `gigpo`: how much the comparison within a situation counts",
    Kind::Number { min: 0.0, max: 100.0 },
);
/// The options of all methods.
pub(crate) const METHOD_OPTIONS: [&Param; 2] = [&LAMBDA, &WEIGHT];
pub(crate) const AFTER: Param = param(
    "after",
    "Only those after this cursor; 0 for all",
    Kind::Count { min: 0, max: i64::MAX as u64, default: Some(0) },
);
pub(crate) const WAIT: Param =
    param("wait_seconds", "Wait so long for one where there is none", Kind::Seconds { max: 30.0 });
pub(crate) const SINK: Param = param("sink", "Only this sink's", Kind::Text);
pub(crate) const IDEMPOTENCY_KEY: Param = param(
    "Idempotency-Key",
    "Entry number i that has no key of its own gets this key, `#` and i: the same call sent again is stored once",
    Kind::Text,
);
pub(crate) const LAST_EVENT_ID: Param =
    param("Last-Event-ID", "The id of the last event seen; browsers send it when they reconnect", Kind::Text);

const STATUSES: [&str; 5] = [
    Status::Open.code(),
    Closing::Completed.code(),
    Closing::TimedOut.code(),
    Closing::Evicted.code(),
    Closing::Cancelled.code(),
];
const VERDICTS: [&str; 4] =
    [Verdict::Success.code(), Verdict::Partial.code(), Verdict::Failure.code(), Verdict::Unknown.code()];

const ATTRIBUTED: Answer = Answer::json(200, "The attribution", of::<Attribution>);

/// Every call there is.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        summary: "Begin an action",
        body: Some(Input::required(JSON, of::<Begin>)),
        answers: &[
            Answer::json(201, "It is open", of::<BeginAnswer>),
            Answer::json(200, "It had been begun before with this id", of::<BeginAnswer>),
        ],
        problems: &[409, 422, 429],
        ..Route::post("/v1/actions", "beginAction", || post(actions::begin))
    },
    Route {
        summary: "List actions, newest first",
        query: &[AGENT_ID, ACTION_TYPE, GOAL_ID, STATUS, VERDICT, FROM, TO, LIMIT, CURSOR],
        answers: &[Answer::json(200, "A page of actions", of::<Page>)],
        ..Route::get("/v1/actions", "listActions", || get(reads::list))
    },
    Route {
        summary: "One action as it stands",
        answers: &[Answer::json(200, "The action", of::<Action>)],
        ..Route::get("/v1/actions/{id}", "getAction", || get(reads::action))
    },
    Route {
        summary: "The entries of an action in order",
        answers: &[Answer::json(200, "The chain", of::<Vec<Entry>>)],
        ..Route::get("/v1/actions/{id}/chain", "getChain", || get(reads::chain))
    },
    Route {
        summary: "The attribution that stands, one of its versions, or what another method would give",
        query: &[VERSION, METHOD, LAMBDA, WEIGHT],
        answers: &[ATTRIBUTED],
        ..Route::get("/v1/actions/{id}/attribution", "getAttribution", || get(reads::attribution))
    },
    Route {
        summary: "All versions of the attribution, oldest first",
        answers: &[Answer::json(200, "The versions; none while the action is open", of::<Vec<Attribution>>)],
        ..Route::get("/v1/actions/{id}/attributions", "listAttributions", || get(reads::attributions))
    },
    Route {
        summary: "The action and everything below it, with credit handed down",
        answers: &[Answer::json(200, "The tree", of::<Tree>)],
        ..Route::get("/v1/actions/{id}/tree", "getTree", || get(reads::tree))
    },
    Route {
        summary: "Record steps: one or an array; a bad one is refused alone",
        headers: &[IDEMPOTENCY_KEY],
        body: Some(Input::required(JSON, one_or_many::<Step>)),
        answers: &[Answer::json(200, "What was recorded and what refused", of::<EntriesAnswer>)],
        problems: &[409, 422, 429],
        ..Route::post("/v1/actions/{id}/steps", "recordSteps", || post(entries::steps))
    },
    Route {
        summary: "Record observations: one or an array; a bad one is refused alone",
        headers: &[IDEMPOTENCY_KEY],
        body: Some(Input::required(JSON, one_or_many::<Observation>)),
        answers: &[Answer::json(200, "What was recorded and what refused", of::<EntriesAnswer>)],
        problems: &[409, 422, 429],
        ..Route::post("/v1/actions/{id}/observations", "recordObservations", || post(entries::observations))
    },
    Route {
        summary: "Complete an action",
        body: Some(Input::optional(JSON, of::<Completion>)),
        answers: &[ATTRIBUTED],
        problems: &[409, 422, 429],
        ..Route::post("/v1/actions/{id}/complete", "completeAction", || post(actions::complete))
    },
    Route {
        summary: "Change the outcome of a closed action",
        body: Some(Input::optional(JSON, of::<Revision>)),
        answers: &[ATTRIBUTED],
        problems: &[409, 422, 429],
        ..Route::post("/v1/actions/{id}/revise", "reviseOutcome", || post(actions::revise))
    },
    Route {
        summary: "Close an action without an outcome",
        body: Some(Input::optional(JSON, of::<Cancel>)),
        answers: &[ATTRIBUTED],
        problems: &[409, 422, 429],
        ..Route::post("/v1/actions/{id}/cancel", "cancelAction", || post(actions::cancel))
    },
    Route {
        summary: "Say that the agent is still at work",
        body: Some(Input::optional(JSON, of::<Heartbeat>)),
        answers: &[Answer::json(200, "It is open", of::<HeartbeatAnswer>)],
        problems: &[409, 422, 429],
        ..Route::post("/v1/actions/{id}/heartbeat", "heartbeat", || post(actions::heartbeat))
    },
    Route {
        summary: "Commands of wire format v1, one a line, mixed; each is answered by one line, in order",
        body: Some(Input { also: Some((JSON, command)), ..Input::required(NDJSON, of::<String>) }),
        answers: &[Answer::text(NDJSON, "One `{\"line\", \"ok\", …}` a line")],
        ..Route::post("/v1/ingest", "ingest", || post(ingest::ingest))
    },
    Route {
        summary: "The feed of experiences, by pages, by long poll or, with `Accept: text/event-stream`, as events",
        query: &[AFTER, LIMIT, WAIT],
        headers: &[LAST_EVENT_ID],
        answers: &[
            Answer::json(200, "A page of the feed", of::<FeedAnswer>),
            Answer::text(SSE, "Events `experience`; the id is the cursor"),
        ],
        ..Route::get("/v1/experiences", "listExperiences", || get(feed::experiences))
    },
    Route {
        summary: "Committed events as they happen: the topic, the id to resume after, and the data",
        headers: &[LAST_EVENT_ID],
        answers: &[Answer::text(SSE, "Events; `gap` where some were missed")],
        ..Route::get("/v1/events", "streamEvents", || get(events::events))
    },
    Route {
        summary: "What each decision of an action type is worth, with intervals, by the model that stands",
        query: &[LEARNED_TYPE],
        answers: &[Answer::json(200, "The decisions, what is certain and large first", of::<Insights>)],
        ..Route::get("/v1/insights", "getInsights", || get(reads::insights))
    },
    Route {
        summary: "How an agent does: success, advantage, what it costs, and whether its confidence can be trusted",
        answers: &[Answer::json(200, "The report", of::<AgentReport>)],
        problems: &[404],
        ..Route::get("/v1/agents/{agent_id}", "getAgent", || get(reads::agent))
    },
    Route {
        summary: "The models that are kept, and why each method was chosen, newest first",
        query: &[ACTION_TYPE],
        answers: &[Answer::json(200, "The models", of::<Vec<ModelSummary>>)],
        ..Route::get("/v1/models", "listModels", || get(reads::models))
    },
    Route {
        summary: "Counters that balance",
        answers: &[Answer::json(200, "The counters", of::<Stats>)],
        ..Route::get("/v1/stats", "getStats", || get(reads::stats))
    },
    Route {
        summary: "Deliveries that were given up",
        answers: &[Answer::json(200, "The dead letters", of::<Vec<DeadLetter>>)],
        ..Route::get("/v1/dead-letters", "listDeadLetters", || get(reads::dead_letters))
    },
    Route {
        summary: "Deliver the dead letters again, all or one sink's",
        query: &[SINK],
        body: Some(Input::optional(JSON, of::<Replay>)),
        answers: &[Answer::json(200, "How many will be tried again", of::<ReplayAnswer>)],
        problems: &[404, 422, 429],
        ..Route::post("/v1/dead-letters/replay", "replayDeadLetters", || post(reads::replay))
    },
    Route {
        summary: "Whether the server runs",
        answers: &[Answer::json(200, "It runs", of::<HealthAnswer>)],
        ..Route::get("/healthz", "getHealth", || get(health::alive))
    },
    Route {
        summary: "Whether the store takes writes",
        answers: &[Answer::json(200, "It does", of::<HealthAnswer>)],
        ..Route::get("/readyz", "getReadiness", || get(health::ready))
    },
    Route {
        summary: "Counters and latencies in the Prometheus text format",
        answers: &[Answer::text(METRICS, "The metrics")],
        ..Route::get("/metrics", "getMetrics", || get(health::metrics))
    },
    Route {
        summary: "This document",
        answers: &[Answer::json(200, "OpenAPI 3.1", of::<serde_json::Map<String, serde_json::Value>>)],
        ..Route::get("/openapi.json", "getOpenapi", || get(openapi::document))
    },
];
