//! Recording that answers exactly and at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use accredit::{
    Access, ActionId, Closing, Completion, Config, Error, Payload, PromptRecorder, RefusalReason, Stats, Status, Step,
    Timestamp,
};
use accredit_testkit::{FakeClock, environment};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{IntoBody, START_SECS, assert_balanced, begin, chosen_id, outcome_of, probe, refusal_of, step};

const SECOND_MICROS: i64 = 1_000_000;
const OPEN_MAX: u64 = 500;
const ENTRIES_MAX: u64 = 1_000;

struct Prompt {
    recorder: PromptRecorder,
    clock: Arc<FakeClock>,
    folder: TempDir,
}

impl Prompt {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::at(Timestamp::from_seconds(START_SECS).unwrap()));
        Self { recorder: open(&folder, &clock), clock, folder }
    }

    fn reopen(self) -> Self {
        let Self { recorder, clock, folder } = self;
        recorder.close().unwrap();
        Self { recorder: open(&folder, &clock), clock, folder }
    }

    fn begin(&self) -> ActionId {
        self.recorder.begin(begin(), OPEN_MAX).unwrap().action_id
    }

    fn step(&self, id: ActionId) -> Result<(), RefusalReason> {
        self.recorder.record(id, step("said").into_body(), ENTRIES_MAX)
    }

    fn stats(&self) -> Stats {
        self.recorder.flush().unwrap();
        let stats = self.recorder.engine().stats().unwrap();
        assert_balanced(&stats);
        stats
    }

    fn closing(&self, id: ActionId) -> Option<Closing> {
        self.recorder.engine().action(id).unwrap().status.closing()
    }
}

fn open(folder: &TempDir, clock: &Arc<FakeClock>) -> PromptRecorder {
    let config = Config { access: Access::Ephemeral, ..Config::compat(folder.path().join("prompt.db")) };
    PromptRecorder::open(config, environment(clock)).unwrap()
}

#[test]
fn every_answer_is_what_was_done() {
    let prompt = Prompt::open();
    let id = prompt.begin();
    let record = |step: Step| prompt.recorder.record(id, step.into_body(), 3);
    let deep = format!("{}{}", "[".repeat(90), "]".repeat(90));
    let rows = [
        (step("one"), Ok(())),
        (Step { confidence: Some(f64::NAN), ..step("no number") }, Err(RefusalReason::InvalidNumber)),
        (Step { state: Some(Payload::from_json(deep).unwrap()), ..step("deep") }, Err(RefusalReason::TooDeep)),
        (Step { idempotency_key: Some("k".to_owned()), ..step("two") }, Ok(())),
        (Step { idempotency_key: Some("k".to_owned()), ..step("three") }, Ok(())),
        (step("four"), Err(RefusalReason::ActionFull)),
    ];
    for (said, expected) in rows {
        assert_eq!(record(said.clone()), expected, "{said:?}");
    }
    // The next call may bring another limit.
    assert_eq!(prompt.recorder.record(id, probe(&json!({"rows": 1})).into_body(), 4), Ok(()));
    assert_eq!(record(step("five")), Err(RefusalReason::ActionFull));
    assert_eq!(prompt.step(chosen_id(7)), Err(RefusalReason::UnknownAction));
    let made = prompt.recorder.complete(id, outcome_of(&json!({"success": true}))).unwrap();
    assert_eq!((made.credits.len(), made.success_score), (3, 1.0));
    assert_eq!(prompt.step(id), Err(RefusalReason::ClosedAction));
    assert_eq!(refusal_of(prompt.recorder.complete(id, Completion::default())), RefusalReason::ClosedAction);
    assert_eq!(refusal_of(prompt.recorder.complete(chosen_id(7), Completion::default())), RefusalReason::UnknownAction);
    let stats = prompt.stats();
    assert_eq!((stats.begun, stats.completed, stats.steps, stats.observations), (1, 1, 3, 1));
    assert_eq!(stats.refused_total, 6);
}

