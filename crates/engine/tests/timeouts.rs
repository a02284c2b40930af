//! Idle actions, too many actions, and clocks that jump.

use accredit::{ActionId, Begin, Closing, Completion, Config, Limits, Observation, RefusalReason, Status, Timestamp};
use serde_json::json;

use crate::support::{IDLE_SECS, Rig, begin, chosen_id, eventually, outcome_of, probe, refusal_of, step};

fn status(rig: &Rig, id: ActionId) -> Status {
    rig.engine.action(id).unwrap().status
}

const TIMED_OUT: Status = Status::Closed(Closing::TimedOut);
const EVICTED: Status = Status::Closed(Closing::Evicted);

#[test]
fn an_action_times_out_when_nothing_was_heard_of_it() {
    let rig = Rig::open();
    let (quiet, busy) = (rig.begin(), rig.begin());
    rig.clock.advance_secs(IDLE_SECS);
    assert_eq!(rig.engine.cleanup_expired().unwrap(), 0, "the limit itself is not beyond it");
    rig.engine.step(busy, step("still here")).unwrap();
    rig.clock.advance_secs(1);
    assert_eq!(rig.engine.cleanup_expired().unwrap(), 1);
    assert_eq!((status(&rig, quiet), status(&rig, busy)), (TIMED_OUT, Status::Open));
    let action = rig.engine.action(quiet).unwrap();
    assert_eq!(action.duration_seconds, Some(21_601.0));
    assert_eq!(rig.engine.cleanup_expired().unwrap(), 0);
    rig.clock.advance_secs(IDLE_SECS);
    assert_eq!(rig.engine.cleanup_expired().unwrap(), 1);
    assert_eq!(rig.stats().timed_out, 2);
}

#[test]
fn any_call_keeps_an_action_alive() {
    let rig = Rig::open();
    let check = |call: &dyn Fn(ActionId), alive: bool| {
        let id = rig.begin();
        rig.clock.advance_secs(IDLE_SECS - 1);
        call(id);
        rig.clock.advance_secs(IDLE_SECS - 1);
        rig.engine.cleanup_expired().unwrap();
        assert_eq!(status(&rig, id) == Status::Open, alive);
        rig.expire();
    };
    check(&|_| {}, false);
    check(&|id| rig.engine.heartbeat(id).unwrap(), true);
    check(&|id| drop(rig.engine.step(id, step("s")).unwrap()), true);
    check(&|id| drop(rig.engine.observe(id, probe(&json!({}))).unwrap()), true);
    // Old runs may be imported: what counts is when a call was received, not the time that it tells.
    let old = Timestamp::from_seconds(1_000_000.0);
    check(&|id| drop(rig.engine.observe(id, Observation { at: old, ..probe(&json!({})) }).unwrap()), true);
    // Looking is no work.
    check(&|id| drop(rig.engine.action(id).unwrap()), false);
}

#[test]
fn an_imported_action_is_not_old_because_it_says_so() {
    let rig = Rig::open();
    let id = rig.begin_with(Begin { at: Timestamp::from_seconds(1_000_000.0), ..begin() });
    assert_eq!(rig.engine.cleanup_expired().unwrap(), 0);
    assert_eq!(status(&rig, id), Status::Open);
}

#[test]
fn in_compat_only_the_start_counts() {
    let rig = Rig::compat();
    let id = rig.begin();
    rig.clock.advance_secs(IDLE_SECS);
    rig.engine.step(id, step("still here")).unwrap();
    rig.engine.heartbeat(id).unwrap();
    rig.clock.advance_secs(1);
    assert_eq!(rig.engine.cleanup_expired().unwrap(), 1);
    assert_eq!(status(&rig, id), TIMED_OUT);
}

#[test]
fn the_sweeper_runs_by_itself() {
    let rig = Rig::open_with(|config| config.sweep_secs = 1);
    let (idle, done) = (rig.begin(), rig.begin());
    rig.complete(done, &json!({}));
    rig.clock.advance_secs(IDLE_SECS + 1);
    eventually("the sweeper closes what is idle", || (status(&rig, idle) == TIMED_OUT).then_some(()));
    assert_eq!(rig.stats().timed_out, 1);
}

#[test]
fn many_idle_actions_are_closed_in_one_call() {
    let rig = Rig::open();
    let commands = (0..600).map(|_| Ok(accredit::Command::Begin(begin()))).collect();
    assert_eq!(rig.engine.apply(commands).len(), 600);
    assert_eq!(rig.expire(), 600);
    assert_eq!((rig.stats().open, rig.stats().timed_out), (0, 600));
}

