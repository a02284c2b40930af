//! Recording that does not wait, against a target that answers as a test says, and against the engine.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use accredit::{
    Answer, Applied, Begin, Cancel, Command, Completion, Environment, Error, OpenAction, Recorded, Recorder,
    RecorderOptions, Refusal, RefusalReason, Target,
};
use serde_json::json;

use crate::support::{IntoBody, Rig, begin, chosen_id, eventually, outcome_of, probe, step};

/// Far longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// What a target was told, and how it answers.
struct Script {
    told: Mutex<Vec<Command>>,
    elsewhere: Mutex<Vec<RefusalReason>>,
    answer: Box<dyn Fn(&Command) -> Answer + Send + Sync>,
    is_held: Mutex<bool>,
    let_go: Condvar,
    is_direct: bool,
    is_closed: AtomicBool,
}

#[derive(Clone)]
struct Scripted(Arc<Script>);

impl Scripted {
    fn new(answer: impl Fn(&Command) -> Answer + Send + Sync + 'static) -> Self {
        Self::made(false, Box::new(answer))
    }

    /// Takes everything.
    fn willing() -> Self {
        Self::new(|_| Answer::Spooled)
    }

    fn direct() -> Self {
        Self::made(true, Box::new(|_| Answer::Spooled))
    }

    fn made(is_direct: bool, answer: Box<dyn Fn(&Command) -> Answer + Send + Sync>) -> Self {
        Self(Arc::new(Script {
            told: Mutex::default(),
            elsewhere: Mutex::default(),
            answer,
            is_held: Mutex::new(false),
            let_go: Condvar::new(),
            is_direct,
            is_closed: AtomicBool::new(false),
        }))
    }

    fn recorder(&self, options: RecorderOptions) -> Recorder {
        Recorder::new(Box::new(self.clone()), Environment::default(), options).unwrap()
    }

    /// From now on nothing is answered, like by a disk that stands still; or it is again.
    fn hold(&self, is_held: bool) {
        *self.0.is_held.lock().unwrap() = is_held;
        self.0.let_go.notify_all();
    }

    /// The descriptions of the steps that it was told, and the names of other commands.
    fn told(&self) -> Vec<String> {
        let name = |command: &Command| match command {
            Command::Begin(_) => "begin".to_owned(),
            Command::Step { step, .. } => step.description.clone(),
            Command::Observe { .. } => "observe".to_owned(),
            Command::Complete { .. } => "complete".to_owned(),
            Command::Cancel { .. } => "cancel".to_owned(),
            other => format!("{other:?}"),
        };
        self.0.told.lock().unwrap().iter().map(name).collect()
    }
}

impl Target for Scripted {
    fn carry_out(&self, commands: Vec<Command>) -> Vec<Answer> {
        let script = &self.0;
        let held = script.is_held.lock().unwrap();
        drop(script.let_go.wait_while(held, |is_held| *is_held).unwrap());
        let answers = commands.iter().map(&script.answer).collect();
        script.told.lock().unwrap().extend(commands);
        answers
    }

    fn is_direct(&self) -> bool {
        self.0.is_direct
    }

    fn refused_elsewhere(&self, reason: RefusalReason) {
        self.0.elsewhere.lock().unwrap().push(reason);
    }

    fn close(&self) {
        self.0.is_closed.store(true, Ordering::SeqCst);
    }
}

fn refused(reason: RefusalReason) -> Answer {
    Answer::Applied(Applied::Failed(Refusal::new(reason, "as the script says").into()))
}

fn say(recorder: &Recorder, action: &OpenAction, description: &str) -> Result<(), RefusalReason> {
    recorder.record(action, step(description).into_body())
}

fn patient() -> impl FnMut() -> bool {
    || false
}

fn numbered(n: usize) -> Vec<String> {
    (0..n).map(|at| at.to_string()).collect()
}

#[test]
fn an_outcome_can_be_revised_before_it_is_attributed() {
    let rig = Rig::open();
    let recorder = Recorder::new(Box::new(rig.engine), Environment::default(), RecorderOptions::default());
    let recorder = recorder.unwrap();
    for _ in 0..20 {
        let action = recorder.begin(begin()).unwrap();
        (0..200).for_each(|at| say(&recorder, &action, &at.to_string()).unwrap());
        recorder.complete(action.id(), outcome_of(&json!({"success": true})), &mut patient()).unwrap();
        let revision = serde_json::from_value(json!({"outcome": {"success": false}})).unwrap();
        let answer = recorder.revise(action.id(), revision, &mut patient()).unwrap();
        assert!(matches!(&answer, Answer::Applied(Applied::Attributed(made)) if made.version == 2), "{answer:?}");
    }
}

