//! Completing, revising, cancelling: once, and again.

use accredit::{
    Attribution, Cancel, Closing, Completion, Recorded, RefusalReason, Revision, Status, Timestamp, Verdict,
};
use serde_json::{Value, json};

use crate::support::{
    IDLE_SECS, IntoBody, Rig, START_SECS, conflict_of, outcome_of, reason, refusal_of, revision_to, step,
};

/// Closes an action by the engine in this way.
fn close(rig: &Rig, id: accredit::ActionId, closing: Closing) {
    match closing {
        Closing::Completed => drop(rig.complete(id, &json!({"rows": 8}))),
        Closing::TimedOut => assert_eq!(rig.expire(), 1),
        Closing::Cancelled => drop(rig.engine.cancel(id, Cancel::default()).unwrap()),
        Closing::Evicted => {
            let next = rig.begin();
            rig.engine.cancel(next, Cancel::default()).unwrap();
        }
    }
    assert_eq!(rig.engine.action(id).unwrap().status, Status::Closed(closing));
}

#[test]
fn the_same_completion_again_is_a_repeat() {
    let rig = Rig::open();
    let check = |first: Completion, again: Completion| {
        let id = rig.begin();
        rig.steps(id, 2);
        let made = rig.engine.complete(id, first.clone()).unwrap();
        assert!(!made.repeat);
        rig.clock.advance_secs(5);
        let repeated = rig.engine.complete(id, again.clone()).unwrap();
        assert_eq!(repeated, Attribution { repeat: true, ..made.clone() }, "{first:?} {again:?}");
        assert_eq!(rig.engine.attribution(id, None).unwrap(), made, "what stands is no repeat");
    };
    let rows = || outcome_of(&json!({"rows": 8, "city": "Paris"}));
    check(rows(), rows());
    check(rows(), outcome_of(&json!({"city": "Paris", "rows": 8})));
    check(Completion::default(), Completion::default());
    check(Completion::default(), outcome_of(&json!({})));
    check(Completion { reward: Some(2.0), ..rows() }, Completion { reward: Some(2.0), ..rows() });
    assert_eq!(rig.stats().experiences, 5);
}

#[test]
fn a_repeat_is_known_after_reopening() {
    let rig = Rig::open();
    let id = rig.begin();
    let outcome = json!({
        "third": 1.0 / 3.0, "sum": 0.1 + 0.2, "tiny": 5e-324, "huge": f64::MAX, "most": u64::MAX, "least": i64::MIN,
        "text": "\u{0}\n\"\\ æ🛫", "deep": [[{"": null}], true],
    });
    let completion = || Completion { reward: Some(-1e-7), ..outcome_of(&outcome) };
    let made = rig.engine.complete(id, completion()).unwrap();
    let rig = rig.reopen();
    assert_eq!(rig.engine.attribution(id, None).unwrap(), made);
    assert_eq!(rig.engine.complete(id, completion()).unwrap(), Attribution { repeat: true, ..made });
}

#[test]
fn another_completion_is_a_conflict_that_names_revise_outcome() {
    let rig = Rig::open();
    let check = |first: Completion, again: Completion| {
        let id = rig.begin();
        let made = rig.engine.complete(id, first.clone()).unwrap();
        let told = conflict_of(rig.engine.complete(id, again.clone()));
        assert!(told.contains("revise_outcome") && told.contains(&id.to_string()), "{told}");
        assert_eq!(rig.engine.attributions(id).unwrap(), [made], "{first:?} {again:?}");
    };
    let rows = |n: u64| outcome_of(&json!({"rows": n}));
    check(rows(8), rows(9));
    check(rows(8), Completion::default());
    check(Completion::default(), rows(8));
    check(rows(8), Completion { reward: Some(1.0), ..rows(8) });
    check(Completion { reward: Some(1.0), ..rows(8) }, rows(8));
    assert_eq!(rig.stats().experiences, 5);
}

