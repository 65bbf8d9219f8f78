//! Making, changing and deleting packages.

use serde_json::{Value, json};

use super::{buy, make, package_of, two_events};
use crate::support::{Caller, EventPlan, World, delete, get, post, put};

fn without_organization(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("organization_id");
    body
}

#[tokio::test]
async fn staff_make_read_change_and_delete_a_package_and_buyers_see_what_is_on_sale() {
    let world = World::start().await;
    let events = two_events(&world, [10, 4]).await;
    let mut body = package_of(&events);
    body["status"] = json!("draft");
    let call = post("/v1/admin/packages").json(&body).key("k");
    let made = world.staff(call.clone()).await;
    assert_eq!(made.header("etag"), "\"1\"");
    let package = made.expect(201);
    // 27 euros between tickets of 10 and 20.
    let shares =
        [&package["inclusions"][0], &package["inclusions"][1]].map(|line| line["unit_share"].clone());
    assert_eq!(shares, [json!(900), json!(1_800)]);
    let again = world.staff(call).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201)["id"], package["id"]);

    let id = package["id"].as_str().unwrap();
    let public = format!("/v1/packages/{id}");
    let staff = format!("/v1/admin/packages/{id}");
    world.send(get(&public)).await.problem(404, "not_found");
    assert_eq!(
        world.send(get("/v1/packages")).await.expect(200)["data"],
        json!([])
    );

    body["status"] = json!("on_sale");
    body["name"] = json!("Both evenings");
    let change = put(&staff).json(&without_organization(body.clone()));
    world
        .staff(change.clone())
        .await
        .problem(428, "precondition_required");
    world
        .staff(change.clone().if_match("\"7\""))
        .await
        .problem(412, "version_mismatch");
    let edited = world.staff(change.if_match("\"1\"")).await;
    assert_eq!(edited.header("etag"), "\"2\"");
    assert_eq!(edited.expect(200)["name"], "Both evenings");
    let seen = world.send(get(&public)).await.expect(200);
    assert_eq!(seen["available"], 4, "as many as the scarcer event has");
    let path = format!("/v1/packages?organization_id={}", events[0].organization);
    assert_eq!(world.send(get(path)).await.expect(200)["data"][0]["id"], id);
    let listed = world.staff(get("/v1/admin/packages")).await.expect(200);
    assert_eq!(listed["data"][0]["id"], id);

    let gone = world.staff(delete(&staff).if_match("\"2\"")).await;
    assert_eq!(gone.status, 204);
    world.staff(get(&staff)).await.problem(404, "not_found");
    let changes = "SELECT count(*) FROM audit_log WHERE action LIKE 'packages.%' AND outcome = 'done'";
    assert_eq!(world.database.number(changes).await, 3);
}

#[tokio::test]
async fn a_package_is_of_the_organizations_events_in_one_currency_and_its_shares_add_up() {
    let world = World::start().await;
    let events = two_events(&world, [10, 10]).await;
    let foreign = world.event(&EventPlan::of(10)).await;
    let inclusion = |event: &crate::support::Event, quantity: i64| json!({"event_id": event.id, "ticket_type_id": event.types[0], "quantity": quantity});
    let shared = |event, share: i64| {
        let mut shared_line = inclusion(event, 1);
        shared_line["unit_share"] = json!(share);
        shared_line
    };
    let mut mixed = inclusion(&events[0], 1);
    mixed["ticket_type_id"] = json!(events[1].types[0]);
    for (inclusions, pointer) in [
        (json!([]), "/inclusions"),
        (json!([inclusion(&foreign, 1)]), "/inclusions"),
        (json!([mixed]), "/inclusions"),
        (json!([inclusion(&events[0], 0)]), "/inclusions"),
        (json!([inclusion(&events[0], 101)]), "/inclusions"),
        (
            json!([inclusion(&events[0], 1), inclusion(&events[0], 1)]),
            "/inclusions",
        ),
        // 27.01 euros cannot be divided between two equal tickets.
        (json!([inclusion(&events[0], 2)]), "/inclusions"),
        (
            json!([shared(&events[0], 2_700), shared(&events[1], 0)]),
            "/inclusions",
        ),
        (
            json!([shared(&events[0], 2_701), inclusion(&events[1], 1)]),
            "/inclusions",
        ),
    ] {
        let mut body = package_of(&events);
        body["price"]["amount"] = json!(2_701);
        body["inclusions"] = inclusions.clone();
        let reply = world.staff(post("/v1/admin/packages").json(&body)).await;
        let problem = reply.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{inclusions}");
    }
    let mut body = package_of(&events);
    body["price"]["currency"] = json!("USD");
    let reply = world.staff(post("/v1/admin/packages").json(&body)).await;
    assert_eq!(
        reply.problem(422, "validation_failed")["errors"][0]["pointer"],
        "/price/currency"
    );
    // What costs more than its tickets is the organizer's business; what was written is kept.
    let mut body = package_of(&events);
    body["inclusions"] = json!([shared(&events[0], 0), shared(&events[1], 2_700)]);
    make(&world, &body).await;
}

