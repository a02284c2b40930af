//! The writer: records from several threads until it is killed.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use accredit::{
    ActionId, Begin, Cancel, Command, Completion, Engine, EntryBody, Filter, JsonObject, Observation, Payload,
    Revision, Status, Step,
};
use serde_json::json;

use super::ledger::entry_of;
use super::line::{Line, Reply};
use crate::Random;

const THREADS: u64 = 6;
/// Actions that are kept open; threads share them.
const OPEN: usize = 24;

/// Opens the store and records until the process is killed.
///
/// # Errors
/// When the store cannot be opened, or does not do what it should.
pub fn write(store: &Path, seed: u64) -> Result<(), String> {
    let engine = Engine::open(super::config(store)).map_err(|error| error.to_string())?;
    let status = |status| {
        let filter = Filter { status, ..Filter::default() };
        let page = engine.list(&filter, OPEN, None).map_err(|error| error.to_string())?;
        Ok::<_, String>(page.actions.iter().map(|action| action.action_id).collect())
    };
    let closed = Some(Status::Closed(accredit::Closing::Completed));
    let shared = Shared {
        engine: &engine,
        open: Mutex::new(status(Some(Status::Open))?),
        closed: Mutex::new(status(closed)?),
        // No two writers of a store count alike.
        next_op: AtomicU64::new(seed << 24),
    };
    std::thread::scope(|scope| {
        let spawn = |thread: u64| {
            let mut writer = Thread { shared: &shared, random: Random::new(seed ^ (thread << 56)) };
            scope.spawn(move || writer.run())
        };
        let threads: Vec<_> = (0..THREADS).map(spawn).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread died".to_owned())?)
    })
}

struct Shared<'a> {
    engine: &'a Engine,
    open: Mutex<Vec<ActionId>>,
    closed: Mutex<Vec<ActionId>>,
    next_op: AtomicU64,
}

struct Thread<'a> {
    shared: &'a Shared<'a>,
    random: Random,
}

/// The call that takes the commands.
#[derive(Clone, Copy)]
enum Door {
    /// `Engine::apply`.
    Stream,
    /// `Engine::record`, for entries of one action.
    Record,
    /// `Engine::try_record`, for the same.
    Ticket,
}

