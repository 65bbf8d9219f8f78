//! Buying packages: all of it or nothing.

use std::time::Duration;

use serde_json::{Value, json};

use super::{buy, make, package_of, two_events};
use crate::support::{Caller, Event, World, get, post, until};

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

/// No package order is on its way, and no money of one.
async fn rested(world: &World) {
    until("package orders rest", Duration::from_secs(30), async || {
        let open = "SELECT count(*) FROM package_orders WHERE state NOT IN ('confirmed', 'cancelled')
                    OR payment IN ('pending', 'authorized', 'voiding', 'refunding')";
        world.database.number(open).await == 0
    })
    .await;
}

async fn counts(world: &World, events: &[Event; 2]) -> [(u64, u64, u64); 2] {
    [world.counts(&events[0]).await, world.counts(&events[1]).await]
}

#[tokio::test]
async fn a_package_is_one_order_at_one_price_with_tickets_of_every_event() {
    let mut world = World::start().await;
    let events = two_events(&world, [10, 10]).await;
    let package = make(&world, &package_of(&events)).await;
    let (buyer, other) = (Caller::buyer(), Caller::buyer());
    let call = buy(package, 2, "sim_approve").by(&buyer).key("k");
    let order = world.send(call.clone()).await.expect(201);
    assert_eq!(order["status"], "confirmed");
    assert_eq!(order["total"], json!({"amount": 5_400, "currency": "EUR"}));
    let legs = order["orders"].as_array().unwrap();
    assert_eq!(legs.len(), 2);
    for leg in legs {
        assert_eq!(leg["tickets"].as_array().unwrap().len(), 2, "{leg}");
    }
    let totals = legs
        .iter()
        .map(|leg| leg["lines"][0]["total"]["amount"].as_i64().unwrap());
    assert_eq!(totals.sum::<i64>(), 5_400);
    assert_eq!(counts(&world, &events).await, [(8, 0, 2), (8, 0, 2)]);
    let again = world.send(call.clone()).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201)["orders"], order["orders"]);
    let another = buy(package, 1, "sim_approve").by(&buyer).key("k");
    world.send(another).await.problem(422, "idempotency_key_reused");

    let path = format!("/v1/package-orders/{}", id(&order));
    for call in [get(&path), post(format!("{path}/cancel"))] {
        world.send(call.by(&other)).await.problem(404, "not_found");
    }
    let list = world.send(get("/v1/package-orders").by(&buyer)).await.expect(200);
    assert_eq!(list["data"][0]["id"], order["id"]);
    // A leg is cancelled with its package alone.
    let leg = legs[0]["order_id"].as_str().unwrap();
    let alone = post(format!("/v1/orders/{leg}/cancel")).by(&buyer);
    world.send(alone).await.problem(409, "part_of_package");

    rested(&world).await;
    let captured = "SELECT sum(total_minor)::bigint FROM package_orders WHERE payment = 'captured'";
    assert_eq!(world.database.number(captured).await, 5_400);
    for _ in 0..2 {
        let cancelled = world.send(post(format!("{path}/cancel")).by(&buyer)).await;
        assert_eq!(cancelled.expect(200)["status"], "cancelled");
    }
    assert_eq!(counts(&world, &events).await, [(10, 0, 0), (10, 0, 0)]);
    rested(&world).await;
    let refunded =
        "SELECT count(*) FROM package_orders WHERE payment = 'refunded' AND refunded_minor = total_minor";
    assert_eq!(world.database.number(refunded).await, 1);
    let replay = world.send(call).await.expect(201);
    assert_eq!(replay["status"], "cancelled", "the key still tells of the order");
    world.stop_and_audit().await;
}

#[tokio::test]
async fn quantities_are_bounded_and_what_costs_needs_a_payment_method() {
    let world = World::start().await;
    let events = two_events(&world, [1_000, 1_000]).await;
    let mut body = package_of(&events);
    body["inclusions"][0]["quantity"] = json!(7);
    let package = make(&world, &body).await;
    let buyer = Caller::buyer();
    for quantity in [0, -1, 15, 101, i64::MAX] {
        let call = buy(package, quantity, "sim_approve").by(&buyer).key("k");
        let problem = world.send(call).await.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], "/quantity", "{quantity}");
    }
    let unpaid = post(format!("/v1/packages/{package}/purchases"))
        .json(&json!({"quantity": 1}))
        .by(&buyer);
    world
        .send(unpaid.clone())
        .await
        .problem(400, "idempotency_key_missing");
    world
        .send(unpaid.key("k"))
        .await
        .problem(422, "validation_failed");
    let call = buy(package, 14, "sim_approve").by(&buyer).key("k");
    assert_eq!(world.send(call).await.expect(201)["status"], "confirmed");
}

