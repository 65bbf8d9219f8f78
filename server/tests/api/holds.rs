//! Placing, reading, extending and releasing holds.

use std::time::Duration;

use serde_json::json;

use crate::support::{Caller, EventPlan, World, delete, get, post, until};

#[tokio::test]
async fn a_hold_sets_tickets_aside_for_its_buyer_alone() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let (buyer, other) = (Caller::buyer(), Caller::buyer());
    let hold = world.send(event.hold(3).by(&buyer).key("k")).await.expect(201);
    assert_eq!(hold["status"], "held");
    assert_eq!(hold["event_id"], event.id.to_string());
    assert_eq!(hold["total"], json!({"amount": 3_000, "currency": "EUR"}));
    let line = json!({
        "ticket_type_id": event.types[0], "quantity": 3,
        "unit_price": {"amount": 1_000, "currency": "EUR"}, "unit_fee": {"amount": 0, "currency": "EUR"},
        "tax": {"basis_points": 0, "inclusive": true}, "total": {"amount": 3_000, "currency": "EUR"},
    });
    assert_eq!(hold["lines"], json!([line]));
    assert!(hold["seq"].as_u64().is_some() && hold["expires_at"].is_string());

    let path = format!("/v1/holds/{}", hold["id"].as_str().unwrap());
    let read = world.send(get(&path).by(&buyer)).await.expect(200);
    for member in ["id", "lines", "total", "expires_at", "status"] {
        assert_eq!(read[member], hold[member], "{member}");
    }
    let extend = || post(format!("{path}/extend"));
    let body = json!({"payment_method": "sim_approve"});
    let checkout = post(format!("{path}/checkout")).json(&body).key("k");
    for call in [get(&path), delete(&path), extend(), checkout] {
        world.send(call.clone()).await.problem(401, "unauthenticated");
        world.send(call.by(&other)).await.problem(404, "not_found");
    }
    assert_eq!(world.counts(&event).await, (7, 3, 0));
}

#[tokio::test]
async fn releasing_gives_back_once_and_may_be_repeated() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    let hold = world.send(event.hold(3).by(&buyer).key("k")).await.expect(201);
    let path = format!("/v1/holds/{}", hold["id"].as_str().unwrap());
    for _ in 0..3 {
        let released = world.send(delete(&path).by(&buyer)).await.expect(200);
        assert_eq!(
            (&released["id"], &released["status"]),
            (&hold["id"], &json!("released"))
        );
        assert_eq!(world.counts(&event).await, (10, 0, 0));
    }
    world
        .send(get(&path).by(&buyer))
        .await
        .problem(409, "already_released");
    let extend = post(format!("{path}/extend")).by(&buyer);
    world.send(extend).await.problem(409, "already_released");
    let body = json!({"payment_method": "sim_approve"});
    let checkout = post(format!("{path}/checkout")).json(&body).key("k").by(&buyer);
    world.send(checkout).await.problem(409, "already_released");
}

#[tokio::test]
async fn extending_is_capped_by_the_longest_life() {
    let world = World::start().await;
    let plan = EventPlan {
        hold_seconds: 2,
        hold_seconds_max: 3,
        ..EventPlan::of(10)
    };
    let event = world.event(&plan).await;
    let buyer = Caller::buyer();
    let hold = world.send(event.hold(1).by(&buyer).key("k")).await.expect(201);
    let path = format!("/v1/holds/{}/extend", hold["id"].as_str().unwrap());
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    let extended = world.send(post(&path).by(&buyer)).await.expect(200);
    let instant = |body: &serde_json::Value| -> jiff::Timestamp {
        body["expires_at"].as_str().unwrap().parse().unwrap()
    };
    let gained = instant(&extended).duration_since(instant(&hold)).as_millis();
    assert_eq!(gained, 1_000, "two seconds from 1.3 s on, cut at three");
    world
        .send(post(&path).by(&buyer))
        .await
        .problem(409, "extension_limit_reached");
}

#[tokio::test]
async fn a_hold_ends_at_its_deadline_and_its_tickets_come_back() {
    let world = World::start().await;
    let plan = EventPlan {
        hold_seconds: 1,
        ..EventPlan::of(2)
    };
    let event = world.event(&plan).await;
    let buyer = Caller::buyer();
    let hold = world.send(event.hold(2).by(&buyer).key("k")).await.expect(201);
    let refused = world.send(event.hold(1).by(&Caller::buyer()).key("k")).await;
    let problem = refused.problem_with_retry(409, "all_held");
    assert_eq!(problem["next_expiry_at"], hold["expires_at"]);
    until("the hold ends", Duration::from_secs(5), async || {
        world.counts(&event).await == (2, 0, 0)
    })
    .await;
    let deadline: jiff::Timestamp = hold["expires_at"].as_str().unwrap().parse().unwrap();
    let late = jiff::Timestamp::now().duration_since(deadline);
    assert!(!late.is_negative() && late.as_millis() < 1_500, "{late:?} late");
    let path = format!("/v1/holds/{}", hold["id"].as_str().unwrap());
    world
        .send(get(&path).by(&buyer))
        .await
        .problem(410, "hold_expired");
    let released = world.send(delete(&path).by(&buyer)).await.expect(200);
    assert_eq!(released["status"], "expired");
}

#[tokio::test]
async fn refusals_say_why() {
    let world = World::start().await;
    let plan = EventPlan {
        buyer_limit: Some(4),
        ..EventPlan::of(10)
    };
    let event = world.event(&plan).await;
    let buyer = Caller::buyer();
    world.send(event.hold(3).by(&buyer).key("a")).await.expect(201);
    let reply = world.send(event.hold(2).by(&buyer).key("b")).await;
    let problem = reply.problem(409, "buyer_limit_exceeded");
    assert_eq!((&problem["limit"], &problem["live"]), (&json!(4), &json!(3)));

    for number in 0..2 {
        let call = event.purchase(3, "sim_approve").by(&Caller::buyer());
        world.send(call.key(number.to_string())).await.expect(201);
    }
    let reply = world.send(event.hold(2).by(&Caller::buyer()).key("c")).await;
    let problem = reply.problem(409, "insufficient_availability");
    assert_eq!(problem["available"], 1);

    let early = EventPlan {
        opens_in: 3_600,
        ..EventPlan::of(1)
    };
    let early = world.event(&early).await;
    let problem = world.send(early.hold(1).by(&buyer).key("d")).await;
    let problem = problem.problem(409, "sale_not_started");
    assert!(problem["starts_at"].is_string(), "{problem}");
    let late = EventPlan {
        opens_in: -7_200,
        closes_in: -3_600,
        ..EventPlan::of(1)
    };
    let late = world.event(&late).await;
    world
        .send(late.hold(1).by(&buyer).key("e"))
        .await
        .problem(409, "sale_ended");
}
