//! What can go wrong, by what the caller can do about it.

use std::path::PathBuf;
use std::sync::Arc;

use accredit_model::{ActionId, Refusal, RefusalReason, Version};
use accredit_store::StoreError;

/// Why the engine did not do it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command is not acceptable as it is.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The action is in a state that this does not fit.
    #[error("action {action_id} {detail}")]
    Conflict {
        /// The action.
        action_id: ActionId,
        /// Its state and what to call instead.
        detail: &'static str,
    },
    /// The action is open, or never had this version.
    #[error("action {action_id} has no attribution {}", .version.map_or("yet: it is open".to_owned(), |v| format!("version {v}")))]
    NoAttribution {
        /// The action.
        action_id: ActionId,
        /// The version asked for.
        version: Option<Version>,
    },
    /// More is waiting to be made durable than may; try again after a moment.
    #[error("the queue is full: more is recorded than the disk takes; try again in a moment")]
    Overloaded,
    /// Somebody else kept changing the action; try again after a moment.
    #[error("action {action_id} is being changed by others; try again in a moment")]
    Contended {
        /// The action.
        action_id: ActionId,
    },
    /// This engine only reads.
    #[error("the store was opened for reading only")]
    ReadOnly,
    /// The engine has been closed.
    #[error("the engine is closed")]
    Closed,
    /// The committer thread died; nothing more can be recorded by this process.
    #[error("the committer has died of a bug; restart the process, everything acknowledged is safe")]
    Poisoned,
    /// The configuration does not fit.
    #[error("configuration: {0}")]
    Config(String),
    /// A sink cannot be opened.
    #[error("open the sink `{name}`")]
    Sink {
        /// Its name.
        name: String,
        /// What went wrong.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// Writing an export failed.
    #[error("write the export")]
    Export(#[source] Arc<std::io::Error>),
    /// The store failed.
    #[error("{0}")]
    Store(#[from] Arc<StoreError>),
    /// The server cannot be reached.
    #[error("no answer from {url}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Why.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The server answered with an error.
    #[error("the server answered {status} {code}: {detail}")]
    Answered {
        /// HTTP status.
        status: u16,
        /// The stable code in its answer.
        code: String,
        /// Its sentence.
        detail: String,
    },
    /// The server's answer is not what this program expects.
    #[error("{url} answered with something this program does not understand")]
    Protocol {
        /// The call.
        url: String,
        /// Why.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// What was recorded waits on this machine's disk for the server.
    #[error("what was recorded of it waits on disk until the server takes it; try again in a moment")]
    Spooled,
    /// What waits for a server cannot be kept on disk.
    #[error("use the spool {}", folder.display())]
    Spool {
        /// Its folder.
        folder: PathBuf,
        /// What went wrong.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// A client cannot ask this of a server.
    #[error("`{call}` is the server's own work, which it does by itself")]
    ServerOwn {
        /// The call.
        call: &'static str,
    },
    /// A state that cannot be: a bug here.
    #[error("keep the invariant {0}")]
    Bug(&'static str),
}

/// Who can do something about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The caller: the command is wrong.
    Expected,
    /// The caller: there is no such thing.
    NotFound,
    /// The caller: the state does not allow it.
    Conflict,
    /// Time: try again.
    Unavailable,
    /// Whoever keeps the backups.
    Corrupt,
    /// The makers of accredit.
    Bug,
}

impl Error {
    /// Who can do something about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(refusal) => match refusal.reason {
                RefusalReason::UnknownAction => ErrorKind::NotFound,
                RefusalReason::ParentCycle | RefusalReason::Conflict | RefusalReason::ClosedAction => {
                    ErrorKind::Conflict
                }
                RefusalReason::Overloaded => ErrorKind::Unavailable,
                _ => ErrorKind::Expected,
            },
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::NoAttribution { .. } => ErrorKind::NotFound,
            Self::Overloaded
            | Self::Contended { .. }
            | Self::Closed
            | Self::Unreachable { .. }
            | Self::Spooled
            | Self::Spool { .. } => ErrorKind::Unavailable,
            Self::ReadOnly | Self::Config(_) | Self::Sink { .. } | Self::Export(_) | Self::ServerOwn { .. } => {
                ErrorKind::Expected
            }
            Self::Answered { status, .. } => answered_kind(*status),
            Self::Store(error) => store_kind(error),
            Self::Poisoned | Self::Bug(_) | Self::Protocol { .. } => ErrorKind::Bug,
        }
    }

    /// The error's stable name on the wire.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.reason.code(),
            Self::Conflict { .. } => "conflict",
            Self::NoAttribution { .. } => "no_attribution",
            Self::Overloaded => "overloaded",
            Self::Contended { .. } => "contended",
            Self::ReadOnly => "read_only",
            Self::Closed => "closed",
            Self::Poisoned => "poisoned",
            Self::Config(_) => "config",
            Self::Sink { .. } => "sink",
            Self::Export(_) => "export",
            Self::Unreachable { .. } => "unreachable",
            Self::Answered { code, .. } => answered_code(code),
            Self::Protocol { .. } => "protocol",
            Self::Spooled => "spooled",
            Self::Spool { .. } => "spool",
            Self::ServerOwn { .. } => "server_own",
            Self::Bug(_) => "bug",
            Self::Store(error) => match store_kind(error) {
                ErrorKind::Corrupt => "corrupt",
                ErrorKind::NotFound => "no_store",
                ErrorKind::Unavailable => "store_unavailable",
                ErrorKind::Expected | ErrorKind::Conflict => "store_unusable",
                ErrorKind::Bug => "bug",
            },
        }
    }

    pub(crate) fn unknown_action() -> Self {
        Refusal::new(RefusalReason::UnknownAction, "no action has this id; begin it first").into()
    }
}

const fn answered_kind(status: u16) -> ErrorKind {
    match status {
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        408 | 425 | 429 | 502..=504 => ErrorKind::Unavailable,
        500.. => ErrorKind::Bug,
        _ => ErrorKind::Expected,
    }
}

/// Codes of a server's answers that have a meaning beyond their status.
const ANSWERED: [&str; 12] = [
    "no_attribution",
    "contended",
    "read_only",
    "closed",
    "poisoned",
    "store_unavailable",
    "corrupt",
    "unknown_agent",
    "invalid_parameter",
    "unauthorized",
    "forbidden",
    "not_found",
];

/// The server's code where it is known here.
fn answered_code(code: &str) -> &'static str {
    let reasons = RefusalReason::ALL.iter().map(|reason| reason.code());
    reasons.chain(ANSWERED).find(|known| *known == code).unwrap_or("answered")
}

fn store_kind(error: &StoreError) -> ErrorKind {
    match error {
        StoreError::Missing { .. } => ErrorKind::NotFound,
        StoreError::Locked { .. } | StoreError::Full(_) | StoreError::Io { .. } | StoreError::Sqlite(_) => {
            ErrorKind::Unavailable
        }
        StoreError::Corrupt { .. } => ErrorKind::Corrupt,
        StoreError::Bug(_) => ErrorKind::Bug,
        _ => ErrorKind::Expected,
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::ReadOnly => Self::ReadOnly,
            other => Self::Store(Arc::new(other)),
        }
    }
}