#[tokio::test]
async fn what_is_free_is_bought_without_a_payment() {
    let world = World::start().await;
    let events = two_events(&world, [10, 10]).await;
    let mut body = package_of(&events);
    body["price"]["amount"] = json!(0);
    let package = make(&world, &body).await;
    let buyer = Caller::buyer();
    let call = post(format!("/v1/packages/{package}/purchases"))
        .json(&json!({"quantity": 1}))
        .by(&buyer)
        .key("k");
    let order = world.send(call).await.expect(201);
    assert_eq!(
        (&order["status"], &order["payment"]),
        (&json!("confirmed"), &Value::Null)
    );
}

#[tokio::test]
async fn a_declined_package_is_given_back_everywhere_and_stays_declined() {
    let mut world = World::start().await;
    let events = two_events(&world, [10, 10]).await;
    let package = make(&world, &package_of(&events)).await;
    let buyer = Caller::buyer();
    let call = buy(package, 1, "sim_decline").by(&buyer).key("k");
    world.send(call.clone()).await.problem(402, "payment_declined");
    assert_eq!(counts(&world, &events).await, [(10, 0, 0), (10, 0, 0)]);
    let again = world.send(call).await;
    assert!(again.replayed());
    again.problem(402, "payment_declined");
    rested(&world).await;
    world.stop_and_audit().await;
}

