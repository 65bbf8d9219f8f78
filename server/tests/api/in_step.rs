//! Processes in step about who is let in, told or not, and who stands above whom.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::{key, role_id, service_account, status, two_processes};
use crate::support::{Caller, EventPlan, Journal, PrivateRedis, Server, World, get, post, put, until};

const SOON: Duration = Duration::from_secs(20);
const PASSWORD: &str = "a quiet harbour at dusk";

fn caller_of(session: &Value) -> Caller {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    Caller {
        id: text(&session["user"]["id"]).parse().expect("an id"),
        session: Uuid::nil(),
        token: text(&session["access_token"]),
    }
}

async fn registered(world: &World, email: &str) -> Caller {
    let body = json!({"email": email, "password": PASSWORD, "name": "Ada"});
    caller_of(
        &world
            .send(post("/v1/auth/register").json(&body))
            .await
            .expect(201),
    )
}

async fn logged_in(world: &World, email: &str) -> Caller {
    let body = json!({"email": email, "password": PASSWORD});
    caller_of(&world.send(post("/v1/auth/login").json(&body)).await.expect(200))
}

#[tokio::test]
async fn whoever_leaves_at_one_process_is_refused_at_the_other() {
    let redis = PrivateRedis::start().await;
    let (world, second) = two_processes(&redis).await;
    let email = "ada@example.org";
    let first = registered(&world, email).await;
    let [out, everywhere, changed, shut] = [
        logged_in(&world, email).await,
        logged_in(&world, email).await,
        logged_in(&world, email).await,
        logged_in(&world, email).await,
    ];
    let refused_there = async |caller: &Caller| {
        until("the other process refuses", SOON, async || {
            status(second.api, caller, "/v1/orders").await == 401
        })
        .await;
    };
    world.send(post("/v1/auth/logout").by(&out)).await.expect(204);
    refused_there(&out).await;
    assert_eq!(
        status(second.api, &changed, "/v1/orders").await,
        200,
        "another login"
    );
    world
        .send(post("/v1/auth/logout-everywhere").by(&everywhere))
        .await
        .expect(204);
    for caller in [&first, &everywhere, &changed, &shut] {
        refused_there(caller).await;
    }
    let again = logged_in(&world, email).await;
    assert_eq!(status(second.api, &again, "/v1/orders").await, 200);
    let body = json!({"current_password": PASSWORD, "new_password": "lantern gravel otter nine"});
    world
        .send(put("/v1/auth/password").json(&body).by(&again))
        .await
        .expect(200);
    refused_there(&again).await;

    let other = registered(&world, "bob@example.org").await;
    assert_eq!(status(second.api, &other, "/v1/orders").await, 200);
    let path = format!("/v1/admin/users/{}/deactivate", other.id);
    world.staff(post(path)).await.expect(200);
    refused_there(&other).await;
}

#[tokio::test]
async fn a_change_that_its_process_could_not_tell_is_found() {
    let redis = PrivateRedis::start().await;
    let url = redis.url();
    // The first process knows of no Redis, so it tells nobody anything.
    let world = World::with(Journal::Postgres, &[]).await;
    let mut second = Server::prepare(
        "two",
        world.directory.path(),
        &world.database.url(),
        Journal::Postgres,
        &[("REDIS_URL", url.as_str())],
    );
    second.start().await;
    let body = json!({"name": "desk", "scope": "everywhere", "permissions": ["events.read"]});
    let role = world.staff(post("/v1/admin/roles").json(&body)).await.expect(201);
    let clerk = world.hire("desk", None).await;
    let path = "/v1/admin/events";
    until("the role is known", SOON, async || {
        status(second.api, &clerk, path).await == 200
    })
    .await;
    let role = format!("/v1/admin/roles/{}", role["id"].as_str().expect("an id"));
    let nothing = json!({"name": "desk", "permissions": []});
    world.staff(put(role).json(&nothing)).await.expect(200);
    until("that the role allows nothing is known", SOON, async || {
        status(second.api, &clerk, path).await == 403
    })
    .await;
}

