//! The interaction replay of learners: an OpenAI-shaped chat completion whose messages tell what happened.

use std::io;
use std::time::Duration;

use accredit_model::{Experience, compat_chain, interaction_prompt};
use serde_json::{Value, json};

use super::Sink;

/// The model name by which learners know a replay from a question.
const MODEL: &str = "hevolve-interaction-replay";
/// A learner that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Posts each experience to `{url}/v1/chat/completions`.
pub(super) struct ReplaySink {
    agent: ureq::Agent,
    url: String,
    token: Option<String>,
}

impl ReplaySink {
    pub(super) fn open(url: &str, token_env: Option<&str>) -> io::Result<Self> {
        let token = match token_env {
            Some(name) => Some(std::env::var(name).map_err(|_| {
                io::Error::new(io::ErrorKind::NotFound, format!("the environment variable {name} is not set"))
            })?),
            None => None,
        };
        let agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().new_agent();
        Ok(Self { agent, url: format!("{}/v1/chat/completions", url.trim_end_matches('/')), token })
    }

    fn post(&self, experience: &Experience) -> Result<(), String> {
        let id = format!("{}:{}", experience.action.action_id, experience.attribution.version);
        let mut request = self.agent.post(&self.url).header("Idempotency-Key", &id);
        if let Some(token) = &self.token {
            request = request.header("Authorization", &format!("Bearer {token}"));
        }
        request.send_json(replay_request(experience)).map(drop).map_err(|error| error.to_string())
    }
}

impl Sink for ReplaySink {
    fn batch_max(&self) -> usize {
        1
    }

    fn deliver(&mut self, batch: &[Experience]) -> Vec<Result<(), String>> {
        batch.iter().map(|experience| self.post(experience)).collect()
    }
}

/// The body of the request. The system message carries the metadata with the attribution chain.
fn replay_request(experience: &Experience) -> Value {
    let Experience { action, attribution, .. } = experience;
    let metadata = json!({
        "user_id": action.agent_id,
        "prompt_id": action.action_id,
        "model_id": format!("{}:{}", action.agent_id, action.action_type),
        "goal_id": action.goal_id,
        "latency_ms": action.duration_seconds.unwrap_or_default() * 1000.0,
        "attribution_chain": compat_chain(experience),
    });
    json!({
        "model": MODEL,
        "temperature": 0,
        "max_tokens": 1,
        "messages": [
            {"role": "system", "content": metadata.to_string()},
            {"role": "user", "content": interaction_prompt(experience)},
            {"role": "assistant", "content": Value::Object(attribution.outcome.clone()).to_string()},
        ],
    })
}
