//! `Idempotency-Key`: one effect and one answer for each key.

use serde_json::json;

use crate::support::{Call, Caller, EventPlan, Journal, Reply, World, post};

async fn at_once(world: &World, call: &Call, times: usize) -> Vec<Reply> {
    let calls: Vec<_> = (0..times)
        .map(|_| {
            let (call, api) = (call.clone(), world.api());
            tokio::spawn(async move { call.send(api).await })
        })
        .collect();
    let mut replies = Vec::new();
    for call in calls {
        replies.push(call.await.unwrap());
    }
    replies
}

#[tokio::test]
async fn a_key_is_required_and_must_be_one() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(5)).await;
    let buyer = Caller::buyer();
    let hold = world.send(event.hold(1).by(&buyer).key("k")).await.expect(201);
    let body = json!({"payment_method": "sim_approve"});
    let checkout = post(format!("/v1/holds/{}/checkout", hold["id"].as_str().unwrap())).json(&body);
    for call in [event.hold(1), event.purchase(1, "sim_approve"), checkout] {
        let call = call.by(&buyer);
        world
            .send(call.clone())
            .await
            .problem(400, "idempotency_key_missing");
        let long = "k".repeat(256);
        for bad in ["", "a b", long.as_str(), "\u{e9}"] {
            let reply = world.send(call.clone().key(bad)).await;
            reply.problem(400, "idempotency_key_invalid");
        }
        let reply = world.send(call.key("a").key("b")).await;
        reply.problem(400, "idempotency_key_invalid");
    }
    assert_eq!(world.counts(&event).await, (4, 1, 0));
}

#[tokio::test]
async fn a_key_sent_a_hundred_times_at_once_has_one_effect_and_one_answer() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(1_000)).await;
    let buyer = Caller::buyer();
    for (call, after) in [
        (event.hold(2), (998, 2, 0)),
        (event.purchase(3, "sim_delay_30"), (995, 2, 3)),
    ] {
        let call = call.by(&buyer).key("k");
        let replies = at_once(&world, &call, 100).await;
        let told: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
        for reply in &replies {
            if reply.status != 201 {
                reply.problem_with_retry(409, "idempotency_in_flight");
            }
        }
        assert!(!told.is_empty());
        assert_eq!(
            told.iter().filter(|reply| !reply.replayed()).count(),
            1,
            "one effect"
        );
        let again = world.send(call).await;
        assert!(again.replayed());
        assert!(told.iter().all(|reply| reply.raw == again.raw), "one answer");
        assert_eq!(world.counts(&event).await, after);
    }
}

#[tokio::test]
async fn a_key_with_another_body_is_refused_and_belongs_to_caller_and_route() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    world.send(event.hold(1).by(&buyer).key("k")).await.expect(201);
    world
        .send(event.hold(2).by(&buyer).key("k"))
        .await
        .problem(422, "idempotency_key_reused");
    let purchase = |quantity| event.purchase(quantity, "sim_approve").key("k");
    world.send(purchase(1).by(&buyer)).await.expect(201);
    world
        .send(purchase(2).by(&buyer))
        .await
        .problem(422, "idempotency_key_reused");
    let other = world.send(purchase(2).by(&Caller::buyer())).await;
    other.expect(201);
    assert!(!other.replayed());
    assert_eq!(world.counts(&event).await, (6, 1, 3));
}

#[tokio::test]
async fn keys_are_remembered_across_a_restart_of_the_process() {
    for journal in [Journal::Local, Journal::Postgres] {
        let mut world = World::with(journal, &[]).await;
        let event = world.event(&EventPlan::of(10)).await;
        let buyer = Caller::buyer();
        let hold = event.hold(1).by(&buyer).key("k");
        let bought = event.purchase(2, "sim_approve").by(&buyer).key("k");
        let declined = event.purchase(2, "sim_decline").by(&buyer).key("d");
        let before = [
            world.send(hold.clone()).await,
            world.send(bought.clone()).await,
            world.send(declined.clone()).await,
        ];
        assert_eq!(before.each_ref().map(|reply| reply.status), [201, 201, 402]);
        world.server.kill();
        world.server.restart().await;
        for (call, before) in [hold, bought, declined].into_iter().zip(before) {
            let after = world.send(call).await;
            assert!(after.replayed());
            assert_eq!(after.status, before.status);
            if before.status == 201 {
                assert_eq!(after.raw, before.raw);
            }
        }
        world
            .send(event.purchase(3, "sim_approve").by(&buyer).key("k"))
            .await
            .problem(422, "idempotency_key_reused");
        assert_eq!(world.counts(&event).await, (7, 1, 2));
        world.stop_and_audit().await;
    }
}

#[tokio::test]
async fn a_refusal_for_want_of_tickets_is_not_kept() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(1)).await;
    let (buyer, other) = (Caller::buyer(), Caller::buyer());
    let order = event.purchase(1, "sim_approve").by(&other).key("o");
    let order = world.send(order).await.expect(201);
    let call = event.purchase(1, "sim_approve").by(&buyer).key("k");
    world.send(call.clone()).await.problem(409, "sold_out");
    let cancel = post(format!("/v1/orders/{}/cancel", order["id"].as_str().unwrap()));
    world.send(cancel.by(&other)).await.expect(200);
    let now = world.send(call).await;
    now.expect(201);
    assert!(!now.replayed());
}
