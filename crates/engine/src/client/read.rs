//! What an engine answers, asked of a server.

use accredit_model::{Action, ActionId, ActionType, AgentId, Attribution, Entry, Experience, Stats, Version};
use accredit_store::Filter;
use serde::Deserialize;

use super::Client;
use crate::{AgentReport, DeadLetter, Error, Insights, Method, ModelSummary, Page, Tree};

/// Actions or experiences that a page holds at most.
const PAGE_MAX: usize = 1_000;

#[derive(Deserialize)]
struct Feed {
    experiences: Vec<Experience>,
    next_cursor: u64,
}

#[derive(Deserialize)]
struct Replayed {
    replayed: u64,
}

/// A path segment: what is not plain is written by its bytes.
fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The errors of all of these: the server cannot be reached, or answers with an error, such as that there is no such thing.
impl Client {
    /// One action.
    ///
    /// # Errors
    /// When it is unknown, or the server gives no answer.
    pub fn action(&self, id: ActionId) -> Result<Action, Error> {
        self.get(&format!("/v1/actions/{id}"), &[])
    }

    /// The entries of one action, in order.
    ///
    /// # Errors
    /// When it is unknown, or the server gives no answer.
    pub fn chain(&self, id: ActionId) -> Result<Vec<Entry>, Error> {
        self.get(&format!("/v1/actions/{id}/chain"), &[])
    }

    /// The attribution that stands, or one of its versions.
    ///
    /// # Errors
    /// When the action is unknown, open, or never had this version; or the server gives no answer.
    pub fn attribution(&self, id: ActionId, version: Option<Version>) -> Result<Attribution, Error> {
        let query: Vec<_> = version.map(|version| ("version", version.to_string())).into_iter().collect();
        self.get(&format!("/v1/actions/{id}/attribution"), &query)
    }

    /// The attribution as another method would give it now; stored nowhere.
    ///
    /// # Errors
    /// When an option of the method is out of its range, the action is unknown or open, or the server gives no answer.
    pub fn what_if(&self, id: ActionId, method: Method) -> Result<Attribution, Error> {
        let options = method.options().into_iter().map(|(name, value)| (name, value.to_string()));
        let query: Vec<_> = std::iter::once(("method", method.name().to_owned())).chain(options).collect();
        self.get(&format!("/v1/actions/{id}/attribution"), &query)
    }

    /// All versions of the attribution, oldest first.
    ///
    /// # Errors
    /// When the action is unknown, or the server gives no answer.
    pub fn attributions(&self, id: ActionId) -> Result<Vec<Attribution>, Error> {
        self.get(&format!("/v1/actions/{id}/attributions"), &[])
    }

    /// The action and everything below it, with credit handed down.
    ///
    /// # Errors
    /// When the action is unknown, or the server gives no answer.
    pub fn tree(&self, id: ActionId) -> Result<Tree, Error> {
        self.get(&format!("/v1/actions/{id}/tree"), &[])
    }

    /// Actions that match, newest first: at most `limit` (1 to 1,000) from where `cursor` left off.
    ///
    /// # Errors
    /// When the cursor is none of the server's, or it gives no answer.
    pub fn list(&self, filter: &Filter, limit: usize, cursor: Option<&str>) -> Result<Page, Error> {
        let asked = [
            ("agent_id", filter.agent_id.as_ref().map(ToString::to_string)),
            ("action_type", filter.action_type.as_ref().map(ToString::to_string)),
            ("goal_id", filter.goal_id.as_ref().map(ToString::to_string)),
            ("status", filter.status.map(|status| status.code().to_owned())),
            ("verdict", filter.verdict.map(|verdict| verdict.code().to_owned())),
            ("from", filter.from.map(|time| time.to_string())),
            ("to", filter.to.map(|time| time.to_string())),
            ("limit", Some(limit.clamp(1, PAGE_MAX).to_string())),
            ("cursor", cursor.map(str::to_owned)),
        ];
        let query: Vec<_> = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.get("/v1/actions", &query)
    }

    /// Experiences after a cursor of the feed, at most `limit`, in order.
    ///
    /// # Errors
    /// When the server gives no answer.
    pub fn experiences(&self, after: u64, limit: usize) -> Result<Vec<Experience>, Error> {
        let (mut found, mut after) = (Vec::new(), after);
        while found.len() < limit {
            let wanted = (limit - found.len()).min(PAGE_MAX);
            let query = [("after", after.to_string()), ("limit", wanted.to_string())];
            let Feed { experiences, next_cursor } = self.get("/v1/experiences", &query)?;
            if experiences.is_empty() {
                break;
            }
            found.extend(experiences);
            after = next_cursor;
        }
        Ok(found)
    }

    /// What the decisions of an action type are worth.
    ///
    /// # Errors
    /// When the server gives no answer.
    pub fn insights(&self, action_type: &ActionType) -> Result<Insights, Error> {
        self.get("/v1/insights", &[("action_type", action_type.to_string())])
    }

    /// How an agent does; `None` of one that has done nothing.
    ///
    /// # Errors
    /// When the server gives no answer.
    pub fn agent(&self, agent_id: &AgentId) -> Result<Option<AgentReport>, Error> {
        match self.get(&format!("/v1/agents/{}", segment(agent_id.as_str())), &[]) {
            Ok(report) => Ok(Some(report)),
            Err(Error::Answered { status: 404, code, .. }) if code == "unknown_agent" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The models that are kept of a type, newest first.
    ///
    /// # Errors
    /// When the server gives no answer.
    pub fn models(&self, action_type: &ActionType) -> Result<Vec<ModelSummary>, Error> {
        self.get("/v1/models", &[("action_type", action_type.to_string())])
    }

    /// The server's counters.
    ///
    /// # Errors
    /// When the server gives no answer.
    pub fn stats(&self) -> Result<Stats, Error> {
        self.get("/v1/stats", &[])
    }

    /// Deliveries that were given up.
    ///
    /// # Errors
    /// When the server gives no answer.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, Error> {
        self.get("/v1/dead-letters", &[])
    }

    /// Has them delivered again, all or one sink's; answers how many.
    ///
    /// # Errors
    /// When the server gives no answer.
    pub fn replay_dead_letters(&self, sink: Option<&str>) -> Result<u64, Error> {
        let Replayed { replayed } = self.post("/v1/dead-letters/replay", &serde_json::json!({ "sink": sink }))?;
        Ok(replayed)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_travel_in_paths() {
        assert_eq!(super::segment("coder-1.2"), "coder-1.2");
        assert_eq!(super::segment("a/b ä?"), "a%2Fb%20%C3%A4%3F");
    }
}
