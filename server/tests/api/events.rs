//! `/v1/events`: what everybody may see.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Caller, EventPlan, World, get, post};

fn names(page: &Value) -> Vec<String> {
    let data = page["data"].as_array().expect("data");
    data.iter()
        .map(|event| event["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_listing_shows_what_is_published_and_nothing_else() {
    let world = World::start().await;
    let draft = EventPlan {
        name: "Draft",
        publish: false,
        ..EventPlan::of(1)
    };
    let draft = world.event(&draft).await;
    let shown = world.event(&EventPlan::of(1)).await;
    let page = world.send(get("/v1/events")).await.expect(200);
    assert_eq!(names(&page), ["A concert"]);
    assert_eq!(page["data"][0]["id"], shown.id.to_string());
    assert_eq!(
        (&page["has_more"], &page["next_cursor"]),
        (&json!(false), &Value::Null)
    );

    for path in [draft.path(), format!("{}/availability", draft.path())] {
        world.send(get(path)).await.problem(404, "not_found");
    }
    world
        .send(draft.hold(1).by(&Caller::buyer()).key("k"))
        .await
        .problem(404, "not_found");
    let unknown = format!("/v1/events/{}", Uuid::now_v7());
    world.send(get(unknown)).await.problem(404, "not_found");
    world
        .send(get("/v1/events/nonsense"))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn filters_narrow_the_listing() {
    let world = World::start().await;
    let one = world.event(&EventPlan::of(1)).await;
    let ball = EventPlan {
        name: "A ball",
        ..EventPlan::of(1)
    };
    let other = world.event(&ball).await;
    world
        .staff(post(format!("{}/pause", other.staff_path())))
        .await
        .expect(200);
    for (query, expected) in [
        (String::new(), 2),
        ("?q=ball".to_owned(), 1),
        ("?q=opera".to_owned(), 0),
        ("?q=%25".to_owned(), 0),
        ("?status=paused".to_owned(), 1),
        ("?status=closed".to_owned(), 0),
        (format!("?organization_id={}", one.organization), 1),
        (format!("?organization_id={}", Uuid::now_v7()), 0),
        ("?from=2020-01-01T00:00:00Z".to_owned(), 2),
        ("?to=2020-01-01T00:00:00Z".to_owned(), 0),
        ("?from=2099-01-01T00:00:00Z".to_owned(), 0),
    ] {
        let page = world.send(get(format!("/v1/events{query}"))).await.expect(200);
        assert_eq!(names(&page).len(), expected, "{query}: {page}");
    }
    for query in [
        "status=draft",
        "status=x",
        "limit=0",
        "limit=101",
        "limit=x",
        "cursor=x",
        "from=yesterday",
        "organization_id=1",
    ] {
        let reply = world.send(get(format!("/v1/events?{query}"))).await;
        reply.problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let world = World::start().await;
    let organization = world.organization().await;
    for _ in 0..5 {
        world.event_of(organization, &EventPlan::of(1)).await;
    }
    let mut seen = Vec::new();
    let mut path = "/v1/events?limit=2".to_owned();
    loop {
        let page = world.send(get(path)).await.expect(200);
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= 2);
        seen.extend(data.iter().map(|event| event["id"].to_string()));
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(page["has_more"], false);
            break;
        };
        assert_eq!(page["has_more"], true);
        assert!(seen.len() < 10, "the pages go round");
        path = format!("/v1/events?limit=2&cursor={cursor}");
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((count, seen.len()), (5, 5));
}

#[tokio::test]
async fn the_detail_tells_buyers_what_to_buy_and_no_quotas() {
    let world = World::start().await;
    let plan = EventPlan {
        types: vec![(5, 1_000), (6, 0)],
        buyer_limit: Some(4),
        ..EventPlan::of(0)
    };
    let event = world.event(&plan).await;
    world.shows(&event, "on_sale").await;
    let body = world.send(get(event.path())).await.expect(200);
    assert_eq!(body["time_zone"], "Europe/Berlin");
    assert_eq!(body["buyer_limit"], 4);
    assert_eq!(body["ticket_types"][0]["id"], event.types[0].to_string());
    assert_eq!(
        body["ticket_types"][0]["price"],
        json!({"amount": 1_000, "currency": "EUR"})
    );
    assert_eq!(body["ticket_types"][1]["price"]["amount"], 0);
    assert_eq!(body["quotas"], Value::Null);
    assert_eq!(body["ticket_types"][0]["quota_id"], Value::Null);
}

#[tokio::test]
async fn availability_is_exact_at_once_and_its_tag_changes_with_it() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let path = format!("{}/availability", event.path());
    let first = world.send(get(&path)).await;
    let body = first.expect(200);
    let expected = json!({"id": event.types[0], "available": 10, "held": 0, "sold": 0, "capacity": 10});
    assert_eq!(body["ticket_types"], json!([expected]));
    assert_eq!(first.header("etag"), format!("\"{}\"", body["seq"]));

    let tag = first.header("etag").to_owned();
    let same = world.send(get(&path).header("if-none-match", tag.as_str())).await;
    assert_eq!((same.status, same.raw.len()), (304, 0));
    assert_eq!(same.header("etag"), tag);

    let buyer = Caller::buyer();
    let hold = world.send(event.hold(3).by(&buyer).key("k")).await.expect(201);
    let changed = world.send(get(&path).header("if-none-match", tag.as_str())).await;
    let body = changed.expect(200);
    assert_eq!(body["seq"], hold["seq"]);
    assert_eq!(body["next_expiry_at"], hold["expires_at"]);
    assert_eq!(world.counts(&event).await, (7, 3, 0));
    world
        .send(event.purchase(2, "sim_approve").by(&buyer).key("k"))
        .await
        .expect(201);
    assert_eq!(world.counts(&event).await, (5, 3, 2));
}

#[tokio::test]
async fn reading_needs_no_token_but_refuses_a_bad_one() {
    let world = World::start().await;
    world.send(get("/v1/events")).await.expect(200);
    let call = get("/v1/events").header("authorization", "Bearer nonsense");
    let reply = world.send(call).await;
    reply.problem(401, "unauthenticated");
    assert!(reply.header("www-authenticate").starts_with("Bearer"));
}
