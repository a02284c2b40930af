//! What a recorder hands commands on to.

use accredit_model::{Command, RefusalReason};

use crate::apply::Completing;
use crate::{Applied, Engine};

/// What became of a command.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It was carried out, or refused.
    Applied(Applied),
    /// It is durable here and waits to be sent on to a server that cannot be reached.
    Spooled,
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
