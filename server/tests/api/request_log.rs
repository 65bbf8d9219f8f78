//! What the log tells of a request, and what it never does.

use serde_json::Value;
use uuid::Uuid;

use crate::support::{Caller, EventPlan, Journal, World, get, post};

/// The lines of the log about one request.
fn lines_about(log: &str, request_id: &str) -> Vec<Value> {
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["request_id"] == request_id)
        .collect()
}

#[tokio::test]
async fn a_request_that_is_not_let_in_leaves_one_line_without_what_was_sent() {
    let world = World::with(Journal::Local, &[("ONSALE_LOG_FORMAT", "json")]).await;
    let path = format!("/v1/orders/{}?note=canary-query", Uuid::from_u128(0xCA_4A27));
    let call = get(path)
        .header("authorization", "Bearer canary-token")
        .header("cookie", "canary-cookie")
        .header("x-request-id", "mine-1");
    assert_eq!(world.send(call).await.status, 401);
    let log = world.server.stderr();
    let lines = lines_about(&log, "mine-1");
    assert_eq!(lines.len(), 1, "{log}");
    assert_eq!(lines[0]["route"], "/v1/orders/{order_id}");
    assert_eq!(lines[0]["method"], "GET");
    assert_eq!(lines[0]["status"], 401);
    assert_eq!(lines[0]["code"], "unauthenticated");
    assert!(lines[0]["duration_us"].is_u64(), "{}", lines[0]);
    for secret in ["canary", "ca4a27"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn other_requests_are_told_only_at_level_debug() {
    for (level, lines) in [("info", 0), ("debug", 1)] {
        let settings = [("ONSALE_LOG_FORMAT", "json"), ("ONSALE_LOG_LEVEL", level)];
        let world = World::with(Journal::Local, &settings).await;
        let call = get("/v1/events").header("x-request-id", "mine-2");
        world.send(call).await.expect(200);
        let missing = post("/canary-path").header("x-request-id", "mine-3");
        world.send(missing).await.problem(404, "not_found");
        let log = world.server.stderr();
        assert_eq!(lines_about(&log, "mine-2").len(), lines, "{log}");
        assert_eq!(lines_about(&log, "mine-3").len(), lines, "{log}");
        assert!(!log.contains("canary"), "{log}");
    }
}

#[tokio::test]
async fn every_line_on_behalf_of_a_request_names_it() {
    for (format, named) in [
        ("json", "\"request_id\":\"mine-4\""),
        ("text", "request_id=mine-4"),
    ] {
        let settings = [
            ("ONSALE_LOG_FORMAT", format),
            ("ONSALE_LOG_LEVEL", "info,onsale_services=debug"),
        ];
        let world = World::with(Journal::Local, &settings).await;
        let event = world.event(&EventPlan::of(1)).await;
        let call = event.purchase(1, "sim_decline").by(&Caller::buyer()).key("k");
        let reply = world.send(call.header("x-request-id", "mine-4")).await;
        reply.problem(402, "payment_declined");
        // It was written by the task that goes on with a purchase whose client has gone.
        let log = world.server.stderr();
        let lines: Vec<_> = log
            .lines()
            .filter(|line| line.contains("payment declined"))
            .collect();
        assert_eq!(lines.len(), 1, "{log}");
        assert!(lines[0].contains(named), "{}", lines[0]);
        let begun = log.lines().find(|line| line.contains("serving")).expect("a line");
        assert!(!begun.contains("request_id"), "{begun}");
    }
}
