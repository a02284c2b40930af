//! One row for each error. Every one is a problem, and none is counted as an entry.

use axum::body::Body;
use serde_json::json;

use crate::support::{Door, Reply};

const JSON: (&str, &str) = ("content-type", "application/json");
const UNKNOWN: &str = "/v1/actions/018f0000-0000-7000-8000-0000000000ff";

fn assert_problem(reply: &Reply, status: u16, code: &str, what: &str) {
    assert_eq!(reply.status, status, "{what}: {}", reply.text());
    assert_eq!(reply.headers["content-type"], "application/problem+json", "{what}");
    let problem = reply.json();
    assert_eq!(problem["code"], code, "{what}: {problem}");
    assert_eq!(problem["status"], status, "{what}");
    assert_eq!(problem["type"], format!("/problems/{code}"), "{what}");
    for field in ["title", "detail"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{what}: {field}");
    }
}

type Row<'a> = (&'a str, String, &'a [(&'a str, &'a str)], String, u16, &'a str);

/// Method, path, headers and body; the status and the code they are answered with. Nothing is recorded.
async fn check(door: &Door, rows: Vec<Row<'_>>) {
    let before = door.engine.stats().unwrap();
    for (method, path, headers, body, status, code) in rows {
        let what = format!("{method} {path} {body:.80}");
        let reply = door.call(method, &path, headers, Body::from(body)).await;
        assert_problem(&reply, status, code, &what);
    }
    assert_eq!(door.engine.stats().unwrap(), before);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let door = Door::open();
    let open = door.begin().await;
    let path = |call: &str| format!("{open}/{call}");
    let at_unknown = |call: &str| format!("{UNKNOWN}/{call}");
    check(
        &door,
        vec![
            ("GET", "/".into(), &[], "".into(), 404, "not_found"),
            ("GET", "/v2/actions".into(), &[], "".into(), 404, "not_found"),
            ("GET", "/v1/actions/".into(), &[], "".into(), 404, "not_found"),
            ("DELETE", "/v1/actions".into(), &[], "".into(), 405, "method_not_allowed"),
            ("OPTIONS", "/v1/ingest".into(), &[], "".into(), 405, "method_not_allowed"),
            ("GET", UNKNOWN.into(), &[], "".into(), 404, "unknown_action"),
            ("GET", "/v1/actions/no-uuid".into(), &[], "".into(), 404, "unknown_action"),
            ("GET", "/v1/actions/%FF%FE/tree".into(), &[], "".into(), 404, "unknown_action"),
            ("GET", at_unknown("chain"), &[], "".into(), 404, "unknown_action"),
            ("GET", at_unknown("attribution"), &[], "".into(), 404, "unknown_action"),
            ("GET", at_unknown("attributions"), &[], "".into(), 404, "unknown_action"),
            ("GET", at_unknown("tree"), &[], "".into(), 404, "unknown_action"),
            ("GET", path("attribution"), &[], "".into(), 404, "no_attribution"),
            ("POST", at_unknown("complete"), &[JSON], "{}".into(), 404, "unknown_action"),
            ("POST", at_unknown("revise"), &[JSON], "{}".into(), 404, "unknown_action"),
            ("POST", at_unknown("cancel"), &[], "".into(), 404, "unknown_action"),
            ("POST", at_unknown("heartbeat"), &[], "".into(), 404, "unknown_action"),
            ("POST", "/v1/actions/no-uuid/complete".into(), &[JSON], "{}".into(), 404, "unknown_action"),
        ],
    )
    .await;
}

