//! What live subscribers hear, and the feed of experiences.

use std::time::{Duration, Instant};

use accredit::{Begin, Cancel, Command, Event, EventBody, Subscription, Verdict};
use serde_json::{Value, json};

use crate::support::{Rig, begin, block_on, chosen_id, outcome_of, probe, revision_to, step};

const SOON: Duration = Duration::from_secs(10);

fn heard(subscription: &mut Subscription, n: usize) -> Vec<Event> {
    (0..n).map(|n| subscription.next(SOON).unwrap_or_else(|| panic!("event {n} comes"))).collect()
}

fn assert_silent(subscription: &mut Subscription) {
    assert_eq!(subscription.next(Duration::ZERO), None);
}

/// Short names of events: their topic's last word.
fn topics(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.body.topic().rsplit('.').next().unwrap()).collect()
}

#[test]
fn events_come_in_the_order_of_the_facts() {
    let rig = Rig::open();
    let mut subscription = rig.engine.subscribe(None);
    let id = rig.begin_with(Begin { goal_id: Some("goal".into()), ..begin() });
    rig.steps(id, 3);
    rig.engine.observe(id, probe(&json!({}))).unwrap();
    rig.clock.advance_secs(90);
    rig.complete(id, &json!({"success": true}));
    rig.engine.revise(id, revision_to(&json!({"success": false}))).unwrap();
    let events = heard(&mut subscription, 5);
    assert_eq!(topics(&events), ["begun", "recorded", "recorded", "completed", "completed"]);
    let recorded = |first_seq, entries| EventBody::Recorded { action_id: id, first_seq, entries };
    assert_eq!(
        events[0].body,
        EventBody::Begun {
            action_id: id,
            agent_id: "planner".into(),
            action_type: "book_flight".into(),
            goal_id: Some("goal".into()),
            parent_action_id: None,
        }
    );
    assert_eq!([&events[1].body, &events[2].body], [&recorded(0, 3), &recorded(3, 1)]);
    // What the contract promises of a completion, field by field.
    let told: Value = serde_json::to_value(&events[3]).unwrap();
    assert_eq!(told["topic"], "agent.action.completed");
    assert_eq!(
        told["data"],
        json!({
            "action_id": id, "agent_id": "planner", "action_type": "book_flight", "goal_id": "goal",
            "duration_seconds": 90.0, "step_count": 3, "success_score": 1.0, "verdict": "success", "version": 1,
            "closing": "completed",
        })
    );
    let EventBody::Completed { version, verdict, .. } = &events[4].body else { panic!("{:?}", events[4]) };
    assert_eq!((*version, *verdict), (2, Verdict::Failure));
    assert_silent(&mut subscription);
}

#[test]
fn what_did_not_happen_is_not_told() {
    let rig = Rig::open();
    let id = chosen_id(1);
    let begin = || Begin { action_id: Some(id), ..begin() };
    rig.engine.begin(begin()).unwrap();
    rig.complete(id, &json!({"rows": 8}));
    let mut subscription = rig.engine.subscribe(None);
    assert!(rig.engine.begin(begin()).unwrap().repeat);
    assert!(!rig.engine.step(id, step("late")).unwrap().is_stored());
    assert!(!rig.engine.step(chosen_id(2), step("to nobody")).unwrap().is_stored());
    assert!(rig.complete(id, &json!({"rows": 8})).repeat);
    rig.engine.complete(id, outcome_of(&json!({"rows": 9}))).unwrap_err();
    rig.engine.cancel(id, Cancel::default()).unwrap_err();
    assert_silent(&mut subscription);
}

#[test]
fn a_late_observation_is_told() {
    let rig = Rig::open();
    let id = rig.begin_expecting(&json!({"rows": 8}));
    rig.complete(id, &json!({"rows": 8}));
    let mut subscription = rig.engine.subscribe(None);
    rig.engine.observe(id, probe(&json!({"weather": "fine"}))).unwrap();
    let events = heard(&mut subscription, 1);
    assert_eq!(events[0].body, EventBody::Recorded { action_id: id, first_seq: 0, entries: 1 });
    rig.engine.observe(id, probe(&json!({"rows": 3}))).unwrap();
    assert_eq!(topics(&heard(&mut subscription, 2)), ["recorded", "completed"]);
    assert_silent(&mut subscription);
}

#[test]
fn a_subscriber_resumes_after_what_it_has_seen() {
    let rig = Rig::open();
    let mut first = rig.engine.subscribe(None);
    let ids = [1, 2, 3, 4].map(chosen_id);
    for id in ids {
        rig.begin_with(Begin { action_id: Some(id), ..begin() });
    }
    let events = heard(&mut first, 4);
    let about = |event: &Event| event.body.action_id().unwrap();
    assert_eq!(events.iter().map(about).collect::<Vec<_>>(), ids);
    for (seen, event) in events.iter().enumerate() {
        let mut again = rig.engine.subscribe(Some(&event.id));
        let rest = heard(&mut again, 3 - seen);
        assert_eq!(rest, events[seen + 1..]);
        assert_silent(&mut again);
    }
    assert_silent(&mut rig.engine.subscribe(None));
}

