//! Server-sent events and long polls.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::Door;

#[tokio::test]
async fn events_come_as_they_happen_and_resume_after_an_id() {
    let door = Door::open();
    let mut events = door.stream("/v1/events", &[]).await;
    let action = door.completed().await;
    let id = action.rsplit('/').next().unwrap();
    let mut seen = Vec::new();
    for topic in ["agent.action.begun", "agent.action.recorded", "agent.action.completed"] {
        let event = events.next().await.unwrap();
        assert_eq!((event.name.as_str(), &event.data["action_id"]), (topic, &json!(id)));
        assert_eq!(event.data.get("topic"), None, "data is the data alone");
        seen.push(event.id);
    }
    drop(events);

    let mut resumed = door.stream("/v1/events", &[("last-event-id", &seen[0])]).await;
    assert_eq!(resumed.next().await.unwrap().id, seen[1]);
    assert_eq!(resumed.next().await.unwrap().id, seen[2]);
}

#[tokio::test]
async fn a_reader_that_cannot_resume_hears_of_the_gap() {
    let door = Door::open();
    door.begin().await;
    let mut events = door.stream("/v1/events", &[("last-event-id", "from-another-life-1")]).await;
    let event = events.next().await.unwrap();
    assert_eq!((event.name.as_str(), event.data), ("gap", json!({ "missed": null })));
    door.begin().await;
    assert_eq!(events.next().await.unwrap().name, "agent.action.begun");
}

#[tokio::test]
async fn experiences_stream_and_resume() {
    let door = Door::open();
    door.completed().await;
    door.completed().await;
    let accept = ("accept", "text/event-stream");
    let mut feed = door.stream("/v1/experiences", &[accept]).await;
    for cursor in ["1", "2"] {
        let event = feed.next().await.unwrap();
        assert_eq!((event.name.as_str(), event.id.as_str()), ("experience", cursor));
        assert_eq!(event.data["chain"].as_array().unwrap().len(), 2);
    }
    door.completed().await;
    assert_eq!(feed.next().await.unwrap().id, "3");
    // Line breaks of the sender's own JSON would break an event.
    let action = door.begin().await;
    door.post_text(&format!("{action}/steps"), "{\"description\":\"a\\r\\n\\nb\",\"state\":{\r\n\n \"x\":1\r}}").await;
    door.post(&format!("{action}/complete"), json!({})).await;
    let event = feed.next().await.unwrap();
    assert_eq!((event.id.as_str(), &event.data["chain"][0]["description"]), ("4", &json!("a\r\n\nb")));
    let mut resumed = door.stream("/v1/experiences?after=1", &[accept, ("last-event-id", "2")]).await;
    assert_eq!(resumed.next().await.unwrap().id, "3");
}

#[tokio::test]
async fn a_long_poll_waits_for_an_experience_and_no_longer_than_asked() {
    let door = Door::open();
    let started = Instant::now();
    let empty = door.get("/v1/experiences?wait_seconds=0.3").await.json();
    assert_eq!(empty, json!({ "experiences": [], "next_cursor": 0 }));
    assert!(started.elapsed() >= Duration::from_millis(300));

    let (page, _) = tokio::join!(door.get("/v1/experiences?wait_seconds=20"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        door.completed().await;
    });
    assert_eq!(page.json()["next_cursor"], 1);
    assert!(started.elapsed() < Duration::from_secs(10));
}
