//! `/v1/tickets/{ticket_id}/transfer`.

use serde_json::json;
use uuid::Uuid;

use crate::check_ins::{check_in, tickets};
use crate::support::{Call, Caller, Event, EventPlan, World, get, post};

const PASSWORD: &str = "a quiet harbour at dusk";

/// Somebody with an account.
async fn register(world: &World, email: &str) -> Caller {
    let body = json!({"email": email, "password": PASSWORD, "name": "Somebody"});
    let session = world
        .send(post("/v1/auth/register").json(&body))
        .await
        .expect(201);
    Caller {
        id: session["user"]["id"].as_str().unwrap().parse().unwrap(),
        session: Uuid::nil(),
        token: session["access_token"].as_str().unwrap().to_owned(),
    }
}

fn transfer(ticket: &str, to: &str) -> Call {
    post(format!("/v1/tickets/{ticket}/transfer")).json(&json!({"to_email": to}))
}

async fn scanner(world: &World, event: &Event) -> Caller {
    world.hire("scanner", Some(event.organization)).await
}

#[tokio::test]
async fn a_ticket_goes_to_a_friend_and_the_old_code_is_dead() {
    let mut world = World::start().await;
    // Sold out: a transfer takes no ticket.
    let event = world.event(&EventPlan::of(1)).await;
    let (buyer, friend) = (
        register(&world, "buyer@test.example").await,
        register(&world, "friend@test.example").await,
    );
    let scanner = scanner(&world, &event).await;
    let ticket = tickets(&world, &event, &buyer, (1, "a")).await.remove(0);
    let call = transfer(&ticket.id, "Friend@Test.example").by(&buyer).key("t");
    let first = world.send(call.clone()).await;
    let body = first.expect(200);
    assert_eq!(
        (&body["id"], &body["status"]),
        (&json!(ticket.id), &"transferred".into())
    );
    assert_eq!((&body["version"], first.replayed()), (&2.into(), false));
    assert!(body.get("code").is_none(), "{body}");
    let again = world.send(call).await;
    assert_eq!((again.expect(200), again.replayed()), (body, true));
    let other = transfer(&ticket.id, "buyer@test.example").by(&buyer).key("t");
    world.send(other).await.problem(422, "idempotency_key_reused");
    assert_eq!(world.counts(&event).await, (0, 0, 1));

    let old = check_in(&event, &ticket.code, "North", "1").by(&scanner);
    world.send(old).await.problem(409, "ticket_transferred");
    let path = format!("/v1/tickets/{}", ticket.id);
    world.send(get(&path).by(&buyer)).await.problem(404, "not_found");
    let theirs = world.send(get(&path).by(&friend)).await.expect(200);
    let code = theirs["code"].as_str().unwrap();
    assert_ne!(code, ticket.code);
    let new = check_in(&event, code, "North", "2").by(&scanner);
    assert_eq!(world.send(new).await.expect(201)["ticket_id"], ticket.id);
    let used = transfer(&ticket.id, "buyer@test.example").by(&friend);
    world.send(used).await.problem(409, "ticket_used");

    world.settled().await;
    let told = "SELECT count(*) FROM jobs WHERE kind = 'mail' AND payload ->> 'message' IN ('ticket_given_away', 'ticket_received')";
    assert_eq!(world.database.number(told).await, 2);
    world.stop_and_audit().await;
}

#[tokio::test]
async fn who_has_no_such_ticket_or_knows_nobody_gives_nothing_away() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = register(&world, "buyer@test.example").await;
    let other = register(&world, "other@test.example").await;
    let [kept, cancelled] = &[
        tickets(&world, &event, &buyer, (1, "a")).await.remove(0),
        tickets(&world, &event, &buyer, (1, "b")).await.remove(0),
    ];
    for to in ["nobody@test.example", "no address", ""] {
        let call = transfer(&kept.id, to);
        world
            .send(call.clone().by(&buyer))
            .await
            .problem(422, "recipient_unknown");
        // Only who has the ticket learns that.
        world.send(call.by(&other)).await.problem(404, "not_found");
    }
    let foreign = transfer(&kept.id, "other@test.example").by(&other);
    world.send(foreign).await.problem(404, "not_found");
    let to_self = transfer(&kept.id, "buyer@test.example").by(&buyer);
    world.send(to_self).await.problem(409, "transfer_to_self");
    let unknown = transfer(&Uuid::now_v7().to_string(), "other@test.example").by(&buyer);
    world.send(unknown).await.problem(404, "not_found");

    let ticket = get(format!("/v1/tickets/{}", cancelled.id)).by(&buyer);
    let order = world.send(ticket).await.expect(200)["order_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let cancel = post(format!("/v1/orders/{order}/cancel")).by(&buyer);
    world.send(cancel).await.expect(200);
    let call = transfer(&cancelled.id, "other@test.example").by(&buyer);
    world.send(call).await.problem(409, "ticket_cancelled");
}

#[tokio::test]
async fn an_account_asks_seldom_who_has_one() {
    let settings = [("ONSALE_AUTH_RATE_LIMIT_ACCOUNT_PER_MINUTE", "3")];
    let world = World::with(crate::support::Journal::Local, &settings).await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    let ticket = tickets(&world, &event, &buyer, (1, "a")).await.remove(0);
    let call = transfer(&ticket.id, "nobody@test.example").by(&buyer);
    for _ in 0..3 {
        world.send(call.clone()).await.problem(422, "recipient_unknown");
    }
    world.send(call).await.problem_with_retry(429, "rate_limited");
}
