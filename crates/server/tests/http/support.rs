//! A server in this process and a client that needs no socket.

use std::time::Duration;

use accredit::{Config, Engine};
use axum::Router;
use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// An engine over a fresh store, and the router over it.
pub(crate) struct Door {
    pub(crate) engine: Engine,
    pub(crate) router: Router,
    #[expect(dead_code, reason = "the store lives as long as the test")]
    folder: TempDir,
}

/// An answer, read to its end.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Door {
    pub(crate) fn open() -> Self {
        Self::open_with(|_| {})
    }

    pub(crate) fn open_with(configure: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::at(folder.path().join("accredit.db"));
        configure(&mut config);
        let engine = Engine::open(config).unwrap();
        let router = accredit_server::router(engine.clone());
        Self { engine, router, folder }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[], Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_text(path, &body.to_string()).await
    }

    pub(crate) async fn post_text(&self, path: &str, body: &str) -> Reply {
        self.call("POST", path, &[("content-type", "application/json")], Body::from(body.to_owned())).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Reply {
        let answer = self.send(method, path, headers, body).await;
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// A request whose answer does not end by itself.
    pub(crate) async fn stream(&self, path: &str, headers: &[(&str, &str)]) -> Events {
        let answer = self.send("GET", path, headers, Body::empty()).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Events { chunks: answer.into_body().into_data_stream(), text: String::new() }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> axum::response::Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap()
    }

    /// An open action; its path.
    pub(crate) async fn begin(&self) -> String {
        let begun = self.post("/v1/actions", json!({ "agent_id": "tester", "action_type": "test" })).await;
        assert_eq!(begun.status, 201);
        format!("/v1/actions/{}", begun.json()["action_id"].as_str().unwrap())
    }

    /// An action of two steps, completed; its path.
    pub(crate) async fn completed(&self) -> String {
        let action = self.begin().await;
        let steps =
            self.post(&format!("{action}/steps"), json!([{ "description": "a" }, { "description": "b" }])).await;
        assert_eq!(steps.json()["recorded"], 2);
        let completed = self.post(&format!("{action}/complete"), json!({ "outcome": { "success": true } })).await;
        assert_eq!(completed.status, 200);
        action
    }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The lines of an NDJSON answer.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Server-sent events as they come.
pub(crate) struct Events {
    chunks: BodyDataStream,
    text: String,
}

#[derive(Debug)]
pub(crate) struct SseEvent {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

impl Events {
    /// The next event; `None` when the stream ends or nothing comes for five seconds.
    pub(crate) async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
                };
                let data = serde_json::from_str(&field("data:"));
                let (name, id) = (field("event:"), field("id:"));
                self.text = rest.to_owned();
                match data {
                    Ok(data) => return Some(SseEvent { name, id, data }),
                    // A comment that keeps the connection alive.
                    Err(_) => continue,
                }
            }
            let chunk = tokio::time::timeout(Duration::from_secs(5), self.chunks.next()).await.ok()??.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}
