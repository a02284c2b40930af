//! Recording that never waits: commands gather in a bounded buffer and one thread of the recorder hands them on.

mod beside;
mod buffer;
mod hand_on;
mod open;
mod target;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use accredit_model::{
    ActionId, Begin, Cancel, Command, Completion, EntryBody, EntryKind, Observation, RefusalReason, Revision, Step,
    Timestamp,
};

use self::beside::Beside;
use self::buffer::{Buffer, Item, Waiting};
pub use self::open::OpenAction;
use self::open::OpenActions;
pub use self::target::{Answer, Target, TargetStats};
use crate::{Applied, Environment, Error};

/// How long commands gather before they are handed on, unless somebody waits for them.
const LINGER: Duration = Duration::from_millis(4);
/// After so long without a command the recorder's thread sleeps until it is woken.
const IDLE: Duration = Duration::from_secs(1);
/// How often a wait asks whether it is to be given up.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How a recorder works.
#[derive(Clone, Debug)]
pub struct RecorderOptions {
    /// Bytes of commands that may wait.
    pub buffer_bytes_max: usize,
    /// How long a recording call waits for room before it is refused as overloaded.
    pub block: Duration,
    /// Entries of one action; a further one is refused at once.
    pub entries_max: u64,
    /// Steps of one action; a further one is refused at once.
    pub steps_max: u64,
}

impl Default for RecorderOptions {
    fn default() -> Self {
        Self { buffer_bytes_max: 64 << 20, block: Duration::from_secs(1), entries_max: u64::MAX, steps_max: u64::MAX }
    }
}

/// What a recorder has done since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecorderStats {
    /// Commands that wait to be handed on.
    pub pending: u64,
    /// Commands that were handed on and answered.
    pub done: u64,
    /// Commands that were refused, here or there, by the reason's code.
    pub refused: BTreeMap<String, u64>,
    /// What the last failure that was nobody's refusal said.
    pub last_error: Option<String>,
    /// What the target counts.
    pub target: TargetStats,
}

/// Records without waiting for the disk: for agents, which must not be slowed down by being recorded.
///
/// A call copies what it is given into a bounded buffer (well under a microsecond) and returns; a thread of the recorder
/// hands the commands on in their order, 4 ms later at the most, many together. What the target answers comes too late for
/// the caller: refusals are counted ([`Recorder::stats`]), and what can be known at once is answered at once: that an action
/// is closed, or full. [`Recorder::flush`] returns when everything said before it is durable; so does a completion.
///
/// Every command carries the time of its call, and begins and entries ids of their own, so that a target may hand them on
/// more than once.
pub struct Recorder {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    target: Box<dyn Target>,
    environment: Environment,
    options: RecorderOptions,
    buffer: Buffer,
    actions: OpenActions,
    beside: Beside,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    refused: BTreeMap<String, u64>,
    last_error: Option<String>,
}

impl Recorder {
    /// A recorder that hands on to this target.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(target: Box<dyn Target>, environment: Environment, options: RecorderOptions) -> Result<Self, Error> {
        let buffer = Buffer::new(options.buffer_bytes_max);
        let (actions, beside, tally) = (OpenActions::default(), Beside::default(), Mutex::default());
        let shared = Arc::new(Shared { target, environment, options, buffer, actions, beside, tally });
        let run = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("accredit-record".to_owned()).spawn(move || run.run());
        let thread = thread.map_err(|source| Error::Sink { name: "thread".to_owned(), source: Arc::new(source) })?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Opens an action under an id that is known at once.
    ///
    /// # Errors
    /// The reason, where it cannot even be buffered.
    pub fn begin(&self, mut begin: Begin) -> Result<Arc<OpenAction>, RefusalReason> {
        let id = *begin.action_id.get_or_insert_with(|| self.shared.environment.ids.next_id());
        begin.at = begin.at.or_else(|| Some(self.shared.now()));
        let kept = self.shared.kept(&begin);
        self.shared.push(Command::Begin(begin))?;
        Ok(self.shared.actions.insert_begun(id, kept))
    }

    /// An action that this recorder has begun, or is told of here, while it is open.
    #[must_use]
    pub fn find(&self, id: ActionId) -> Option<Arc<OpenAction>> {
        self.shared.actions.get(id)
    }

    /// Whether this is one of the 16,384 actions that this recorder knows to have been closed last.
    #[must_use]
    pub fn has_closed(&self, id: ActionId) -> bool {
        self.shared.actions.is_closed(id)
    }

    /// Takes up an action that was begun elsewhere; `n_steps` and `n_entries` are what it has.
    #[must_use]
    pub fn take_up(&self, id: ActionId, n_steps: u64, n_entries: u64) -> Arc<OpenAction> {
        let action = self.shared.actions.insert(id);
        action.set(n_steps, n_entries);
        action
    }