#[test]
fn one_action_too_many_closes_the_one_whose_activity_is_oldest() {
    let rig = Rig::with_limits(Limits { open_actions_max: 3, ..Limits::default() });
    let [first, second, third] = [(); 3].map(|()| {
        rig.clock.advance_secs(1);
        rig.begin()
    });
    rig.clock.advance_secs(1);
    rig.engine.step(first, step("at work")).unwrap();
    let fourth = rig.begin();
    let all = |ids: [ActionId; 4]| ids.map(|id| status(&rig, id));
    assert_eq!(all([first, second, third, fourth]), [Status::Open, EVICTED, Status::Open, Status::Open]);
    rig.clock.advance_secs(1);
    rig.engine.heartbeat(third).unwrap();
    rig.engine.heartbeat(first).unwrap();
    let fifth = rig.begin();
    assert_eq!(all([first, third, fourth, fifth]), [Status::Open, Status::Open, EVICTED, Status::Open]);
    let stats = rig.stats();
    assert_eq!((stats.open, stats.evicted, stats.begun), (3, 2, 5));
}

#[test]
fn what_is_refused_or_known_evicts_nobody() {
    let rig = Rig::with_limits(Limits { open_actions_max: 1, ..Limits::default() });
    let id = rig.begin_with(Begin { action_id: Some(chosen_id(1)), ..begin() });
    assert!(rig.engine.begin(Begin { action_id: Some(id), ..begin() }).unwrap().repeat);
    let own_parent = Begin { action_id: Some(chosen_id(2)), parent_action_id: Some(chosen_id(2)), ..begin() };
    assert_eq!(refusal_of(rig.engine.begin(own_parent)), RefusalReason::ParentCycle);
    rig.engine.begin(Begin { agent_id: "".into(), ..begin() }).unwrap_err();
    assert_eq!(status(&rig, id), Status::Open);
}

#[test]
fn in_compat_the_one_that_began_first_gives_way() {
    let rig = Rig::open_with(|config| {
        *config = Config { sweep_secs: 0, ..Config::compat(config.store.clone()) };
        config.limits.open_actions_max = 2;
    });
    let (first, second) = (rig.begin(), rig.begin());
    rig.clock.advance_secs(1);
    rig.engine.step(first, step("at work")).unwrap();
    let third = rig.begin();
    assert_eq!([first, second, third].map(|id| status(&rig, id)), [EVICTED, Status::Open, Status::Open]);
}

#[test]
fn a_wall_clock_that_jumps_loses_nothing() {
    let rig = Rig::open();
    let id = rig.begin();
    let day = 86_400;
    // A jump ahead is no idle time, and one back does not make an action younger.
    rig.clock.jump_wall_secs(30 * day);
    assert_eq!(rig.engine.cleanup_expired().unwrap(), 0);
    rig.engine.step(id, step("after a jump ahead")).unwrap();
    rig.clock.jump_wall_secs(-60 * day);
    rig.engine.step(id, step("after a jump back")).unwrap();
    rig.clock.advance_secs(90);
    let made = rig.complete(id, &json!({"success": true}));
    assert_eq!(made.credits.len(), 2);
    let action = rig.engine.action(id).unwrap();
    assert_eq!(action.duration_seconds, Some(90.0), "the clock that never jumps measures");
    let said: Vec<_> = rig.engine.chain(id).unwrap().into_iter().map(|entry| (entry.seq, entry.late)).collect();
    assert_eq!(said, [(0, false), (1, false)]);

    let idle = rig.begin();
    rig.clock.jump_wall_secs(-day);
    assert_eq!(rig.expire(), 1);
    assert_eq!(status(&rig, idle), TIMED_OUT);
    let listed = rig.engine.list(&accredit::Filter::default(), 10, None).unwrap().actions;
    assert_eq!(listed.iter().map(|action| action.action_id).collect::<Vec<_>>(), [idle, id], "newest first, by order");
    assert!(rig.engine.verify(&mut |_, _| {}).unwrap().problems.is_empty());
}

#[test]
fn after_reopening_an_idle_action_still_times_out() {
    let rig = Rig::open();
    let id = rig.begin();
    rig.clock.advance_secs(IDLE_SECS - 10);
    let rig = rig.reopen();
    assert_eq!(rig.engine.cleanup_expired().unwrap(), 0);
    rig.clock.advance_secs(11);
    assert_eq!(rig.engine.cleanup_expired().unwrap(), 1);
    assert_eq!(status(&rig, id), TIMED_OUT);
    let late = Completion { reward: Some(1.0), ..outcome_of(&json!({})) };
    assert_eq!(rig.engine.complete(id, late).unwrap().version, 2);
}