#[tokio::test]
async fn bodies_that_do_not_fit_are_refused() {
    let door = Door::open();
    let open = door.begin().await;
    let begin = r#"{"agent_id":"a","action_type":"t"}"#;
    let id = "018f0000-0000-7000-8000-000000000009";
    let own_parent = json!({ "agent_id": "a", "action_type": "t", "action_id": id, "parent_action_id": id });
    let path = |call: &str| format!("{open}/{call}");
    check(
        &door,
        vec![
            ("POST", "/v1/actions".into(), &[JSON], "{".into(), 400, "malformed"),
            ("POST", "/v1/actions".into(), &[JSON], "".into(), 400, "malformed"),
            ("POST", "/v1/actions".into(), &[JSON], "[]".into(), 400, "malformed"),
            ("POST", "/v1/actions".into(), &[JSON], r#"{"agent_id":"a"}"#.into(), 422, "invalid_field"),
            ("POST", "/v1/actions".into(), &[JSON], own_parent.to_string(), 409, "parent_cycle"),
            (
                "POST",
                "/v1/actions".into(),
                &[("content-type", "text/plain")],
                begin.into(),
                415,
                "unsupported_media_type",
            ),
            ("POST", "/v1/ingest".into(), &[("content-type", "text/plain")], "".into(), 415, "unsupported_media_type"),
            ("POST", path("steps"), &[JSON], "[{}".into(), 400, "malformed"),
            ("POST", path("steps"), &[JSON], "7".into(), 400, "malformed"),
            ("POST", path("steps"), &[JSON], "".into(), 400, "malformed"),
            ("POST", path("steps"), &[JSON], format!("[{}1]", "1,".repeat(65_536)), 413, "too_many_entries"),
            ("POST", path("steps"), &[JSON, ("idempotency-key", "schlüssel")], "{}".into(), 400, "invalid_header"),
            ("POST", path("observations"), &[JSON], "nothing".into(), 400, "malformed"),
            ("POST", path("complete"), &[JSON], r#"{"outcome":[]}"#.into(), 422, "invalid_field"),
            ("POST", path("complete"), &[JSON], r#"{"reward":1e999}"#.into(), 422, "invalid_number"),
            ("POST", path("complete"), &[JSON], " ".repeat((8 << 20) + 1), 413, "too_large"),
            ("POST", path("heartbeat"), &[JSON], r#"{"beat":1}"#.into(), 422, "unknown_field"),
        ],
    )
    .await;
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_refused() {
    let door = Door::open();
    let open = door.begin().await;
    let path = |call: &str| format!("{open}/{call}");
    check(
        &door,
        vec![
            ("GET", "/v1/actions?limit=0".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/actions?limit=1001".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/actions?limit=ten".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/actions?limit=1&limit=2".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/actions?agent=a".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/actions?status=done".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/actions?verdict=good".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/actions?from=yesterday".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/actions?cursor=%00garbage".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", format!("{open}?version=1"), &[], "".into(), 400, "invalid_parameter"),
            ("GET", path("attribution?version=0"), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/experiences?after=-1".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/experiences?wait_seconds=31".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/experiences?wait_seconds=NaN".into(), &[], "".into(), 400, "invalid_parameter"),
            ("GET", "/v1/stats?verbose".into(), &[], "".into(), 400, "invalid_parameter"),
        ],
    )
    .await;
}

#[tokio::test]
async fn foreign_pages_are_turned_away() {
    let door = Door::open();
    let open = door.begin().await;
    let path = |call: &str| format!("{open}/{call}");
    check(
        &door,
        vec![
            ("GET", "/v1/stats".into(), &[("host", "evil.example")], "".into(), 421, "foreign_host"),
            ("GET", "/v1/stats".into(), &[("host", "127.0.0.1.evil.example:7117")], "".into(), 421, "foreign_host"),
            ("GET", "http://evil.example/v1/stats".into(), &[("host", "localhost")], "".into(), 421, "foreign_host"),
            ("POST", path("cancel"), &[("origin", "https://evil.example")], "".into(), 403, "foreign_origin"),
            ("POST", path("cancel"), &[("origin", "null")], "".into(), 403, "foreign_origin"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_problem_names_the_parameter_and_the_field() {
    let door = Door::open();
    let rows = [
        (door.get("/v1/actions?limt=5").await, "`limt`"),
        (door.get("/v1/actions?limit=5000").await, "`limit`"),
        (door.get("/v1/actions?cursor=%00garbage").await, "`cursor`"),
        (door.post("/v1/actions", json!({ "agent_id": "a", "action_type": "t", "gaol_id": "g" })).await, "`gaol_id`"),
    ];
    for (reply, name) in rows {
        assert!(reply.json()["detail"].as_str().unwrap().contains(name), "{}", reply.text());
    }
}

#[tokio::test]
async fn requests_of_this_machine_pass() {
    let door = Door::open();
    let own = [
        ("host", "localhost:7117"),
        ("host", "[::1]:7117"),
        ("origin", "http://127.0.0.1:3000"),
        ("content-type", "x/y"),
    ];
    for header in own {
        let reply = door.call("GET", "/v1/stats", &[header], Body::empty()).await;
        assert_eq!(reply.status, 200, "{header:?}");
        assert_eq!(reply.headers.get("access-control-allow-origin"), None);
    }
    for media in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"] {
        let begin = r#"{"agent_id":"a","action_type":"t"}"#;
        let reply = door.call("POST", "/v1/actions", &[("content-type", media)], Body::from(begin)).await;
        assert_eq!(reply.status, 201, "{media}");
    }
    let reply = door.call("POST", "/v1/actions", &[], Body::from(r#"{"agent_id":"a","action_type":"t"}"#)).await;
    assert_eq!(reply.status, 201, "no content type");
}

#[tokio::test]
async fn methods_that_are_not_taken_name_those_that_are() {
    let door = Door::open();
    let reply = door.call("PUT", "/v1/actions", &[], Body::empty()).await;
    let allow = reply.headers["allow"].to_str().unwrap();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
}
