//! What no client should send: a clear answer, no effect, no panic.

use serde_json::json;
use uuid::Uuid;

use crate::support::{Caller, Event, EventPlan, World, get, post};

const JSON: &str = "application/json";

/// Bodies of a purchase that are refused: status, code, body.
fn bodies(event: &Event, foreign: Uuid) -> Vec<(u16, &'static str, Vec<u8>)> {
    let own = event.types[0];
    let quantity = |number: &str| {
        let line = format!(r#"{{"ticket_type_id":"{own}","quantity":{number}}}"#);
        format!(r#"{{"lines":[{line}],"payment_method":"sim_approve"}}"#)
    };
    let lines = |id: Uuid, count: usize| {
        let lines = vec![json!({"ticket_type_id": id, "quantity": 1}); count];
        json!({"lines": lines, "payment_method": "sim_approve"}).to_string()
    };
    let with = |member: &str| quantity("1").replacen('{', &format!("{{{member},"), 1);
    let deep = "[".repeat(8_000) + &"]".repeat(8_000);
    let mut cut = quantity("1").into_bytes();
    cut.truncate(20);
    let invalid = [&b"{\"lines\":[],\"payment_method\":\"\xff\xfe\"}"[..]].concat();
    let mut rows = vec![
        (400, "malformed_body", vec![]),
        (400, "malformed_body", b"{".to_vec()),
        (400, "malformed_body", cut),
        (400, "malformed_body", invalid),
        (400, "malformed_body", quantity("NaN").into_bytes()),
        (400, "malformed_body", quantity("Infinity").into_bytes()),
        (400, "malformed_body", quantity("01").into_bytes()),
        (400, "malformed_body", (quantity("1") + "x").into_bytes()),
        (400, "malformed_body", b"\0\0\0\0".to_vec()),
        (422, "validation_failed", lines(own, 0).into_bytes()),
        (422, "validation_failed", lines(own, 2).into_bytes()),
        (422, "validation_failed", lines(own, 17).into_bytes()),
        (422, "validation_failed", lines(Uuid::now_v7(), 1).into_bytes()),
        (422, "validation_failed", lines(foreign, 1).into_bytes()),
        (413, "body_too_large", lines(own, 10_000).into_bytes()),
        (413, "body_too_large", " ".repeat(16 * 1_024 + 1).into_bytes()),
        (422, "validation_failed", with("\"price\":0").into_bytes()),
        (
            422,
            "validation_failed",
            with("\"payment_method\":\"a\"").into_bytes(),
        ),
        (
            422,
            "validation_failed",
            with(&format!("\"x\":{deep}")).into_bytes()[..16_000].to_vec(),
        ),
        (422, "validation_failed", with("\"__proto__\":{}").into_bytes()),
        (422, "validation_failed", b"[]".to_vec()),
        (422, "validation_failed", b"null".to_vec()),
        (422, "validation_failed", b"\"lines\"".to_vec()),
    ];
    for number in [
        "0",
        "-1",
        "101",
        "4294967296",
        "4294967297",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "1e400",
        "1.5",
        "1.0",
        "\"1\"",
        "null",
        "true",
        "[1]",
        "{}",
    ] {
        rows.push((422, "validation_failed", quantity(number).into_bytes()));
    }
    let methods = ["", "a b", "\\u0000", "\\u00e9"].map(str::to_owned);
    for method in methods.into_iter().chain(["m".repeat(256)]) {
        let body = quantity("1").replace("sim_approve", &method);
        rows.push((422, "validation_failed", body.into_bytes()));
    }
    rows
}

#[tokio::test]
async fn bad_bodies_are_refused_and_change_nothing() {
    let mut world = World::start().await;
    let event = world.event(&EventPlan::of(100)).await;
    let foreign = world.event(&EventPlan::of(100)).await;
    let before = world.availability(&event).await;
    let buyer = Caller::buyer();
    let path = format!("{}/purchases", event.path());
    let mut wrong = Vec::new();
    for (row, (status, code, body)) in bodies(&event, foreign.types[0]).into_iter().enumerate() {
        let start: String = String::from_utf8_lossy(&body).chars().take(120).collect();
        let call = post(&path).body(JSON, body).by(&buyer).key(format!("k{row}"));
        let reply = world.send(call).await;
        if (reply.status, reply.code().as_str()) == (status, code) {
            reply.problem(status, code);
        } else {
            wrong.push(format!(
                "{status} {code}, not {} {}: {start}",
                reply.status,
                reply.code()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(world.availability(&event).await, before);
    world.stop_and_audit().await;
}

#[tokio::test]
async fn only_plain_json_is_read() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(100)).await;
    let before = world.availability(&event).await;
    let buyer = Caller::buyer();
    let path = format!("{}/holds", event.path());
    let body = json!({"lines": event.lines(1)}).to_string();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
        "",
    ] {
        let call = post(&path).body(content_type, body.clone()).by(&buyer).key("k");
        world.send(call).await.problem(415, "unsupported_media_type");
    }
    for encoding in ["gzip", "br", "identity, gzip"] {
        let call = post(&path)
            .body(JSON, body.clone())
            .header("content-encoding", encoding);
        world
            .send(call.by(&buyer).key("k"))
            .await
            .problem(415, "unsupported_media_type");
    }
    assert_eq!(world.availability(&event).await, before);
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(1)).await;
    let buyer = Caller::buyer();
    for path in [
        "/",
        "/v1",
        "/v2/events",
        "/v1/events/",
        "/v1/holds",
        "/v1/../etc/passwd",
        "/metrics",
        "/readyz",
    ] {
        world.send(get(path).by(&buyer)).await.problem(404, "not_found");
    }
    for id in [
        "x",
        "%00",
        "%ff",
        "00000000-0000-0000-0000-000000000000",
        "..%2f..%2f",
    ] {
        for path in [
            format!("/v1/events/{id}"),
            format!("/v1/orders/{id}"),
            format!("/v1/holds/{id}"),
        ] {
            let reply = world.send(get(path).by(&buyer)).await;
            reply.problem(404, "not_found");
        }
    }
    let reply = world.send(post(event.path()).by(&buyer)).await;
    reply.problem(405, "method_not_allowed");
    assert!(reply.header("allow").contains("GET"), "{reply:?}");
    world.server.assert_no_panic();
}

#[tokio::test]
async fn a_request_id_is_taken_over_only_where_it_is_harmless() {
    let world = World::start().await;
    let call = get("/v1/nothing").header("x-request-id", "abc-123");
    assert_eq!(world.send(call).await.header("x-request-id"), "abc-123");
    for hostile in [" ".to_owned(), "a\"b".to_owned(), "x".repeat(4_000)] {
        let reply = world
            .send(get("/v1/nothing").header("x-request-id", hostile.as_str()))
            .await;
        reply.problem(404, "not_found");
        assert_ne!(reply.header("x-request-id"), hostile);
    }
}
