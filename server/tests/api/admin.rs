//! The staff's side.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Call, Caller, Event, EventPlan, World, get, post, put};

fn quota(event: &Event, position: usize) -> String {
    format!("{}/quotas/{}", event.staff_path(), event.quotas[position])
}

#[tokio::test]
async fn an_event_is_made_edited_and_moved_through_its_states() {
    let world = World::start().await;
    let plan = EventPlan {
        publish: false,
        ..EventPlan::of(5)
    };
    let event = world.event(&plan).await;
    let step = |name: &str| post(format!("{}/{name}", event.staff_path()));
    let buyer = Caller::buyer();
    world
        .staff(step("pause"))
        .await
        .problem(409, "invalid_transition");

    let mut body = plan.body(event.organization);
    body["name"] = json!("Another name");
    let call = put(event.staff_path())
        .if_match(world.version(&event).await)
        .json(&body);
    let edited = world.staff(call).await;
    assert_eq!(edited.expect(200)["name"], "Another name");
    assert_eq!(edited.header("etag"), format!("\"{}\"", edited.json()["version"]));

    for (name, status, code) in [
        ("publish", "on_sale", 201),
        ("pause", "paused", 409),
        ("resume", "on_sale", 201),
        ("close", "closed", 409),
        ("cancel", "cancelled", 409),
    ] {
        let reply = world.staff(step(name)).await;
        reply.expect(200);
        world.shows(&event, status).await;
        let hold = world.send(event.hold(1).by(&buyer).key(name)).await;
        assert_eq!(hold.status, code, "{name}");
    }
    for name in ["publish", "pause", "resume", "close"] {
        world.staff(step(name)).await.problem(409, "invalid_transition");
    }
    let hold = world.send(event.hold(1).by(&buyer).key("late")).await;
    hold.problem(409, "event_cancelled");
}

#[tokio::test]
async fn a_paused_sale_still_lets_holds_be_paid() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(5)).await;
    let buyer = Caller::buyer();
    let hold = world.send(event.hold(1).by(&buyer).key("k")).await.expect(201);
    world
        .staff(post(format!("{}/pause", event.staff_path())))
        .await
        .expect(200);
    world
        .send(event.hold(1).by(&buyer).key("l"))
        .await
        .problem(409, "sale_paused");
    let path = format!("/v1/holds/{}/checkout", hold["id"].as_str().unwrap());
    let pay = post(path).json(&json!({"payment_method": "sim_approve"}));
    world.send(pay.by(&buyer).key("k")).await.expect(201);
}

#[tokio::test]
async fn edits_name_the_version_that_they_saw() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(5)).await;
    let quota_path = quota(&event, 0);
    let resize = |capacity: u32| put(&quota_path).json(&json!({"name": "Floor", "capacity": capacity}));
    world.staff(resize(6)).await.problem(428, "precondition_required");
    let old = world.version(&event).await;
    let changed = world.staff(resize(6).if_match(old.as_str())).await;
    changed.expect(200);
    let reply = world.staff(resize(7).if_match(old.as_str())).await;
    let problem = reply.problem(412, "version_mismatch");
    assert_eq!(problem["version"], changed.json()["version"]);
    for tag in ["*", "5", "W/\"1\"", "\"x\""] {
        let reply = world.staff(resize(7).if_match(tag)).await;
        reply.problem(412, "version_mismatch");
    }
    let stale = post(format!("{}/pause", event.staff_path())).if_match(old);
    world.staff(stale).await.problem(412, "version_mismatch");
    assert_eq!(world.counts(&event).await, (6, 0, 0));
}

#[tokio::test]
async fn capacity_follows_the_organizer_but_never_below_what_is_taken() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    world.send(event.hold(2).by(&buyer).key("h")).await.expect(201);
    let call = event.purchase(3, "sim_approve").by(&buyer).key("p");
    world.send(call).await.expect(201);
    for (capacity, fits) in [(4, false), (0, false), (5, true), (12, true)] {
        let version = world.version(&event).await;
        let body = json!({"name": "Floor", "capacity": capacity});
        let reply = world
            .staff(put(quota(&event, 0)).if_match(version).json(&body))
            .await;
        if fits {
            reply.expect(200);
            assert_eq!(world.counts(&event).await, (capacity - 5, 2, 3));
        } else {
            let problem = reply.problem(409, "capacity_below_committed");
            assert_eq!(problem["committed"], 5);
        }
    }
}

#[tokio::test]
async fn bad_definitions_are_refused_with_the_place() {
    let world = World::start().await;
    let organization = world.organization().await;
    for (member, value) in [
        ("name", json!("")),
        ("name", json!("n".repeat(201))),
        ("name", json!("a\u{0}b")),
        ("time_zone", json!("Mars/Olympus")),
        ("hold_duration_seconds", json!(0)),
        ("hold_duration_seconds", json!(-1)),
        ("hold_lifetime_seconds_max", json!(1)),
        ("buyer_limit", json!(0)),
        ("currency", json!("XYZ?")),
        ("starts_at", json!("tomorrow")),
        ("organization_id", json!(Uuid::now_v7())),
        ("capacity", json!(5)),
    ] {
        let mut body = EventPlan::of(0).body(organization);
        body[member] = value.clone();
        let reply = world.staff(post("/v1/admin/events").json(&body)).await;
        let problem = reply.problem(422, "validation_failed");
        let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
        assert_eq!(pointer, format!("/{member}"), "{value}: {problem}");
    }
    let event = world.event(&EventPlan::of(1)).await;
    let price = |amount: Value, currency: &str| json!({"amount": amount, "currency": currency});
    for (price, quota) in [
        (price(json!(-1), "EUR"), event.quotas[0]),
        (price(json!(i64::MAX), "EUR"), event.quotas[0]),
        (price(json!(1.5), "EUR"), event.quotas[0]),
        (price(json!(1), "USD"), event.quotas[0]),
        (price(json!(1), "EUR"), Uuid::now_v7()),
    ] {
        let version = world.version(&event).await;
        let body = json!({"name": "x", "quota_id": quota, "price": price});
        let call = post(format!("{}/ticket-types", event.staff_path())).if_match(version);
        let reply = world.staff(call.json(&body)).await;
        reply.problem(422, "validation_failed");
    }
}

