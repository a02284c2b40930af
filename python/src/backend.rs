//! Where a recorder's commands go, and its questions: an engine in this process, or a server.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use accredit::{
    AgentReport, Client, ClientOptions, Engine, Environment, Error, ErrorKind, Filter, Insights, Method, ModelSummary,
    Page, RecorderOptions, SPOOL_BYTES_MAX, ServerTarget, Spool, Target, Tree, spool_folder,
};
use accredit_model::{Action, ActionId, ActionType, AgentId, Attribution, Entry, Experience, Stats, Status, Version};

/// Actions that are asked for at once.
const PAGE: usize = 500;

/// What answers.
pub(crate) enum Backend {
    Engine(Engine),
    Server { client: Client, target: Arc<ServerTarget> },
}

/// How to reach a server: again, in a forked child.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) url: String,
    pub(crate) key: Option<String>,
    pub(crate) spool: Option<PathBuf>,
    pub(crate) spool_bytes_max: Option<u64>,
    pub(crate) timeout: Duration,
    pub(crate) block: Option<Duration>,
}

impl Link {
    /// Connections, threads and a spool of this process.
    pub(crate) fn open(&self) -> Result<(accredit::Recorder, Backend), Error> {
        let options = ClientOptions { key: self.key.clone(), timeout: self.timeout };
        let client = Client::new(&self.url, options)?;
        let folder = self.spool.clone().or_else(|| spool_folder(&self.url));
        let folder =
            folder.ok_or_else(|| Error::Config("there is no home folder; name a folder as `spool`".to_owned()))?;
        let spool = Spool::open(&folder, self.spool_bytes_max.unwrap_or(SPOOL_BYTES_MAX))?;
        let environment = Environment::default();
        let target = Arc::new(ServerTarget::new(client.clone(), spool, &environment)?);
        let defaults = RecorderOptions::default();
        let options = RecorderOptions { block: self.block.unwrap_or(defaults.block), ..defaults };
        let recorder = accredit::Recorder::new(Box::new(Arc::clone(&target)), environment, options)?;
        Ok((recorder, Backend::Server { client, target }))
    }
}

/// Asks whichever it is.
macro_rules! ask {
    ($self:ident, $answer:ident => $call:expr) => {
        match $self {
            Self::Engine($answer) => $call,
            Self::Server { client: $answer, target } => $call.map_err(|error| waits(target, error)),
        }
    };
}

/// What a server does not know may be on its way.
fn waits(target: &ServerTarget, error: Error) -> Error {
    if error.kind() == ErrorKind::NotFound && target.stats().spooled > 0 { Error::Spooled } else { error }
}

impl Backend {
    pub(crate) const fn is_server(&self) -> bool {
        matches!(self, Self::Server { .. })
    }

    /// Waits until what this process has completed is attributed; a server has done that when it answers.
    pub(crate) fn wait_accepted(&self) {
        if let Self::Engine(engine) = self {
            engine.wait_accepted();
        }
    }

    pub(crate) fn action(&self, id: ActionId) -> Result<Action, Error> {
        ask!(self, it => it.action(id))
    }

    pub(crate) fn chain(&self, id: ActionId) -> Result<Vec<Entry>, Error> {
        ask!(self, it => it.chain(id))
    }

    pub(crate) fn attribution(&self, id: ActionId, version: Option<Version>) -> Result<Attribution, Error> {
        ask!(self, it => it.attribution(id, version))
    }

    pub(crate) fn what_if(&self, id: ActionId, method: Method) -> Result<Attribution, Error> {
        ask!(self, it => it.what_if(id, method))
    }

    pub(crate) fn attributions(&self, id: ActionId) -> Result<Vec<Attribution>, Error> {
        ask!(self, it => it.attributions(id))
    }

    pub(crate) fn tree(&self, id: ActionId) -> Result<Tree, Error> {
        ask!(self, it => it.tree(id))
    }

    pub(crate) fn list(&self, filter: &Filter, limit: usize, cursor: Option<&str>) -> Result<Page, Error> {
        ask!(self, it => it.list(filter, limit, cursor))
    }

    pub(crate) fn experiences(&self, after: u64, limit: usize) -> Result<Vec<Experience>, Error> {
        ask!(self, it => it.experiences(after, limit))
    }

    /// The whole of a closed action, by its newest attribution.
    pub(crate) fn experience(&self, id: ActionId) -> Result<Experience, Error> {
        match self {
            Self::Engine(engine) => engine.experience(id, None),
            Self::Server { .. } => Ok(Experience {
                cursor: 0,
                action: self.action(id)?,
                attribution: self.attribution(id, None)?,
                chain: self.chain(id)?,
            }),
        }
    }

    /// Writes the closed actions that match as JSON lines, newest first; how many.
    pub(crate) fn export(&self, filter: &Filter, out: &mut dyn Write) -> Result<u64, Error> {
        if let Self::Engine(engine) = self {
            return engine.export(filter, out);
        }
        let failed = |error: std::io::Error| Error::Export(Arc::new(error));
        let (mut n, mut cursor) = (0, None::<String>);
        loop {
            let page = self.list(filter, PAGE, cursor.as_deref())?;
            for action in page.actions.iter().filter(|action| action.status != Status::Open) {
                let experience = self.experience(action.action_id)?;
                serde_json::to_writer(&mut *out, &experience).map_err(|error| failed(error.into()))?;
                out.write_all(b"\n").map_err(failed)?;
                n += 1;
            }
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(n),
            }
        }
    }

    pub(crate) fn insights(&self, action_type: &ActionType) -> Result<Insights, Error> {
        ask!(self, it => it.insights(action_type))
    }

    pub(crate) fn agent(&self, agent_id: &AgentId) -> Result<Option<AgentReport>, Error> {
        ask!(self, it => it.agent(agent_id))
    }

    pub(crate) fn models(&self, action_type: &ActionType) -> Result<Vec<ModelSummary>, Error> {
        ask!(self, it => it.models(action_type))
    }

    pub(crate) fn stats(&self) -> Result<Stats, Error> {
        ask!(self, it => it.stats())
    }

    pub(crate) fn learn_now(&self) -> Result<Vec<ModelSummary>, Error> {
        match self {
            Self::Engine(engine) => engine.learn_now(),
            Self::Server { .. } => Err(Error::ServerOwn { call: "learn" }),
        }
    }

    pub(crate) fn cleanup_expired(&self) -> Result<usize, Error> {
        match self {
            Self::Engine(engine) => engine.cleanup_expired(),
            Self::Server { .. } => Err(Error::ServerOwn { call: "cleanup_expired" }),
        }
    }

    pub(crate) fn close(&self) -> Result<(), Error> {
        match self {
            Self::Engine(engine) => Engine::clone(engine).close(),
            Self::Server { .. } => Ok(()),
        }
    }

    /// Closes, in a forked child, what only the parent may hold.
    pub(crate) fn abandon(&self) {
        match self {
            Self::Engine(engine) => engine.abandon(),
            Self::Server { target, .. } => target.abandon(),
        }
    }
}
