//! A buyer's orders.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Caller, EventPlan, World, get, post};

fn id(body: &Value) -> &str {
    body["id"].as_str().unwrap()
}

#[tokio::test]
async fn what_was_acknowledged_is_read_at_once() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(100)).await;
    let buyer = Caller::buyer();
    for number in 0..20 {
        let call = event
            .purchase(1, "sim_approve")
            .by(&buyer)
            .key(number.to_string());
        let order = world.send(call).await.expect(201);
        let read = world
            .send(get(format!("/v1/orders/{}", id(&order))).by(&buyer))
            .await;
        let read = read.expect(200);
        for member in ["id", "event_id", "lines", "total", "tickets", "seq", "status"] {
            assert_eq!(read[member], order[member], "{member}");
        }
        let list = world.send(get("/v1/orders?limit=1").by(&buyer)).await.expect(200);
        assert_eq!(list["data"][0]["id"], order["id"], "latest first");
    }
}

#[tokio::test]
async fn buyers_see_their_own_orders_alone() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(100)).await;
    let (buyer, other) = (Caller::buyer(), Caller::buyer());
    let call = event.purchase(1, "sim_approve").by(&buyer).key("k");
    let order = world.send(call).await.expect(201);
    let path = format!("/v1/orders/{}", id(&order));
    let cancel = || post(format!("{path}/cancel"));
    for call in [get(&path), cancel()] {
        world
            .send(call.clone().by(&other))
            .await
            .problem(404, "not_found");
        world.send(call.clone()).await.problem(401, "unauthenticated");
        let staff = world.staff(call).await;
        staff.problem(403, "forbidden");
    }
    let list = world.send(get("/v1/orders").by(&other)).await.expect(200);
    assert_eq!(list["data"], json!([]));
    let unknown = format!("/v1/orders/{}", Uuid::now_v7());
    world
        .send(get(unknown).by(&buyer))
        .await
        .problem(404, "not_found");
    assert_eq!(world.counts(&event).await, (99, 0, 1));
}

#[tokio::test]
async fn pages_of_orders_go_back_in_time() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(100)).await;
    let buyer = Caller::buyer();
    let mut made = Vec::new();
    for number in 0..5 {
        let call = event
            .purchase(1, "sim_approve")
            .by(&buyer)
            .key(number.to_string());
        made.push(id(&world.send(call).await.expect(201)).to_owned());
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut path = "/v1/orders?limit=2".to_owned();
    loop {
        let page = world.send(get(path).by(&buyer)).await.expect(200);
        seen.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|order| id(order).to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        assert!(seen.len() < 10, "the pages go round");
        path = format!("/v1/orders?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, made);
    for query in ["limit=0", "limit=101", "cursor=x"] {
        let reply = world.send(get(format!("/v1/orders?{query}")).by(&buyer)).await;
        reply.problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn cancelling_frees_the_tickets_once_and_pays_back() {
    let mut world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    let call = event.purchase(3, "sim_approve").by(&buyer).key("k");
    let order = world.send(call.clone()).await.expect(201);
    world.settled().await;
    let path = format!("/v1/orders/{}", id(&order));
    let cancel = post(format!("{path}/cancel")).by(&buyer);
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (cancel, api) = (cancel.clone(), world.api());
            tokio::spawn(async move { cancel.send(api).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().expect(200)["status"], "cancelled");
    }
    assert_eq!(world.counts(&event).await, (10, 0, 0));
    let read = world.send(get(&path).by(&buyer)).await.expect(200);
    assert_eq!(read["status"], "cancelled");
    assert!(read["cancelled_at"].is_string(), "{read}");
    let tickets = read["tickets"].as_array().unwrap();
    assert!(
        tickets.iter().all(|ticket| ticket["status"] == "cancelled"),
        "{read}"
    );
    let again = world.send(call).await;
    assert_eq!(
        again.expect(201)["id"],
        order["id"],
        "the key still tells of the order"
    );

    world.settled().await;
    let refunded = "SELECT count(*) FROM payments WHERE status IN ('refunded', 'voided')";
    assert_eq!(world.database.number(refunded).await, 1);
    world.stop_and_audit().await;
}
