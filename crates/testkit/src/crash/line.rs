//! What a writer says: one line of JSON before it sends something, one after it was answered.

use accredit::{Applied, Command, Error, ErrorKind, Recorded, Seq, Version};
use serde::{Deserialize, Serialize};

/// One line of the writer's output. An operation is one call, of one command or of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The operation with this number is about to be sent: its commands, as wire format v1.
    Sending(u64, Vec<String>),
    /// It was answered, one answer a command.
    Answered(u64, Vec<Reply>),
}

/// What the engine said to one command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The action is there.
    Begun,
    /// The entry is stored at this position.
    Stored(Seq),
    /// This version of the attribution is stored, with this score.
    Attributed(Version, f64),
    /// The heartbeat was heard.
    Alive,
    /// It was not done, for this reason.
    Refused(String),
    /// Nobody knows whether it was done.
    Unknown(String),
}

impl Line {
    /// What is said before sending.
    ///
    /// # Errors
    /// When a command is no JSON, which these types do not allow.
    pub fn sending(op: u64, commands: &[Command]) -> Result<Self, serde_json::Error> {
        let lines: Result<_, _> = commands.iter().map(serde_json::to_string).collect();
        lines.map(|lines| Self::Sending(op, lines))
    }

    /// Whether it acknowledges something.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        matches!(self, Self::Answered(..))
    }
}

impl From<Result<Recorded, Error>> for Reply {
    fn from(answer: Result<Recorded, Error>) -> Self {
        match answer {
            Ok(Recorded::Stored { seq, .. }) => Self::Stored(seq),
            Ok(Recorded::Refused(refusal)) => Self::Refused(refusal.reason.to_string()),
            Err(error) => Self::from(error),
        }
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Expected | ErrorKind::NotFound | ErrorKind::Conflict => Self::Refused(error.code().to_owned()),
            _ => Self::Unknown(error.to_string()),
        }
    }
}

impl From<Applied> for Reply {
    fn from(applied: Applied) -> Self {
        match applied {
            Applied::Begun(_) => Self::Begun,
            Applied::Entry(recorded) => Self::from(Ok(recorded)),
            Applied::Attributed(made) => Self::Attributed(made.version, made.success_score),
            Applied::Alive | Applied::Accepted => Self::Alive,
            Applied::Failed(error) => Self::from(error),
        }
    }
}