#[tokio::test]
async fn what_a_redis_that_takes_no_writes_keeps_is_not_believed() {
    let redis = PrivateRedis::start().await;
    let (world, second) = two_processes(&redis).await;
    let body = json!({"name": "desk", "scope": "everywhere", "permissions": ["events.read"]});
    let role = world.staff(post("/v1/admin/roles").json(&body)).await.expect(201);
    let clerk = world.hire("desk", None).await;
    let path = "/v1/admin/events";
    for api in [world.api(), second.api] {
        until("the role is known", SOON, async || {
            status(api, &clerk, path).await == 200
        })
        .await;
    }
    redis.fill();
    let role = format!("/v1/admin/roles/{}", role["id"].as_str().expect("an id"));
    let nothing = json!({"name": "desk", "permissions": []});
    world.staff(put(role).json(&nothing)).await.expect(200);
    for _ in 0..20 {
        assert_eq!(
            status(world.api(), &clerk, path).await,
            403,
            "it was changed here"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until("the other process finds it", SOON, async || {
        status(second.api, &clerk, path).await == 403
    })
    .await;
    assert_eq!(status(second.api, &clerk, path).await, 403);
}

#[tokio::test]
async fn nobody_reaches_above_themselves() {
    let world = World::start().await;
    let body = json!({
        "name": "clerk", "scope": "everywhere",
        "permissions": ["users.read", "users.deactivate", "roles.read", "roles.edit"],
    });
    world.staff(post("/v1/admin/roles").json(&body)).await.expect(201);
    let clerk = world.hire("clerk", None).await;
    let colleague = world.hire("admin", None).await;
    let buyer = registered(&world, "ada@example.org").await;
    for step in ["deactivate", "activate"] {
        let path = |user: Uuid| format!("/v1/admin/users/{user}/{step}");
        let above = world.send(post(path(colleague.id)).by(&clerk)).await;
        above.problem(403, "forbidden");
        world.send(post(path(buyer.id)).by(&clerk)).await.expect(200);
    }
    for (role, permissions) in [("buyer", &[][..]), ("support", &["roles.read"][..])] {
        let id = role_id(&world, role).await;
        let path = format!("/v1/admin/roles/{}", id.as_str().expect("an id"));
        let call = put(path).json(&json!({"name": role, "permissions": permissions}));
        world.send(call.by(&clerk)).await.problem(403, "forbidden");
    }
    assert_eq!(
        status(world.api(), &buyer, "/v1/orders").await,
        401,
        "shut and opened: logged out"
    );
    let again = logged_in(&world, "ada@example.org").await;
    assert_eq!(status(world.api(), &again, "/v1/orders").await, 200);
}

#[tokio::test]
async fn what_a_program_does_stands_in_the_audit_log_under_its_key() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(1)).await;
    let account = service_account(&world, event.organization, "organizer").await;
    let (key_id, program) = key(&world, &account, &["events.publish"], None).await;
    let call = post(format!("{}/pause", event.staff_path())).by(&program);
    world.send(call).await.expect(200);
    let path = format!("/v1/admin/audit-log?actor_id={account}");
    let page = world.staff(get(path)).await.expect(200);
    let entries = page["data"].as_array().expect("entries");
    let told: Vec<_> = entries
        .iter()
        .map(|entry| entry["outcome"].as_str().expect("text"))
        .collect();
    assert_eq!(told, ["done", "asked"], "{page}");
    for entry in entries {
        assert_eq!(entry["action"], "events.change_status");
        assert_eq!(entry["actor"]["kind"], "service");
        assert_eq!(entry["actor"]["api_key_id"], key_id);
        assert_eq!(entry["target"]["id"], event.id.to_string());
        assert_eq!(entry["organization_id"], event.organization.to_string());
        assert_eq!(entry["address"], "127.0.0.1");
        assert_eq!(entry["after"]["status"], "paused");
    }
    assert_eq!(entries[1]["before"]["status"], "on_sale");
}

#[tokio::test]
async fn a_process_without_redis_says_so_once() {
    let world = World::start().await;
    let said = world.server.stderr().matches("no Redis is configured").count();
    assert_eq!(said, 1);
}
