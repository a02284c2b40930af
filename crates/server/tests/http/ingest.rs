//! NDJSON in, NDJSON out.

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::{Door, Reply};

async fn ingest(door: &Door, text: impl Into<Body>) -> Reply {
    let reply = door.call("POST", "/v1/ingest", &[("content-type", "application/x-ndjson")], text.into()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-type"], "application/x-ndjson");
    reply
}

const ID: &str = "018f0000-0000-7000-8000-00000000000a";

#[tokio::test]
async fn mixed_lines_are_answered_in_order() {
    let door = Door::open();
    let text = format!(
        r#"{{"op":"begin","action_id":"{ID}","agent_id":"a","action_type":"t"}}
{{"op":"step","action_id":"{ID}","description":"one","idempotency_key":"k"}}

{{"op":"step","action_id":"{ID}","description":"one","idempotency_key":"k"}}
{{"op":"observe","action_id":"{ID}","observation_type":"probe"}}
not json
{{"op":"step","action_id":"{ID}","description":"two","colour":"red"}}
{{"op":"heartbeat","action_id":"{ID}","beat":1}}
{{"op":"heartbeat","action_id":"{ID}"}}
{{"op":"complete","action_id":"{ID}","outcome":{{"success":true}}}}
{{"op":"step","action_id":"{ID}","description":"too late"}}
{{"op":"revise","action_id":"{ID}","outcome":{{"success":false}}}}
{{"op":"complete","action_id":"018f0000-0000-7000-8000-0000000000ff"}}
{{"op":"begin","action_id":"{ID}","agent_id":"a","action_type":"t"}}"#
    );
    let rows = [
        (1, true, json!({ "action_id": ID })),
        (2, true, json!({ "seq": 0 })),
        (4, true, json!({ "seq": 0, "repeat": true })),
        (5, true, json!({ "seq": 1 })),
        (6, false, json!({ "reason": "malformed" })),
        (7, false, json!({ "reason": "unknown_field" })),
        (8, false, json!({ "reason": "unknown_field" })),
        (9, true, json!({})),
        (10, true, json!({ "version": 1, "verdict": "success", "success_score": 1.0 })),
        (11, false, json!({ "reason": "closed_action" })),
        (12, true, json!({ "version": 2 })),
        (13, false, json!({ "reason": "unknown_action" })),
        (14, true, json!({ "action_id": ID, "repeat": true })),
    ];
    let answers = ingest(&door, text).await.lines();
    assert_eq!(answers.len(), rows.len());
    for (answer, (line, ok, fields)) in answers.iter().zip(rows) {
        assert_eq!((&answer["line"], &answer["ok"]), (&json!(line), &json!(ok)), "{answer}");
        for (name, value) in fields.as_object().unwrap() {
            assert_eq!(&answer[name], value, "{answer}");
        }
        assert_eq!(answer["detail"].is_string(), !ok, "{answer}");
    }
    let stats = door.engine.stats().unwrap();
    assert_eq!(stats.received, stats.recorded + stats.refused_total);
    assert_eq!((stats.recorded, stats.repeated), (2, 1));
    // A heartbeat is no entry.
    assert!(stats.refused["malformed"] == 1 && stats.refused["unknown_field"] == 1, "{:?}", stats.refused);
}

#[tokio::test]
async fn lines_may_arrive_in_any_pieces() {
    let door = Door::open();
    let begin = format!("{{\"op\":\"begin\",\"action_id\":\"{ID}\",\"agent_id\":\"a\",\"action_type\":\"t\"}}\n");
    let steps: String =
        (0..50).map(|i| format!("{{\"op\":\"step\",\"action_id\":\"{ID}\",\"description\":\"é{i}\"}}\r\n")).collect();
    let pieces: Vec<_> =
        (begin + &steps).into_bytes().chunks(7).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let answers = ingest(&door, Body::from_stream(futures_util::stream::iter(pieces))).await.lines();
    let seqs: Vec<&Value> = answers[1..].iter().map(|answer| &answer["seq"]).collect();
    assert_eq!(seqs, (0..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn thousands_of_lines_pass_in_batches() {
    let door = Door::open();
    let mut text = format!("{{\"op\":\"begin\",\"action_id\":\"{ID}\",\"agent_id\":\"a\",\"action_type\":\"t\"}}\n");
    for i in 0..5_000 {
        text += &format!("{{\"op\":\"step\",\"action_id\":\"{ID}\",\"description\":\"step {i}\"}}\n");
    }
    let answers = ingest(&door, text).await.lines();
    assert_eq!(answers.len(), 5_001);
    assert!(answers.iter().enumerate().all(|(idx, answer)| answer["line"] == idx + 1 && answer["ok"] == true));
    assert_eq!(answers[5_000]["seq"], 4_999);
}

#[tokio::test]
async fn an_overlong_line_and_a_line_that_is_no_text_are_refused_alone() {
    let door = Door::open();
    let mut text =
        format!("{{\"op\":\"begin\",\"agent_id\":\"{}\",\"action_type\":\"t\"}}\n", "a".repeat(1 << 20)).into_bytes();
    text.extend_from_slice(b"{\"op\":\"begin\",\"agent_id\":\"\xff\",\"action_type\":\"t\"}\n");
    text.extend_from_slice(b"{\"op\":\"begin\",\"agent_id\":\"a\",\"action_type\":\"t\"}");
    let answers = ingest(&door, text).await.lines();
    assert_eq!(answers.iter().map(|answer| answer["ok"] == true).collect::<Vec<_>>(), [false, false, true]);
    assert!(answers[0]["detail"].as_str().unwrap().contains("1048576"));
}

#[tokio::test]
async fn nothing_in_nothing_out() {
    let door = Door::open();
    for text in ["", "\n\n", "  \r\n"] {
        assert_eq!(ingest(&door, text).await.text(), "");
    }
}
