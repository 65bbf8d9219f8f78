//! An owner's tickets and their files.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use crate::support::{Caller, Event, EventPlan, World, get, post, until};

/// A buyer's new order of one ticket: the order, and the path of the ticket.
async fn bought(world: &World, event: &Event, buyer: &Caller, key: &str) -> (Value, String) {
    let call = event.purchase(1, "sim_approve").by(buyer).key(key);
    let order = world.send(call).await.expect(201);
    let path = format!("/v1/tickets/{}", order["tickets"][0]["id"].as_str().unwrap());
    (order, path)
}

/// A link to a file of a ticket, once it is made.
async fn link(world: &World, ticket: &str, owner: &Caller, format: &str) -> Value {
    let path = format!("{ticket}/file?format={format}");
    until("the file is made", Duration::from_secs(20), async || {
        let reply = world.send(get(&path).by(owner)).await;
        if reply.status != 200 {
            reply.problem_with_retry(409, "file_not_ready");
        }
        reply.status == 200
    })
    .await;
    world.send(get(&path).by(owner)).await.expect(200)
}

#[tokio::test]
async fn a_ticket_is_read_with_its_event_type_and_signed_code() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    let (order, path) = bought(&world, &event, &buyer, "k").await;
    let ticket = world.send(get(&path).by(&buyer)).await.expect(200);
    assert_eq!(ticket["order_id"], order["id"]);
    assert_eq!(ticket["code"], order["tickets"][0]["code"]);
    assert_eq!(ticket["event"]["id"], order["event_id"]);
    assert_eq!(
        (&ticket["status"], &ticket["version"]),
        (&"valid".into(), &1.into())
    );
    assert!(ticket["qr"].as_str().unwrap().len() > 100);
    let list = world.send(get("/v1/tickets").by(&buyer)).await.expect(200);
    assert_eq!(list["data"][0]["id"], ticket["id"]);
    assert!(list["data"][0].get("qr").is_none());
    let keys = world.send(get("/.well-known/ticket-keys.json")).await.expect(200);
    assert_eq!(keys["keys"][0]["kid"], "test");
}

#[tokio::test]
async fn files_follow_the_sale_and_links_lead_to_them() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    let (_, path) = bought(&world, &event, &buyer, "k").await;
    for (format, content_type, begins) in [
        ("pdf", "application/pdf", "%PDF-"),
        ("ics", "text/calendar; charset=utf-8", "BEGIN:VCALENDAR"),
    ] {
        let link = link(&world, &path, &buyer, format).await;
        let url = link["url"].as_str().unwrap();
        // Whoever has the link has the file: there is no token.
        let file = world.send(get(url)).await;
        assert_eq!((file.status, file.header("content-type")), (200, content_type));
        assert_eq!(file.header("cache-control"), "private, no-store");
        assert!(
            file.header("content-disposition")
                .starts_with("attachment; filename=\"ticket-")
        );
        assert!(file.raw.starts_with(begins.as_bytes()), "{format}");
        let mut changed = url.to_owned();
        changed.pop();
        world
            .send(get(format!("{changed}x")))
            .await
            .problem(404, "not_found");
    }
    let reply = world
        .send(get(format!("{path}/file?format=png")).by(&buyer))
        .await;
    reply.problem(422, "validation_failed");
}

#[tokio::test]
async fn nobody_else_sees_a_ticket_and_a_cancelled_one_has_no_files() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let (buyer, other) = (Caller::buyer(), Caller::buyer());
    let (order, path) = bought(&world, &event, &buyer, "k").await;
    link(&world, &path, &buyer, "pdf").await;
    for path in [path.clone(), format!("{path}/file?format=pdf")] {
        world.send(get(&path).by(&other)).await.problem(404, "not_found");
        world.send(get(&path)).await.problem(401, "unauthenticated");
    }
    let unknown = format!("/v1/tickets/{}", Uuid::now_v7());
    world
        .send(get(unknown).by(&buyer))
        .await
        .problem(404, "not_found");

    let cancel = post(format!("/v1/orders/{}/cancel", order["id"].as_str().unwrap()));
    world.send(cancel.by(&buyer)).await.expect(200);
    let ticket = world.send(get(&path).by(&buyer)).await.expect(200);
    assert_eq!(ticket["status"], "cancelled");
    assert!(ticket.get("qr").is_none());
    let file = world
        .send(get(format!("{path}/file?format=pdf")).by(&buyer))
        .await;
    file.problem(404, "not_found");
}