/// What is refused once something is sold: see the table in docs/PACKAGES.md.
#[tokio::test]
async fn what_was_sold_keeps_its_price_and_inclusions_and_stays() {
    let world = World::start().await;
    let events = two_events(&world, [10, 10]).await;
    let body = package_of(&events);
    let package = make(&world, &body).await;
    let staff = format!("/v1/admin/packages/{package}");
    let buyer = Caller::buyer();
    let sold = buy(package, 1, "sim_approve").by(&buyer).key("k");
    world.send(sold).await.expect(201);

    let edit = |field: &str, value: Value, version: u32| {
        let mut body = without_organization(body.clone());
        body[field] = value;
        put(&staff).json(&body).if_match(format!("\"{version}\""))
    };
    let dearer = json!({"amount": 2_800, "currency": "EUR"});
    let fewer = json!([body["inclusions"][0]]);
    for call in [
        edit("price", dearer.clone(), 1),
        edit("inclusions", fewer, 1),
        edit("status", json!("draft"), 1),
        delete(&staff).if_match("\"1\""),
    ] {
        world.staff(call).await.problem(409, "package_sold");
    }
    world
        .staff(edit("name", json!("Two nights"), 1))
        .await
        .expect(200);
    world.staff(edit("status", json!("closed"), 2)).await.expect(200);
    let again = buy(package, 1, "sim_approve").by(&buyer).key("l");
    world.send(again).await.problem(409, "package_not_on_sale");
    assert_eq!(
        world
            .send(get(format!("/v1/packages/{package}")))
            .await
            .expect(200)["available"],
        0
    );

    // One that came to nothing hinders nobody.
    let other = make(&world, &body).await;
    let declined = buy(other, 1, "sim_decline").by(&buyer).key("m");
    world.send(declined).await.problem(402, "payment_declined");
    let path = format!("/v1/admin/packages/{other}");
    let mut change = without_organization(body.clone());
    change["price"] = dearer;
    let changed = world.staff(put(&path).json(&change).if_match("\"1\"")).await;
    changed.expect(200);
    assert_eq!(world.staff(delete(&path).if_match("\"2\"")).await.status, 204);
}

#[tokio::test]
async fn an_event_that_does_not_sell_stops_its_packages_with_its_own_code() {
    let world = World::start().await;
    let events = two_events(&world, [10, 10]).await;
    let package = make(&world, &package_of(&events)).await;
    let buyer = Caller::buyer();
    for (step, code, number) in [
        ("pause", "sale_paused", 1),
        ("close", "sale_ended", 2),
        ("cancel", "event_cancelled", 3),
    ] {
        let call = post(format!("{}/{step}", events[1].staff_path()));
        world.staff(call).await.expect(200);
        let call = buy(package, 1, "sim_approve").by(&buyer).key(number.to_string());
        let problem = world.send(call).await.problem(409, code);
        assert_eq!(problem["event_id"], events[1].id.to_string(), "{problem}");
        let seen = world.send(get(format!("/v1/packages/{package}"))).await;
        assert_eq!(seen.expect(200)["available"], 0);
    }
    assert_eq!(world.counts(&events[0]).await, (10, 0, 0));
    let mut body = package_of(&events);
    body["name"] = json!("Too late");
    let reply = world.staff(post("/v1/admin/packages").json(&body)).await;
    reply.problem(409, "event_cancelled");
}

#[tokio::test]
async fn a_draft_is_deleted_once_and_for_all_and_nothing_else_is() {
    let mut world = World::start().await;
    let organization = world.organization().await;
    let plan = EventPlan {
        publish: false,
        ..EventPlan::of(5)
    };
    let draft = world.event_of(organization, &plan).await;
    let included = world.event_of(organization, &plan).await;
    let published = world.event_of(organization, &EventPlan::of(5)).await;
    let package = json!({
        "organization_id": organization,
        "name": "Early",
        "price": {"amount": 1_000, "currency": "EUR"},
        "status": "draft",
        "inclusions": [{"event_id": included.id, "ticket_type_id": included.types[0], "quantity": 1}],
    });
    make(&world, &package).await;
    for (event, code) in [(&included, "in_package"), (&published, "not_draft")] {
        world.staff(delete(event.staff_path())).await.problem(409, code);
    }
    for _ in 0..2 {
        assert_eq!(world.staff(delete(draft.staff_path())).await.status, 204);
    }
    for call in [
        get(draft.staff_path()),
        post(format!("{}/publish", draft.staff_path())),
        put(draft.staff_path())
            .if_match("\"1\"")
            .json(&plan.body(organization)),
    ] {
        world.staff(call).await.problem(404, "not_found");
    }
    world.send(get(draft.path())).await.problem(404, "not_found");
    let buyer = Caller::buyer();
    let call = draft.purchase(1, "sim_approve").by(&buyer).key("k");
    world.send(call).await.problem(404, "not_found");
    let listed = world.staff(get("/v1/admin/events")).await.expect(200);
    let ids: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["id"])
        .collect();
    assert!(!ids.contains(&&json!(draft.id)), "{listed}");
    assert_eq!(ids.len(), 2);
    world.stop_and_audit().await;
}
