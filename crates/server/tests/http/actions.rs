//! Beginning, completing, revising, cancelling.

use serde_json::json;

use crate::support::Door;

#[tokio::test]
async fn a_begin_answers_201_and_its_repeat_200() {
    let door = Door::open();
    let id = "018f0000-0000-7000-8000-000000000001";
    let begin = json!({ "action_id": id, "agent_id": "a", "action_type": "t", "attributes": { "run": 1 } });
    for status in [201, 200] {
        let reply = door.post("/v1/actions", begin.clone()).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (status, json!({ "action_id": id })));
    }
    assert_eq!(door.engine.stats().unwrap().begun, 1);
}

#[tokio::test]
async fn a_completion_answers_the_attribution_and_a_revision_the_next_version() {
    let door = Door::open();
    let action = door.begin().await;
    door.post(&format!("{action}/steps"), json!([{ "description": "a" }, { "description": "b" }])).await;
    let outcome = json!({ "outcome": { "success": true }, "reward": 0.5 });
    let first = door.post(&format!("{action}/complete"), outcome.clone()).await;
    assert_eq!(first.status, 200);
    let attribution = first.json();
    assert_eq!(attribution["version"], 1);
    assert_eq!(attribution["closing"], "completed");
    assert_eq!(attribution["credits"].as_array().unwrap().len(), 2);
    assert_eq!(attribution.get("repeat"), None);

    let repeat = door.post(&format!("{action}/complete"), outcome).await;
    assert_eq!((repeat.status.as_u16(), &repeat.json()["repeat"]), (200, &json!(true)));

    let conflict = door.post(&format!("{action}/complete"), json!({ "outcome": { "success": false } })).await;
    assert_eq!((conflict.status.as_u16(), &conflict.json()["code"]), (409, &json!("conflict")));
    assert!(conflict.json()["detail"].as_str().unwrap().contains("/revise"), "{}", conflict.text());

    let revision = json!({ "outcome": { "success": false }, "reason": "it broke next day" });
    let revised = door.post(&format!("{action}/revise"), revision).await;
    assert_eq!((revised.status.as_u16(), &revised.json()["version"]), (200, &json!(2)));
    assert_eq!(revised.json()["reason"], "it broke next day");
}

#[tokio::test]
async fn bodies_may_be_empty_where_every_field_is_optional() {
    let door = Door::open();
    for call in ["heartbeat", "complete", "revise", "cancel"] {
        for body in ["", " \n", "{}"] {
            let action = if call == "revise" { door.completed().await } else { door.begin().await };
            let reply = door.post_text(&format!("{action}/{call}"), body).await;
            assert_eq!(reply.status, 200, "{call} {body:?}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn a_cancelled_action_has_an_attribution_and_no_heartbeat() {
    let door = Door::open();
    let action = door.begin().await;
    let cancelled = door.post(&format!("{action}/cancel"), json!({ "reason": "not needed" })).await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.json()["closing"]), (200, &json!("cancelled")));
    assert_eq!(door.get(&action).await.json()["status"], "cancelled");
}
