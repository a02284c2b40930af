//! Recording steps and observations.

use accredit::Stats;
use axum::body::Body;
use serde_json::{Value, json};

use crate::support::Door;

/// `received = recorded + refused`, by kind and reason too.
fn assert_balanced(stats: &Stats) {
    assert_eq!(stats.received, stats.recorded + stats.refused_total);
    assert_eq!(stats.recorded, stats.steps + stats.observations);
    assert_eq!(stats.refused_total, stats.refused.values().sum::<u64>());
}

#[tokio::test]
async fn one_object_or_an_array_is_recorded() {
    let door = Door::open();
    let action = door.begin().await;
    let rows = [
        ("steps", json!({ "description": "one" }), json!({ "recorded": 1, "refused": [], "first_seq": 0 })),
        (
            "steps",
            json!([{ "description": "a" }, { "description": "b" }]),
            json!({ "recorded": 2, "refused": [], "first_seq": 1 }),
        ),
        ("steps", json!([]), json!({ "recorded": 0, "refused": [], "first_seq": null })),
        (
            "observations",
            json!({ "observation_type": "probe", "data": 3 }),
            json!({ "recorded": 1, "refused": [], "first_seq": 3 }),
        ),
    ];
    for (call, body, answer) in rows {
        let reply = door.post(&format!("{action}/{call}"), body).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, answer));
    }
    assert_balanced(&door.engine.stats().unwrap());
}

#[tokio::test]
async fn one_bad_entry_is_refused_alone() {
    let door = Door::open();
    let action = door.begin().await;
    let body = r#"[{"description":"a"}, {"description":5}, 7, {"description":"b","colour":"red"},
        {"description":"c","confidence":1e400}, {"description":"d"}]"#;
    let reply = door.post_text(&format!("{action}/steps"), body).await;
    assert_eq!(reply.status, 200);
    let answer = reply.json();
    assert_eq!((&answer["recorded"], &answer["first_seq"]), (&json!(2), &json!(0)));
    let refused: Vec<(u64, &str)> = answer["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["index"].as_u64().unwrap(), entry["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(refused, [(1, "invalid_field"), (2, "malformed"), (3, "unknown_field"), (4, "invalid_number")]);
    assert!(answer["refused"][2]["detail"].as_str().unwrap().contains("colour"));
    let chain = door.get(&format!("{action}/chain")).await.json();
    let descriptions: Vec<&Value> = chain.as_array().unwrap().iter().map(|entry| &entry["description"]).collect();
    assert_eq!(descriptions, ["a", "d"]);
    let stats = door.engine.stats().unwrap();
    assert_eq!((stats.received, stats.recorded, stats.refused_total), (6, 2, 4));
    assert_balanced(&stats);
}

#[tokio::test]
async fn entries_of_no_action_are_refused_each() {
    let door = Door::open();
    let closed = door.completed().await;
    let rows = [
        ("/v1/actions/018f0000-0000-7000-8000-0000000000ff", "unknown_action"),
        (&closed, "closed_action"),
        ("/v1/actions/no-uuid", "invalid_id"),
    ];
    for (action, reason) in rows {
        let reply =
            door.post(&format!("{action}/steps"), json!([{ "description": "a" }, { "description": "b" }])).await;
        assert_eq!(reply.status, 200);
        let answer = reply.json();
        assert_eq!((&answer["recorded"], &answer["first_seq"]), (&json!(0), &json!(null)));
        for index in 0..2 {
            assert_eq!(
                (&answer["refused"][index]["index"], &answer["refused"][index]["reason"]),
                (&json!(index), &json!(reason))
            );
        }
    }
    let stats = door.engine.stats().unwrap();
    assert_eq!(stats.refused_total, 6);
    assert_balanced(&stats);
}

#[tokio::test]
async fn the_idempotency_key_header_stands_for_keys_of_their_own() {
    let door = Door::open();
    let action = door.begin().await;
    let body = r#"[{"description":"a"}, {"description":"b","idempotency_key":"own"}, {"description":"c"}]"#;
    for _ in 0..2 {
        let headers = [("content-type", "application/json"), ("idempotency-key", "call-1")];
        let reply = door.call("POST", &format!("{action}/steps"), &headers, Body::from(body)).await;
        assert_eq!(reply.json(), json!({ "recorded": 3, "refused": [], "first_seq": 0 }));
    }
    let chain = door.get(&format!("{action}/chain")).await.json();
    let keys: Vec<&Value> = chain.as_array().unwrap().iter().map(|entry| &entry["idempotency_key"]).collect();
    assert_eq!(keys, ["call-1#0", "own", "call-1#2"]);
    let stats = door.engine.stats().unwrap();
    assert_eq!((stats.recorded, stats.repeated), (3, 3));
    assert_balanced(&stats);
}

#[tokio::test]
async fn a_long_body_is_recorded_like_a_short_one() {
    let door = Door::open();
    let action = door.begin().await;
    let steps: Vec<Value> =
        (0..5_000).map(|i| json!({ "description": format!("step {i}"), "state": { "i": i } })).collect();
    let reply = door.post(&format!("{action}/steps"), json!(steps)).await;
    assert_eq!(reply.json(), json!({ "recorded": 5_000, "refused": [], "first_seq": 0 }));
    assert_eq!(door.get(&action).await.json()["step_count"], 5_000);
}

#[tokio::test]
async fn a_full_queue_answers_429_and_counts_what_it_refused() {
    let door = Door::open_with(|config| config.queue_bytes_max = 1);
    let action = door.begin().await;
    let path = format!("{action}/steps");
    let calls = (0..64).map(|_| door.post(&path, json!([{ "description": "a" }, { "description": "b" }])));
    let replies = futures_util::future::join_all(calls).await;
    let (mut n_stored, mut n_refused) = (0, 0);
    for reply in replies {
        match reply.status.as_u16() {
            200 => n_stored += reply.json()["recorded"].as_u64().unwrap(),
            429 => {
                assert_eq!(reply.headers["retry-after"], "1");
                assert_eq!(reply.json()["code"], "overloaded");
                n_refused += 1;
            }
            _ => panic!("{}: {}", reply.status, reply.text()),
        }
    }
    assert!(n_refused > 0, "64 calls at once passed a queue for one");
    let stats = door.engine.stats().unwrap();
    assert_eq!((stats.recorded, stats.refused["overloaded"]), (n_stored, 2 * n_refused));
    assert_eq!(stats.received, n_stored + 2 * n_refused);
}

#[tokio::test]
async fn an_observation_may_come_after_the_closing() {
    let door = Door::open();
    let action = door.completed().await;
    let reply =
        door.post(&format!("{action}/observations"), json!({ "observation_type": "monitor", "data": {} })).await;
    assert_eq!(reply.json(), json!({ "recorded": 1, "refused": [], "first_seq": 2 }));
    assert_eq!(door.get(&format!("{action}/chain")).await.json()[2]["late"], true);
}
