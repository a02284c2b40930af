//! What the writers of one store have said, command by command.

use std::collections::BTreeMap;

use accredit::{ActionId, Begin, Command, EntryBody, JsonObject, Seq, Status, Version};

use super::line::{Line, Reply};

/// Everything that the writers of one store have said.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub(super) actions: BTreeMap<ActionId, Known>,
    /// Sent and not answered, by operation.
    pub(super) waiting: BTreeMap<u64, Vec<Command>>,
    /// What contradicts itself.
    pub(super) contradictions: Vec<String>,
    n_entries: u64,
}

/// What is known of one action.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) begin: Begin,
    /// The begin was acknowledged.
    pub(super) is_begun: bool,
    pub(super) stored: BTreeMap<Seq, EntryBody>,
    pub(super) attributed: BTreeMap<Version, f64>,
    /// Outcomes that were sent, by completions and revisions.
    pub(super) outcomes: Vec<JsonObject>,
    pub(super) closing: Closing,
}

/// How far the closing of an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closing {
    NotSent,
    Sent,
    Acknowledged,
}

impl Known {
    const fn new(begin: Begin) -> Self {
        Self {
            begin,
            is_begun: false,
            stored: BTreeMap::new(),
            attributed: BTreeMap::new(),
            outcomes: Vec::new(),
            closing: Closing::NotSent,
        }
    }
}

/// The entry of a step or an observation.
pub(super) fn entry_of(command: &Command) -> Option<(ActionId, EntryBody)> {
    match command {
        Command::Step { action_id, step } => Some((*action_id, EntryBody::Step(step.clone()))),
        Command::Observe { action_id, observation } => Some((*action_id, EntryBody::Observation(observation.clone()))),
        _ => None,
    }
}

impl Ledger {
    /// Takes a line down.
    ///
    /// # Errors
    /// When it names a command that is none.
    pub fn note(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Sending(op, lines) => {
                let commands: Result<Vec<Command>, _> = lines.iter().map(|line| Command::from_json(line)).collect();
                let commands = commands.map_err(|error| format!("the writer sent what is no command: {error}"))?;
                commands.iter().for_each(|command| self.note_sent(command));
                self.waiting.insert(op, commands);
            }
            Line::Answered(op, replies) => {
                let commands = self.waiting.remove(&op).unwrap_or_default();
                let mut unknown = Vec::new();
                for (command, reply) in commands.into_iter().zip(replies) {
                    match reply {
                        Reply::Unknown(_) => unknown.push(command),
                        reply => self.note_reply(&command, &reply),
                    }
                }
                if !unknown.is_empty() {
                    self.waiting.insert(op, unknown);
                }
            }
        }
        Ok(())
    }

    fn note_sent(&mut self, command: &Command) {
        if let Command::Begin(begin @ Begin { action_id: Some(id), .. }) = command {
            self.actions.entry(*id).or_insert_with(|| Known::new(begin.clone()));
        }
        let Some(known) = command.action_id().and_then(|id| self.actions.get_mut(&id)) else { return };
        match command {
            Command::Complete { completion, .. } => {
                known.closing = known.closing.max(Closing::Sent);
                known.outcomes.push(completion.outcome.clone().unwrap_or_default());
            }
            Command::Cancel { .. } => known.closing = known.closing.max(Closing::Sent),
            Command::Revise { revision, .. } => known.outcomes.extend(revision.outcome.clone()),
            _ => {}
        }
    }

    fn note_reply(&mut self, command: &Command, reply: &Reply) {
        let Some(id) = command.action_id() else { return };
        let Some(known) = self.actions.get_mut(&id) else { return };
        match reply {
            Reply::Begun => known.is_begun = true,
            Reply::Stored(seq) => {
                let Some((_, body)) = entry_of(command) else { return };
                match known.stored.insert(*seq, body.clone()) {
                    None => self.n_entries += 1,
                    Some(other) if other == body => {}
                    Some(_) => self.contradictions.push(format!("two entries were acknowledged at {seq} of {id}")),
                }
            }
            Reply::Attributed(version, score) => {
                known.closing = Closing::Acknowledged;
                if known.attributed.insert(*version, *score).is_some_and(|other| other.to_bits() != score.to_bits()) {
                    self.contradictions.push(format!("version {version} of {id} was acknowledged with two scores"));
                }
            }
            Reply::Alive | Reply::Refused(_) | Reply::Unknown(_) => {}
        }
    }

    /// Entries acknowledged.
    #[must_use]
    pub const fn n_entries(&self) -> u64 {
        self.n_entries
    }

    /// Whether any begin was acknowledged.
    #[must_use]
    pub fn knows_actions(&self) -> bool {
        self.actions.values().any(|known| known.is_begun)
    }
}

impl Known {
    /// Whether the action may stand so.
    pub(super) fn may_be(&self, status: Status) -> bool {
        match self.closing {
            Closing::NotSent => status == Status::Open,
            Closing::Sent => true,
            Closing::Acknowledged => status != Status::Open,
        }
    }
}
