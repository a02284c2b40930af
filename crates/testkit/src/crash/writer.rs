//! The writer: records from several threads until it is killed.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use accredit::{
    ActionId, Attribution, Begin, Cancel, Completion, Engine, EntryBody, Error, Observation, Payload, Recorded,
    Revision, Step,
};

use super::ledger::Line;
use crate::Random;

const THREADS: u64 = 6;

/// Opens the store and records until it fails or the process is killed.
///
/// # Errors
/// When the store cannot be opened or written, or nobody reads what this says.
pub fn write(store: &Path, seed: u64) -> Result<(), String> {
    let engine = Engine::open(super::config(store)).map_err(|error| error.to_string())?;
    let failed = AtomicBool::new(false);
    let results: Vec<Result<(), Error>> = std::thread::scope(|scope| {
        let spawn = |thread: u64| {
            let (engine, failed) = (&engine, &failed);
            scope.spawn(move || {
                let random = Random::new(seed ^ (thread << 56));
                let result = Thread { engine, random, open: Vec::new(), closed: Vec::new(), sent: 0 }.run(failed);
                failed.store(true, Ordering::SeqCst);
                result
            })
        };
        let threads: Vec<_> = (0..THREADS).map(spawn).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Error::Poisoned))).collect()
    });
    results.into_iter().collect::<Result<(), _>>().map_err(|error| error.to_string())
}

struct Thread<'a> {
    engine: &'a Engine,
    random: Random,
    open: Vec<ActionId>,
    closed: Vec<ActionId>,
    sent: u64,
}

impl Thread<'_> {
    fn run(&mut self, failed: &AtomicBool) -> Result<(), Error> {
        while !failed.load(Ordering::SeqCst) {
            if self.open.len() < 3 {
                self.begin()?;
            }
            match self.random.below(20) {
                0..=9 => self.step()?,
                10..=12 => self.batch()?,
                13..=14 => self.observe()?,
                15 => self.engine.heartbeat(self.some_open())?,
                16..=17 => self.close()?,
                18 => self.revise()?,
                _ => self.late()?,
            }
        }
        Ok(())
    }

    fn some_open(&mut self) -> ActionId {
        let index = self.random.below(self.open.len() as u64);
        self.open[usize::try_from(index).unwrap_or_default()]
    }

    fn some_closed(&mut self) -> Option<ActionId> {
        let index = self.random.below(self.closed.len().max(1) as u64);
        self.closed.get(usize::try_from(index).unwrap_or_default()).copied()
    }

    /// A text that nothing else has.
    fn text(&mut self) -> String {
        self.sent += 1;
        format!("{:016x}-{}", self.random.bits(), self.sent)
    }

    fn begin(&mut self) -> Result<(), Error> {
        let bytes = (u128::from(self.random.bits()) << 64 | u128::from(self.random.bits())).to_be_bytes();
        let id = ActionId::new(uuid::Builder::from_random_bytes(bytes).into_uuid());
        let parent_action_id = self.open.last().copied();
        let (agent_id, action_type) = ("writer".into(), "crash".into());
        self.engine.begin(Begin {
            action_id: Some(id),
            agent_id,
            action_type,
            parent_action_id,
            ..Begin::default()
        })?;
        say(&Line::Begun(id));
        self.open.push(id);
        Ok(())
    }

    fn step(&mut self) -> Result<(), Error> {
        let (id, key) = (self.some_open(), self.text());
        say(&Line::Sending(id, key.clone()));
        let state =
            Payload::from_json(format!(r#"{{"bits":{},"pad":"{}"}}"#, self.random.bits(), "x".repeat(200))).ok();
        let step = Step { description: key.clone(), idempotency_key: Some(key.clone()), state, ..Step::default() };
        stored(id, &key, &self.engine.step(id, step)?);
        Ok(())
    }

    fn batch(&mut self) -> Result<(), Error> {
        let id = self.some_open();
        let n = 2 + self.random.below(30);
        let texts: Vec<String> = (0..n).map(|_| self.text()).collect();
        let entry = |text: &String| EntryBody::Step(Step { description: text.clone(), ..Step::default() });
        let recorded = self.engine.record(id, texts.iter().map(entry).collect())?;
        texts.iter().zip(&recorded).for_each(|(text, recorded)| stored(id, text, recorded));
        Ok(())
    }

    fn observe(&mut self) -> Result<(), Error> {
        let id = self.some_open();
        self.observe_in(id)
    }

    fn observe_in(&mut self, id: ActionId) -> Result<(), Error> {
        let text = self.text();
        let success = self.random.below(2) == 0;
        let observation = Observation {
            observation_type: "probe".into(),
            source: Some(text.clone()),
            data: Payload::from_json(format!(r#"{{"success":{success}}}"#)).ok(),
            ..Observation::default()
        };
        stored(id, &text, &self.engine.observe(id, observation)?);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let id = self.some_open();
        self.open.retain(|open| *open != id);
        self.closed.push(id);
        let outcome = serde_json::Map::from_iter([("success".to_owned(), serde_json::Value::Bool(true))]);
        let made = if self.random.below(5) == 0 {
            self.engine.cancel(id, Cancel::default())?
        } else {
            self.engine.complete(id, Completion { outcome: Some(outcome), ..Completion::default() })?
        };
        attributed(&made);
        Ok(())
    }

    fn revise(&mut self) -> Result<(), Error> {
        let Some(id) = self.some_closed() else { return Ok(()) };
        #[expect(clippy::cast_precision_loss, reason = "below 100")]
        let reward = self.random.below(100) as f64 / 100.0;
        let revision = Revision { outcome: Some(serde_json::Map::new()), reward: Some(reward), ..Revision::default() };
        attributed(&self.engine.revise(id, revision)?);
        Ok(())
    }

    fn late(&mut self) -> Result<(), Error> {
        match self.some_closed() {
            Some(id) => self.observe_in(id),
            None => Ok(()),
        }
    }
}

fn stored(id: ActionId, text: &str, recorded: &Recorded) {
    if let Recorded::Stored { seq, .. } = recorded {
        say(&Line::Stored(id, *seq, text.to_owned()));
    }
}

fn attributed(made: &Attribution) {
    say(&Line::Attributed(made.action_id, made.version, made.success_score));
}

/// One line, in one write, so that a kill cuts between lines or leaves one without its end. Where nobody reads any
/// more, the parent is gone and so should this be.
fn say(line: &Line) {
    let Ok(mut text) = serde_json::to_string(line) else { return };
    text.push('\n');
    let mut stdout = std::io::stdout().lock();
    if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
        std::process::exit(1);
    }
}