#[test]
fn order_is_kept_across_actions() {
    let target = Scripted::willing();
    let recorder = target.recorder(RecorderOptions::default());
    let actions: Vec<_> = (0..3).map(|_| recorder.begin(begin()).unwrap()).collect();
    for at in 0..3_000 {
        say(&recorder, &actions[at % 3], &at.to_string()).unwrap();
    }
    recorder.flush(&mut patient()).unwrap();
    assert_eq!(target.told()[3..], numbered(3_000));
    let stats = recorder.stats();
    assert_eq!((stats.pending, stats.done, stats.refused.len()), (0, 3_003, 0));
    assert_eq!(actions.iter().map(|action| action.n_steps()).collect::<Vec<_>>(), [1_000; 3]);
}

#[test]
fn what_was_flushed_is_in_the_store() {
    let rig = Rig::open();
    let recorder = Recorder::new(Box::new(rig.engine.clone()), Environment::default(), RecorderOptions::default());
    let recorder = recorder.unwrap();
    let action = recorder.begin(begin()).unwrap();
    for at in 0..100 {
        say(&recorder, &action, &at.to_string()).unwrap();
        if at % 10 == 9 {
            recorder.flush(&mut patient()).unwrap();
            assert_eq!(rig.engine.chain(action.id()).unwrap().len(), at + 1);
        }
    }
    let answer = recorder.complete(action.id(), outcome_of(&json!({"success": true})), &mut patient()).unwrap();
    assert!(matches!(answer, Answer::Applied(Applied::Accepted)), "{answer:?}");
    rig.engine.wait_accepted();
    assert_eq!(rig.engine.attribution(action.id(), None).unwrap().credits.len(), 100);
    assert!(action.is_closed() && recorder.find(action.id()).is_none());
    assert_eq!(say(&recorder, &action, "late"), Err(RefusalReason::ClosedAction));
    recorder.record(&action, probe(&json!({"late": 1})).into_body()).unwrap();
    recorder.flush(&mut patient()).unwrap();
    assert_eq!(rig.engine.chain(action.id()).unwrap().len(), 101, "the world may speak after the closing");
    rig.engine.step(rig.begin(), step("brings the count along")).unwrap();
    let stats = rig.stats();
    assert_eq!((stats.refused.get("closed_action"), stats.refused_total), (Some(&1), 1), "the store counts it, too");
}

#[test]
fn refusals_are_counted_whenever_they_are_known() {
    let target = Scripted::new(|command| match command {
        Command::Step { step, .. } if step.description == "odd" => refused(RefusalReason::TooDeep),
        Command::Step { step, .. } if step.description == "broken" => Answer::Applied(Applied::Failed(Error::Closed)),
        Command::Step { step, .. } if step.description == "entry" => {
            Answer::Applied(Applied::Entry(Recorded::Refused(Refusal::new(RefusalReason::InvalidNumber, "entry"))))
        }
        _ => Answer::Spooled,
    });
    let recorder = target.recorder(RecorderOptions { steps_max: 4, entries_max: 5, ..RecorderOptions::default() });
    let action = recorder.begin(begin()).unwrap();
    for description in ["fine", "odd", "broken", "entry"] {
        say(&recorder, &action, description).unwrap();
    }
    assert_eq!(say(&recorder, &action, "fifth"), Err(RefusalReason::ActionFull));
    recorder.record(&action, probe(&json!({})).into_body()).unwrap();
    assert_eq!(recorder.record(&action, probe(&json!({})).into_body()), Err(RefusalReason::ActionFull));
    recorder.flush(&mut patient()).unwrap();
    let stats = recorder.stats();
    let counted: Vec<_> = stats.refused.iter().map(|(code, n)| (code.as_str(), *n)).collect();
    assert_eq!(counted, [("action_full", 2), ("closed", 1), ("invalid_number", 1), ("too_deep", 1)]);
    assert_eq!(stats.last_error.as_deref(), Some("the engine is closed"));
    assert_eq!(
        *target.0.elsewhere.lock().unwrap(),
        [RefusalReason::ActionFull; 2],
        "what it is not told is counted there"
    );
}

#[test]
fn a_full_buffer_blocks_and_then_refuses() {
    let target = Scripted::willing();
    let block = Duration::from_millis(200);
    let recorder = target.recorder(RecorderOptions { buffer_bytes_max: 8_192, block, ..RecorderOptions::default() });
    let action = recorder.begin(begin()).unwrap();
    recorder.flush(&mut patient()).unwrap();
    target.hold(true);
    let mut n_said = 0;
    let started = loop {
        let started = Instant::now();
        match say(&recorder, &action, &n_said.to_string()) {
            Ok(()) => n_said += 1,
            Err(reason) => {
                assert_eq!(reason, RefusalReason::Overloaded);
                break started;
            }
        }
        assert!(n_said < 10_000, "a small buffer took {n_said} steps");
    };
    assert!(started.elapsed() >= block, "it was refused after {:?}", started.elapsed());
    assert_eq!((action.n_steps(), recorder.stats().refused["overloaded"]), (n_said as u64, 1));
    // One that is let go in time is recorded.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(block / 4);
            target.hold(false);
        });
        say(&recorder, &action, &n_said.to_string()).unwrap();
    });
    recorder.flush(&mut patient()).unwrap();
    assert_eq!(target.told()[1..], numbered(n_said + 1));
    assert!(!recorder.is_full());
}