#[test]
fn a_gap_says_what_was_lost() {
    let rig = Rig::open_with(|config| config.events_max = 10);
    let mut slow = rig.engine.subscribe(None);
    rig.begin();
    let seen = heard(&mut slow, 1).pop().unwrap();
    let commands = (0..25).map(|_| Ok(Command::Begin(begin()))).collect();
    assert_eq!(rig.engine.apply(commands).len(), 25);
    let events = heard(&mut slow, 11);
    assert_eq!(events[0].body, EventBody::Gap { missed: Some(15) });
    assert!(events[1..].iter().all(|event| event.body.topic() == "agent.action.begun"));
    assert_silent(&mut slow);
    // The same for one who comes back, who can also resume after the gap itself.
    assert_eq!(heard(&mut rig.engine.subscribe(Some(&seen.id)), 11), events);
    assert_eq!(heard(&mut rig.engine.subscribe(Some(&events[0].id)), 10), events[1..]);
}

#[test]
fn an_id_of_another_engine_is_a_gap_of_unknown_size() {
    let rig = Rig::open();
    let mut subscription = rig.engine.subscribe(None);
    rig.begin();
    let of_before = heard(&mut subscription, 1).pop().unwrap().id;
    rig.clock.advance_secs(1);
    let rig = rig.reopen();
    rig.begin();
    for id in [of_before.as_str(), "", "nonsense", "0-1"] {
        let mut subscription = rig.engine.subscribe(Some(id));
        let events = heard(&mut subscription, 1);
        assert_eq!(events[0].body, EventBody::Gap { missed: None }, "{id}");
        assert_silent(&mut subscription);
        rig.begin();
        assert_eq!(topics(&heard(&mut subscription, 1)), ["begun"]);
    }
}

#[test]
fn closing_ends_the_stream_after_the_last_event() {
    let rig = Rig::open();
    let mut subscription = rig.engine.subscribe(None);
    let mut waiting = rig.engine.subscribe(None);
    let waiter = std::thread::spawn(move || {
        let mut n = 0;
        while waiting.next(SOON).is_some() {
            n += 1;
        }
        n
    });
    rig.begin();
    rig.begin();
    let Rig { engine, .. } = rig;
    engine.close().unwrap();
    assert_eq!(waiter.join().unwrap(), 2);
    assert_eq!(topics(&heard(&mut subscription, 2)), ["begun", "begun"]);
    let asked = Instant::now();
    assert_eq!(subscription.next(6 * SOON), None);
    assert!(asked.elapsed() < SOON, "a closed stream is not waited for");
}

#[test]
fn events_can_be_awaited() {
    let rig = Rig::open();
    let mut subscription = rig.engine.subscribe(None);
    let awaiting = std::thread::spawn(move || {
        block_on(async {
            let mut events = Vec::new();
            while let Some(event) = subscription.recv().await {
                events.push(event);
            }
            events
        })
    });
    let id = rig.begin();
    rig.complete(id, &json!({}));
    let Rig { engine, .. } = rig;
    engine.close().unwrap();
    assert_eq!(topics(&awaiting.join().unwrap()), ["begun", "completed"]);
}

#[test]
fn the_feed_goes_on_from_any_cursor() {
    let rig = Rig::open();
    let ids: Vec<_> = (0..7).map(|_| rig.begin()).collect();
    for id in &ids {
        rig.complete(*id, &json!({"success": true}));
    }
    rig.engine.revise(ids[2], revision_to(&json!({"success": false}))).unwrap();
    let all = rig.engine.experiences(0, 100).unwrap();
    assert_eq!(all.iter().map(|experience| experience.cursor).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    let mut read = Vec::new();
    loop {
        let after = read.last().map_or(0, |experience: &accredit::Experience| experience.cursor);
        let part = rig.engine.experiences(after, 3).unwrap();
        if part.is_empty() {
            break;
        }
        assert!(part.len() <= 3);
        read.extend(part);
    }
    assert_eq!(read, all);
    let last = read.last().unwrap();
    assert_eq!((last.action.action_id, last.attribution.version), (ids[2], 2));
    assert!(rig.engine.experiences(8, 10).unwrap().is_empty());
    assert!(rig.engine.experiences(u64::MAX, 10).unwrap().is_empty());
    let rig = rig.reopen();
    assert_eq!(rig.engine.experiences(0, 100).unwrap(), all);
    assert_eq!(rig.engine.experience(ids[2], Some(1)).unwrap().cursor, 3);
}
