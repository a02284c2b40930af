//! A running server, asked through its REST API.

use std::time::Duration;

use accredit::{Filter, Insights, Method};
use accredit_model::{Action, ActionId, ActionType, Attribution, Command, Entry, Refusal, Stats, Version};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Answer, DeadLetter, Node, Page, Refused, Source};
use crate::Error;

/// Longest answer that is read: a chain of a million entries has about this size.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Longest time to a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest time to an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// A server.
pub(crate) struct Remote {
    base: String,
    agent: ureq::Agent,
}

#[derive(Deserialize)]
struct Tree {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Replayed {
    replayed: u64,
}

/// One line of an answer of `/v1/ingest`.
#[derive(Deserialize)]
struct Line {
    ok: bool,
    #[serde(default)]
    repeat: bool,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    detail: String,
}

/// The body of an answer that is an error: problem details.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
}

impl Remote {
    pub(crate) fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(ANSWER_TIMEOUT))
            .user_agent(concat!("accredit/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { base: url.trim_end_matches('/').to_owned(), agent: config.into() }
    }

    fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, Error> {
        let url = format!("{}{path}", self.base);
        let mut request = self.agent.get(&url);
        for (name, value) in query {
            request = request.query(name, value);
        }
        let text = text(&url, request.call())?;
        serde_json::from_str(&text).map_err(|source| Error::Protocol { url, source })
    }

    fn post(&self, path: &str, media: &str, body: &str) -> Result<String, Error> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.post(&url).content_type(media);
        text(&url, request.send(body))
    }
}

fn text(url: &str, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<String, Error> {
    let unreachable = |source| Error::Unreachable { url: url.to_owned(), source: Box::new(source) };
    let mut answer = answer.map_err(unreachable)?;
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(unreachable)?;
    if answer.status().is_success() {
        return Ok(text);
    }
    let Problem { code, detail } = serde_json::from_str(&text).unwrap_or_default();
    Err(Error::Answered { status: answer.status().as_u16(), code, detail })
}

impl Source for Remote {
    fn place(&self) -> String {
        self.base.clone()
    }

    fn action(&self, id: ActionId) -> Result<Action, Error> {
        self.get(&format!("/v1/actions/{id}"), &[])
    }

    fn chain(&self, id: ActionId) -> Result<Vec<Entry>, Error> {
        self.get(&format!("/v1/actions/{id}/chain"), &[])
    }

    fn attribution(&self, id: ActionId, version: Option<Version>) -> Result<Attribution, Error> {
        let query: Vec<_> = version.map(|version| ("version", version.to_string())).into_iter().collect();
        self.get(&format!("/v1/actions/{id}/attribution"), &query)
    }

    fn what_if(&self, id: ActionId, method: Method) -> Result<Attribution, Error> {
        let options = method.options().into_iter().map(|(name, value)| (name, value.to_string()));
        let query: Vec<_> = std::iter::once(("method", method.name().to_owned())).chain(options).collect();
        self.get(&format!("/v1/actions/{id}/attribution"), &query)
    }

    fn attributions(&self, id: ActionId) -> Result<Vec<Attribution>, Error> {
        self.get(&format!("/v1/actions/{id}/attributions"), &[])
    }

    fn list(&self, filter: &Filter, limit: usize, cursor: Option<&str>) -> Result<Page, Error> {
        let asked = [
            ("agent_id", filter.agent_id.as_ref().map(ToString::to_string)),
            ("action_type", filter.action_type.as_ref().map(ToString::to_string)),
            ("goal_id", filter.goal_id.as_ref().map(ToString::to_string)),
            ("status", filter.status.map(|status| status.code().to_owned())),
            ("verdict", filter.verdict.map(|verdict| verdict.code().to_owned())),
            ("from", filter.from.map(|time| time.to_string())),
            ("to", filter.to.map(|time| time.to_string())),
            ("limit", Some(limit.to_string())),
            ("cursor", cursor.map(str::to_owned)),
        ];
        let query: Vec<_> = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.get("/v1/actions", &query)
    }

    fn tree(&self, id: ActionId) -> Result<Vec<Node>, Error> {
        let tree: Tree = self.get(&format!("/v1/actions/{id}/tree"), &[])?;
        Ok(tree.nodes)
    }

    fn dead_letters(&self) -> Result<Vec<DeadLetter>, Error> {
        self.get("/v1/dead-letters", &[])
    }

    fn replay_dead_letters(&self, sink: Option<&str>) -> Result<u64, Error> {
        let path = "/v1/dead-letters/replay";
        let text = self.post(path, "application/json", &serde_json::json!({ "sink": sink }).to_string())?;
        let replayed: Replayed = serde_json::from_str(&text).map_err(|source| self.misunderstood(path, source))?;
        Ok(replayed.replayed)
    }

    fn insights(&self, action_type: &ActionType) -> Result<Insights, Error> {
        self.get("/v1/insights", &[("action_type", action_type.to_string())])
    }

    fn stats(&self) -> Result<Stats, Error> {
        self.get("/v1/stats", &[])
    }

    fn apply(&self, commands: Vec<Result<Command, Refusal>>) -> Result<Vec<Answer>, Error> {
        let mut body = String::new();
        // What cannot even be read is refused here; the server sees the rest.
        let mut answers: Vec<Option<Answer>> = Vec::with_capacity(commands.len());
        for command in commands {
            let line = command.and_then(|command| {
                let unwritable =
                    |_| Refusal::new(accredit_model::RefusalReason::InvalidNumber, "a number is not finite");
                serde_json::to_string(&command).map_err(unwritable)
            });
            answers.push(match line {
                Ok(line) => {
                    body.push_str(&line);
                    body.push('\n');
                    None
                }
                Err(Refusal { reason, detail }) => {
                    Some(Answer::Refused(Refused { reason: reason.code().to_owned(), detail }))
                }
            });
        }
        let text =
            if body.is_empty() { String::new() } else { self.post("/v1/ingest", "application/x-ndjson", &body)? };
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let answers = answers.into_iter().map(|answer| match answer {
            Some(answer) => Ok(answer),
            None => self.line(lines.next().unwrap_or_default()),
        });
        answers.collect()
    }
}

impl Remote {
    fn line(&self, line: &str) -> Result<Answer, Error> {
        let Line { ok, repeat, reason, detail } =
            serde_json::from_str(line).map_err(|source| self.misunderstood("/v1/ingest", source))?;
        if ok {
            return Ok(Answer::Stored { repeat });
        }
        // A reason that is none of a refusal's is the server's own trouble, not the line's.
        if accredit_model::RefusalReason::ALL.iter().any(|known| known.code() == reason) {
            return Ok(Answer::Refused(Refused { reason, detail }));
        }
        Err(Error::Answered { status: 503, code: reason, detail })
    }

    fn misunderstood(&self, path: &str, source: serde_json::Error) -> Error {
        Error::Protocol { url: format!("{}{path}", self.base), source }
    }
}
