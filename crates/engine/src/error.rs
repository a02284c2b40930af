//! What can go wrong, by what the caller can do about it.

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
            Self::Overloaded | Self::Contended { .. } | Self::Closed => ErrorKind::Unavailable,
            Self::ReadOnly | Self::Config(_) | Self::Sink { .. } | Self::Export(_) => ErrorKind::Expected,
            Self::Store(error) => store_kind(error),
            Self::Poisoned | Self::Bug(_) => ErrorKind::Bug,
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