#[test]
fn a_begin_beyond_the_limit_of_the_call_closes_those_that_began_first() {
    let prompt = Prompt::open();
    let [first, second, third] = [prompt.begin(), prompt.begin(), prompt.begin()];
    let begun = prompt.recorder.begin(begin(), 2).unwrap();
    assert_eq!(begun.evicted, [first, second]);
    assert_eq!(prompt.closing(first), Some(Closing::Evicted));
    assert_eq!(prompt.step(second), Err(RefusalReason::ClosedAction));
    assert_eq!((prompt.step(third), prompt.step(begun.action_id)), (Ok(()), Ok(())));
    // With none allowed, the new one alone is open.
    assert_eq!(prompt.recorder.begin(begin(), 0).unwrap().evicted, [third, begun.action_id]);
    assert_eq!((prompt.stats().evicted, prompt.stats().open), (4, 1));
}

#[test]
fn idle_actions_are_closed_when_asked_by_the_idle_time_of_the_call() {
    let prompt = Prompt::open();
    let first = prompt.begin();
    prompt.clock.advance_secs(10);
    let second = prompt.begin();
    prompt.clock.advance_secs(10);
    // Counted from the start, whatever came since.
    assert_eq!(prompt.step(first), Ok(()));
    let cleanup = |idle_micros| prompt.recorder.cleanup_expired(idle_micros).unwrap();
    assert_eq!(cleanup(20 * SECOND_MICROS), []);
    assert_eq!(cleanup(20 * SECOND_MICROS - 1), [first]);
    assert_eq!(prompt.step(first), Err(RefusalReason::ClosedAction));
    assert_eq!(prompt.recorder.engine().attribution(first, None).unwrap().credits, [1.0]);
    assert_eq!(cleanup(0), [second]);
    let third = prompt.begin();
    assert_eq!(cleanup(0), []);
    assert_eq!(cleanup(-1), [third]);
    assert_eq!(prompt.stats().timed_out, 3);
}

#[test]
fn what_was_open_goes_on_after_reopening() {
    let prompt = Prompt::open();
    let (first, second) = (prompt.begin(), prompt.begin());
    assert_eq!(prompt.step(first), Ok(()));
    let prompt = prompt.reopen();
    assert!(prompt.recorder.is_open(first));
    let record = |entries_max| prompt.recorder.record(first, step("said").into_body(), entries_max);
    assert_eq!((record(2), record(2)), (Ok(()), Err(RefusalReason::ActionFull)));
    assert_eq!(prompt.recorder.begin(begin(), 2).unwrap().evicted, [first]);
    assert_eq!(prompt.recorder.engine().action(second).unwrap().status, Status::Open);
}

#[test]
fn threads_get_as_many_entries_in_as_there_may_be() {
    let prompt = Prompt::open();
    let (shared, stored) = (prompt.begin(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let own = prompt.begin();
                    for _ in 0..5 {
                        assert_eq!(prompt.step(own), Ok(()));
                        let answer = prompt.recorder.record(shared, step("said").into_body(), 100);
                        stored.fetch_add(u64::from(answer.is_ok()), Ordering::Relaxed);
                    }
                    prompt.recorder.complete(own, Completion::default()).unwrap();
                }
            });
        }
    });
    assert_eq!(stored.into_inner(), 100);
    let stats = prompt.stats();
    assert_eq!((stats.begun, stats.completed, stats.open), (161, 160, 1));
    assert_eq!((stats.steps, stats.refused_total), (900, 700));
}

#[test]
fn an_engine_that_takes_what_comes_late_cannot_answer_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::at(folder.path().join("prompt.db"));
    let clock = Arc::new(FakeClock::at(Timestamp::default()));
    let error = PromptRecorder::open(config, environment(&clock)).unwrap_err();
    assert!(matches!(error, Error::Config(_)), "{error}");
}
