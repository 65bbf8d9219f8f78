//! Paying a hold.

use serde_json::{Value, json};

use crate::support::{Call, Caller, EventPlan, World, get, post};

fn pay(hold: &Value, payment_method: &str, buyer: &Caller) -> Call {
    let path = format!("/v1/holds/{}/checkout", hold["id"].as_str().unwrap());
    post(path)
        .json(&json!({"payment_method": payment_method}))
        .by(buyer)
}

#[tokio::test]
async fn paying_a_hold_makes_its_order_once() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(5)).await;
    let buyer = Caller::buyer();
    let hold = world.send(event.hold(2).by(&buyer).key("k")).await.expect(201);
    let order = world
        .send(pay(&hold, "sim_approve", &buyer).key("k"))
        .await
        .expect(201);
    assert_eq!(order["id"], hold["id"]);
    assert_eq!(order["total"], hold["total"]);
    assert_eq!(order["lines"], hold["lines"]);
    assert_eq!(order["tickets"].as_array().unwrap().len(), 2);
    assert_eq!(world.counts(&event).await, (3, 0, 2));

    let again = world.send(pay(&hold, "sim_approve", &buyer).key("k")).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201), order);
    let other_key = world.send(pay(&hold, "sim_approve", &buyer).key("l")).await;
    let problem = other_key.problem(409, "already_confirmed");
    assert_eq!(problem["order_id"], order["id"]);
    let path = format!("/v1/holds/{}", hold["id"].as_str().unwrap());
    world
        .send(get(path).by(&buyer))
        .await
        .problem(409, "already_confirmed");
    assert_eq!(world.counts(&event).await, (3, 0, 2));
}

#[tokio::test]
async fn a_declined_checkout_ends_the_hold() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(5)).await;
    let buyer = Caller::buyer();
    let hold = world.send(event.hold(2).by(&buyer).key("k")).await.expect(201);
    for replayed in [false, true] {
        let reply = world.send(pay(&hold, "sim_decline", &buyer).key("k")).await;
        reply.problem(402, "payment_declined");
        assert_eq!(reply.replayed(), replayed);
    }
    assert_eq!(world.counts(&event).await, (5, 0, 0));
    let reply = world.send(pay(&hold, "sim_approve", &buyer).key("l")).await;
    reply.problem(409, "already_released");
}

#[tokio::test]
async fn two_keys_at_the_same_time_pay_a_hold_once() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(5)).await;
    let buyer = Caller::buyer();
    let hold = world.send(event.hold(2).by(&buyer).key("k")).await.expect(201);
    let calls: Vec<_> = (0..16)
        .map(|key| {
            let call = pay(&hold, "sim_delay_50", &buyer).key(format!("k{key}"));
            let api = world.api();
            tokio::spawn(async move { call.send(api).await })
        })
        .collect();
    let mut paid = 0;
    for call in calls {
        let reply = call.await.unwrap();
        match (reply.status, reply.code().as_str()) {
            (201, _) => paid += 1,
            (409, "idempotency_in_flight" | "payment_in_progress" | "already_confirmed") => {}
            _ => panic!("{reply:?}"),
        }
    }
    assert_eq!(paid, 1);
    world.settled().await;
    let captured = "SELECT sum(amount_minor)::bigint FROM payments WHERE status = 'captured'";
    assert_eq!(world.database.number(captured).await, 2_000);
}

#[tokio::test]
async fn a_checkout_without_means_of_payment_keeps_the_hold() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(5)).await;
    let buyer = Caller::buyer();
    let hold = world.send(event.hold(2).by(&buyer).key("k")).await.expect(201);
    let path = format!("/v1/holds/{}/checkout", hold["id"].as_str().unwrap());
    let call = post(path).json(&json!({})).by(&buyer).key("k");
    world.send(call).await.problem(422, "validation_failed");
    assert_eq!(world.counts(&event).await, (3, 2, 0));
    world
        .send(pay(&hold, "sim_approve", &buyer).key("l"))
        .await
        .expect(201);
}
