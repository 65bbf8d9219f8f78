//! Everything that buyers, staff and gates ask, at the process that does not own the event.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Call, Caller, Event, EventPlan, Server, World, delete, get, post, put, until};
use crate::{metric, two};

async fn register(api: &Server, email: &str) -> Caller {
    let body = json!({"email": email, "password": "a quiet harbour at dusk", "name": "Somebody"});
    let session = post("/v1/auth/register").json(&body).send(api.api).await;
    let session = session.expect(201);
    Caller {
        id: session["user"]["id"].as_str().unwrap().parse().unwrap(),
        session: Uuid::nil(),
        token: session["access_token"].as_str().unwrap().to_owned(),
    }
}

fn id(body: &Value) -> &str {
    body["id"].as_str().unwrap()
}

/// Nothing was loaded there, and nothing went wrong on the way.
async fn assert_only_asked(other: &Server) {
    assert_eq!(metric(other, "onsale_active_event_actors").await, 0);
    for (outcome, at_least) in [("answered", 1), ("moved", 0), ("unreachable", 0), ("lost", 0)] {
        let series = format!("onsale_peer_requests_total{{outcome=\"{outcome}\"}}");
        let number = metric(other, &series).await;
        assert!(
            number >= at_least && (at_least > 0 || number == 0),
            "{series} {number}"
        );
    }
}

#[tokio::test]
async fn a_sale_through_the_process_that_does_not_own_the_event() {
    let (mut world, mut other) = two().await;
    let event = world.event(&EventPlan::of(20)).await;
    let there = other.api;
    let buyer = Caller::buyer();

    let purchase = event.purchase(1, "sim_approve").by(&buyer).key("p");
    let order = purchase.send(there).await.expect(201);
    let again = world.send(purchase).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201), order);
    let path = format!("/v1/orders/{}", id(&order));
    let read = get(&path).by(&buyer).send(there).await.expect(200);
    assert_eq!(read["status"], "confirmed");
    let cancelled = post(format!("{path}/cancel")).by(&buyer).send(there).await;
    assert_eq!(cancelled.expect(200)["status"], "cancelled");

    let hold = event.hold(2).by(&buyer).key("h").send(there).await.expect(201);
    let path = format!("/v1/holds/{}", id(&hold));
    let seen = get(&path).by(&buyer).send(there).await.expect(200);
    assert_eq!(seen["lines"], hold["lines"]);
    let extended = post(format!("{path}/extend")).by(&buyer).send(there).await;
    assert_ne!(extended.expect(200)["expires_at"], hold["expires_at"]);
    let paid = json!({"payment_method": "sim_approve"});
    let checkout = post(format!("{path}/checkout")).json(&paid).by(&buyer).key("c");
    let order = checkout.send(there).await.expect(201);
    assert_eq!(order["tickets"].as_array().unwrap().len(), 2);

    let hold = event.hold(3).by(&buyer).key("r").send(there).await.expect(201);
    let released = delete(format!("/v1/holds/{}", id(&hold))).by(&buyer);
    assert_eq!(released.send(there).await.expect(200)["status"], "released");
    let declined = event
        .purchase(1, "sim_decline")
        .by(&buyer)
        .key("d")
        .send(there)
        .await;
    declined.problem(402, "payment_declined");
    let too_many = event.hold(19).by(&buyer).key("m").send(there).await;
    too_many.problem(409, "insufficient_availability");

    let path = format!("{}/availability", event.path());
    let (here, there) = (world.send(get(&path)).await, get(&path).send(there).await);
    assert_eq!(there.expect(200), here.expect(200));
    assert_eq!(there.header("etag"), here.header("etag"));
    assert_eq!(world.counts(&event).await, (18, 0, 2));
    assert_only_asked(&other).await;
    assert_eq!(metric(&other, "onsale_holds_total{outcome=\"held\"}").await, 4);
    assert_eq!(
        metric(&world.server, "onsale_holds_total{outcome=\"held\"}").await,
        0
    );
    other.stop().await;
    world.settled().await;
    world.stop_and_audit().await;
}

