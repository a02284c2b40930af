//! Handing commands to the source in batches, and counting what became of them.

use std::collections::HashSet;

use accredit_model::{ActionId, Command, Refusal, RefusalReason};

use super::summary::{Place, Summary};
use crate::Error;
use crate::source::{Answer, Source};

/// Commands in a batch: enough that a batch's fsync weighs nothing beside its work.
const BATCH_COMMANDS: usize = 2_000;

/// Bytes in a batch: below what a server takes in one body.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Gathers commands and applies them.
pub(super) struct Loader<'a> {
    source: &'a dyn Source,
    places: Vec<Place>,
    commands: Vec<Result<Command, Refusal>>,
    bytes: usize,
    /// Actions whose begin was a repeat and whose completion has not been seen: entries that such an action refuses
    /// because it is closed were stored by an earlier import.
    again: HashSet<ActionId>,
    summary: Summary,
}

impl<'a> Loader<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self {
            source,
            places: Vec::new(),
            commands: Vec::new(),
            bytes: 0,
            again: HashSet::new(),
            summary: Summary::default(),
        }
    }

    /// Takes one command of about `bytes` bytes, or what made it unreadable.
    pub(super) fn push(&mut self, place: Place, command: Result<Command, Refusal>, bytes: usize) -> Result<(), Error> {
        self.places.push(place);
        self.commands.push(command);
        self.bytes += bytes;
        if self.commands.len() >= BATCH_COMMANDS || self.bytes >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    /// Applies what has gathered.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        if self.commands.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let commands = std::mem::take(&mut self.commands);
        let about: Vec<About> = commands.iter().map(About::of).collect();
        let answers = self.source.apply(commands)?;
        let places = std::mem::take(&mut self.places);
        for ((place, about), answer) in places.into_iter().zip(about).zip(answers) {
            self.count(place, about, answer);
        }
        Ok(())
    }

    pub(super) fn into_summary(self) -> Summary {
        self.summary
    }

    fn count(&mut self, place: Place, about: About, answer: Answer) {
        let summary = &mut self.summary;
        match (answer, about.kind) {
            (Answer::Stored { repeat: true }, Kind::Begin) => {
                summary.actions_repeated += 1;
                self.again.extend(about.action_id);
            }
            (Answer::Stored { repeat: true }, _) => summary.repeated += 1,
            (Answer::Stored { repeat: false }, kind) => match kind {
                Kind::Begin => summary.actions += 1,
                Kind::Step => summary.steps += 1,
                Kind::Observation => summary.observations += 1,
                Kind::Close => summary.closed += 1,
                Kind::Other => {}
            },
            (Answer::Refused(refusal), Kind::Step | Kind::Observation)
                if refusal.reason == RefusalReason::ClosedAction.code()
                    && about.action_id.is_some_and(|id| self.again.contains(&id)) =>
            {
                summary.repeated += 1;
            }
            (Answer::Refused(refusal), _) => summary.refuse(place, refusal),
        }
        if about.kind == Kind::Close
            && let Some(id) = about.action_id
        {
            self.again.remove(&id);
        }
    }
}

/// What is remembered of a command that has been handed over.
#[derive(Clone, Copy)]
struct About {
    kind: Kind,
    action_id: Option<ActionId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Begin,
    Step,
    Observation,
    Close,
    Other,
}

impl About {
    fn of(command: &Result<Command, Refusal>) -> Self {
        let Ok(command) = command else { return Self { kind: Kind::Other, action_id: None } };
        let kind = match command {
            Command::Begin(_) => Kind::Begin,
            Command::Step { .. } => Kind::Step,
            Command::Observe { .. } => Kind::Observation,
            Command::Complete { .. } | Command::Cancel { .. } => Kind::Close,
            Command::Revise { .. } | Command::Heartbeat { .. } => Kind::Other,
        };
        Self { kind, action_id: command.action_id() }
    }
}