impl Thread<'_> {
    fn run(&mut self) -> Result<(), String> {
        loop {
            let op = self.shared.next_op.fetch_add(1, Ordering::SeqCst);
            if locked(&self.shared.open).len() < OPEN {
                let id = self.new_id();
                let begin = self.begin(id);
                self.send(op, Door::Stream, vec![begin])?;
                locked(&self.shared.open).push(id);
                continue;
            }
            let id = self.pick(&self.shared.open).unwrap_or_else(|| self.new_id());
            match self.random.below(20) {
                0..8 => self.entries(op, id, 1)?,
                8..12 => {
                    let n = 2 + self.random.below(30);
                    self.entries(op, id, n)?;
                }
                12 => self.send(op, Door::Stream, vec![Command::Heartbeat { action_id: id }])?,
                13 => self.whole(op)?,
                14..16 => self.close(op, id)?,
                16..18 => self.revise(op)?,
                _ => {
                    let late = self.pick(&self.shared.closed).map(|id| self.observation(op, 0, id));
                    self.send(op, Door::Record, late.into_iter().collect())?;
                }
            }
        }
    }

    fn new_id(&mut self) -> ActionId {
        let bytes = (u128::from(self.random.bits()) << 64 | u128::from(self.random.bits())).to_be_bytes();
        ActionId::new(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    fn pick(&mut self, from: &Mutex<Vec<ActionId>>) -> Option<ActionId> {
        let from = locked(from);
        let index = self.random.below(from.len().max(1) as u64);
        from.get(usize::try_from(index).unwrap_or_default()).copied()
    }

    fn begin(&mut self, id: ActionId) -> Command {
        let parent_action_id = if self.random.below(3) == 0 { self.pick(&self.shared.open) } else { None };
        let expected = (self.random.below(2) == 0).then(|| object(&json!({"success": true})));
        let goal_id = (self.random.below(2) == 0).then(|| "survive".into());
        let (agent_id, action_type, action_id) = ("writer".into(), "crash".into(), Some(id));
        Command::Begin(Begin {
            action_id,
            agent_id,
            action_type,
            goal_id,
            parent_action_id,
            expected_outcome: expected,
            ..Begin::default()
        })
    }

    /// A step that nothing else is like, every other time with a key.
    fn step(&mut self, op: u64, place: u64, action_id: ActionId) -> Command {
        let text = format!("{op:x}.{place}");
        // Some fill a page or two.
        let bytes_max = 1 << (2 + self.random.below(11));
        let pad = "x".repeat(usize::try_from(self.random.below(bytes_max)).unwrap_or_default());
        #[expect(clippy::cast_precision_loss, reason = "below 100")]
        let confidence = self.random.below(100) as f64 / 100.0;
        let step = Step {
            idempotency_key: (self.random.below(2) == 0).then(|| text.clone()),
            description: text,
            confidence: Some(confidence),
            state: Some(Payload::from(json!({"bits": self.random.bits(), "pad": pad}))),
            ..Step::default()
        };
        Command::Step { action_id, step }
    }

    fn observation(&mut self, op: u64, place: u64, action_id: ActionId) -> Command {
        let text = format!("{op:x}.{place}");
        let observation = Observation {
            observation_type: "probe".to_owned(),
            data: Some(Payload::from(json!({"success": self.random.below(2) == 0}))),
            source: Some(text.clone()),
            idempotency_key: Some(text),
            ..Observation::default()
        };
        Command::Observe { action_id, observation }
    }

    fn entries(&mut self, op: u64, id: ActionId, n: u64) -> Result<(), String> {
        let commands = (0..n).map(|place| match self.random.below(4) {
            0 => self.observation(op, place, id),
            _ => self.step(op, place, id),
        });
        let commands = commands.collect();
        let door =
            [Door::Stream, Door::Record, Door::Ticket][usize::try_from(self.random.below(3)).unwrap_or_default()];
        self.send(op, door, commands)
    }

    /// An action from beginning to end in one call.
    fn whole(&mut self, op: u64) -> Result<(), String> {
        let id = self.new_id();
        let mut commands = vec![self.begin(id)];
        commands.extend((0..3).map(|place| self.step(op, place, id)));
        commands.push(self.complete(op, id));
        self.send(op, Door::Stream, commands)?;
        locked(&self.shared.closed).push(id);
        Ok(())
    }

    fn outcome(&mut self, op: u64) -> JsonObject {
        object(&json!({"op": op, "success": self.random.below(2) == 0}))
    }

    fn complete(&mut self, op: u64, action_id: ActionId) -> Command {
        let outcome = Some(self.outcome(op));
        Command::Complete { action_id, completion: Completion { outcome, ..Completion::default() } }
    }

    fn close(&mut self, op: u64, id: ActionId) -> Result<(), String> {
        let command = match self.random.below(5) {
            0 => Command::Cancel { action_id: id, cancel: Cancel::default() },
            _ => self.complete(op, id),
        };
        // Other threads may be recording in it at this moment: what comes too late for them is refused.
        locked(&self.shared.open).retain(|open| *open != id);
        self.send(op, Door::Stream, vec![command])?;
        locked(&self.shared.closed).push(id);
        Ok(())
    }

    fn revise(&mut self, op: u64) -> Result<(), String> {
        let Some(action_id) = self.pick(&self.shared.closed) else { return Ok(()) };
        let outcome = Some(self.outcome(op));
        let revision = Revision { outcome, reason: Some("crash".to_owned()), ..Revision::default() };
        self.send(op, Door::Stream, vec![Command::Revise { action_id, revision }])
    }

    /// Says what is sent, sends it, says what was answered.
    fn send(&self, op: u64, door: Door, commands: Vec<Command>) -> Result<(), String> {
        say(&Line::sending(op, &commands).map_err(|error| error.to_string())?)?;
        let replies = match (door, commands.first().and_then(Command::action_id)) {
            (Door::Stream, _) | (_, None) => {
                self.shared.engine.apply(commands.into_iter().map(Ok).collect()).into_iter().map(Reply::from).collect()
            }
            (door, Some(id)) => self.record(door, id, &commands),
        };
        let failed = replies.iter().find_map(|reply: &Reply| match reply {
            Reply::Unknown(error) => Some(error.clone()),
            _ => None,
        });
        say(&Line::Answered(op, replies))?;
        failed.map_or(Ok(()), Err)
    }

    fn record(&self, door: Door, id: ActionId, commands: &[Command]) -> Vec<Reply> {
        let entries: Vec<EntryBody> = commands.iter().filter_map(entry_of).map(|(_, body)| body).collect();
        let n = entries.len();
        let recorded = match door {
            Door::Ticket => self.shared.engine.try_record(id, entries).and_then(accredit::Ticket::wait),
            Door::Record | Door::Stream => self.shared.engine.record(id, entries),
        };
        match recorded {
            Ok(recorded) => recorded.into_iter().map(|recorded| Reply::from(Ok(recorded))).collect(),
            Err(error) => vec![Reply::from(error); n],
        }
    }
}

fn object(value: &serde_json::Value) -> JsonObject {
    value.as_object().cloned().unwrap_or_default()
}

/// Nothing panics under these locks.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One line in one write, so that a kill leaves whole lines and at most the beginning of one more.
fn say(line: &Line) -> Result<(), String> {
    let mut text = serde_json::to_string(line).map_err(|error| error.to_string())?;
    text.push('\n');
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| format!("nobody listens: {error}"))
}