#[test]
fn a_revision_is_a_new_version_and_the_old_ones_stay() {
    let rig = Rig::open();
    let id = rig.begin_expecting(&json!({"rows": 8}));
    rig.steps(id, 3);
    let first = rig.complete(id, &json!({"rows": 3}));
    rig.clock.advance_secs(60);
    let revision = Revision { reason: Some("counted again".to_owned()), ..revision_to(&json!({"rows": 8})) };
    let second = rig.engine.revise(id, revision).unwrap();
    // What is not given is kept.
    let third = rig.engine.revise(id, Revision { reward: Some(0.5), ..Revision::default() }).unwrap();
    let fourth = rig.engine.revise(id, revision_to(&json!({"rows": 1}))).unwrap();
    let versions = [&first, &second, &third, &fourth].map(Clone::clone);
    let told = versions.each_ref().map(|made| (made.version, made.success_score, made.reward));
    assert_eq!(told, [(1, 0.0, None), (2, 1.0, None), (3, 1.0, Some(0.5)), (4, 0.0, Some(0.5))]);
    assert_eq!((second.reason.as_deref(), first.reason), (Some("counted again"), None));
    assert_eq!(third.outcome, second.outcome);
    assert_eq!(second.attributed_at.micros_since(first.attributed_at), 60_000_000);

    for (version, made) in (1..).zip(&versions) {
        assert_eq!(&rig.engine.attribution(id, Some(version)).unwrap(), made);
        assert_eq!(made.closing, Closing::Completed);
        assert_eq!(made.credits.len(), 3);
    }
    assert_eq!(rig.engine.attributions(id).unwrap(), versions);
    assert_eq!(rig.engine.attribution(id, None).unwrap(), fourth);
    let unknown = rig.engine.attribution(id, Some(5)).unwrap_err();
    assert!(unknown.to_string().contains("version 5"), "{unknown}");

    let action = rig.engine.action(id).unwrap();
    assert_eq!((action.version, action.success_score, action.reward), (4, Some(0.0), Some(0.5)));
    assert_eq!((action.verdict, &action.outcome), (Some(Verdict::Failure), &Some(fourth.outcome)));
    assert_eq!(action.closed_at, Timestamp::from_seconds(START_SECS), "a correction closes nothing");
    let stats = rig.stats();
    assert_eq!((stats.completed, stats.revisions, stats.experiences), (1, 3, 4));
    // Every version went to the feed, in order.
    let feed = rig.engine.experiences(0, 10).unwrap();
    assert_eq!(feed.iter().map(|experience| experience.attribution.version).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn a_client_that_sends_its_completion_again_after_a_revision_has_done_nothing_wrong() {
    let rig = Rig::open();
    let id = rig.begin();
    rig.complete(id, &json!({"rows": 3}));
    let revised = rig.engine.revise(id, revision_to(&json!({"rows": 8}))).unwrap();
    for outcome in [json!({"rows": 3}), json!({"rows": 8})] {
        let again = rig.complete(id, &outcome);
        assert_eq!(again, Attribution { repeat: true, ..revised.clone() });
    }
    conflict_of(rig.engine.complete(id, outcome_of(&json!({"rows": 4}))));
}

#[test]
fn an_open_action_is_not_revised_and_has_no_attribution() {
    let rig = Rig::open();
    let id = rig.begin();
    let told = conflict_of(rig.engine.revise(id, revision_to(&json!({}))));
    assert!(told.contains("complete it first"), "{told}");
    assert_eq!(rig.engine.attribution(id, None).unwrap_err().code(), "no_attribution");
    assert!(rig.engine.attributions(id).unwrap().is_empty());
    assert_eq!(rig.stats().open, 1);
}

#[test]
fn the_truth_after_an_engine_closing_is_a_revision() {
    for closing in [Closing::TimedOut, Closing::Evicted] {
        let rig = Rig::open_with(|config| config.limits.open_actions_max = 1);
        let id = rig.begin_expecting(&json!({"rows": 8}));
        rig.steps(id, 2);
        close(&rig, id, closing);
        let before = rig.stats();
        assert_eq!(before.timed_out + before.evicted, 1);
        let of_the_engine = rig.engine.attribution(id, None).unwrap();
        assert_eq!((of_the_engine.version, of_the_engine.success_score), (1, 0.0));

        rig.clock.advance_secs(1);
        let truth = rig.engine.complete(id, Completion { reward: Some(7.0), ..outcome_of(&json!({"rows": 8})) });
        let truth = truth.unwrap();
        assert_eq!((truth.version, truth.closing, truth.verdict), (2, Closing::Completed, Verdict::Success));
        assert_eq!((truth.reward, truth.repeat, truth.credits.len()), (Some(7.0), false, 2));
        assert!(truth.reason.as_ref().unwrap().contains(closing.code()), "{:?}", truth.reason);

        let after = rig.stats();
        assert_eq!((after.timed_out, after.evicted, after.completed), (0, 0, before.completed + 1));
        assert_eq!((after.revisions, after.experiences), (1, before.experiences + 1));
        let action = rig.engine.action(id).unwrap();
        assert_eq!((action.status, action.version), (Status::Closed(Closing::Completed), 2));
        assert_eq!(rig.engine.attribution(id, Some(1)).unwrap(), of_the_engine);
        // From then on it is completed like any other.
        let again = Completion { reward: Some(7.0), ..outcome_of(&json!({"rows": 8})) };
        assert!(rig.engine.complete(id, again).unwrap().repeat);
        conflict_of(rig.engine.complete(id, outcome_of(&json!({"rows": 3}))));
        assert_eq!(rig.reopen().stats(), after);
    }
}

#[test]
fn a_cancellation_stands_against_completions() {
    let rig = Rig::open();
    let id = rig.begin();
    let cancelled = rig.engine.cancel(id, Cancel { reason: Some("no budget".to_owned()) }).unwrap();
    assert_eq!(cancelled.closing, Closing::Cancelled);
    assert_eq!(Value::Object(cancelled.outcome.clone()), json!({"status": "cancelled", "reason": "no budget"}));
    let told = conflict_of(rig.engine.complete(id, outcome_of(&json!({"rows": 8}))));
    assert!(told.contains("revise_outcome"), "{told}");
    let again = rig.engine.cancel(id, Cancel::default()).unwrap();
    assert_eq!(again, Attribution { repeat: true, ..cancelled });
    // Whoever insists may revise: the outcome is known after all.
    let revised = rig.engine.revise(id, revision_to(&json!({"success": true}))).unwrap();
    assert_eq!((revised.version, revised.closing, revised.success_score), (2, Closing::Completed, 1.0));
    let stats = rig.stats();
    assert_eq!((stats.cancelled, stats.completed), (0, 1));
    // What is completed cannot be cancelled any more.
    let told = conflict_of(rig.engine.cancel(id, Cancel::default()));
    assert!(told.contains("closed already"), "{told}");
}

#[test]
fn a_closed_action_takes_no_steps() {
    for closing in Closing::ALL {
        let rig = Rig::open_with(|config| config.limits.open_actions_max = 1);
        let id = rig.begin();
        rig.steps(id, 1);
        close(&rig, id, closing);
        let recorded = rig.record(id, vec![step("late").into_body(), step("later").into_body()]);
        assert!(recorded.iter().all(|recorded| reason(recorded) == Some(RefusalReason::ClosedAction)), "{closing:?}");
        let Recorded::Refused(refusal) = &recorded[0] else { panic!("{recorded:?}") };
        assert!(refusal.detail.contains("revise"), "{refusal}");
        assert_eq!(refusal_of(rig.engine.heartbeat(id)), RefusalReason::ClosedAction);
        assert_eq!(rig.stats().refused["closed_action"], 2);
        assert_eq!(rig.engine.action(id).unwrap().step_count, 1);
    }
}

#[test]
fn in_compat_nothing_follows_an_engine_closing() {
    let rig = Rig::compat();
    let id = rig.begin();
    assert_eq!(rig.expire(), 1);
    let completed = rig.engine.complete(id, outcome_of(&json!({"rows": 8})));
    assert_eq!(refusal_of(completed), RefusalReason::ClosedAction);
    assert_eq!((rig.stats().timed_out, rig.engine.action(id).unwrap().version), (1, 1));
}

#[test]
fn the_outcome_of_the_engine_says_how_it_ended() {
    let rig = Rig::open_with(|config| config.limits.open_actions_max = 1);
    let check = |closing: Closing, status: &str| {
        let id = rig.begin();
        close(&rig, id, closing);
        let attribution = rig.engine.attribution(id, None).unwrap();
        assert_eq!((attribution.outcome["status"].as_str(), attribution.closing), (Some(status), closing));
    };
    check(Closing::TimedOut, "timeout");
    check(Closing::Evicted, "evicted");
    check(Closing::Cancelled, "cancelled");
}

#[test]
fn a_duration_is_that_of_the_client_where_it_gave_its_times() {
    let rig = Rig::open();
    let check = |begun: Option<f64>, completed: Option<f64>, seconds: f64| {
        let at = |seconds: Option<f64>| seconds.and_then(Timestamp::from_seconds);
        let id = rig.begin_with(accredit::Begin { at: at(begun), ..crate::support::begin() });
        rig.clock.advance_secs(30);
        let completion = Completion { at: at(completed), ..outcome_of(&json!({})) };
        rig.engine.complete(id, completion).unwrap();
        let action = rig.engine.action(id).unwrap();
        assert_eq!(action.duration_seconds, Some(seconds), "{begun:?} {completed:?}");
        if let Some(completed) = at(completed) {
            assert_eq!(action.closed_at, Some(completed));
        }
    };
    check(None, None, 30.0);
    check(Some(1000.0), Some(1090.5), 90.5);
    // An end before the beginning is no negative time.
    check(Some(1000.0), Some(900.0), 0.0);
    assert_eq!(rig.expire(), 0, "{IDLE_SECS} seconds later nothing is open");
}