    /// Takes up an action that another recorder of this program had before a fork. Where it records to a server, the
    /// beginning is said again: what the other one had not sent yet may come later, and is a repeat then.
    pub fn adopt(&self, action: &Arc<OpenAction>) {
        if let Some(begin) = self.shared.actions.adopt(action) {
            // Where it is refused, that is counted, and so is what depends on it.
            self.shared.push(Command::Begin(begin)).ok();
        }
    }

    /// As [`Recorder::find`], of a recorder that was left behind by a fork: a lock that was held then is held for ever.
    #[must_use]
    pub fn find_behind_fork(&self, id: ActionId) -> Option<Arc<OpenAction>> {
        self.shared.actions.try_get(id)
    }

    /// Opens an action and waits for the answer.
    ///
    /// # Errors
    /// Why it was not begun, and those of [`Recorder::ask`].
    pub fn begin_and_wait(
        &self,
        mut begin: Begin,
        is_given_up: &mut dyn FnMut() -> bool,
    ) -> Result<Arc<OpenAction>, Error> {
        let id = *begin.action_id.get_or_insert_with(|| self.shared.environment.ids.next_id());
        begin.at = begin.at.or_else(|| Some(self.shared.now()));
        let kept = self.shared.kept(&begin);
        match self.ask(Command::Begin(begin), is_given_up)? {
            Answer::Applied(Applied::Failed(error)) => Err(error),
            _ => Ok(self.shared.actions.insert_begun(id, kept)),
        }
    }

