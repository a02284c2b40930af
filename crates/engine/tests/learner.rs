//! The interaction replay of learners, over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use accredit::{Begin, SinkConfig, SinkKind, Stats, Step, compat_chain};
use serde_json::{Value, json};

use crate::support::{Learner, Reply, Rig, begin, eventually, object, probe, revision_to, step};

fn rig(learner: &Learner, token_env: Option<&str>) -> Rig {
    let kind = SinkKind::Replay { url: format!("{}/", learner.url()), token_env: token_env.map(str::to_owned) };
    Rig::open_with(|config| config.sinks = vec![SinkConfig { name: "learner".to_owned(), kind }])
}

fn counted(rig: &Rig, what: &str, is_so: impl Fn(&Stats) -> bool) -> Stats {
    eventually(what, || Some(rig.stats()).filter(&is_so))
}

#[test]
fn the_request_is_the_contracts_word_for_word() {
    let learner = Learner::start(|_| Reply::Ok);
    // A variable that every test run has.
    let rig = rig(&learner, Some("CARGO_PKG_NAME"));
    let parent = rig.begin();
    let id = rig.begin_with(Begin {
        agent_id: "planner".into(),
        action_type: "book_flight".into(),
        goal_id: Some("goal-1".into()),
        expected_outcome: Some(object(&json!({"rows": 8, "city": "Paris"}))),
        parent_action_id: Some(parent),
        ..begin()
    });
    for confidence in [0.2, 0.9] {
        rig.engine.step(id, Step { confidence: Some(confidence), ..step("look") }).unwrap();
    }
    rig.engine.observe(id, probe(&json!({"rows": 8}))).unwrap();
    rig.clock.advance_secs(90);
    rig.complete(id, &json!({"rows": 8, "city": "Rome"}));

    let request = learner.request();
    assert_eq!(request.line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(request.header("authorization"), Some("Bearer accredit"));
    assert_eq!(request.header("idempotency-key"), Some(format!("{id}:1").as_str()));
    assert!(request.header("content-type").unwrap().starts_with("application/json"));
    let Value::Object(body) = &request.body else { panic!("{}", request.body) };
    assert_eq!(body.keys().collect::<Vec<_>>(), ["model", "temperature", "max_tokens", "messages"]);
    assert_eq!(
        (&body["model"], &body["temperature"], &body["max_tokens"]),
        (&json!("hevolve-interaction-replay"), &json!(0), &json!(1))
    );
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(messages.iter().map(|message| &message["role"]).collect::<Vec<_>>(), ["system", "user", "assistant"]);
    let content = |at: usize| messages[at]["content"].as_str().unwrap();
    let metadata: Value = serde_json::from_str(content(0)).unwrap();
    let chain = compat_chain(&rig.engine.experience(id, None).unwrap());
    assert_eq!(
        metadata,
        json!({
            "user_id": "planner", "prompt_id": id, "model_id": "planner:book_flight", "goal_id": "goal-1",
            "latency_ms": 90_000.0, "attribution_chain": chain,
        })
    );
    assert_eq!(metadata["attribution_chain"]["step_credits"].as_array().unwrap().len(), 2);
    let prompt =
        format!("planner ran book_flight (goal=goal-1, parent={parent}, steps=2, observations=1, success=0.5)");
    assert_eq!(content(1), prompt);
    assert_eq!(serde_json::from_str::<Value>(content(2)).unwrap(), json!({"rows": 8, "city": "Rome"}));

    counted(&rig, "the delivery is counted", |stats| stats.delivered == 1);
    // The correction follows, under a key of its own.
    rig.engine.revise(id, revision_to(&json!({"rows": 8, "city": "Paris"}))).unwrap();
    let correction = learner.request();
    assert_eq!(correction.header("idempotency-key"), Some(format!("{id}:2").as_str()));
    assert!(correction.body["messages"][1]["content"].as_str().unwrap().ends_with("success=1.0)"));
}

#[test]
fn without_a_token_none_is_sent() {
    let learner = Learner::start(|_| Reply::Ok);
    let rig = rig(&learner, None);
    rig.complete(rig.begin(), &json!({}));
    let request = learner.request();
    assert_eq!(request.header("authorization"), None);
    let prompt = request.body["messages"][1]["content"].as_str().unwrap().to_owned();
    assert_eq!(prompt, "planner ran book_flight (goal=None, parent=None, steps=0, observations=0, success=0.5)");
}

#[test]
fn a_learner_that_fails_is_tried_again() {
    let learner = Learner::start(|number| if number < 3 { Reply::ServerError } else { Reply::Ok });
    let rig = rig(&learner, None);
    let id = rig.begin();
    rig.complete(id, &json!({"success": true}));
    let stats = eventually("it is delivered at last", || {
        assert!(rig.engine.dead_letters().unwrap().is_empty());
        rig.clock.advance_secs(1);
        Some(rig.stats()).filter(|stats| stats.delivered == 1)
    });
    assert_eq!((stats.experiences, stats.pending, stats.dead), (1, 0, 0));
    let requests = [(); 4].map(|()| learner.request());
    let key = format!("{id}:1");
    assert!(requests.iter().all(|request| request.header("idempotency-key") == Some(key.as_str())));
    assert!(requests.iter().all(|request| request.body == requests[0].body));
    assert_eq!(learner.n_waiting(), 0);
}

#[test]
fn after_the_last_attempt_it_is_a_dead_letter_that_can_be_replayed() {
    let is_well = Arc::new(AtomicBool::new(false));
    let health = Arc::clone(&is_well);
    let answer = move |_| if health.load(Ordering::SeqCst) { Reply::Ok } else { Reply::ServerError };
    let learner = Learner::start(answer);
    let rig = rig(&learner, None);
    let ids = [rig.begin(), rig.begin()];
    for id in ids {
        rig.steps(id, 1);
        rig.complete(id, &json!({"success": true}));
    }
    assert!(rig.engine.dead_letters().unwrap().is_empty());
    let stats = eventually("both are given up", || {
        rig.clock.advance_secs(600);
        Some(rig.stats()).filter(|stats| stats.dead == 2)
    });
    assert_eq!((stats.experiences, stats.delivered, stats.pending), (2, 0, 0));
    assert_eq!(learner.n_waiting(), 20, "ten attempts each");

    let letters = rig.engine.dead_letters().unwrap();
    assert_eq!(letters.iter().map(|letter| letter.action_id).collect::<Vec<_>>(), ids);
    for (cursor, letter) in (1..).zip(&letters) {
        assert_eq!((letter.sink.as_str(), letter.cursor, letter.version, letter.attempts), ("learner", cursor, 1, 10));
        assert!(letter.error.contains("500"), "{}", letter.error);
    }
    let rig = rig.reopen();
    assert_eq!(rig.engine.dead_letters().unwrap(), letters);
    assert_eq!(rig.engine.replay_dead_letters(Some("nobody")).unwrap(), 0);

    is_well.store(true, Ordering::SeqCst);
    assert_eq!(rig.engine.replay_dead_letters(Some("learner")).unwrap(), 2);
    assert_eq!(rig.engine.replay_dead_letters(None).unwrap(), 0);
    let stats = counted(&rig, "both are delivered", |stats| stats.delivered == 2);
    assert_eq!((stats.pending, stats.dead), (0, 0));
    assert!(rig.engine.dead_letters().unwrap().is_empty());
    assert_eq!(rig.engine.verify(&mut |_, _| {}).unwrap().problems, []);
}

#[test]
fn one_bad_experience_does_not_hold_up_the_others() {
    // The second request, and no other, fails.
    let learner = Learner::start(|number| if number == 1 { Reply::ServerError } else { Reply::Ok });
    let rig = rig(&learner, None);
    let ids: Vec<_> = (0..5).map(|_| rig.begin()).collect();
    for id in &ids {
        rig.complete(*id, &json!({}));
    }
    let stats = counted(&rig, "four are delivered", |stats| stats.delivered == 4);
    assert_eq!((stats.pending, stats.dead), (1, 0));
    eventually("the fifth is delivered", || {
        rig.clock.advance_secs(1);
        (rig.stats().delivered == 5).then_some(())
    });
    assert_eq!(learner.n_waiting(), 6);
}

#[test]
fn a_learner_that_is_not_there_loses_nothing() {
    let learner = Learner::start(|_| Reply::Ok);
    let there = learner.url();
    let kind = |url: &str| SinkKind::Replay { url: url.to_owned(), token_env: None };
    let sinks = |url: &str| vec![SinkConfig { name: "learner".to_owned(), kind: kind(url) }];
    // Nothing listens on port 9 of this host.
    let rig = Rig::open_with(|config| config.sinks = sinks("http://127.0.0.1:9"));
    let id = rig.begin();
    rig.complete(id, &json!({"success": true}));
    let stats = rig.stats();
    assert_eq!((stats.experiences, stats.delivered, stats.pending), (1, 0, 1));
    let rig = rig.reopen_with(|config| config.sinks = sinks(&there));
    eventually("it is delivered", || {
        rig.clock.advance_secs(1);
        (rig.stats().delivered == 1).then_some(())
    });
    assert_eq!(learner.request().header("idempotency-key"), Some(format!("{id}:1").as_str()));
}
