//! Why a command failed, with which code it exits, and what its user can do.

use std::io;
use std::path::PathBuf;

use accredit::ErrorKind;

use crate::Exit;

/// A command that failed. [`Error::exit`] is its code, [`Error::help`] the way out where there is one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Something on the command line cannot be used.
    #[error("{what}")]
    Usage {
        /// What cannot be used, and why.
        what: String,
        /// What to do instead.
        help: String,
    },
    /// There is no store at this path.
    #[error("there is no store at {}", path.display())]
    NoStore {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Nothing has the name that was given.
    #[error("{what}")]
    NotFound {
        /// What was looked for.
        what: String,
        /// What to do instead.
        help: String,
    },
    /// The engine refused or failed.
    #[error(transparent)]
    Engine(#[from] accredit::Error),
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The content of a file is of no format that import knows.
    #[error("{file} is in no format that import knows")]
    Format {
        /// The file.
        file: String,
        /// What was tried and why it is not that.
        tried: String,
    },
    /// Standard output cannot be written.
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
    /// The server could not be started or broke down.
    #[error("cannot {0}")]
    Serve(#[from] accredit_server::ServeError),
    /// The runtime of the server could not be started.
    #[error("cannot start the server")]
    Runtime(#[source] io::Error),
}

impl Error {
    /// A mistake on the command line.
    pub(crate) fn usage(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), help: help.into() }
    }

    /// The code of the process.
    #[must_use]
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::Format { .. } => Exit::Usage,
            Self::NoStore { .. } | Self::NotFound { .. } => Exit::NotFound,
            Self::Engine(error) => error.kind().into(),
            Self::Serve(accredit_server::ServeError::NotLoopback { .. }) => Exit::Usage,
            Self::Serve(accredit_server::ServeError::Ended) => Exit::Bug,
            Self::Serve(_) | Self::Runtime(_) => Exit::Unavailable,
            Self::File { source, .. } | Self::Output(source) => match source.kind() {
                io::ErrorKind::NotFound => Exit::NotFound,
                _ => Exit::Unavailable,
            },
        }
    }

    /// What can be done, where something can.
    #[must_use]
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::Usage { help, .. } | Self::NotFound { help, .. } => (!help.is_empty()).then(|| help.clone()),
            Self::NoStore { path } => Some(format!(
                "name one with --store or ACCREDIT_STORE, or make {} with `accredit import FILE` or `accredit serve`",
                path.display()
            )),
            Self::Engine(error) => of_engine(error),
            Self::Format { tried, .. } => Some(format!("{tried}; --format says which it is")),
            Self::Serve(_) | Self::Runtime(_) | Self::File { .. } | Self::Output(_) => None,
        }
    }

    /// Whether it is only the reader of our output that went away, which is no error.
    #[must_use]
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn of_engine(error: &accredit::Error) -> Option<String> {
    if matches!(error, accredit::Error::Answered { .. }) {
        // The server's own sentence says it.
        return None;
    }
    let help = match (error.code(), error.kind()) {
        ("unreachable", _) => "start it with `accredit serve`, or give --store the path of the store file",
        ("protocol", _) => "is this an accredit server, and of the same version?",
        // The engine's own sentence says it.
        ("store_unavailable" | "corrupt", _) => return None,
        ("no_attribution", _) => "`accredit show ID` shows how the action stands and how many versions it has",
        (_, ErrorKind::NotFound) => "`accredit list` shows which actions there are",
        (_, ErrorKind::Conflict) => "POST /v1/actions/ID/revise changes the outcome of a closed action",
        (_, ErrorKind::Bug) => "please report it",
        _ => return None,
    };
    Some(help.to_owned())
}