#[tokio::test]
async fn staff_and_gates_at_the_process_that_does_not_own_the_event() {
    let (mut world, mut other) = two().await;
    let event = world.event(&EventPlan::of(20)).await;
    let there = other.api;
    let (buyer, friend) = (
        register(&other, "buyer@test.example").await,
        register(&other, "friend@test.example").await,
    );
    let order = event.purchase(2, "sim_approve").by(&buyer).key("p");
    let order = order.send(there).await.expect(201);
    let ticket = &order["tickets"][0];
    let transfer = post(format!("/v1/tickets/{}/transfer", id(ticket)));
    let transfer = transfer
        .json(&json!({"to_email": "friend@test.example"}))
        .by(&buyer)
        .key("t");
    transfer.send(there).await.expect(200);
    let path = format!("/v1/tickets/{}", id(ticket));
    let given = get(&path).by(&friend).send(there).await.expect(200);

    let scanner = world.hire("scanner", Some(event.organization)).await;
    let scan = |code: &Value, nonce: &str| {
        let body = json!({"event_id": event.id, "code": code, "gate": "North", "nonce": nonce});
        post("/v1/check-ins").json(&body).by(&scanner)
    };
    scan(&given["code"], "1").send(there).await.expect(201);
    let second = scan(&given["code"], "2").send(there).await;
    second.problem(409, "already_used");
    let dead = scan(&ticket["code"], "3").send(there).await;
    dead.problem(409, "ticket_transferred");
    let gates = get(format!("/v1/check-ins/gates?event_id={}", event.id)).by(&scanner);
    assert_eq!(
        gates.send(there).await.expect(200),
        gates.send(world.api()).await.expect(200)
    );

    let edit = |call: Call, tag: String| call.if_match(tag).by(&world.admin);
    let tag = get(event.staff_path()).by(&world.admin).send(there).await;
    let tag = tag.header("etag").to_owned();
    let mut body = EventPlan::of(20).body(event.organization);
    body["name"] = "Another name".into();
    let edited = edit(put(event.staff_path()).json(&body), tag.clone());
    assert_eq!(edited.send(there).await.expect(200)["name"], "Another name");
    let stale = edit(put(event.staff_path()).json(&body), tag).send(there).await;
    assert_eq!(stale.status, 412, "{stale:?}");
    let pause = post(format!("{}/pause", event.staff_path())).by(&world.admin);
    pause.send(there).await.expect(200);
    let refused = event.purchase(1, "sim_approve").by(&buyer).key("q");
    refused.send(world.api()).await.problem(409, "sale_paused");
    assert_only_asked(&other).await;
    other.stop().await;
    world.settled().await;
    world.stop_and_audit().await;
}

/// An event of an organization that this process makes, and so owns.
async fn event_at(world: &mut World, server: &mut Server, organization: Uuid) -> Event {
    std::mem::swap(&mut world.server, server);
    let event = world.event_of(organization, &EventPlan::of(10)).await;
    std::mem::swap(&mut world.server, server);
    event
}

#[tokio::test]
async fn a_package_of_events_that_different_processes_own_is_sold_at_each() {
    let (mut world, mut other) = two().await;
    let organization = world.organization().await;
    let here = world.event_of(organization, &EventPlan::of(10)).await;
    let there = event_at(&mut world, &mut other, organization).await;
    let inclusion =
        |event: &Event| json!({"event_id": event.id, "ticket_type_id": event.types[0], "quantity": 1});
    let body = json!({
        "organization_id": organization,
        "name": "Both nights",
        "price": {"amount": 1_500, "currency": "EUR"},
        "status": "on_sale",
        "inclusions": [inclusion(&here), inclusion(&there)],
    });
    let package = world
        .staff(post("/v1/admin/packages").json(&body))
        .await
        .expect(201);
    let buyer = Caller::buyer();
    let buy = |key: &str| {
        let body = json!({"quantity": 1, "payment_method": "sim_approve"});
        let path = format!("/v1/packages/{}/purchases", id(&package));
        post(path).json(&body).by(&buyer).key(key)
    };
    for (api, key) in [(world.api(), "here"), (other.api, "there")] {
        assert_eq!(
            buy(key).send(api).await.expect(201)["status"],
            "confirmed",
            "{key}"
        );
    }
    for event in [&here, &there] {
        assert_eq!(world.counts(event).await, (8, 0, 2));
    }
    until(
        "package payments rest",
        std::time::Duration::from_secs(30),
        async || {
            let open = "SELECT count(*) FROM package_orders WHERE state NOT IN ('confirmed', 'cancelled')
                    OR payment IN ('pending', 'authorized', 'voiding', 'refunding')";
            world.database.number(open).await == 0
        },
    )
    .await;
    other.stop().await;
    world.settled().await;
    world.stop_and_audit().await;
}
