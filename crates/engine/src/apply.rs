//! Commands of all kinds in one stream: what imports and `POST /v1/ingest` need.

use std::time::Duration;

use accredit_model::{ActionId, Attribution, Command, Completion, EntryBody, Refusal, RefusalReason};
use accredit_store::{Answer, NewAction, Write};

use crate::accepted::Accepted;
use crate::record::{Begun, Recorded, Rest, begun, refusal};
use crate::{Engine, Error};

/// The answer to one command of a stream.
#[derive(Clone, Debug)]
pub enum Applied {
    /// A begin.
    Begun(Begun),
    /// A step or an observation.
    Entry(Recorded),
    /// A completion, a revision or a cancellation.
    Attributed(Box<Attribution>),
    /// A heartbeat.
    Alive,
    /// A completion that is durable, of an action that takes no more entries; the attribution follows.
    Accepted,
    /// It was not done.
    Failed(Error),
}

/// What waits to be sent in one job, and where the answers go.
#[derive(Default)]
struct Run {
    writes: Vec<Write>,
    bytes: usize,
    slots: Vec<Slot>,
    /// Entries of one action that came one after another, not prepared yet: their places and bodies.
    entries: Option<(ActionId, Vec<usize>, Vec<EntryBody>)>,
}

enum Slot {
    Begin(usize, Box<NewAction>),
    Entries(ActionId, Vec<usize>, usize, Rest),
    Heartbeat(usize),
    Accept(usize, ActionId, Box<Accepted>),
}

/// What becomes of completions in a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completing {
    /// They are carried out, and answered by their attribution.
    Now,
    /// They are made durable along with the entries before them, and carried out afterwards.
    Soon,
}

/// Bytes of one job at most.
const RUN_BYTES_MAX: usize = 4 << 20;

impl Engine {
    /// Carries out commands in order and answers each. Begins, entries and heartbeats that follow one another are made
    /// durable together; an unreadable command is answered in its place.
    #[must_use]
    pub fn apply(&self, commands: Vec<Result<Command, Refusal>>) -> Vec<Applied> {
        self.apply_completing(commands, Completing::Now)
    }

    pub(crate) fn apply_completing(
        &self,
        commands: Vec<Result<Command, Refusal>>,
        completing: Completing,
    ) -> Vec<Applied> {
        let mut answers: Vec<Option<Applied>> = Vec::new();
        answers.resize_with(commands.len(), || None);
        let mut run = Run::default();
        for (place, command) in commands.into_iter().enumerate() {
            let done = match command {
                Ok(Command::Complete { action_id, completion })
                    if completing == Completing::Soon && !self.inner.closer.is_full() =>
                {
                    self.accept(&mut run, place, action_id, completion)
                }
                Ok(command) => self.add(&mut run, place, command, &mut answers),
                Err(refusal) => Some(Applied::Failed(refusal.into())),
            };
            if let (Some(answer), Some(slot)) = (done, answers.get_mut(place)) {
                *slot = Some(answer);
            }
            if run.bytes > RUN_BYTES_MAX {
                self.flush(&mut run, &mut answers);
            }
        }
        self.flush(&mut run, &mut answers);
        let unanswered = || Applied::Failed(Error::Bug("EN-3: every write is answered"));
        answers.into_iter().map(|answer| answer.unwrap_or_else(unanswered)).collect()
    }

    /// Adds a command to the run, or carries it out at once where it cannot wait.
    fn add(&self, run: &mut Run, place: usize, command: Command, answers: &mut [Option<Applied>]) -> Option<Applied> {
        let (id, entry) = match command {
            Command::Step { action_id, step } => (action_id, EntryBody::Step(step)),
            Command::Observe { action_id, observation } => (action_id, EntryBody::Observation(observation)),
            Command::Begin(begin) => {
                self.settle(run);
                return match self.inner.new_action(begin) {
                    Ok(action) => {
                        run.bytes += 512;
                        run.writes.push(Write::Begin(Box::new(action.clone())));
                        run.slots.push(Slot::Begin(place, Box::new(action)));
                        self.flush_near_capacity(run, answers);
                        None
                    }
                    Err(error) => Some(Applied::Failed(error)),
                };
            }
            Command::Heartbeat { action_id } => {
                self.settle(run);
                let now = self.inner.now();
                run.writes.push(Write::Heartbeat { action: action_id, received_at: now.wall, steady: now.steady });
                run.slots.push(Slot::Heartbeat(place));
                return None;
            }
            Command::Complete { action_id, completion } => {
                self.flush(run, answers);
                return Some(attributed(self.complete(action_id, completion)));
            }
            Command::Revise { action_id, revision } => {
                self.flush(run, answers);
                return Some(attributed(self.revise(action_id, revision)));
            }
            Command::Cancel { action_id, cancel } => {
                self.flush(run, answers);
                return Some(attributed(self.cancel(action_id, cancel)));
            }
        };
        if run.entries.as_ref().is_some_and(|(open, ..)| *open != id) {
            self.settle(run);
        }
        let (_, places, entries) = run.entries.get_or_insert_with(|| (id, Vec::new(), Vec::new()));
        places.push(place);
        entries.push(entry);
        if entries.len() >= 4_096 {
            self.settle(run);
        }
        None
    }

