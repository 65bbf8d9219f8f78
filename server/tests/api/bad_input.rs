//! What no client should send: a clear answer, no effect, no panic.

use serde_json::json;
use uuid::Uuid;

use crate::support::{Caller, EventPlan, World, get, post};

const JSON: &str = "application/json";

/// Status, code and body.
type Row = (u16, &'static str, Vec<u8>);

/// A purchase of so many of a ticket type, whatever "so many" is.
fn quantity(ticket_type: Uuid, number: &str) -> String {
    let line = format!(r#"{{"ticket_type_id":"{ticket_type}","quantity":{number}}}"#);
    format!(r#"{{"lines":[{line}],"payment_method":"sim_approve"}}"#)
}

/// What is no JSON.
fn malformed(own: Uuid) -> Vec<Row> {
    let mut bodies = vec![
        vec![],
        b"{".to_vec(),
        b"\0\0\0\0".to_vec(),
        b"{\"lines\":[],\"payment_method\":\"\xff\xfe\"}".to_vec(),
        quantity(own, "1").into_bytes()[..20].to_vec(),
        (quantity(own, "1") + "x").into_bytes(),
    ];
    let numbers = ["NaN", "Infinity", "01", "+1", "0x1", "1e400"];
    bodies.extend(numbers.map(|number| quantity(own, number).into_bytes()));
    let row = |body| (400, "malformed_body", body);
    bodies.into_iter().map(row).collect()
}

/// JSON that no purchase is.
fn unacceptable(own: Uuid, foreign: Uuid) -> Vec<Row> {
    let lines = |id: Uuid, count: usize| {
        let lines = vec![json!({"ticket_type_id": id, "quantity": 1}); count];
        json!({"lines": lines, "payment_method": "sim_approve"}).to_string()
    };
    let with = |member: &str| quantity(own, "1").replacen('{', &format!("{{{member},"), 1);
    let deep = format!("\"x\":{}{}", "[".repeat(7_000), "]".repeat(7_000));
    let mut bodies = vec![
        lines(own, 0),
        lines(own, 2),
        lines(own, 17),
        lines(Uuid::now_v7(), 1),
        lines(foreign, 1),
        with("\"price\":0"),
        with("\"payment_method\":\"a\""),
        with("\"__proto__\":{}"),
        with(&deep),
        "[]".to_owned(),
        "null".to_owned(),
        "\"lines\"".to_owned(),
    ];
    let numbers = "0 -1 101 4294967296 4294967297 9223372036854775807 9223372036854775808 \
                   -9223372036854775808 1.5 1.0 \"1\" null true [1] {}";
    bodies.extend(numbers.split(' ').map(|number| quantity(own, number)));
    let long = "m".repeat(256);
    for method in ["", "a b", "\\u0000", "\\u00e9", long.as_str()] {
        bodies.push(quantity(own, "1").replace("sim_approve", method));
    }
    let row = |body: String| (422, "validation_failed", body.into_bytes());
    let mut rows: Vec<Row> = bodies.into_iter().map(row).collect();
    for body in [lines(own, 10_000), " ".repeat(16 * 1_024 + 1)] {
        rows.push((413, "body_too_large", body.into_bytes()));
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
    let (own, foreign) = (event.types[0], foreign.types[0]);
    let rows = malformed(own).into_iter().chain(unacceptable(own, foreign));
    for (row, (status, code, body)) in rows.enumerate() {
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
