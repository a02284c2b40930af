//! What a recorder hands commands on to.

use std::collections::BTreeMap;

use accredit_model::{Command, RefusalReason};

use crate::apply::Completing;
use crate::{Applied, Engine};

/// What became of a command.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It was carried out, or refused.
    Applied(Applied),
    /// A server has it.
    Stored {
        /// It had it before.
        repeat: bool,
    },
    /// It is durable here and waits to be sent on to a server that cannot be reached.
    Spooled,
}

/// What a target has to say for itself, where it hands on to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetStats {
    /// Commands that the server has taken.
    pub sent: u64,
    /// Of these, those that it had before: they were sent again because nobody knew.
    pub repeated: u64,
    /// Commands that wait on disk for the server.
    pub spooled: u64,
    /// Bytes that they take there.
    pub spool_bytes: u64,
    /// Lines on that disk that were damaged, and skipped.
    pub damaged: u64,
    /// Whether the last attempt to send failed.
    pub is_away: bool,
    /// Commands that the server refused after they had waited, by the reason's code.
    pub refused: BTreeMap<String, u64>,
    /// What the last failure said.
    pub last_error: Option<String>,
}

/// Takes commands from a recorder.
pub trait Target: Send + Sync {
    /// Carries out commands in order; one answer each. An answer means durable. One thread calls it at a time, but for
    /// commands by themselves where it is direct.
    fn carry_out(&self, commands: Vec<Command>) -> Vec<Answer>;

    /// Whether a single command may be carried out beside others, in the thread of its caller.
    fn is_direct(&self) -> bool;

    /// Counts what was refused before it came here.
    fn refused_elsewhere(&self, reason: RefusalReason);

    /// Its counters.
    fn stats(&self) -> TargetStats {
        TargetStats::default()
    }

    /// Ends what the target holds, once nothing more will come.
    fn close(&self);
}

/// The engine in this process. Closing the recorder leaves it open for others.
impl Target for Engine {
    fn carry_out(&self, commands: Vec<Command>) -> Vec<Answer> {
        let applied = self.apply_completing(commands.into_iter().map(Ok).collect(), Completing::Soon);
        applied.into_iter().map(Answer::Applied).collect()
    }

    fn is_direct(&self) -> bool {
        true
    }

    fn refused_elsewhere(&self, reason: RefusalReason) {
        Self::refused_elsewhere(self, &[reason]);
    }

    fn close(&self) {}
}