#[test]
fn closing_drains_and_ends() {
    let target = Scripted::willing();
    let recorder = target.recorder(RecorderOptions::default());
    let action = recorder.begin(begin()).unwrap();
    for at in 0..5_000 {
        say(&recorder, &action, &at.to_string()).unwrap();
    }
    recorder.close();
    assert_eq!(target.told()[1..], numbered(5_000));
    assert!(target.0.is_closed.load(Ordering::SeqCst));
    assert_eq!(say(&recorder, &action, "late"), Err(RefusalReason::Overloaded));
    assert!(matches!(recorder.complete(action.id(), Completion::default(), &mut patient()), Err(Error::Closed)));
    recorder.flush(&mut patient()).unwrap();
    recorder.close();
}

#[test]
fn a_begin_that_is_refused_later_closes_what_its_agent_holds() {
    let check = |reason: RefusalReason, closes: bool| {
        let target = Scripted::new(move |command| match command {
            Command::Begin(_) => refused(reason),
            _ => Answer::Spooled,
        });
        let recorder = target.recorder(RecorderOptions::default());
        let action = recorder.begin(Begin { action_id: Some(chosen_id(1)), ..begin() }).unwrap();
        recorder.flush(&mut patient()).unwrap();
        assert_eq!(action.is_closed(), closes, "{reason:?}");
        assert_eq!(say(&recorder, &action, "s").is_err(), closes, "{reason:?}");
        assert_eq!(recorder.find(chosen_id(1)).is_none(), closes, "{reason:?}");
    };
    check(RefusalReason::InvalidId, true);
    check(RefusalReason::ParentCycle, true);
    check(RefusalReason::UnknownAction, true);
    // There is an action of this id, of which the first to begin it holds the same handle.
    check(RefusalReason::Conflict, false);
}

#[test]
fn a_step_of_an_action_that_is_gone_closes_it() {
    let target = Scripted::new(|command| match command {
        Command::Step { .. } => refused(RefusalReason::ClosedAction),
        _ => Answer::Spooled,
    });
    let recorder = target.recorder(RecorderOptions::default());
    let action = recorder.begin(begin()).unwrap();
    say(&recorder, &action, "it was closed as idle meanwhile").unwrap();
    recorder.flush(&mut patient()).unwrap();
    assert_eq!(say(&recorder, &action, "again"), Err(RefusalReason::ClosedAction));
}

#[test]
fn a_completion_waits_for_what_was_said_before_it_and_for_its_answer() {
    for target in [Scripted::willing(), Scripted::direct()] {
        let recorder = target.recorder(RecorderOptions::default());
        let action = recorder.begin(begin()).unwrap();
        recorder.flush(&mut patient()).unwrap();
        target.hold(true);
        say(&recorder, &action, "before").unwrap();
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                recorder.complete(action.id(), Completion::default(), &mut patient()).unwrap();
                is_done.store(true, Ordering::SeqCst);
            });
            eventually("the completion is said", || action.is_closed().then_some(()));
            assert_eq!(say(&recorder, &action, "after"), Err(RefusalReason::ClosedAction));
            std::thread::sleep(Duration::from_millis(100));
            assert!(!is_done.load(Ordering::SeqCst), "nothing is durable yet");
            target.hold(false);
        });
        assert_eq!(target.told(), ["begin", "before", "complete"]);
    }
}

#[test]
fn a_completion_that_failed_leaves_the_action_open() {
    let target = Scripted::new(|command| match command {
        Command::Complete { .. } => refused(RefusalReason::TooDeep),
        _ => Answer::Spooled,
    });
    let recorder = target.recorder(RecorderOptions::default());
    let action = recorder.begin(begin()).unwrap();
    recorder.complete(action.id(), Completion::default(), &mut patient()).unwrap();
    assert!(!action.is_closed());
    say(&recorder, &action, "goes on").unwrap();
    recorder.cancel(action.id(), Cancel::default(), &mut patient()).unwrap();
    assert!(action.is_closed());
}