#[tokio::test]
async fn a_pending_package_is_confirmed_or_given_back_by_its_job() {
    let mut world = World::start().await;
    let events = two_events(&world, [10, 10]).await;
    let package = make(&world, &package_of(&events)).await;
    let buyer = Caller::buyer();
    let bought = |key: &str, method: &str| buy(package, 1, method).by(&buyer).key(key.to_owned());
    let yes = world.send(bought("y", "sim_pending_100")).await.expect(201);
    let no = world
        .send(bought("n", "sim_pending_decline_100"))
        .await
        .expect(201);
    let left = world.send(bought("l", "sim_pending_10000")).await.expect(201);
    for order in [&yes, &no, &left] {
        assert_eq!(order["status"], "pending");
    }
    assert_eq!(counts(&world, &events).await, [(7, 3, 0), (7, 3, 0)]);
    let path = format!("/v1/package-orders/{}/cancel", id(&left));
    let cancelled = world.send(post(path).by(&buyer)).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    // The provider's notice, or a job that polls it.
    world
        .database
        .alter("UPDATE jobs SET due_at = now(), version = version + 1 WHERE kind = 'package'")
        .await;
    rested(&world).await;
    assert_eq!(counts(&world, &events).await, [(9, 0, 1), (9, 0, 1)]);
    let read = |order: &Value| get(format!("/v1/package-orders/{}", id(order))).by(&buyer);
    assert_eq!(world.send(read(&yes)).await.expect(200)["status"], "confirmed");
    let declined = world.send(read(&no)).await.expect(200);
    assert_eq!(
        (&declined["status"], &declined["reason"]),
        (&json!("cancelled"), &json!("payment_declined"))
    );
    world.stop_and_audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_buyers_of_nearly_sold_out_events_get_all_or_nothing() {
    let mut world = World::start().await;
    let events = two_events(&world, [30, 20]).await;
    let package = make(&world, &package_of(&events)).await;
    let single = events[1].purchase(1, "sim_approve");
    let calls: Vec<_> = (0..120)
        .map(|number| {
            let buyer = Caller::buyer();
            let call = match number % 4 {
                0 => single.clone(),
                1 => buy(package, 2, "sim_delay_20"),
                _ => buy(package, 1, "sim_approve"),
            };
            let (call, api) = (call.by(&buyer).key("k"), world.api());
            tokio::spawn(async move { call.send(api).await })
        })
        .collect();
    let mut sold = 0;
    for call in calls {
        let reply = call.await.unwrap();
        match reply.status {
            201 => sold += 1,
            409 => assert!(
                ["sold_out", "all_held", "insufficient_availability"].contains(&reply.code().as_str()),
                "{reply:?}"
            ),
            _ => assert!([503].contains(&reply.status), "{reply:?}"),
        }
    }
    assert!(sold > 0);
    rested(&world).await;
    world.settled().await;
    let half_sold = "SELECT count(*) FROM package_orders AS whole
        WHERE (SELECT count(*) FROM package_order_legs AS leg JOIN ticket_orders AS sold
                   ON sold.event_id = leg.event_id AND sold.order_id = leg.hold_id
               WHERE leg.package_order_id = whole.package_order_id AND sold.status = 'confirmed')
           <> CASE whole.state WHEN 'confirmed' THEN 2 ELSE 0 END";
    assert_eq!(world.database.number(half_sold).await, 0);
    let [(_, held_first, first), (_, held_second, second)] = counts(&world, &events).await;
    assert_eq!((held_first, held_second), (0, 0));
    assert!(first <= 30 && second <= 20, "{first} {second}");
    world.stop_and_audit().await;
}

#[tokio::test]
async fn staff_cancel_a_package_order_of_their_organization() {
    let world = World::start().await;
    let events = two_events(&world, [10, 10]).await;
    let package = make(&world, &package_of(&events)).await;
    let buyer = Caller::buyer();
    let call = buy(package, 1, "sim_approve").by(&buyer).key("k");
    let order = world.send(call).await.expect(201);
    let path = format!("/v1/admin/package-orders/{}", id(&order));
    let own = world.hire("organizer", Some(events[0].organization)).await;
    let elsewhere = world.hire("organizer", Some(world.organization().await)).await;
    world
        .send(get(&path).by(&elsewhere))
        .await
        .problem(404, "not_found");
    assert_eq!(
        world.send(get(&path).by(&own)).await.expect(200)["status"],
        "confirmed"
    );
    let cancelled = world
        .send(post(format!("{path}/cancel")).by(&own))
        .await
        .expect(200);
    assert_eq!(
        (&cancelled["status"], &cancelled["reason"]),
        (&json!("cancelled"), &json!("staff"))
    );
    assert_eq!(counts(&world, &events).await, [(10, 0, 0), (10, 0, 0)]);
    let audited = "SELECT count(*) FROM audit_log WHERE action = 'package_orders.cancel'";
    assert_eq!(world.database.number(audited).await, 2);
}

#[tokio::test]
async fn a_ticket_of_a_leg_is_refunded_through_the_packages_payment_by_its_share() {
    let mut world = World::start().await;
    let events = two_events(&world, [10, 10]).await;
    let package = make(&world, &package_of(&events)).await;
    let buyer = Caller::buyer();
    let call = buy(package, 1, "sim_approve").by(&buyer).key("k");
    let order = world.send(call).await.expect(201);
    let path = format!("/v1/package-orders/{}", id(&order));
    let leg = order["orders"]
        .as_array()
        .unwrap()
        .iter()
        .find(|leg| leg["event_id"] == events[0].id.to_string())
        .unwrap();
    let refund = post(format!(
        "/v1/admin/orders/{}/refunds",
        leg["order_id"].as_str().unwrap()
    ))
    .json(&json!({"ticket_ids": [leg["tickets"][0]["id"]]}))
    .key("r");
    let asked = world.staff(refund).await.expect(201);
    assert_eq!(asked["amount"]["amount"], 900);
    until("the refund succeeds", Duration::from_secs(30), async || {
        world.send(get(&path).by(&buyer)).await.text("status") == "partially_refunded"
    })
    .await;
    let read = world.send(get(&path).by(&buyer)).await.expect(200);
    assert_eq!(read["refunded"]["amount"], 900);
    let succeeded = "SELECT count(*) FROM refunds WHERE status = 'succeeded' AND settled_at IS NOT NULL";
    assert_eq!(world.database.number(succeeded).await, 1);
    assert_eq!(counts(&world, &events).await, [(10, 0, 0), (9, 0, 1)]);
    // Cancelling gives back what is left, once.
    let cancelled = world
        .send(post(format!("{path}/cancel")).by(&buyer))
        .await
        .expect(200);
    assert_eq!(cancelled["refunded"]["amount"], 2_700);
    assert_eq!(counts(&world, &events).await, [(10, 0, 0), (10, 0, 0)]);
    rested(&world).await;
    world.stop_and_audit().await;
}
