//! What a writer said, and the comparison with the store.

use std::collections::{BTreeMap, BTreeSet};

use accredit::{ActionId, Engine, Entry, EntryBody, Recorded, Seq, Status, Step, Version};
use serde::{Deserialize, Serialize};

/// One line of the writer's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A step is about to be sent under this key; its description is the key.
    Sending(ActionId, String),
    /// A begin was acknowledged.
    Begun(ActionId),
    /// An entry was acknowledged at this position. The text is a step's description or an observation's source.
    Stored(ActionId, Seq, String),
    /// A version of an attribution was acknowledged with this score.
    Attributed(ActionId, Version, f64),
}

/// Everything that writers of one store have said.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    begun: BTreeSet<ActionId>,
    stored: BTreeMap<(ActionId, Seq), String>,
    attributed: BTreeMap<(ActionId, Version), f64>,
    /// Sent and not acknowledged yet.
    sending: BTreeSet<(ActionId, String)>,
}

impl Ledger {
    /// Takes a line down.
    pub fn note(&mut self, line: Line) {
        match line {
            Line::Sending(id, key) => {
                self.sending.insert((id, key));
            }
            Line::Begun(id) => {
                self.begun.insert(id);
            }
            Line::Stored(id, seq, text) => {
                self.sending.remove(&(id, text.clone()));
                self.stored.insert((id, seq), text);
            }
            Line::Attributed(id, version, score) => {
                self.attributed.insert((id, version), score);
            }
        }
    }

    /// Entries acknowledged.
    #[must_use]
    pub fn n_entries(&self) -> u64 {
        self.stored.len() as u64
    }

    /// What was acknowledged and is not there as it was.
    #[must_use]
    pub fn compare(&self, engine: &Engine) -> Vec<String> {
        let mut problems = Vec::new();
        let mut chains: BTreeMap<ActionId, Vec<Entry>> = BTreeMap::new();
        for id in &self.begun {
            match engine.chain(*id) {
                Ok(chain) => {
                    chains.insert(*id, chain);
                }
                Err(error) => problems.push(format!("acknowledged action {id}: {error}")),
            }
        }
        for ((id, seq), text) in &self.stored {
            let found = usize::try_from(*seq).ok().and_then(|seq| chains.get(id)?.get(seq));
            if found.map(text_of) != Some(text) {
                problems.push(format!("acknowledged entry {seq} of {id} is {found:?}, not {text}"));
            }
        }
        for ((id, version), score) in &self.attributed {
            match engine.attribution(*id, Some(*version)) {
                Ok(found) if found.success_score.to_bits() == score.to_bits() => {}
                found => problems.push(format!("acknowledged version {version} of {id} is {found:?}, not {score}")),
            }
        }
        problems
    }

    /// Sends again what had no answer; answers how much. Whether or not it had been stored, it is there once then.
    pub fn send_again(&mut self, engine: &Engine, problems: &mut Vec<String>) -> u64 {
        let sending = std::mem::take(&mut self.sending);
        let mut n = 0;
        for (id, key) in sending {
            match engine.action(id) {
                Ok(action) if action.status == Status::Open => {}
                // The begin or the closing had no answer either: there is nothing to send to.
                _ => continue,
            }
            n += 1;
            let step = Step { description: key.clone(), idempotency_key: Some(key.clone()), ..Step::default() };
            match engine.step(id, step) {
                Ok(Recorded::Stored { seq, .. }) => {
                    let times = engine.chain(id).map(|chain| chain.iter().filter(|e| *text_of(e) == key).count());
                    if times.as_ref().ok() != Some(&1) {
                        problems.push(format!("sent again, {key} is {times:?} times in {id}"));
                    }
                    self.stored.insert((id, seq), key);
                }
                other => problems.push(format!("an open action does not take {key} again: {other:?}")),
            }
        }
        n
    }
}

fn text_of(entry: &Entry) -> &String {
    match &entry.body {
        EntryBody::Step(step) => &step.description,
        EntryBody::Observation(observation) => observation.source.as_ref().unwrap_or(&observation.observation_type),
    }
}
