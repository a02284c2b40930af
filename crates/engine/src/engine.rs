//! The engine: what it holds, how it opens and closes.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use accredit_guard::Guard;
use accredit_model::{EventBody, Timestamp};
use accredit_store::{Answer, SqliteStore, Store, Write};

use crate::accepted::Closer;
use crate::clock::Environment;
use crate::config::{Access, Config};
use crate::events::{Hub, Subscription};
use crate::keeper::{self, Keeper};
use crate::learning::{Fits, Models, Study};
use crate::queue::{End, Queue, Tally};
use crate::reply::Pending;
use crate::{Error, accepted, committer, deliver, learning, sweep};

/// The engine. Cheap to clone; all clones are the same engine. It closes when the last one is dropped.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
    /// Dropped with the last handle outside the engine's own threads.
    _handle: Arc<Handle>,
}

/// What the engine's threads share.
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) environment: Environment,
    pub(crate) guard: Guard,
    pub(crate) models: Models,
    pub(crate) fits: Fits,
    pub(crate) study: Mutex<Option<Study>>,
    pub(crate) store: Box<dyn Store>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) keeper: Keeper,
    pub(crate) closer: Closer,
    pub(crate) tally: Tally,
    pub(crate) hub: Arc<Hub>,
    pub(crate) stop: Stop,
}

struct Handle {
    inner: Arc<Inner>,
    threads: Mutex<Threads>,
}

/// The committer ends after the others, which still write through it, and the keeper after the committer, which calls
/// it.
#[derive(Default)]
struct Threads {
    committer: Option<JoinHandle<()>>,
    keeper: Option<JoinHandle<()>>,
    closer: Option<JoinHandle<()>>,
    others: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("store", &self.inner.config.store).finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the store and starts the engine.
    ///
    /// # Errors
    /// When the configuration does not fit, or the store or a sink cannot be opened.
    pub fn open(config: Config) -> Result<Self, Error> {
        Self::open_with(config, Environment::default())
    }

    /// The same with clocks and ids from the caller.
    ///
    /// # Errors
    /// As for [`Engine::open`].
    pub fn open_with(config: Config, environment: Environment) -> Result<Self, Error> {
        config.validate()?;
        let store = match config.access {
            Access::ReadWrite => SqliteStore::open(&config.store),
            Access::Ephemeral => SqliteStore::open_ephemeral(&config.store),
            Access::ReadOnly => SqliteStore::open_read_only(&config.store),
        };
        Self::with_store(config, environment, Box::new(store?))
    }

