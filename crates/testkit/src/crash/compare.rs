//! What the writers said against what the store holds.

use std::collections::{BTreeMap, BTreeSet};

use accredit::{Action, ActionId, Command, Engine, Entry, EntryBody, Error, Filter};

use super::ledger::{Closing, Known, Ledger, entry_of};
use super::line::{Line, Reply};

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Acknowledged, and not there as it was.
    pub lost: Vec<String>,
    /// There, and should not be, or should be otherwise.
    pub wrong: Vec<String>,
}

impl Differences {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.wrong.is_empty()
    }

    pub(super) fn wrong(what: impl Into<String>) -> Self {
        Self { wrong: vec![what.into()], ..Self::default() }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.lost.extend(other.lost);
        self.wrong.extend(other.wrong);
    }
}

impl Ledger {
    /// Compares everything, and then holds the store to what it showed: an operation without an answer was done or it
    /// was not, and stays so.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn compare(&mut self, engine: &Engine) -> Result<Differences, Error> {
        let mut found = Differences { wrong: std::mem::take(&mut self.contradictions), ..Differences::default() };
        let mut waiting = self.waiting_entries();
        let actions = all_actions(engine)?;
        let there: BTreeSet<ActionId> = actions.iter().map(|action| action.action_id).collect();
        for (id, _) in self.actions.iter().filter(|(id, known)| known.is_begun && !there.contains(id)) {
            found.lost.push(format!("action {id}"));
        }
        for action in actions {
            let id = action.action_id;
            let Some(known) = self.actions.get_mut(&id) else {
                found.wrong.push(format!("action {id} was never sent"));
                continue;
            };
            known.is_begun = true;
            known.compare_action(&action, &mut found);
            known.compare_chain(id, &engine.chain(id)?, waiting.remove(&id).unwrap_or_default(), &mut found);
            known.compare_attributions(&action, engine, &mut found)?;
        }
        Ok(found)
    }

    /// Entries whose fate is not known, by action.
    fn waiting_entries(&self) -> BTreeMap<ActionId, Vec<EntryBody>> {
        let mut waiting: BTreeMap<ActionId, Vec<EntryBody>> = BTreeMap::new();
        for (id, body) in self.waiting.values().flatten().filter_map(entry_of) {
            waiting.entry(id).or_default().push(body);
        }
        waiting
    }

    /// Sends again what had no answer, as far as sending twice is the same as sending once; answers how many commands.
    /// The next comparison sees whether it is there once.
    ///
    /// # Errors
    /// When an answer cannot be taken down.
    pub fn send_again(&mut self, engine: &Engine) -> Result<u64, String> {
        let mut n = 0;
        for (op, mut commands) in std::mem::take(&mut self.waiting) {
            commands.retain(is_idempotent);
            n += commands.len() as u64;
            let replies = engine.apply(commands.iter().cloned().map(Ok).collect()).into_iter().map(Reply::from);
            let replies: Vec<Reply> = replies.collect();
            if let Some(Reply::Unknown(error)) = replies.iter().find(|reply| matches!(reply, Reply::Unknown(_))) {
                return Err(format!("operation {op}, sent again: {error}"));
            }
            self.waiting.insert(op, commands);
            self.note(Line::Answered(op, replies))?;
        }
        Ok(n)
    }
}

fn is_idempotent(command: &Command) -> bool {
    match command {
        Command::Begin(begin) => begin.action_id.is_some(),
        Command::Step { step, .. } => step.idempotency_key.is_some(),
        Command::Observe { observation, .. } => observation.idempotency_key.is_some(),
        Command::Complete { .. } | Command::Cancel { .. } | Command::Heartbeat { .. } => true,
        Command::Revise { .. } => false,
    }
}

fn all_actions(engine: &Engine) -> Result<Vec<Action>, Error> {
    let (mut actions, mut cursor) = (Vec::new(), None);
    loop {
        let page = engine.list(&Filter::default(), 1_000, cursor.as_deref())?;
        actions.extend(page.actions);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(actions);
        }
    }
}

impl Known {
    fn compare_action(&mut self, action: &Action, found: &mut Differences) {
        let id = action.action_id;
        let is_same = action.agent_id == self.begin.agent_id
            && action.action_type == self.begin.action_type
            && action.goal_id == self.begin.goal_id
            && action.parent_action_id == self.begin.parent_action_id
            && action.expected_outcome == self.begin.expected_outcome.clone().unwrap_or_default();
        if !is_same {
            found.wrong.push(format!("action {id} is not as it was begun: {action:?}"));
        }
        match (self.may_be(action.status), self.closing) {
            (true, _) => {}
            (false, Closing::Acknowledged) => found.lost.push(format!("the closing of {id}")),
            (false, _) => found.wrong.push(format!("{id} is {} and nobody closed it", action.status.code())),
        }
        if action.version > 0 {
            self.closing = Closing::Acknowledged;
        }
    }

    fn compare_chain(&mut self, id: ActionId, chain: &[Entry], mut waiting: Vec<EntryBody>, found: &mut Differences) {
        for (seq, body) in &self.stored {
            let there = usize::try_from(*seq).ok().and_then(|seq| chain.get(seq));
            if there.is_none_or(|entry| entry.body != *body) {
                found.lost.push(format!("entry {seq} of {id} is {there:?}, not {body:?}"));
            }
        }
        for entry in chain.iter().filter(|entry| !self.stored.contains_key(&entry.seq)) {
            match waiting.iter().position(|body| *body == entry.body) {
                Some(place) => drop(waiting.swap_remove(place)),
                None => found.wrong.push(format!("entry {} of {id} was never sent, or is there twice", entry.seq)),
            }
        }
        // What is there now has to stay, acknowledged or not.
        for entry in chain {
            self.stored.entry(entry.seq).or_insert_with(|| entry.body.clone());
        }
    }

    fn compare_attributions(&mut self, action: &Action, engine: &Engine, found: &mut Differences) -> Result<(), Error> {
        let id = action.action_id;
        let versions = engine.attributions(id)?;
        for (version, score) in &self.attributed {
            let there = versions.iter().find(|there| there.version == *version);
            if there.is_none_or(|there| there.success_score.to_bits() != score.to_bits()) {
                found.lost.push(format!("version {version} of {id} with the score {score}: there is {there:?}"));
            }
        }
        for there in &versions {
            let is_cancelled = there.outcome.get("status").is_some_and(|status| status == "cancelled");
            if !is_cancelled && !self.outcomes.contains(&there.outcome) {
                found.wrong.push(format!("version {} of {id} has an outcome that nobody sent", there.version));
            }
            self.attributed.entry(there.version).or_insert(there.success_score);
        }
        Ok(())
    }
}