    /// Whether a recording call would have to wait for room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.shared.buffer.is_full()
    }

    /// Records a step or an observation. An observation may follow a closing; a step may not.
    ///
    /// # Errors
    /// Why it is refused, as far as that is known at once. It is counted.
    pub fn record(&self, action: &OpenAction, entry: EntryBody) -> Result<(), RefusalReason> {
        let kind = entry.kind();
        let options = &self.shared.options;
        if let Err(reason) = action.admit(kind, options.steps_max, options.entries_max) {
            self.shared.target.refused_elsewhere(reason);
            return Err(self.shared.refuse(reason));
        }
        let command = command_of(action.id(), entry, self.shared.now());
        self.shared.push(command).inspect_err(|_| action.take_back(kind))
    }

    /// The same, and waits for the answer.
    ///
    /// # Errors
    /// Those of [`Recorder::ask`].
    pub fn record_and_wait(
        &self,
        action: &OpenAction,
        entry: EntryBody,
        is_given_up: &mut dyn FnMut() -> bool,
    ) -> Result<Answer, Error> {
        self.ask(command_of(action.id(), entry, self.shared.now()), is_given_up)
    }

    /// Forgets an action that is closed; who holds it learns so.
    pub fn forget(&self, id: ActionId) {
        self.shared.actions.close(id);
    }

    /// Counts what was refused before it came here.
    pub fn refuse(&self, reason: RefusalReason) {
        self.shared.refuse(reason);
        self.shared.target.refused_elsewhere(reason);
    }

    /// Hands a command on after all that was said before it, and waits for its answer. `is_given_up` is asked from time to
    /// time; once it says so, the wait ends and the command may still be carried out.
    ///
    /// # Errors
    /// When it cannot be buffered, or the wait was given up.
    pub fn ask(&self, command: Command, is_given_up: &mut dyn FnMut() -> bool) -> Result<Answer, Error> {
        let action = match command.action_id() {
            Some(id) if closes(&command) => self.shared.actions.get(id),
            _ => None,
        };
        if let Some(action) = &action {
            action.close();
        }
        let is_direct =
            self.shared.target.is_direct() && matches!(command, Command::Revise { .. } | Command::Cancel { .. });
        let waiting = if is_direct { self.ask_beside(command, is_given_up) } else { self.ask_in_order(command) };
        let waiting = waiting.inspect_err(|_| {
            if let Some(action) = &action {
                // It was not even said.
                action.reopen();
            }
        })?;
        let (shared, mut is_dead) = (&self.shared, false);
        let answer = waiting.wait(ASK_EVERY, &mut || {
            is_dead = !is_direct && shared.buffer.is_over();
            is_dead || is_given_up()
        });
        answer.ok_or(if is_dead { Error::Poisoned } else { Error::Closed })
    }

    /// Has a command carried out by a thread of its own once all before it is done, so that the wait can be given up.
    fn ask_beside(&self, command: Command, is_given_up: &mut dyn FnMut() -> bool) -> Result<Arc<Waiting>, Error> {
        self.flush(is_given_up)?;
        let waiting = Arc::new(Waiting::default());
        let (shared, put) = (Arc::clone(&self.shared), Arc::clone(&waiting));
        self.shared.beside.run(Box::new(move || shared.carry_out_for(command, put)));
        Ok(waiting)
    }

    /// Has a command carried out by the recorder's thread, after what was said before and before what is said later.
    fn ask_in_order(&self, command: Command) -> Result<Arc<Waiting>, Error> {
        let waiting = Arc::new(Waiting::default());
        let item = Item { command, waiting: Some(Arc::clone(&waiting)) };
        let pushed = self.shared.buffer.push(item, self.shared.options.block);
        pushed.map_err(|reason| {
            self.shared.refuse(reason);
            if self.shared.buffer.is_ended() { Error::Closed } else { Error::Overloaded }
        })?;
        self.shared.buffer.hurry();
        Ok(waiting)
    }

    /// Closes an action with its outcome, and waits until that is durable.
    ///
    /// # Errors
    /// Those of [`Recorder::ask`].
    pub fn complete(
        &self,
        id: ActionId,
        mut completion: Completion,
        is_given_up: &mut dyn FnMut() -> bool,
    ) -> Result<Answer, Error> {
        completion.at = completion.at.or_else(|| Some(self.shared.now()));
        self.ask(Command::Complete { action_id: id, completion }, is_given_up)
    }

    /// Changes the outcome of a closed action.
    ///
    /// # Errors
    /// Those of [`Recorder::ask`].
    pub fn revise(
        &self,
        id: ActionId,
        revision: Revision,
        is_given_up: &mut dyn FnMut() -> bool,
    ) -> Result<Answer, Error> {
        self.ask(Command::Revise { action_id: id, revision }, is_given_up)
    }

    /// Closes an action without an outcome.
    ///
    /// # Errors
    /// Those of [`Recorder::ask`].
    pub fn cancel(&self, id: ActionId, cancel: Cancel, is_given_up: &mut dyn FnMut() -> bool) -> Result<Answer, Error> {
        self.ask(Command::Cancel { action_id: id, cancel }, is_given_up)
    }

    /// Says that the agent is still at work.
    ///
    /// # Errors
    /// Why it cannot be buffered.
    pub fn heartbeat(&self, id: ActionId) -> Result<(), RefusalReason> {
        self.shared.push(Command::Heartbeat { action_id: id })
    }

    /// Returns when all that was said before is durable, or has been refused.
    ///
    /// # Errors
    /// [`Error::Closed`] when the wait was given up, or the recorder was closed before.
    pub fn flush(&self, is_given_up: &mut dyn FnMut() -> bool) -> Result<(), Error> {
        if self.shared.buffer.wait_done(ASK_EVERY, is_given_up) { Ok(()) } else { Err(Error::Closed) }
    }

    /// Its counters.
    #[must_use]
    pub fn stats(&self) -> RecorderStats {
        let (pending, done) = self.shared.buffer.counts();
        let target = self.shared.target.stats();
        let tally = self.shared.tally();
        let mut refused = tally.refused.clone();
        for (reason, n) in &target.refused {
            *refused.entry(reason.clone()).or_default() += n;
        }
        let last_error = target.last_error.clone().or_else(|| tally.last_error.clone());
        RecorderStats { pending, done, refused, last_error, target }
    }

    /// What the last failure that was nobody's refusal said.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.shared.tally().last_error.clone()
    }

    /// Hands on what waits, and ends. Later calls are refused.
    pub fn close(&self) {
        self.shared.buffer.end();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the recorder's thread had died");
        }
        self.shared.beside.end();
        self.shared.target.close();
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Shared {
    fn now(&self) -> Timestamp {
        self.environment.clock.wall()
    }

    /// What is kept of a beginning: nothing where it is this process's own.
    fn kept(&self, begin: &Begin) -> Option<Box<Begin>> {
        (!self.target.is_direct()).then(|| Box::new(begin.clone()))
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, reason: RefusalReason) -> RefusalReason {
        *self.tally().refused.entry(reason.code().to_owned()).or_default() += 1;
        reason
    }

    fn push(&self, command: Command) -> Result<(), RefusalReason> {
        let item = Item { command, waiting: None };
        self.buffer.push(item, self.options.block).map_err(|reason| self.refuse(reason))
    }
}

/// The command of an entry, with the time of its call.
fn command_of(action_id: ActionId, entry: EntryBody, now: Timestamp) -> Command {
    match entry {
        EntryBody::Step(step) => Command::Step { action_id, step: Step { at: step.at.or(Some(now)), ..step } },
        EntryBody::Observation(observation) => {
            let at = observation.at.or(Some(now));
            Command::Observe { action_id, observation: Observation { at, ..observation } }
        }
    }
}

/// Whether a command closes its action where it is carried out.
const fn closes(command: &Command) -> bool {
    matches!(command, Command::Complete { .. } | Command::Cancel { .. })
}

/// Whether an entry of this kind counts against the steps.
const fn is_step(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Step)
}
