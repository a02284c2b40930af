//! An engine over a fresh store under a clock that stands still, and short ways to say things.

mod learner;
pub(crate) mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use accredit::{
    ActionId, Attribution, Begin, Completion, Config, Engine, EntryBody, Environment, Error, JsonObject, Limits,
    Method, Observation, Recorded, RefusalReason, Revision, Stats, Step, Timestamp,
};
use accredit_testkit::{FakeClock, environment};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use learner::{Learner, Reply};

/// How long a condition may take to come true; far more than it needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Seconds since 1970 at which every test begins.
pub(crate) const START_SECS: f64 = 1_700_000_000.0;

/// Idle time after which an action is closed, by default.
pub(crate) const IDLE_SECS: i64 = 6 * 60 * 60;

/// An engine with its clock and the folder that its store lies in.
pub(crate) struct Rig {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<FakeClock>,
    environment: Environment,
    folder: TempDir,
}

impl Rig {
    pub(crate) fn open() -> Self {
        Self::open_with(|_| {})
    }

    pub(crate) fn compat() -> Self {
        Self::open_with(|config| {
            config.compat = true;
            config.limits = Limits::compat();
        })
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self::open_with(|config| config.limits = limits)
    }

    /// No sweeper unless it is asked for. Credit is the prior's, whatever is learned meanwhile: what comes of learning has
    /// tests of its own.
    pub(crate) fn open_with(configure: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("accredit.db");
        let mut config = Config { sweep_secs: 0, method: Method::Decay, ..Config::at(store) };
        configure(&mut config);
        let clock = Arc::new(FakeClock::at(Timestamp::from_seconds(START_SECS).unwrap()));
        let environment = environment(&clock);
        let engine = Engine::open_with(config, environment.clone()).unwrap();
        Self { engine, clock, environment, folder }
    }

    /// Closes the engine and opens another over the same store.
    pub(crate) fn reopen(self) -> Self {
        self.reopen_with(|_| {})
    }

    pub(crate) fn reopen_with(self, configure: impl FnOnce(&mut Config)) -> Self {
        let Self { engine, clock, environment, folder } = self;
        let mut config = engine.config().clone();
        engine.close().unwrap();
        configure(&mut config);
        let engine = Engine::open_with(config, environment.clone()).unwrap();
        Self { engine, clock, environment, folder }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn begin(&self) -> ActionId {
        self.begin_with(begin())
    }

    pub(crate) fn begin_with(&self, begin: Begin) -> ActionId {
        self.engine.begin(begin).unwrap().action_id
    }

    pub(crate) fn begin_expecting(&self, expected: &Value) -> ActionId {
        self.begin_with(Begin { expected_outcome: Some(object(expected)), ..begin() })
    }

    pub(crate) fn record(&self, id: ActionId, entries: Vec<EntryBody>) -> Vec<Recorded> {
        self.engine.record(id, entries).unwrap()
    }

    pub(crate) fn steps(&self, id: ActionId, n: usize) {
        let recorded = self.record(id, (0..n).map(|at| step(&format!("step {at}")).into_body()).collect());
        assert!(recorded.iter().all(Recorded::is_stored), "{recorded:?}");
    }

    pub(crate) fn complete(&self, id: ActionId, outcome: &Value) -> Attribution {
        self.engine.complete(id, outcome_of(outcome)).unwrap()
    }

    pub(crate) fn stats(&self) -> Stats {
        let stats = self.engine.stats().unwrap();
        assert_balanced(&stats);
        stats
    }

    /// Lets every open action be idle for longer than the limit, and closes them; answers how many.
    pub(crate) fn expire(&self) -> usize {
        self.clock.advance_secs(IDLE_SECS + 1);
        self.engine.cleanup_expired().unwrap()
    }
}

/// An entry of either kind.
pub(crate) trait IntoBody {
    fn into_body(self) -> EntryBody;
}

impl IntoBody for Step {
    fn into_body(self) -> EntryBody {
        EntryBody::Step(self)
    }
}

impl IntoBody for Observation {
    fn into_body(self) -> EntryBody {
        EntryBody::Observation(self)
    }
}

/// An action about which nothing is special.
pub(crate) fn begin() -> Begin {
    Begin { agent_id: "planner".into(), action_type: "book_flight".into(), ..Begin::default() }
}

pub(crate) fn step(description: &str) -> Step {
    Step { description: description.to_owned(), ..Step::default() }
}

/// An observation of these values by a probe.
pub(crate) fn probe(data: &Value) -> Observation {
    Observation { observation_type: "probe".to_owned(), data: Some(data.into()), ..Observation::default() }
}

/// A judge's score of a criterion.
pub(crate) fn judgement(criterion: &str, score: f64) -> Observation {
    Observation {
        observation_type: "judge".to_owned(),
        score: Some(score),
        criterion: Some(criterion.to_owned()),
        ..Observation::default()
    }
}

pub(crate) fn outcome_of(outcome: &Value) -> Completion {
    Completion { outcome: Some(object(outcome)), ..Completion::default() }
}

pub(crate) fn revision_to(outcome: &Value) -> Revision {
    Revision { outcome: Some(object(outcome)), ..Revision::default() }
}

pub(crate) fn object(value: &Value) -> JsonObject {
    value.as_object().unwrap().clone()
}

/// An id that a client chose.
pub(crate) fn chosen_id(number: u64) -> ActionId {
    ActionId::from_bytes((0xacc0_0000_0000_4000_8000_0000_0000_0000_u128 + u128::from(number)).to_be_bytes())
}

/// Why an entry was refused; `None` where it was stored.
pub(crate) fn reason(recorded: &Recorded) -> Option<RefusalReason> {
    match recorded {
        Recorded::Stored { .. } => None,
        Recorded::Refused(refusal) => Some(refusal.reason),
    }
}

/// The sequence number of an entry that was stored for the first time.
pub(crate) fn new_seq(recorded: &Recorded) -> u64 {
    match recorded {
        Recorded::Stored { seq, repeat: false } => *seq,
        other => panic!("not stored anew: {other:?}"),
    }
}

pub(crate) fn refusal_of<T: std::fmt::Debug>(result: Result<T, Error>) -> RefusalReason {
    match result {
        Err(Error::Refused(refusal)) => refusal.reason,
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) fn conflict_of<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(error @ Error::Conflict { .. }) => error.to_string(),
        other => panic!("no conflict: {other:?}"),
    }
}

/// The three identities of the counters, and those of their parts.
#[track_caller]
pub(crate) fn assert_balanced(stats: &Stats) {
    let closed = stats.completed + stats.timed_out + stats.evicted + stats.cancelled;
    assert_eq!(stats.begun, stats.open + closed, "{stats:?}");
    assert_eq!(stats.received, stats.recorded + stats.refused_total, "{stats:?}");
    assert_eq!(stats.recorded, stats.steps + stats.observations, "{stats:?}");
    assert_eq!(stats.refused_total, stats.refused.values().sum::<u64>(), "{stats:?}");
    assert_eq!(stats.experiences, stats.delivered + stats.pending + stats.dead, "{stats:?}");
}

#[track_caller]
pub(crate) fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not within {tolerance} of {expected}");
}

/// Waits for a condition.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not come: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The least of an executor: polls, and sleeps until it is woken.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return answer;
        }
        std::thread::park_timeout(PATIENCE);
    }
}
