//! The internal port.

use std::time::Duration;

use crate::support::{Caller, EventPlan, Journal, World, get, post, until};

/// Every name in the metrics table of the public surface.
const METRICS: [&str; 14] = [
    "onsale_holds_total",
    "onsale_purchases_total",
    "onsale_http_request_duration_seconds",
    "onsale_actor_mailbox_depth",
    "onsale_actor_decision_duration_seconds",
    "onsale_commit_duration_seconds",
    "onsale_commit_batch_records",
    "onsale_write_behind_lag_seconds",
    "onsale_write_behind_lag_records",
    "onsale_actor_restarts_total",
    "onsale_active_event_actors",
    "onsale_admission_rejected_total",
    "onsale_invariant_violations_total",
    "onsale_build_info",
];

#[tokio::test]
async fn health_is_told_for_machines_and_for_people() {
    let world = World::start().await;
    let internal = world.server.internal;
    assert_eq!(get("/livez").send(internal).await.status, 200);
    assert_eq!(get("/readyz").send(internal).await.status, 200);
    let readiness = world.server.readiness().await;
    assert_eq!(readiness["status"], "ready", "{readiness}");
    assert_eq!(readiness["migrated"], true);
    assert_eq!(readiness["recovered"], true);
    assert!(
        readiness["write_behind_lag_ms"].as_u64().unwrap() <= 5_000,
        "{readiness}"
    );
    for path in ["/", "/v1/events", "/openapi.json"] {
        assert_eq!(get(path).send(internal).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn every_promised_metric_is_there_after_a_sale() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(1)).await;
    let buyer = Caller::buyer();
    for key in ["a", "a", "b"] {
        let call = event.purchase(1, "sim_approve").by(&buyer).key(key);
        let status = world.send(call).await.status;
        assert_eq!(status, if key == "a" { 201 } else { 409 });
    }
    world.settled().await;
    let text = get("/metrics").send(world.server.internal).await.raw;
    let text = String::from_utf8(text.to_vec()).unwrap();
    let missing: Vec<_> = METRICS
        .into_iter()
        .filter(|name| !text.contains(&format!("# TYPE {name} ")))
        .collect();
    assert!(missing.is_empty(), "missing {missing:?} in:\n{text}");
    for line in [
        "onsale_holds_total{outcome=\"held\"} 1",
        "onsale_purchases_total{outcome=\"confirmed\"} 1",
        "onsale_purchases_total{outcome=\"replayed\"} 1",
        "onsale_purchases_total{outcome=\"sold_out\"} 1",
        "onsale_write_behind_lag_records 0",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
    let violated = text
        .lines()
        .filter(|line| line.starts_with("onsale_invariant_violations_total"))
        .find(|line| !line.ends_with(" 0"));
    assert_eq!(violated, None);
    assert!(!text.contains(&event.id.to_string()), "no event ids on series");
}

#[tokio::test]
async fn a_purchase_whose_payment_is_not_decided_does_not_count_as_confirmed() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(1)).await;
    let buyer = Caller::buyer();
    let call = event.purchase(1, "sim_pending_10000").by(&buyer).key("k");
    world.send(call).await.expect(201);
    let text = get("/metrics").send(world.server.internal).await.raw;
    let text = std::str::from_utf8(&text).unwrap();
    for line in [
        "onsale_purchases_total{outcome=\"pending\"} 1",
        "onsale_purchases_total{outcome=\"confirmed\"} 0",
        // Nothing of these has happened, and still they are there.
        "onsale_sales_minor_total{currency=\"EUR\"} 0",
        "onsale_payments_settled_minor_total{effect=\"refunded\",currency=\"EUR\"} 0",
        "onsale_http_failures_total{status=\"500\"} 0",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is not in:\n{text}");
    }
}

#[tokio::test]
async fn a_crashed_actor_comes_back_with_everything() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    for kind in ["kill", "panic"] {
        let call = event.purchase(1, "sim_approve").by(&buyer).key(kind);
        let order = world.send(call.clone()).await.expect(201);
        let before = world.counts(&event).await;
        let crash = format!("/internal/drills/events/{}/crash?kind={kind}", event.id);
        assert_eq!(post(crash).send(world.server.internal).await.status, 200);
        until("the event is back", Duration::from_secs(10), async || {
            let reply = world.send(call.clone()).await;
            assert!([201, 503].contains(&reply.status), "{reply:?}");
            reply.status == 201 && reply.json() == order
        })
        .await;
        assert_eq!(world.counts(&event).await, before);
    }
}

#[tokio::test]
async fn drills_are_off_unless_asked_for() {
    let world = World::with(crate::support::Journal::Local, &[("ONSALE_DRILLS", "false")]).await;
    let event = world.event(&EventPlan::of(1)).await;
    let crash = format!("/internal/drills/events/{}/crash?kind=kill", event.id);
    assert_eq!(post(crash).send(world.server.internal).await.status, 404);
}

#[tokio::test]
async fn an_operator_clears_a_quarantine_without_drills() {
    let world = World::with(Journal::Local, &[("ONSALE_DRILLS", "false")]).await;
    let event = world.event(&EventPlan::of(1)).await;
    for (id, status) in [(event.id.to_string(), 200), ("all".to_owned(), 400)] {
        let clear = post(format!("/internal/events/{id}/clear-quarantine"));
        assert_eq!(clear.send(world.server.internal).await.status, status, "{id}");
    }
    assert_eq!(world.counts(&event).await, (1, 0, 0));
}
