//! Buying in one call.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Caller, EventPlan, World, get, post, until};

#[tokio::test]
async fn an_order_is_answered_whole() {
    let mut world = World::start().await;
    let plan = EventPlan {
        types: vec![(5, 1_000), (5, 250)],
        ..EventPlan::of(0)
    };
    let event = world.event(&plan).await;
    let lines = json!([
        {"ticket_type_id": event.types[0], "quantity": 2},
        {"ticket_type_id": event.types[1], "quantity": 1},
    ]);
    let body = json!({"lines": lines, "payment_method": "sim_approve"});
    let call = post(format!("{}/purchases", event.path())).json(&body);
    let order = world.send(call.by(&Caller::buyer()).key("k")).await.expect(201);
    let total = json!({"amount": 2_250, "currency": "EUR"});
    assert_eq!(order["status"], "confirmed");
    assert_eq!(order["event_id"], event.id.to_string());
    assert_eq!(order["total"], total);
    assert_eq!(order["payment"]["amount"], total);
    assert_eq!(order["payment"]["status"], "authorized");
    assert_eq!(order["lines"][1]["total"]["amount"], 250);
    assert!(order["seq"].as_u64().is_some());
    let tickets = order["tickets"].as_array().unwrap();
    assert_eq!(tickets.len(), 3);
    let codes: BTreeSet<_> = tickets.iter().map(|ticket| ticket["code"].to_string()).collect();
    let ids: BTreeSet<_> = tickets.iter().map(|ticket| ticket["id"].to_string()).collect();
    assert_eq!((codes.len(), ids.len()), (3, 3));
    assert!(tickets.iter().all(|ticket| ticket["status"] == "valid"));
    world.settled().await;
    let report = world.stop_and_audit().await;
    assert_eq!(report["events"][0]["tickets"], 3, "{report}");
}

#[tokio::test]
async fn a_declined_payment_frees_the_tickets() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(2)).await;
    let buyer = Caller::buyer();
    let call = event.purchase(2, "sim_decline").by(&buyer).key("k");
    world.send(call.clone()).await.problem(402, "payment_declined");
    assert_eq!(world.counts(&event).await, (2, 0, 0));
    let again = world.send(call).await;
    again.problem(402, "payment_declined");
    assert!(again.replayed());
    let call = event.purchase(2, "sim_approve").by(&buyer).key("l");
    world.send(call).await.expect(201);
}

#[tokio::test]
async fn without_an_answer_of_the_gateway_the_order_is_pending_and_is_not_sold_to_others() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(2)).await;
    let buyer = Caller::buyer();
    let call = event.purchase(2, "sim_timeout").by(&buyer).key("k");
    let mut ids = BTreeSet::new();
    for _ in 0..2 {
        let reply = world.send(call.clone()).await;
        assert!(!reply.replayed(), "it was tried again");
        let order = reply.expect(201);
        assert_eq!(
            (&order["status"], &order["payment"]["status"]),
            (&json!("pending"), &json!("pending"))
        );
        assert_eq!((&order["tickets"], &order["refunds"]), (&json!([]), &json!([])));
        assert!(order["expires_at"].is_string(), "{order}");
        ids.insert(order["id"].as_str().unwrap().to_owned());
        assert_eq!(world.counts(&event).await, (0, 2, 0));
    }
    let path = format!("/v1/orders/{}", ids.pop_first().unwrap());
    assert!(ids.is_empty(), "one order");
    let read = world.send(get(&path).by(&buyer)).await.expect(200);
    assert_eq!(
        (&read["status"], &read["tickets"]),
        (&json!("pending"), &json!([]))
    );
    let cancelled = world
        .send(post(format!("{path}/cancel")).by(&buyer))
        .await
        .expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(world.counts(&event).await, (2, 0, 0));
    let again = world
        .send(post(format!("{path}/cancel")).by(&buyer))
        .await
        .expect(200);
    assert_eq!(again["seq"], cancelled["seq"]);
    world.send(call).await.problem(409, "already_released");
}

#[tokio::test]
async fn a_payment_that_is_decided_later_is_confirmed_without_being_asked_for() {
    let mut world = World::start().await;
    let event = world.event(&EventPlan::of(4)).await;
    let buyer = Caller::buyer();
    let buy = |method: &str| event.purchase(2, method).by(&buyer).key(method);
    let paid = world.send(buy("sim_pending_300")).await.expect(201);
    let declined = world.send(buy("sim_pending_decline_300")).await.expect(201);
    assert_eq!(world.counts(&event).await, (0, 4, 0));
    for (order, wanted) in [(paid, "confirmed"), (declined, "cancelled")] {
        let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
        until("the worker looks", Duration::from_secs(30), async || {
            let read = world.send(get(&path).by(&buyer)).await.expect(200);
            read["status"] == wanted
        })
        .await;
    }
    assert_eq!(world.counts(&event).await, (2, 0, 2));
    let again = world.send(buy("sim_pending_300")).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201)["tickets"].as_array().unwrap().len(), 2);
    world
        .send(buy("sim_pending_decline_300"))
        .await
        .problem(402, "payment_declined");
    world.settled().await;
    let captured = "SELECT sum(amount_minor)::bigint FROM payments WHERE status = 'captured'";
    assert_eq!(world.database.number(captured).await, 2_000);
    world.stop_and_audit().await;
}

#[tokio::test]
async fn free_tickets_need_no_payment() {
    let world = World::start().await;
    let plan = EventPlan {
        types: vec![(2, 0), (2, 500)],
        ..EventPlan::of(0)
    };
    let event = world.event(&plan).await;
    let buyer = Caller::buyer();
    let path = format!("{}/purchases", event.path());
    let call = |kind: usize| {
        let line = json!({"ticket_type_id": event.types[kind], "quantity": 1});
        post(&path).json(&json!({"lines": [line]})).by(&buyer)
    };
    let order = world.send(call(0).key("k")).await.expect(201);
    assert_eq!(order["payment"], Value::Null);
    assert_eq!(order["total"]["amount"], 0);
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    let read = world.send(get(path).by(&buyer)).await.expect(200);
    assert_eq!(read["payment"], Value::Null);

    let reply = world.send(call(1).key("l")).await;
    let problem = reply.problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "/payment_method");
}

#[tokio::test]
async fn the_last_ticket_has_one_buyer_and_the_rest_are_told_that_it_is_sold_out() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(1)).await;
    let calls = (0..50).map(|number| {
        let call = event
            .purchase(1, "sim_approve")
            .by(&Caller::buyer())
            .key(number.to_string());
        let api = world.api();
        tokio::spawn(async move { call.send(api).await })
    });
    let calls: Vec<_> = calls.collect();
    let mut sold = 0;
    for call in calls {
        let reply = call.await.unwrap();
        match reply.status {
            201 => sold += 1,
            _ => assert!(
                ["sold_out", "all_held"].contains(&reply.code().as_str()),
                "{reply:?}"
            ),
        }
    }
    assert_eq!(sold, 1);
    assert_eq!(world.counts(&event).await, (0, 0, 1));
    let call = event.purchase(1, "sim_approve").by(&Caller::buyer()).key("late");
    world.send(call).await.problem(409, "sold_out");
}
