//! Handing on what was buffered, and what is drawn from the answers.

use std::sync::Arc;
use std::time::Instant;

use accredit_model::{ActionId, Command, RefusalReason};

use super::buffer::{Buffer, Item, Waiting};
use super::{Answer, IDLE, LINGER, Shared, closes};
use crate::{Applied, Error, ErrorKind};

impl Shared {
    /// The recorder's thread. Whatever happens to it, nobody waits for ever.
    pub(super) fn run(&self) {
        let died = Died(&self.buffer);
        let mut idle_since = Instant::now();
        while let Some(items) = self.buffer.take(LINGER, idle_since.elapsed() >= IDLE) {
            if items.is_empty() {
                continue;
            }
            self.hand_on(items);
            idle_since = Instant::now();
        }
        std::mem::forget(died);
    }

    fn hand_on(&self, items: Vec<Item>) {
        let n = items.len() as u64;
        let mut waiting = Vec::new();
        let mut about = Vec::with_capacity(items.len());
        let mut commands = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            about.push(About::of(&item.command));
            commands.push(item.command);
            waiting.extend(item.waiting.map(|waiting| (at, waiting)));
        }
        let mut answers: Vec<Option<Answer>> = self.target.carry_out(commands).into_iter().map(Some).collect();
        for (about, answer) in about.iter().zip(&answers) {
            if let Some(answer) = answer {
                self.settle(about, answer);
            }
        }
        for (at, waiting) in waiting {
            waiting.put(answers.get_mut(at).and_then(Option::take).unwrap_or_else(unanswered));
        }
        self.buffer.done(n);
    }

    /// Carries out a command beside the recorder's thread and puts the answer.
    pub(super) fn carry_out_for(&self, command: Command, waiting: Arc<Waiting>) {
        let owed = Owed(Some(waiting));
        let about = About::of(&command);
        let answer = self.target.carry_out(vec![command]).pop().unwrap_or_else(unanswered);
        self.settle(&about, &answer);
        owed.pay(answer);
    }

    /// Draws from an answer what later calls are to know.
    fn settle(&self, about: &About, answer: &Answer) {
        let Some(id) = about.id else { return };
        let Answer::Applied(applied) = answer else {
            if about.closes {
                self.actions.close(id);
            }
            return;
        };
        match applied {
            Applied::Begun(_) | Applied::Alive => {}
            Applied::Attributed(_) | Applied::Accepted => self.actions.close(id),
            Applied::Entry(entry) if entry.is_stored() => {}
            Applied::Entry(_) | Applied::Failed(_) => {
                let reason = applied.reason();
                match reason {
                    Some(reason) => drop(self.refuse(reason)),
                    None => self.failed(applied),
                }
                let is_gone = matches!(reason, Some(RefusalReason::ClosedAction | RefusalReason::UnknownAction));
                // Of a conflict there is an action of this id, begun in another way.
                let is_unbegun = about.begins && reason != Some(RefusalReason::Conflict);
                if is_gone || is_unbegun {
                    self.actions.close(id);
                } else if about.closes
                    && let Some(action) = self.actions.get(id)
                {
                    // It was not closed after all: whoever holds it may go on.
                    action.reopen();
                }
            }
        }
    }

    fn failed(&self, applied: &Applied) {
        if let Applied::Failed(error) = applied {
            let mut tally = self.tally();
            *tally.refused.entry(error.code().to_owned()).or_default() += 1;
            if matches!(error.kind(), ErrorKind::Expected | ErrorKind::NotFound | ErrorKind::Conflict) {
                // The caller's own doing, and of this call alone.
                return;
            }
            if tally.last_error.is_none() {
                tracing::warn!(%error, "recording fails; further failures are only counted");
            }
            tally.last_error = Some(error.to_string());
        }
    }
}

/// Tells who waits when the recorder's thread unwinds.
struct Died<'a>(&'a Buffer);

impl Drop for Died<'_> {
    fn drop(&mut self) {
        tracing::error!("the recorder's thread has died; nothing more is recorded");
        self.0.died();
    }
}

/// What is kept in mind of a command while it is carried out.
struct About {
    id: Option<ActionId>,
    begins: bool,
    closes: bool,
}

impl About {
    fn of(command: &Command) -> Self {
        Self { id: command.action_id(), begins: matches!(command, Command::Begin(_)), closes: closes(command) }
    }
}

fn unanswered() -> Answer {
    Answer::Applied(Applied::Failed(Error::Bug("EN-3: every write is answered")))
}

/// An answer that is owed to somebody; it is given even when the work for it panics.
struct Owed(Option<Arc<Waiting>>);

impl Owed {
    fn pay(mut self, answer: Answer) {
        if let Some(waiting) = self.0.take() {
            waiting.put(answer);
        }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(waiting) = &self.0 {
            waiting.put(Answer::Applied(Applied::Failed(Error::Poisoned)));
        }
    }
}