#[test]
fn a_wait_that_is_given_up_ends_and_the_work_goes_on() {
    for target in [Scripted::willing(), Scripted::direct()] {
        let recorder = target.recorder(RecorderOptions::default());
        let (action, other) = (recorder.begin(begin()).unwrap(), recorder.begin(begin()).unwrap());
        recorder.flush(&mut patient()).unwrap();
        target.hold(true);
        say(&recorder, &other, "slow").unwrap();
        let asked = AtomicUsize::new(0);
        let mut impatient = || asked.fetch_add(1, Ordering::SeqCst) >= 1;
        let started = Instant::now();
        assert!(matches!(recorder.flush(&mut impatient), Err(Error::Closed)));
        let completed = recorder.complete(action.id(), Completion::default(), &mut impatient);
        assert!(matches!(completed, Err(Error::Closed)), "{completed:?}");
        assert!(started.elapsed() < LONG / 4 && asked.load(Ordering::SeqCst) >= 3);
        target.hold(false);
        recorder.flush(&mut patient()).unwrap();
        assert!(action.is_closed() && target.told().contains(&"complete".to_owned()));
    }
}

#[test]
fn a_cancellation_at_work_can_be_given_up_and_is_finished() {
    let target = Scripted::direct();
    let recorder = target.recorder(RecorderOptions::default());
    let action = recorder.begin(begin()).unwrap();
    recorder.flush(&mut patient()).unwrap();
    target.hold(true);
    let cancelled = recorder.cancel(action.id(), Cancel::default(), &mut || true);
    assert!(matches!(cancelled, Err(Error::Closed)), "{cancelled:?}");
    assert!(action.is_closed());
    target.hold(false);
    eventually("it is cancelled", || target.told().contains(&"cancel".to_owned()).then_some(()));
}

/// Of a bug that ends the thread that calls it, but for begins.
fn mortal(is_direct: bool) -> Scripted {
    let answer = |command: &Command| match command {
        Command::Begin(_) => Answer::Spooled,
        _ => std::panic::resume_unwind(Box::new("a bug")),
    };
    Scripted::made(is_direct, Box::new(answer))
}

#[test]
fn nobody_waits_for_a_recorder_that_died() {
    let recorder = mortal(false).recorder(RecorderOptions::default());
    let action = recorder.begin(begin()).unwrap();
    say(&recorder, &action, "fatal").unwrap();
    assert!(matches!(recorder.flush(&mut patient()), Err(Error::Closed)));
    assert_eq!(say(&recorder, &action, "late"), Err(RefusalReason::Overloaded));
    assert!(matches!(recorder.complete(action.id(), Completion::default(), &mut patient()), Err(Error::Closed)));
    recorder.close();

    let recorder = mortal(false).recorder(RecorderOptions::default());
    let action = recorder.begin(begin()).unwrap();
    let completed = recorder.complete(action.id(), Completion::default(), &mut patient());
    assert!(matches!(completed, Err(Error::Poisoned)), "{completed:?}");
}

#[test]
fn nobody_waits_for_a_cancellation_that_died() {
    let recorder = mortal(true).recorder(RecorderOptions::default());
    let action = recorder.begin(begin()).unwrap();
    for _ in 0..10 {
        let answer = recorder.cancel(action.id(), Cancel::default(), &mut patient()).unwrap();
        assert!(matches!(answer, Answer::Applied(Applied::Failed(Error::Poisoned))), "{answer:?}");
    }
    recorder.begin(begin()).unwrap();
    recorder.flush(&mut patient()).unwrap();
}

#[test]
fn many_threads_record_and_complete() {
    const N_THREADS: usize = 8;
    let target = Scripted::direct();
    let recorder = target.recorder(RecorderOptions { buffer_bytes_max: 1 << 16, ..RecorderOptions::default() });
    std::thread::scope(|scope| {
        for _ in 0..N_THREADS {
            scope.spawn(|| {
                for _ in 0..50 {
                    let action = recorder.begin(begin()).unwrap();
                    for at in 0..20 {
                        say(&recorder, &action, &at.to_string()).unwrap();
                    }
                    recorder.complete(action.id(), Completion::default(), &mut patient()).unwrap();
                }
            });
        }
    });
    let told = target.0.told.lock().unwrap();
    let mut seen: std::collections::HashMap<_, Vec<String>> = std::collections::HashMap::new();
    for command in told.iter() {
        let said = match command {
            Command::Step { step, .. } => step.description.clone(),
            Command::Complete { .. } => "complete".to_owned(),
            _ => "begin".to_owned(),
        };
        seen.entry(command.action_id()).or_default().push(said);
    }
    let expected: Vec<String> =
        [vec!["begin".to_owned()], numbered(20), vec!["complete".to_owned()]].into_iter().flatten().collect();
    assert_eq!((seen.len(), seen.values().all(|said| *said == expected)), (N_THREADS * 50, true));
}