/// Every staff route.
fn staff_routes(event: &Event) -> Vec<Call> {
    let base = event.staff_path();
    let body = EventPlan::of(1).body(event.organization);
    let quota_body = json!({"name": "q", "capacity": 1});
    let price = json!({"amount": 1, "currency": "EUR"});
    let type_body = json!({"name": "t", "quota_id": event.quotas[0], "price": price});
    let changes = [
        put(&base).json(&body),
        post(format!("{base}/quotas")).json(&quota_body),
        put(quota(event, 0)).json(&quota_body),
        post(format!("{base}/ticket-types")).json(&type_body),
        put(format!("{base}/ticket-types/{}", event.types[0])).json(&type_body),
    ];
    let steps = ["publish", "pause", "resume", "close", "cancel"];
    changes
        .into_iter()
        .map(|call| call.if_match("\"1\""))
        .chain(steps.map(|step| post(format!("{base}/{step}"))))
        .chain([get(&base)])
        .collect()
}

#[tokio::test]
async fn other_organizations_events_are_not_found() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(1)).await;
    let stranger = world.hire("organizer", Some(world.organization().await)).await;
    for call in staff_routes(&event) {
        let reply = world.send(call.by(&stranger)).await;
        reply.problem(404, "not_found");
    }
    let body = EventPlan::of(1).body(event.organization);
    let call = post("/v1/admin/events").json(&body).by(&stranger);
    world.send(call).await.problem(404, "not_found");
    let path = format!("/v1/admin/organizations/{}", event.organization);
    world
        .send(get(path).by(&stranger))
        .await
        .problem(404, "not_found");
    let list = world
        .send(get("/v1/admin/events").by(&stranger))
        .await
        .expect(200);
    assert_eq!(list["data"], json!([]));
    let path = format!("/v1/admin/events?organization_id={}", event.organization);
    world
        .send(get(path).by(&stranger))
        .await
        .problem(404, "not_found");

    let page = format!("/v1/admin/audit-log?actor_id={}&outcome=refused", stranger.id);
    let refused = world.staff(get(page)).await.expect(200);
    let refused = refused["data"].as_array().expect("entries").clone();
    assert!(
        refused
            .iter()
            .any(|entry| entry["target"]["id"] == event.id.to_string()),
        "{refused:?}"
    );

    let owner = world.hire("organizer", Some(event.organization)).await;
    world.send(get(event.staff_path()).by(&owner)).await.expect(200);
    let list = world.send(get("/v1/admin/events").by(&owner)).await.expect(200);
    assert_eq!(list["data"][0]["id"], event.id.to_string());
}

#[tokio::test]
async fn roles_decide_what_is_allowed() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(1)).await;
    let before = world.availability(&event).await;
    let (buyer, support) = (Caller::buyer(), world.hire("support", None).await);
    let organizer = world.hire("organizer", Some(event.organization)).await;
    // What a token says of staff's roles counts for nothing.
    let pretender = Caller::new(&["admin", "organizer", "emperor"]);
    let scanner = world.hire("scanner", Some(event.organization)).await;
    for call in staff_routes(&event) {
        world.send(call.clone()).await.problem(401, "unauthenticated");
        for caller in [&buyer, &pretender, &scanner] {
            let reply = world.send(call.clone().by(caller)).await;
            reply.problem(403, "forbidden");
        }
    }
    for call in staff_routes(&event) {
        let reply = world.send(call.by(&support)).await;
        assert!([200, 403].contains(&reply.status), "{reply:?}");
    }
    let name = json!({"name": "x"});
    for caller in [&buyer, &support, &organizer] {
        let call = post("/v1/admin/organizations").json(&name).by(caller);
        world.send(call).await.problem(403, "forbidden");
    }
    for caller in [&support, &world.admin, &organizer] {
        let call = event.purchase(1, "sim_approve").by(caller).key("k");
        world.send(call).await.problem(403, "forbidden");
    }
    assert_eq!(world.availability(&event).await, before);
}

#[tokio::test]
async fn a_repeated_creation_gets_the_first_answer_and_makes_nothing_more() {
    let world = World::start().await;
    let name = json!({"name": "A promoter"});
    let organization = || post("/v1/admin/organizations").key("k").json(&name);
    let first = world.staff(organization()).await;
    let again = world.staff(organization()).await;
    assert_eq!(first.expect(201), again.expect(201));
    assert!(!first.replayed() && again.replayed());
    let other = post("/v1/admin/organizations")
        .key("k")
        .json(&json!({"name": "B"}));
    world.staff(other).await.problem(422, "idempotency_key_reused");

    let owner = Uuid::parse_str(&first.text("id")).unwrap();
    let body = EventPlan::of(1).body(owner);
    let event = || post("/v1/admin/events").key("k").json(&body);
    let first = world.staff(event()).await;
    let again = world.staff(event()).await;
    assert_eq!(first.expect(201), again.expect(201));
    assert!(!first.replayed() && again.replayed());
    assert_eq!(first.header("etag"), again.header("etag"));
    let page = world.staff(get("/v1/admin/events")).await.expect(200);
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
}
