//! Where the commands look: a store file opened in this process, or a running server.
//!
//! It adds no meaning: both kinds answer the same questions with the same nouns.

mod local;
mod pick;
mod remote;

use std::path::PathBuf;

use accredit::{Config, Filter, Insights, Method};
use accredit_model::{
    Action, ActionId, ActionType, AgentId, Attribution, Command, Entry, Experience, Refusal, Stats, Status, Timestamp,
    Verdict, Version,
};
use serde::Serialize;

use crate::Error;
use crate::cli::Global;
pub(crate) use local::Local;
pub(crate) use pick::pick;
pub(crate) use remote::Remote;

/// What a command needs of a store or server.
pub(crate) trait Source {
    /// The path or URL, for people.
    fn place(&self) -> String;
    /// One action.
    fn action(&self, id: ActionId) -> Result<Action, Error>;
    /// Its entries.
    fn chain(&self, id: ActionId) -> Result<Vec<Entry>, Error>;
    /// One version of its attribution, the latest where none is named.
    fn attribution(&self, id: ActionId, version: Option<Version>) -> Result<Attribution, Error>;
    /// What another method would give now.
    fn what_if(&self, id: ActionId, method: Method) -> Result<Attribution, Error>;
    /// All its versions, oldest first.
    fn attributions(&self, id: ActionId) -> Result<Vec<Attribution>, Error>;
    /// Actions, newest first.
    fn list(&self, filter: &Filter, limit: usize, cursor: Option<&str>) -> Result<Page, Error>;
    /// The action and all below it, parents before children.
    fn tree(&self, id: ActionId) -> Result<Vec<Node>, Error>;
    /// Deliveries that were given up.
    fn dead_letters(&self) -> Result<Vec<DeadLetter>, Error>;
    /// Puts them back, all or one sink's; answers how many.
    fn replay_dead_letters(&self, sink: Option<&str>) -> Result<u64, Error>;
    /// What the decisions of an action type are worth.
    fn insights(&self, action_type: &ActionType) -> Result<Insights, Error>;
    /// The counters.
    fn stats(&self) -> Result<Stats, Error>;
    /// Carries out commands in order; one answer each.
    fn apply(&self, commands: Vec<Result<Command, Refusal>>) -> Result<Vec<Answer>, Error>;

    /// The engine, where this process has one.
    fn engine(&self, task: &str) -> Result<&accredit::Engine, Error> {
        Err(Error::usage(
            format!("{task} needs the store file itself, not a server's address"),
            "give --store the path of the file",
        ))
    }

    /// A whole closed action.
    fn experience(&self, id: ActionId, version: Option<Version>) -> Result<Experience, Error> {
        let action = self.action(id)?;
        let attribution = self.attribution(id, version)?;
        Ok(Experience { cursor: 0, action, attribution, chain: self.chain(id)? })
    }
}

/// A page of actions.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Newest first.
    pub(crate) actions: Vec<Action>,
    /// How to ask for the next page; `None` on the last.
    pub(crate) next_cursor: Option<String>,
}

/// One action of a tree.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Node {
    pub(crate) action_id: ActionId,
    pub(crate) parent_action_id: Option<ActionId>,
    pub(crate) agent_id: AgentId,
    pub(crate) action_type: ActionType,
    pub(crate) status: Status,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) success_score: Option<f64>,
    pub(crate) parent_step: Option<u64>,
    pub(crate) credit: f64,
}

fn nodes(tree: accredit::Tree) -> Vec<Node> {
    let node = |node: accredit::TreeNode| Node {
        action_id: node.action_id,
        parent_action_id: node.parent_action_id,
        agent_id: node.agent_id,
        action_type: node.action_type,
        status: node.status,
        verdict: node.verdict,
        success_score: node.success_score,
        parent_step: node.parent_step,
        credit: node.credit,
    };
    tree.nodes.into_iter().map(node).collect()
}

/// A delivery that was given up.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DeadLetter {
    pub(crate) sink: String,
    pub(crate) cursor: u64,
    pub(crate) action_id: ActionId,
    pub(crate) version: Version,
    pub(crate) attempts: u32,
    pub(crate) error: String,
    pub(crate) failed_at: Timestamp,
}

fn dead_letters(letters: Vec<accredit::DeadLetter>) -> Vec<DeadLetter> {
    let letter = |letter: accredit::DeadLetter| DeadLetter {
        sink: letter.sink,
        cursor: letter.cursor,
        action_id: letter.action_id,
        version: letter.version,
        attempts: letter.attempts,
        error: letter.error,
        failed_at: letter.failed_at,
    };
    letters.into_iter().map(letter).collect()
}

/// What became of one command.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It was carried out; `repeat` where it had been before.
    Stored {
        /// It had been carried out before.
        repeat: bool,
    },
    /// It was not.
    Refused(Refused),
}

/// Why a command was not carried out.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    /// The stable code.
    pub(crate) reason: String,
    /// What was wrong.
    pub(crate) detail: String,
}

/// What a command does to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It looks: works beside a running server.
    Read,
    /// It writes to a store that is there.
    Write,
    /// It writes, and makes the store where there is none.
    Create,
}

/// Opens what `--store` names.
pub(crate) fn open(global: &Global, what_for: Use) -> Result<Box<dyn Source>, Error> {
    match &global.store {
        Some(url) if is_url(url) => Ok(Box::new(Remote::new(url)?)),
        _ => Ok(Box::new(Local::open(config(global, what_for)?)?)),
    }
}

pub(crate) fn is_url(store: &str) -> bool {
    store.starts_with("http://") || store.starts_with("https://")
}

/// The engine's configuration: `--config`, with `--store` above it.
pub(crate) fn config(global: &Global, what_for: Use) -> Result<Config, Error> {
    let mut config = match &global.config {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|source| Error::File { path: path.clone(), source })?;
            Config::from_toml(&text)?
        }
        None => Config::default(),
    };
    if let Some(store) = &global.store {
        if is_url(store) {
            return Err(Error::usage(
                "this command owns the store and cannot use a server's address",
                "give --store the path of the store file",
            ));
        }
        config.store = PathBuf::from(store);
    }
    if what_for == Use::Read {
        config.access = accredit::Access::ReadOnly;
    }
    if what_for != Use::Create && !config.store.exists() {
        return Err(Error::NoStore { path: config.store });
    }
    Ok(config)
}

/// `from <= begun_at < to` and the rest of a filter, from the command line.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error| format!("{error}"))
}
