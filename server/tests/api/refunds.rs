//! Orders, refunds and payments as staff work on them.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Caller, Event, EventPlan, World, get, post, until};

fn id(body: &Value) -> &str {
    body["id"].as_str().unwrap()
}

async fn buy(world: &World, event: &Event, buyer: &Caller, quantity: i64) -> Value {
    let call = event
        .purchase(quantity, "sim_approve")
        .by(buyer)
        .key(Uuid::now_v7().to_string());
    world.send(call).await.expect(201)
}

#[tokio::test]
async fn tickets_are_refunded_once_and_their_money_goes_back() {
    let mut world = World::start().await;
    let event = world.event(&EventPlan::of(3)).await;
    let buyer = Caller::buyer();
    let order = buy(&world, &event, &buyer, 3).await;
    let path = format!("/v1/admin/orders/{}", id(&order));
    let body = json!({"ticket_ids": [order["tickets"][0]["id"]], "reason": "came with fewer friends"});
    let call = post(format!("{path}/refunds")).json(&body);
    world
        .staff(call.clone())
        .await
        .problem(400, "idempotency_key_missing");
    let refund = world.staff(call.clone().key("r")).await.expect(201);
    assert_eq!(refund["amount"], json!({"amount": 1_000, "currency": "EUR"}));
    assert_eq!(
        (&refund["order_id"], &refund["status"]),
        (&order["id"], &json!("pending"))
    );
    let again = world.staff(call.clone().key("r")).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201), refund);
    world.staff(call.key("s")).await.problem(409, "ticket_refunded");
    assert_eq!(world.counts(&event).await, (1, 0, 2));

    until("the provider pays back", Duration::from_secs(30), async || {
        let refunds = world.staff(get(format!("{path}/refunds"))).await.expect(200);
        refunds["data"][0]["status"] == "succeeded"
    })
    .await;
    let read = world
        .send(get(format!("/v1/orders/{}", id(&order))).by(&buyer))
        .await
        .expect(200);
    assert_eq!(read["status"], "partially_refunded");
    assert_eq!(read["refunds"][0]["id"], refund["id"]);
    assert_eq!(read["refunds"][0]["tickets"], json!([order["tickets"][0]["id"]]));
    let log = world
        .staff(get("/v1/admin/audit-log?action=refunds.create&outcome=done"))
        .await
        .expect(200);
    assert_eq!(log["data"][0]["target"]["id"], order["id"], "{log}");

    let cancelled = world.staff(post(format!("{path}/cancel"))).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    world.settled().await;
    let payment = world.staff(get(&path)).await.expect(200);
    assert_eq!(payment["payment"]["status"], "refunded", "{payment}");
    assert_eq!(payment["buyer_id"], buyer.id.to_string());
    assert_eq!(world.counts(&event).await, (3, 0, 0));
    world.stop_and_audit().await;
}

#[tokio::test]
async fn staff_list_what_is_in_their_sight_by_event_buyer_and_status() {
    let world = World::start().await;
    let (event, other) = (
        world.event(&EventPlan::of(9)).await,
        world.event(&EventPlan::of(9)).await,
    );
    let (ann, ben) = (Caller::buyer(), Caller::buyer());
    let first = buy(&world, &event, &ann, 1).await;
    let second = buy(&world, &event, &ben, 1).await;
    let elsewhere = buy(&world, &other, &ann, 1).await;
    world
        .send(post(format!("/v1/orders/{}/cancel", id(&second))).by(&ben))
        .await
        .expect(200);
    let organizer = world.hire("organizer", Some(event.organization)).await;
    let list = async |query: String, caller: &Caller| {
        let page = world
            .send(get(format!("/v1/admin/orders?{query}")).by(caller))
            .await
            .expect(200);
        let ids = page["data"].as_array().unwrap().iter();
        ids.map(|order| id(order).to_owned()).collect::<Vec<_>>()
    };
    let ids = |orders: &[&Value]| {
        orders
            .iter()
            .map(|order| id(order).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(String::new(), &organizer).await, ids(&[&second, &first]));
    assert_eq!(
        list(String::new(), &world.admin).await,
        ids(&[&elsewhere, &second, &first])
    );
    assert_eq!(list(format!("event_id={}", other.id), &organizer).await, ids(&[]));
    assert_eq!(
        list(format!("buyer_id={}", ann.id), &world.admin).await,
        ids(&[&elsewhere, &first])
    );
    assert_eq!(
        list("status=cancelled".to_owned(), &world.admin).await,
        ids(&[&second])
    );
    let unknown = world.staff(get("/v1/admin/orders?status=lost")).await;
    unknown.problem(422, "validation_failed");
    let foreign = get(format!("/v1/admin/orders/{}", id(&elsewhere))).by(&organizer);
    world.send(foreign).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_quarantined_payment_is_listed_and_let_go_once() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(2)).await;
    let buyer = Caller::buyer();
    let call = event.purchase(2, "sim_pending_10000").by(&buyer).key("k");
    let order = world.send(call).await.expect(201);
    let path = format!("/v1/admin/orders/{}", id(&order));
    world.staff(get(&path)).await.expect(200);
    let void = post(format!("{path}/payment/void"));
    world.staff(void.clone()).await.problem(409, "invalid_transition");
    let quarantine =
        "UPDATE payments SET status = 'quarantined', decision = 'amount_mismatch' WHERE order_id = $1";
    world
        .database
        .execute(quarantine, id(&order).parse().unwrap())
        .await;
    let list = world
        .staff(get("/v1/admin/payments?status=quarantined"))
        .await
        .expect(200);
    assert_eq!(list["data"][0]["order_id"], order["id"]);
    assert_eq!(list["data"][0]["decision"], "amount_mismatch");
    world.staff(void.clone()).await.expect(200);
    world.settled().await;
    world.staff(void).await.problem(409, "invalid_transition");
    let read = world.staff(get(&path)).await.expect(200);
    assert_eq!(read["payment"]["status"], "voided", "{read}");
    assert_eq!(read["payment_decision"], "amount_mismatch");
}
