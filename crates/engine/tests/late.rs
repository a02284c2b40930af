//! Observations that come after the closing.

use accredit::{Begin, Cancel, Closing, Observation, Recorded, RefusalReason, Verdict};
use serde_json::json;

use crate::support::{IntoBody, Rig, begin, judgement, new_seq, object, probe, reason, revision_to};

#[test]
fn a_late_observation_is_kept_and_marked() {
    let rig = Rig::open();
    let id = rig.begin();
    rig.steps(id, 2);
    rig.complete(id, &json!({"rows": 8}));
    rig.clock.advance_secs(86_400);
    let late = rig.engine.observe(id, Observation { step: Some(1), ..probe(&json!({"weather": "fine"})) }).unwrap();
    assert_eq!(new_seq(&late), 2);
    assert_eq!(new_seq(&rig.engine.observe(id, probe(&json!({"weather": "rain"}))).unwrap()), 3);
    let chain = rig.engine.chain(id).unwrap();
    assert_eq!(chain.iter().map(|entry| entry.late).collect::<Vec<_>>(), [false, false, true, true]);
    assert_eq!(chain[2].recorded_at.micros_since(chain[1].recorded_at), 86_400_000_000);
    let action = rig.engine.action(id).unwrap();
    assert_eq!((action.step_count, action.observation_count, action.version), (2, 2, 1));
    let experience = rig.engine.experience(id, None).unwrap();
    assert_eq!(experience.chain, chain, "a learner sees them too");
    let rig = rig.reopen();
    assert_eq!(rig.engine.chain(id).unwrap(), chain);
    assert_eq!(rig.stats().observations, 2);
}

#[test]
fn it_attributes_anew_only_where_it_changes_the_score() {
    let rig = Rig::open();
    let id = rig.begin_with(Begin {
        expected_outcome: Some(object(&json!({"rows": 8}))),
        acceptance_criteria: Some(vec!["it reads well".to_owned()]),
        ..begin()
    });
    rig.steps(id, 2);
    rig.complete(id, &json!({"rows": 8}));
    let check = |observation: Observation, version: u32, score: f64| {
        assert!(rig.engine.observe(id, observation).unwrap().is_stored());
        let standing = rig.engine.attribution(id, None).unwrap();
        assert_eq!((standing.version, standing.success_score), (version, score));
        assert_eq!(rig.engine.action(id).unwrap().version, version);
        assert_eq!(rig.stats().experiences, u64::from(version));
    };
    check(probe(&json!({"rows": 8})), 1, 1.0);
    check(judgement("it reads well", 0.9), 1, 1.0);
    check(probe(&json!({"unasked": 1})), 1, 1.0);
    check(judgement("it reads well", 0.1), 2, 0.5);
    check(judgement("it reads well", 0.2), 2, 0.5);
    check(probe(&json!({"rows": 3})), 3, 0.0);
    check(probe(&json!({"rows": 8})), 4, 0.5);
    let versions = rig.engine.attributions(id).unwrap();
    assert_eq!(versions.iter().map(|made| made.success_score).collect::<Vec<_>>(), [1.0, 0.5, 0.0, 0.5]);
    assert!(versions.iter().all(|made| made.closing == Closing::Completed && made.credits == versions[0].credits));
    assert_eq!(versions[1].reason.as_deref(), Some("late observation"));
    // Revisions and late observations share one row of versions.
    let revised = rig.engine.revise(id, revision_to(&json!({"rows": 1}))).unwrap();
    assert_eq!(revised.version, 5);
}

#[test]
fn it_may_follow_every_closing() {
    let rig = Rig::open();
    let cancelled = rig.begin();
    rig.engine.cancel(cancelled, Cancel::default()).unwrap();
    let timed_out = rig.begin();
    assert_eq!(rig.expire(), 1);
    for id in [cancelled, timed_out] {
        assert_eq!(new_seq(&rig.engine.observe(id, probe(&json!({"rows": 8}))).unwrap()), 0);
        assert_eq!(rig.engine.attribution(id, None).unwrap().verdict, Verdict::Unknown);
    }
    assert_eq!(rig.stats().observations, 2);
}

#[test]
fn what_is_wrong_with_it_is_refused_as_ever() {
    let rig = Rig::open_with(|config| config.limits.entries_max = 3);
    let id = rig.begin();
    rig.steps(id, 1);
    rig.complete(id, &json!({}));
    let refused = |observation: Observation| reason(&rig.engine.observe(id, observation).unwrap());
    assert_eq!(refused(Observation { step: Some(1), ..probe(&json!({})) }), Some(RefusalReason::UnknownStep));
    assert_eq!(refused(Observation { score: Some(f64::NAN), ..probe(&json!({})) }), Some(RefusalReason::InvalidNumber));
    assert_eq!(refused(probe(&json!({}))), None);
    assert_eq!(refused(probe(&json!({}))), None);
    assert_eq!(refused(probe(&json!({}))), Some(RefusalReason::ActionFull));
    let stats = rig.stats();
    assert_eq!((stats.recorded, stats.refused_total), (3, 3));
}

#[test]
fn its_key_is_stored_once() {
    let rig = Rig::open();
    let id = rig.begin_expecting(&json!({"rows": 8}));
    rig.complete(id, &json!({"rows": 8}));
    let keyed = || Observation { idempotency_key: Some("count".to_owned()), ..probe(&json!({"rows": 3})) };
    assert_eq!(rig.engine.observe(id, keyed()).unwrap(), Recorded::Stored { seq: 0, repeat: false });
    let rig = rig.reopen();
    assert_eq!(rig.engine.observe(id, keyed()).unwrap(), Recorded::Stored { seq: 0, repeat: true });
    let stats = rig.stats();
    assert_eq!((stats.observations, stats.repeated, stats.experiences), (1, 1, 2));
}

#[test]
fn steps_and_observations_of_one_batch_are_told_apart() {
    let rig = Rig::open();
    let id = rig.begin_expecting(&json!({"rows": 8}));
    rig.complete(id, &json!({"rows": 8}));
    let batch = vec![
        probe(&json!({"rows": 3})).into_body(),
        crate::support::step("late").into_body(),
        probe(&json!({"rows": 8})).into_body(),
    ];
    let recorded = rig.record(id, batch);
    assert_eq!((new_seq(&recorded[0]), new_seq(&recorded[2])), (0, 1));
    assert_eq!(reason(&recorded[1]), Some(RefusalReason::ClosedAction));
    let scores: Vec<f64> = rig.engine.attributions(id).unwrap().iter().map(|made| made.success_score).collect();
    assert_eq!(scores, [1.0, 0.0, 1.0]);
}

#[test]
fn compat_refuses_it() {
    let rig = Rig::compat();
    let id = rig.begin();
    rig.complete(id, &json!({"rows": 8}));
    let late = rig.engine.observe(id, probe(&json!({"rows": 3}))).unwrap();
    assert_eq!(reason(&late), Some(RefusalReason::ClosedAction));
    assert_eq!((rig.stats().recorded, rig.stats().refused["closed_action"]), (0, 1));
}