    /// Adds a completion that is carried out later.
    fn accept(&self, run: &mut Run, place: usize, id: ActionId, completion: Completion) -> Option<Applied> {
        self.settle(run);
        match self.inner.acceptance(id, completion) {
            Ok((write, accepted)) => {
                run.bytes += 512;
                run.writes.push(write);
                run.slots.push(Slot::Accept(place, id, Box::new(accepted)));
                None
            }
            Err(error) => Some(Applied::Failed(error)),
        }
    }

    /// Turns the gathered entries of one action into writes.
    fn settle(&self, run: &mut Run) {
        let Some((id, places, entries)) = run.entries.take() else { return };
        let (writes, bytes, rest) = self.inner.prepare(id, entries).into_writes();
        run.slots.push(Slot::Entries(id, places, writes.len(), rest));
        run.bytes += bytes;
        run.writes.extend(writes);
    }

    /// A begin beyond the limit needs an eviction first: near the limit, begins go one by one.
    fn flush_near_capacity(&self, run: &mut Run, answers: &mut [Option<Applied>]) {
        let begins = run.slots.iter().filter(|slot| matches!(slot, Slot::Begin(..))).count() as u64;
        let open = self.inner.store.stats().map_or(u64::MAX, |stats| stats.open);
        if open.saturating_add(begins) >= self.inner.config.limits.open_actions_max {
            self.flush(run, answers);
        }
    }

    fn flush(&self, run: &mut Run, answers: &mut [Option<Applied>]) {
        self.settle(run);
        let Run { writes, bytes, slots, .. } = std::mem::take(run);
        if slots.is_empty() {
            return;
        }
        // A stream has nobody who could come back later: it waits for room as long as it takes.
        let patience = Duration::from_secs(3600);
        let replied = if writes.is_empty() {
            Ok(Vec::new())
        } else {
            self.inner.push(writes, bytes, patience).and_then(crate::reply::Pending::wait)
        };
        let mut put = |place: usize, answer: Applied| {
            if let Some(slot) = answers.get_mut(place) {
                *slot = Some(answer);
            }
        };
        let mut replied = replied.map(Vec::into_iter);
        for slot in slots {
            match slot {
                Slot::Begin(place, action) => put(place, self.begun_in_run(next(&mut replied), &action)),
                Slot::Heartbeat(place) => put(
                    place,
                    match next(&mut replied) {
                        Ok(Answer::Refused(reason)) => Applied::Failed(refusal(reason).into()),
                        Ok(_) => Applied::Alive,
                        Err(error) => Applied::Failed(error),
                    },
                ),
                Slot::Accept(place, id, accepted) => put(
                    place,
                    match next(&mut replied) {
                        Ok(answer) => self
                            .inner
                            .accepted(answer, &accepted)
                            .unwrap_or_else(|| attributed(self.complete(id, accepted.completion))),
                        Err(error) => Applied::Failed(error),
                    },
                ),
                Slot::Entries(id, places, n, rest) => {
                    let taken: Result<Vec<Answer>, Error> = (0..n).map(|_| next(&mut replied)).collect();
                    // Each command has an answer of its own, in strict mode too.
                    match taken.and_then(|taken| self.inner.answered(id, rest, taken)) {
                        Ok(recorded) => {
                            for (place, entry) in places.into_iter().zip(recorded) {
                                put(place, Applied::Entry(entry));
                            }
                        }
                        Err(error) => places.into_iter().for_each(|p| put(p, Applied::Failed(error.clone()))),
                    }
                }
            }
        }
    }

    fn begun_in_run(&self, answer: Result<Answer, Error>, action: &NewAction) -> Applied {
        let begun = match answer {
            Ok(Answer::AtCapacity) => self.begin_at_capacity(action),
            Ok(answer) => begun(action.id, &answer),
            Err(error) => Err(error),
        };
        begun.map_or_else(Applied::Failed, Applied::Begun)
    }

    /// Evicts until there is room.
    pub(crate) fn begin_at_capacity(&self, action: &NewAction) -> Result<Begun, Error> {
        loop {
            match self.inner.submit_one(Write::Begin(Box::new(action.clone())))? {
                Answer::AtCapacity => self.inner.evict()?,
                answer => return begun(action.id, &answer),
            }
        }
    }
}

fn next(replied: &mut Result<std::vec::IntoIter<Answer>, Error>) -> Result<Answer, Error> {
    match replied {
        Ok(answers) => answers.next().ok_or(Error::Bug("EN-3: every write is answered")),
        Err(error) => Err(error.clone()),
    }
}

fn attributed(result: Result<Attribution, Error>) -> Applied {
    result.map_or_else(Applied::Failed, |attribution| Applied::Attributed(Box::new(attribution)))
}

impl Applied {
    /// The refusal, where it was one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Entry(Recorded::Refused(refusal)) | Self::Failed(Error::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// The reason, where it was refused.
    #[must_use]
    pub fn reason(&self) -> Option<RefusalReason> {
        self.refusal().map(|refusal| refusal.reason)
    }
}
