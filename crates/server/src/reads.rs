//! Reading actions, attributions, counters and dead letters. What comes by pages is an object with a cursor; what comes
//! whole is an array.

use accredit::{ActionType, AgentId, Filter, GoalId, Method, Status, Verdict, body_from_json};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body::{Document, Id};
use crate::param::{Query, invalid};
use crate::problem::Problem;
use crate::routes::{
    ACTION_TYPE, AGENT_ID, CURSOR, FROM, GOAL_ID, LEARNED_TYPE, LIMIT, METHOD, METHOD_OPTIONS, SINK, STATUS, TO,
    VERDICT, VERSION,
};

/// Which dead letters to deliver again.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replay {
    /// Only this sink's; all where absent.
    #[serde(default)]
    sink: Option<String>,
}

/// The answer to a replay.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReplayAnswer {
    /// How many deliveries will be tried again.
    replayed: u64,
}

pub(crate) async fn list(State(app): State<App>, query: Query) -> Result<Response, Problem> {
    let verdict = |code: &str| Verdict::ALL.into_iter().find(|verdict| verdict.code() == code);
    let filter = Filter {
        agent_id: query.text(&AGENT_ID).map(AgentId::from),
        action_type: query.text(&ACTION_TYPE).map(ActionType::from),
        goal_id: query.text(&GOAL_ID).map(GoalId::from),
        status: query.one_of(&STATUS, Status::from_code)?,
        verdict: query.one_of(&VERDICT, verdict)?,
        from: query.time(&FROM)?,
        to: query.time(&TO)?,
    };
    let limit = query.size(&LIMIT)?;
    let cursor = query.text(&CURSOR).map(str::to_owned);
    app.answer(move |engine| {
        engine.list(&filter, limit, cursor.as_deref()).map_err(|error| match error {
            accredit::Error::Refused(_) => Problem::from(error).in_parameter(CURSOR.name),
            error => error.into(),
        })
    })
    .await
}

pub(crate) async fn insights(State(app): State<App>, query: Query) -> Result<Response, Problem> {
    let Some(action_type) = query.text(&LEARNED_TYPE).map(ActionType::from) else {
        return Err(Problem::bad_request(
            "missing_parameter",
            "name the type, as in /v1/insights?action_type=book_flight",
        ));
    };
    app.answer(move |engine| Ok(engine.insights(&action_type)?)).await
}

pub(crate) async fn agent(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Ok(Path(agent_id)) = path else { return Err(Problem::not_found()) };
    app.answer(move |engine| {
        engine.agent(&AgentId::from(agent_id))?.ok_or_else(|| {
            Problem::new(
                StatusCode::NOT_FOUND,
                "unknown_agent",
                "no action of this agent is recorded; agents are named at begin",
            )
        })
    })
    .await
}

pub(crate) async fn models(State(app): State<App>, query: Query) -> Result<Response, Problem> {
    let action_type = query.text(&ACTION_TYPE).map(ActionType::from);
    app.answer(move |engine| {
        let types = action_type.map_or_else(|| engine.learned_types(), |action_type| Ok(vec![action_type]))?;
        let models: Result<Vec<_>, _> = types.iter().map(|action_type| engine.models(action_type)).collect();
        Ok(models?.concat())
    })
    .await
}

pub(crate) async fn action(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    app.answer(move |engine| Ok(engine.action(id)?)).await
}

pub(crate) async fn chain(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    app.answer(move |engine| Ok(engine.chain(id)?)).await
}

pub(crate) async fn attribution(State(app): State<App>, Id(id): Id, query: Query) -> Result<Response, Problem> {
    let version = query.count(&VERSION)?.and_then(|version| version.try_into().ok());
    match asked_method(&query)? {
        None => app.answer(move |engine| Ok(engine.attribution(id, version)?)).await,
        Some(_) if version.is_some() => Err(invalid(
            VERSION.name,
            "`method` asks what would be given now, to the action as it stands, and a version is what was given then: \
             leave one of them out",
        )),
        Some(method) => app.answer(move |engine| Ok(engine.what_if(id, method)?)).await,
    }
}

/// The method that is asked for, with its options.
fn asked_method(query: &Query) -> Result<Option<Method>, Problem> {
    let mut options = Vec::new();
    for option in METHOD_OPTIONS {
        options.extend(query.number(option)?.map(|value| (option.name, value)));
    }
    match (query.text(&METHOD), options.first()) {
        (Some(name), _) => Method::new(name, options).map(Some).map_err(|error| invalid(METHOD.name, error)),
        (None, Some((option, _))) => Err(invalid(option, "an option of a method: name the method with `method`")),
        (None, None) => Ok(None),
    }
}

pub(crate) async fn attributions(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    app.answer(move |engine| Ok(engine.attributions(id)?)).await
}

pub(crate) async fn tree(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    app.answer(move |engine| Ok(engine.tree(id)?)).await
}

pub(crate) async fn stats(State(app): State<App>) -> Result<Response, Problem> {
    app.answer(|engine| Ok(engine.stats()?)).await
}

pub(crate) async fn dead_letters(State(app): State<App>) -> Result<Response, Problem> {
    app.answer(|engine| Ok(engine.dead_letters()?)).await
}

pub(crate) async fn replay(State(app): State<App>, query: Query, document: Document) -> Result<Response, Problem> {
    let replay: Replay = body_from_json(&document.or_empty_object())?;
    let sink = replay.sink.or_else(|| query.text(&SINK).map(str::to_owned));
    app.answer(move |engine| Ok(ReplayAnswer { replayed: engine.replay_dead_letters(sink.as_deref())? })).await
}
