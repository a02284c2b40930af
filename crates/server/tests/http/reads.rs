//! Reading back.

use serde_json::{Value, json};

use crate::support::Door;

#[tokio::test]
async fn an_action_is_read_back_with_all_that_belongs_to_it() {
    let door = Door::open();
    let action = door.completed().await;
    let id = action.rsplit('/').next().unwrap();
    door.post(&format!("{action}/revise"), json!({ "outcome": { "success": false } })).await;

    let read = door.get(&action).await.json();
    assert_eq!((&read["action_id"], &read["status"], &read["version"]), (&json!(id), &json!("completed"), &json!(2)));
    let chain = door.get(&format!("{action}/chain")).await.json();
    assert_eq!((chain.as_array().unwrap().len(), &chain[1]["description"]), (2, &json!("b")));
    assert_eq!(door.get(&format!("{action}/attribution")).await.json()["version"], 2);
    assert_eq!(door.get(&format!("{action}/attribution?version=1")).await.json()["version"], 1);
    assert_eq!(door.get(&format!("{action}/attribution?version=3")).await.json()["code"], "no_attribution");
    let versions = door.get(&format!("{action}/attributions")).await.json();
    let versions: Vec<&Value> = versions.as_array().unwrap().iter().map(|one| &one["version"]).collect();
    assert_eq!(versions, [1, 2]);
    let tree = door.get(&format!("{action}/tree")).await.json();
    assert_eq!((&tree["root"], &tree["nodes"][0]["action_id"]), (&json!(id), &json!(id)));
}