    fn with_store(config: Config, environment: Environment, store: Box<dyn Store>) -> Result<Self, Error> {
        let models = Models::default();
        if config.learning.enabled && config.access.writes() {
            models.load(store.as_ref(), &config)?;
        }
        let inner = Arc::new(Inner {
            guard: Guard::new(config.limits.clone()),
            models,
            fits: Fits::default(),
            study: Mutex::default(),
            queue: Arc::new(Queue::new(config.queue_bytes_max)),
            keeper: Keeper::default(),
            closer: Closer::default(),
            tally: Tally::default(),
            hub: Arc::new(Hub::new(environment.clock.steady(), config.events_max)),
            stop: Stop::default(),
            store,
            environment,
            config,
        });
        let handle = Handle { inner: Arc::clone(&inner), threads: Mutex::default() };
        if inner.config.access.writes() {
            handle.start()?;
        } else {
            inner.queue.end(End::Closed);
        }
        Ok(Self { inner, _handle: Arc::new(handle) })
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Listens to committed events, from now on or after the event with this id.
    #[must_use]
    pub fn subscribe(&self, after: Option<&str>) -> Subscription {
        self.inner.hub.subscribe(after)
    }

    /// Whether the engine records: the committer lives, and the store takes a write.
    ///
    /// # Errors
    /// Why it does not.
    pub fn is_writable(&self) -> Result<(), Error> {
        self.inner.submit(vec![Write::Flush]).map(drop)
    }

    /// Makes durable what waits, ends the threads and gives the store free for another writer. Clones of this engine
    /// answer [`Error::Closed`] from now on when they are to write; they can still read.
    ///
    /// # Errors
    /// When the committer had died, or the store's last write fails.
    pub fn close(self) -> Result<(), Error> {
        self._handle.shut_down()
    }

    /// In a forked child: gives up what the child has been given of the store's lock, so that the store can be opened
    /// anew when the parent has ended. The child must not do anything else with this engine, nor drop it: its threads are
    /// the parent's.
    pub fn abandon(&self) {
        self.inner.store.abandon();
    }
}

impl Handle {
    fn start(&self) -> Result<(), Error> {
        // Each is kept as soon as it runs: when a later one does not start, shutting down waits for it.
        let threads = || self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let spawn = |name: String, run: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.clone())
                .spawn(run)
                .map_err(|source| Error::Sink { name: format!("thread {name}"), source: Arc::new(source) })
        };
        let inner = Arc::clone(&self.inner);
        let commit = move || committer::run(&inner);
        threads().committer = Some(spawn("accredit-commit".to_owned(), Box::new(commit))?);
        let inner = Arc::clone(&self.inner);
        threads().keeper = Some(spawn("accredit-keep".to_owned(), Box::new(move || keeper::run(&inner)))?);
        self.inner.take_up_accepted()?;
        let inner = Arc::clone(&self.inner);
        threads().closer = Some(spawn("accredit-close".to_owned(), Box::new(move || accepted::run(&inner)))?);
        if self.inner.config.sweep_secs > 0 {
            let inner = Arc::clone(&self.inner);
            let sweeper = spawn("accredit-sweep".to_owned(), Box::new(move || sweep::run(&inner)))?;
            threads().others.push(sweeper);
        }
        if self.inner.config.learning.enabled {
            let inner = Arc::clone(&self.inner);
            let learn = spawn("accredit-learn".to_owned(), Box::new(move || learning::run(&inner)))?;
            threads().others.push(learn);
        }
        for worker in deliver::workers(&self.inner)? {
            let worker = spawn(worker.thread_name(), Box::new(move || worker.run()))?;
            threads().others.push(worker);
        }
        Ok(())
    }

    fn shut_down(&self) -> Result<(), Error> {
        self.inner.stop.set();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let mut all_ended = true;
        // What was accepted is still attributed, and what that teaches or owes to sinks is left to the next start.
        self.inner.closer.end();
        if let Some(closer) = threads.closer {
            all_ended &= closer.join().is_ok();
        }
        for thread in threads.others {
            all_ended &= thread.join().is_ok();
        }
        self.inner.queue.end(End::Closed);
        if let Some(committer) = threads.committer {
            all_ended &= committer.join().is_ok();
        }
        self.inner.keeper.end();
        if let Some(keeper) = threads.keeper {
            all_ended &= keeper.join().is_ok();
        }
        self.inner.hub.close();
        if !all_ended {
            return Err(Error::Poisoned);
        }
        Ok(self.inner.store.close()?)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            tracing::error!(%error, "the engine did not close as it should");
        }
    }
}

impl Inner {
    pub(crate) fn wall(&self) -> Timestamp {
        self.environment.clock.wall()
    }

    pub(crate) fn steady(&self) -> Timestamp {
        self.environment.clock.steady()
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(self.config.block_ms_max)
    }

    pub(crate) fn push(&self, writes: Vec<Write>, bytes: usize, patience: Duration) -> Result<Pending, Error> {
        if !self.config.access.writes() {
            return Err(Error::ReadOnly);
        }
        self.queue.push(writes, bytes, Vec::new(), patience)
    }

    /// Makes durable and waits.
    pub(crate) fn submit(&self, writes: Vec<Write>) -> Result<Vec<Answer>, Error> {
        self.push(writes, 1024, self.patience())?.wait()
    }

    /// The same for a write that closes an action or adds to a closed one, of which subscribers hear when it has.
    pub(crate) fn submit_told(&self, write: Write, events: Vec<EventBody>) -> Result<Answer, Error> {
        if !self.config.access.writes() {
            return Err(Error::ReadOnly);
        }
        let answers = self.queue.push(vec![write], 1024, events, self.patience())?.wait()?;
        answers.into_iter().next().ok_or(Error::Bug("EN-3: every write is answered"))
    }

    /// The same for one write.
    pub(crate) fn submit_one(&self, write: Write) -> Result<Answer, Error> {
        self.submit(vec![write])?.pop().ok_or(Error::Bug("EN-3: every write is answered"))
    }
}

/// Tells the threads to end.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn set(&self) {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits; true when it is time to end.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(is_set, timeout, |is_set| !*is_set);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
