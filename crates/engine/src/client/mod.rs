//! A server in the place of an engine: questions, and commands in batches.

mod drain;
mod pace;
mod read;
mod send;
mod spool;
mod target;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use self::send::LineAnswer;
pub use self::spool::{SPOOL_BYTES_MAX, Spool, spool_folder};
pub use self::target::ServerTarget;
use crate::Error;

/// Longest answer that is read: a chain of a million entries has about this size.
const ANSWER_BYTES_MAX: u64 = 1 << 30;
/// Longest time to a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How a client reaches its server.
#[derive(Clone)]
pub struct ClientOptions {
    /// Sent as `Authorization: Bearer KEY`; never printed. Whoever's server has keys sets it.
    pub key: Option<String>,
    /// Longest time to an answer.
    pub timeout: Duration,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { key: None, timeout: Duration::from_secs(120) }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.as_ref().map(|_| "…");
        f.debug_struct("ClientOptions").field("key", &key).field("timeout", &self.timeout).finish()
    }
}

/// Asks a server over HTTP what an [`Engine`](crate::Engine) is asked in this process, and sends it commands.
///
/// Making one reaches nobody. Copies share their connections. It follows no redirection, so that a key goes nowhere else.
#[derive(Clone)]
pub struct Client {
    base: String,
    agent: ureq::Agent,
    authorization: Option<String>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

/// The body of an answer that is an error: problem details.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
}

/// A request that failed, and when to try again where the server said so.
struct Failed {
    error: Error,
    retry_after: Option<Duration>,
}

impl Client {
    /// A client of the server at a URL such as `http://127.0.0.1:7117`.
    ///
    /// # Errors
    /// [`Error::Config`] where the URL or the key cannot be used.
    pub fn new(url: &str, options: ClientOptions) -> Result<Self, Error> {
        let wrong = |what: &str| Err(Error::Config(what.to_owned()));
        let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else {
            return wrong("a server's address begins with http:// or https://");
        };
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.is_empty() || rest.contains(['?', '#']) || rest.contains(char::is_whitespace) {
            return wrong("a server's address is like http://127.0.0.1:7117");
        }
        if authority.contains('@') {
            return wrong("a server's address holds no name or password; give the key by itself");
        }
        let ClientOptions { key, timeout } = options;
        if key.as_ref().is_some_and(|key| key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            return wrong("a key is one word of printable ASCII characters");
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT.min(timeout)))
            .timeout_global(Some(timeout))
            .user_agent(concat!("accredit/", env!("CARGO_PKG_VERSION")))
            .build();
        let authorization = key.map(|key| format!("Bearer {key}"));
        Ok(Self { base: url.trim_end_matches('/').to_owned(), agent: config.into(), authorization })
    }

    /// The server's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, Error> {
        let url = format!("{}{path}", self.base);
        let mut request = self.agent.get(&url);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        for (name, value) in query {
            request = request.query(name, value);
        }
        let answer = request.call().map_err(|source| unreachable(&url, source))?;
        self.read(path, answer)
    }

    fn post<T: DeserializeOwned>(&self, path: &str, body: &serde_json::Value) -> Result<T, Error> {
        let answer = self.begin_post(path, "application/json", &body.to_string())?;
        self.read(path, answer)
    }

    /// Posts, and answers when the head of the answer has come.
    fn begin_post(&self, path: &str, media: &str, body: &str) -> Result<ureq::http::Response<ureq::Body>, Error> {
        let url = format!("{}{path}", self.base);
        let mut request = self.agent.post(&url).content_type(media);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        request.send(body).map_err(|source| unreachable(&url, source))
    }

    fn read<T: DeserializeOwned>(&self, path: &str, answer: ureq::http::Response<ureq::Body>) -> Result<T, Error> {
        let url = format!("{}{path}", self.base);
        let mut answer = answered(&url, answer).map_err(|failed| failed.error)?;
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
        let text = text.map_err(|source| unreachable(&url, source))?;
        serde_json::from_str(&text).map_err(|source| Error::Protocol { url, source: Arc::new(source) })
    }
}

fn unreachable(url: &str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unreachable { url: url.to_owned(), source: Arc::new(source) }
}

/// The answer where it is a success, or the problem that it says.
fn answered(
    url: &str,
    mut answer: ureq::http::Response<ureq::Body>,
) -> Result<ureq::http::Response<ureq::Body>, Failed> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
    // A date, the header's other form, is as if nothing was said.
    let retry_after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(1 << 20).read_to_string();
    let error = match text {
        Ok(text) => {
            let Problem { code, detail } = serde_json::from_str(&text).unwrap_or_default();
            Error::Answered { status, code, detail }
        }
        Err(source) => unreachable(url, source),
    };
    Err(Failed { error, retry_after })
}