#[tokio::test]
async fn another_method_answers_for_one_request() {
    let door = Door::open();
    let action = door.completed().await;
    let path = format!("{action}/attribution");
    let standing = door.get(&path).await;
    assert!(standing.json().get("what_if").is_none(), "what is stored does not change: {}", standing.text());
    for info in accredit::METHODS {
        let options = info.options.iter().map(|option| format!("&{}={}", option.name, option.max));
        let query = format!("?method={}{}", info.name, options.collect::<String>());
        let reply = door.get(&format!("{path}{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        assert_eq!((&reply.json()["what_if"], &reply.json()["version"]), (&json!(true), &json!(1)));
    }
    assert_eq!(door.get(&format!("{path}?method=first")).await.json()["credits"], json!([1.0, 0.0]));
    assert_eq!(door.get(&path).await.body, standing.body);
    let check = |query: &'static str, said: &'static str| {
        let (door, path) = (&door, format!("{path}{query}"));
        async move {
            let reply = door.get(&path).await;
            assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (400, &json!("invalid_parameter")), "{query}");
            assert!(reply.json()["detail"].as_str().unwrap().contains(said), "{query}: {}", reply.text());
        }
    };
    check("?method=guess", "`method`: `guess` is no credit method; there are `auto`").await;
    check("?method=gae&lambda=2", "`lambda`: not a number from 0 to 1").await;
    check("?method=gae&lambda=x", "`lambda`: not a number from 0 to 1").await;
    check("?method=gae&weight=1", "`gae` has no option `weight`; it takes `lambda`").await;
    check("?method=td_ce&lambda=0.5", "it takes none").await;
    check("?lambda=0.5", "name the method with `method`").await;
    check("?version=1&method=gae", "leave one of them out").await;
    let open = door.begin().await;
    assert_eq!(door.get(&format!("{open}/attribution?method=first")).await.json()["code"], "no_attribution");
}

#[tokio::test]
async fn an_open_action_has_no_attributions() {
    let door = Door::open();
    let action = door.begin().await;
    assert_eq!(door.get(&format!("{action}/attributions")).await.json(), json!([]));
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let door = Door::open();
    for i in 0..5 {
        let (agent, goal) = (if i < 3 { "a b&c" } else { "other" }, format!("g{i}"));
        let begin = json!({ "agent_id": agent, "action_type": "t", "goal_id": goal, "at": 1_700_000_000 + i });
        door.post("/v1/actions", begin).await;
    }
    let rows = [
        ("", 5),
        ("?agent_id=a+b%26c", 3),
        ("?agent_id=nobody", 0),
        ("?action_type=t&goal_id=g4", 1),
        ("?status=open", 5),
        ("?status=timed_out", 0),
        ("?verdict=unknown", 0),
        ("?from=2023-11-14T22:13:22Z", 3),
        ("?from=1700000001&to=1700000003.5", 3),
        ("?to=2023-11-14T23:13:20%2B01:00", 0),
    ];
    for (query, n) in rows {
        let reply = door.get(&format!("/v1/actions{query}")).await;
        assert_eq!(reply.json()["actions"].as_array().unwrap().len(), n, "{query}: {}", reply.text());
        assert_eq!(reply.json()["next_cursor"], json!(null), "{query}");
    }
    let (mut goals, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let page = door.get(&format!("/v1/actions?{query}")).await.json();
        goals.extend(page["actions"].as_array().unwrap().iter().map(|action| action["goal_id"].to_string()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = form_urlencoded::Serializer::new("limit=2".to_owned()).append_pair("cursor", cursor).finish();
    }
    assert_eq!(goals, [r#""g4""#, r#""g3""#, r#""g2""#, r#""g1""#, r#""g0""#]);
}

#[tokio::test]
async fn counters_are_read_as_json_and_as_metrics() {
    let door = Door::open();
    let action = door.completed().await;
    door.post(&format!("{action}/steps"), json!({ "description": "too late" })).await;
    let stats = door.get("/v1/stats").await.json();
    assert_eq!((&stats["begun"], &stats["completed"], &stats["recorded"]), (&json!(1), &json!(1), &json!(2)));
    assert_eq!(stats["refused"], json!({ "closed_action": 1 }));

    door.get("/v1/nowhere").await;
    let metrics = door.get("/metrics").await;
    assert_eq!(metrics.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "accredit_actions_begun_total 1",
        "accredit_actions{status=\"completed\"} 1",
        "accredit_entries_received_total 3",
        "accredit_entries_recorded_total{kind=\"step\"} 2",
        "accredit_entries_refused_total{reason=\"closed_action\"} 1",
        "accredit_http_requests_total{method=\"POST\",path=\"/v1/actions\",status=\"201\"} 1",
        "accredit_http_requests_total{method=\"POST\",path=\"/v1/actions/{id}/steps\",status=\"200\"} 2",
        "accredit_http_requests_total{method=\"GET\",path=\"other\",status=\"404\"} 1",
        "accredit_http_request_duration_seconds_count{method=\"POST\",path=\"/v1/actions/{id}/steps\"} 2",
        "accredit_http_request_duration_seconds_bucket{method=\"POST\",path=\"/v1/actions/{id}/steps\",le=\"+Inf\"} 2",
    ] {
        assert!(metrics.text().lines().any(|own| own == line), "{line} is not in\n{}", metrics.text());
    }
    let families = metrics.text().lines().filter(|line| line.starts_with("# TYPE")).count();
    let names = metrics
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect::<std::collections::BTreeSet<_>>();
    assert_eq!(families, names.len(), "each family stands once");
}

#[tokio::test]
async fn health_and_readiness() {
    let door = Door::open();
    for path in ["/healthz", "/readyz"] {
        let reply = door.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, json!({ "status": "ok" })));
    }
}

#[tokio::test]
async fn dead_letters_are_listed_and_replayed() {
    let door = Door::open();
    assert_eq!(door.get("/v1/dead-letters").await.json(), json!([]));
    for (path, body) in [("/v1/dead-letters/replay", ""), ("/v1/dead-letters/replay", "{}")] {
        let reply = door.post_text(path, body).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, json!({ "replayed": 0 })));
    }
}

#[tokio::test]
async fn the_feed_has_every_version_once() {
    let door = Door::open();
    assert_eq!(door.get("/v1/experiences").await.json(), json!({ "experiences": [], "next_cursor": 0 }));
    for _ in 0..12 {
        door.completed().await;
    }
    let (mut cursors, mut after) = (Vec::new(), 0);
    loop {
        let page = door.get(&format!("/v1/experiences?limit=5&after={after}")).await.json();
        after = page["next_cursor"].as_u64().unwrap();
        let experiences = page["experiences"].as_array().unwrap();
        if experiences.is_empty() {
            break;
        }
        cursors.extend(experiences.iter().map(|experience| experience["cursor"].as_u64().unwrap()));
        assert_eq!(experiences[0]["chain"][0]["description"], "a");
    }
    assert_eq!(cursors, (1..=12).collect::<Vec<_>>());
}
