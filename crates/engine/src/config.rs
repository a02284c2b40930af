//! The configuration: few keys, each with a default; unknown ones are errors.

mod learning;

use std::collections::BTreeMap;
use std::path::PathBuf;

use accredit_credit::Method;
use accredit_guard::Limits;
use accredit_model::ActionType;
use serde::{Deserialize, Serialize};

pub use learning::{Learning, OnRefit};

use crate::Error;

/// How an engine works. In TOML the keys stand as they are here, limits under `[limits]`, sinks under `[[sinks]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The store's file.
    pub store: PathBuf,
    /// Whether to write. Set by the program, not by the file.
    #[serde(skip)]
    pub access: Access,
    /// Behave as the older in-memory module did: what comes after a closing is refused, whoever sends it. For drop-in
    /// replacements; set `limits` to [`Limits::compat`] as well.
    pub compat: bool,
    /// How credit is shared out. Where nothing was learned, a method that learns shares as `decay` does.
    pub method: Method,
    /// The same for single action types. For kinds of work that are known to need another method.
    pub method_by_type: BTreeMap<ActionType, Method>,
    /// Refused entries are errors. For tests of an agent; in production a refusal is counted and answered.
    pub strict: bool,
    /// Bytes of commands that may wait to be made durable.
    pub queue_bytes_max: usize,
    /// How long a recording call waits for room in the queue, in milliseconds, before it is refused.
    pub block_ms_max: u64,
    /// How often idle actions are looked for, in seconds; 0 for never (then call `cleanup_expired`).
    pub sweep_secs: u64,
    /// Events that are kept for subscribers who come back.
    pub events_max: usize,
    /// What is learned from closed actions.
    pub learning: Learning,
    /// What is accepted.
    pub limits: Limits,
    /// Who gets the experiences.
    pub sinks: Vec<SinkConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: PathBuf::from("accredit.db"),
            access: Access::ReadWrite,
            compat: false,
            method: Method::default(),
            method_by_type: BTreeMap::new(),
            strict: false,
            queue_bytes_max: 64 << 20,
            block_ms_max: 1_000,
            sweep_secs: 10,
            events_max: 16_384,
            learning: Learning::default(),
            limits: Limits::default(),
            sinks: Vec::new(),
        }
    }
}

/// Whether an engine writes, and whether its answers mean that it is on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// It is the store's one writer.
    #[default]
    ReadWrite,
    /// The same, but nothing waits for the disk: no answer means durable, and a loss of power may leave a damaged file.
    /// For a store that is deleted when its process ends.
    Ephemeral,
    /// It reads, beside a writer in another process.
    ReadOnly,
}

impl Access {
    /// Whether it writes at all.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::ReadOnly)
    }
}

/// One receiver of experiences. A new one is owed every experience that the store holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SinkTable")]
pub struct SinkConfig {
    /// Its name in the store and in the statistics; a changed name is a new sink.
    pub name: String,
    /// Where it sends to.
    #[serde(flatten)]
    pub kind: SinkKind,
}

/// The kinds of sinks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SinkKind {
    /// One JSON line an experience, appended to a file and made durable before it counts as delivered.
    Jsonl {
        /// The file.
        path: PathBuf,
    },
    /// The interaction replay of learners: `POST {url}/v1/chat/completions`.
    Replay {
        /// The learner's base URL.
        url: String,
        /// Name of the environment variable that holds the bearer token.
        #[serde(skip_serializing_if = "Option::is_none")]
        token_env: Option<String>,
    },
}

/// A sink as it is written: serde cannot refuse unknown keys of a struct with a flattened part.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum SinkTable {
    Jsonl { name: String, path: PathBuf },
    Replay { name: String, url: String, token_env: Option<String> },
}

impl From<SinkTable> for SinkConfig {
    fn from(table: SinkTable) -> Self {
        match table {
            SinkTable::Jsonl { name, path } => Self { name, kind: SinkKind::Jsonl { path } },
            SinkTable::Replay { name, url, token_env } => Self { name, kind: SinkKind::Replay { url, token_env } },
        }
    }
}

impl Config {
    /// The defaults, with the store at this path.
    #[must_use]
    pub fn at(store: impl Into<PathBuf>) -> Self {
        Self { store: store.into(), ..Self::default() }
    }

    /// The defaults for reading the store at this path, beside a process that writes to it.
    #[must_use]
    pub fn read_only(store: impl Into<PathBuf>) -> Self {
        Self { store: store.into(), access: Access::ReadOnly, ..Self::default() }
    }

    /// The older module's behaviour and limits, with the store at this path.
    #[must_use]
    pub fn compat(store: impl Into<PathBuf>) -> Self {
        Self { store: store.into(), compat: true, method: Method::Decay, limits: Limits::compat(), ..Self::default() }
    }

    /// The method for this type of action. The older module's behaviour knows the prior alone.
    #[must_use]
    pub fn method_of(&self, action_type: &ActionType) -> Method {
        let method = self.method_by_type.get(action_type).copied().unwrap_or(self.method);
        if self.compat && method.learned().is_some() { Method::Decay } else { method }
    }

    /// Reads a configuration file's text and checks it.
    ///
    /// # Errors
    /// When it is not TOML, a key is unknown, a value does not fit, or two sinks share a name.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let config: Self = toml::from_str(text).map_err(|error| Error::Config(error.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// When an option of a method is out of its range, a limit makes no sense or two sinks share a name.
    pub fn validate(&self) -> Result<(), Error> {
        for method in self.method_by_type.values().chain([&self.method]) {
            method.validate().map_err(|error| Error::Config(error.to_string()))?;
        }
        self.limits.validate().map_err(|error| Error::Config(error.to_string()))?;
        if self.queue_bytes_max == 0 || self.events_max == 0 {
            return Err(Error::Config("queue_bytes_max and events_max must be at least 1".to_owned()));
        }
        for (index, sink) in self.sinks.iter().enumerate() {
            if sink.name.is_empty() || self.sinks.iter().take(index).any(|other| other.name == sink.name) {
                return Err(Error::Config("every sink needs a name of its own".to_owned()));
            }
        }
        Ok(())
    }
}
