//! Roles, assignments, service accounts and API keys; what one process changes and the other must hear.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Call, Caller, EventPlan, Journal, PrivateRedis, Server, World, delete, get, post, put, until,
};

const EVENTS: &str = "/v1/admin/events";
const SOON: Duration = Duration::from_secs(10);

/// A deployment of two processes on one Redis.
pub(crate) async fn two_processes(redis: &PrivateRedis) -> (World, Server) {
    let settings = [("REDIS_URL", redis.url())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let world = World::with(Journal::Postgres, &settings).await;
    let (directory, url) = (world.directory.path(), world.database.url());
    let mut second = Server::prepare("two", directory, &url, Journal::Postgres, &settings);
    second.start().await;
    for server in [&world.server, &second] {
        until("the stream is followed", SOON, async || {
            server.stderr().contains("following what other processes change")
        })
        .await;
    }
    (world, second)
}

pub(crate) async fn status(api: SocketAddr, caller: &Caller, path: &str) -> u16 {
    get(path).by(caller).send(api).await.status
}

pub(crate) async fn role_id(world: &World, name: &str) -> Value {
    let roles = world.staff(get("/v1/admin/roles")).await.expect(200);
    let roles = roles["data"].as_array().expect("roles");
    roles.iter().find(|role| role["name"] == name).expect("a role")["id"].clone()
}

async fn assign(world: &World, user: Uuid, role: &str, organization: Option<Uuid>) -> u16 {
    let body = json!({"role_id": role_id(world, role).await, "organization_id": organization});
    let call = post(format!("/v1/admin/users/{user}/roles")).json(&body);
    world.staff(call).await.status
}

/// A service account of an organization, with one role.
pub(crate) async fn service_account(world: &World, organization: Uuid, role: &str) -> String {
    let body = json!({
        "name": "Till", "organization_id": organization, "roles": [role_id(world, role).await],
    });
    let made = world.staff(post("/v1/admin/service-accounts").json(&body)).await;
    made.expect(201)["id"].as_str().expect("an id").to_owned()
}

/// A key of a service account: its id and somebody who comes with it.
pub(crate) async fn key(
    world: &World,
    account: &str,
    scopes: &[&str],
    expires_at: Option<String>,
) -> (String, Caller) {
    let body = json!({"name": "Till 1", "scopes": scopes, "expires_at": expires_at});
    let call = post(format!("/v1/admin/service-accounts/{account}/api-keys")).json(&body);
    let made = world.staff(call).await.expect(201);
    let text = |field: &str| made[field].as_str().expect(field).to_owned();
    assert!(text("secret").starts_with(&text("prefix")));
    let caller = Caller {
        session: Uuid::nil(),
        id: Uuid::nil(),
        token: text("secret"),
    };
    (text("id"), caller)
}

#[tokio::test]
async fn a_role_that_changes_is_in_force_in_every_process() {
    let redis = PrivateRedis::start().await;
    let (world, second) = two_processes(&redis).await;
    let body = json!({"name": "desk", "scope": "everywhere", "permissions": []});
    let role = world.staff(post("/v1/admin/roles").json(&body)).await.expect(201);
    let clerk = world.hire("desk", None).await;
    assert_eq!(status(second.api, &clerk, EVENTS).await, 403);
    let path = format!("/v1/admin/roles/{}", role["id"].as_str().expect("an id"));
    let allow = |permissions: &[&str]| put(&path).json(&json!({"name": "desk", "permissions": permissions}));
    for (permissions, expected) in [(&["events.read"][..], 200), (&[][..], 403)] {
        world.staff(allow(permissions)).await.expect(200);
        assert_eq!(status(world.api(), &clerk, EVENTS).await, expected);
        until("the other process knows", SOON, async || {
            status(second.api, &clerk, EVENTS).await == expected
        })
        .await;
    }
    world.staff(delete(&path)).await.problem(409, "role_in_use");
}

#[tokio::test]
async fn a_role_that_is_given_or_taken_is_known_in_every_process() {
    let redis = PrivateRedis::start().await;
    let (world, second) = two_processes(&redis).await;
    let organization = world.organization().await;
    let user = world.hire("buyer", None).await;
    assert_eq!(status(second.api, &user, EVENTS).await, 403);
    assert_eq!(
        assign(&world, user.id, "organizer", Some(organization)).await,
        201
    );
    until("the other process knows", SOON, async || {
        status(second.api, &user, EVENTS).await == 200
    })
    .await;
    let roles = world
        .staff(get(format!("/v1/admin/users/{}/roles", user.id)))
        .await
        .expect(200);
    assert_eq!(roles["data"].as_array().map(Vec::len), Some(2), "{roles}");
    assert_eq!(roles["data"][1]["assigned_by"], world.admin.id.to_string());
    let id = role_id(&world, "organizer").await;
    let path = format!(
        "/v1/admin/users/{}/roles/{}",
        user.id,
        id.as_str().expect("an id")
    );
    world.staff(delete(&path)).await.problem(404, "not_found");
    let there = format!("{path}?organization_id={organization}");
    world.staff(delete(there)).await.expect(204);
    until("the other process knows", SOON, async || {
        status(second.api, &user, EVENTS).await == 403
    })
    .await;
}

#[tokio::test]
async fn a_token_that_names_a_role_that_was_taken_is_refused_in_every_process() {
    let redis = PrivateRedis::start().await;
    let (world, second) = two_processes(&redis).await;
    let event = world.event(&EventPlan::of(5)).await;
    let buyer = Caller::buyer();
    world.database.hire(&buyer, "buyer", None).await;
    let hold = |key: &str| event.hold(1).by(&buyer).key(key);
    hold("before").send(world.api()).await.expect(201);
    let id = role_id(&world, "buyer").await;
    let path = format!(
        "/v1/admin/users/{}/roles/{}",
        buyer.id,
        id.as_str().expect("an id")
    );
    world.staff(delete(path)).await.expect(204);
    assert_eq!(hold("after").send(world.api()).await.status, 401);
    until("the other process knows", SOON, async || {
        hold("after").send(second.api).await.status == 401
    })
    .await;
}

#[tokio::test]
async fn the_last_admin_stays() {
    let world = World::start().await;
    let id = role_id(&world, "admin").await;
    let path = format!(
        "/v1/admin/users/{}/roles/{}",
        world.admin.id,
        id.as_str().expect("an id")
    );
    world.staff(delete(path)).await.problem(409, "last_admin");
}

/// Ends a login behind the back of every process, as one would that cannot reach Redis.
async fn revoke(world: &World, caller: &Caller) {
    let statement = "UPDATE sessions SET revoked_at = now(), revoked_for = 'logout' WHERE session_id = $1";
    world.database.execute(statement, caller.session).await;
}

#[tokio::test]
async fn a_revocation_that_nobody_told_is_found() {
    let redis = PrivateRedis::start().await;
    let (world, _second) = two_processes(&redis).await;
    let staff = world.hire("support", None).await;
    assert_eq!(status(world.api(), &staff, "/v1/admin/events").await, 200);
    revoke(&world, &staff).await;
    until(
        "the login is known to be over",
        Duration::from_secs(20),
        async || status(world.api(), &staff, "/v1/admin/events").await == 401,
    )
    .await;
}

#[tokio::test]
async fn while_redis_hangs_or_is_away_staff_are_checked_in_postgres_and_buyers_go_on() {
    let mut redis = PrivateRedis::start().await;
    let (world, second) = two_processes(&redis).await;
    let event = world.event(&EventPlan::of(50)).await;
    let buyer = Caller::buyer();
    let both = [world.api(), second.api];
    for (round, fail) in ["hung", "down"].into_iter().enumerate() {
        let (revoked, valid) = (
            world.hire("support", None).await,
            world.hire("support", None).await,
        );
        for caller in [&revoked, &valid] {
            for api in both {
                assert_eq!(status(api, caller, EVENTS).await, 200, "{fail}");
            }
        }
        if fail == "hung" {
            redis.freeze();
        } else {
            redis.kill();
        }
        revoke(&world, &revoked).await;
        // A second of freshness, and a moment to notice.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        for api in both {
            assert_eq!(status(api, &revoked, EVENTS).await, 401, "{fail}");
            assert_eq!(status(api, &valid, EVENTS).await, 200, "{fail}");
            let hold = event.hold(1).by(&buyer).key(format!("{fail}{api}"));
            hold.send(world.api()).await.expect(201);
        }
        if fail == "hung" {
            redis.thaw();
        } else {
            redis.restart().await;
        }
        for server in [&world.server, &second] {
            until("the stream is followed again", SOON, async || {
                let followed = server
                    .stderr()
                    .matches("following what other processes change")
                    .count();
                followed > round + 1
            })
            .await;
        }
        // What was revoked meanwhile was read from Postgres.
        for api in both {
            assert_eq!(status(api, &revoked, EVENTS).await, 401, "{fail}");
            assert_eq!(status(api, &valid, EVENTS).await, 200, "{fail}");
        }
    }
    world.server.assert_no_panic();
    second.assert_no_panic();
}

#[tokio::test]
async fn what_changes_while_redis_is_away_is_known_everywhere() {
    let mut redis = PrivateRedis::start().await;
    let (world, second) = two_processes(&redis).await;
    let user = world.hire("support", None).await;
    for api in [world.api(), second.api] {
        assert_eq!(status(api, &user, EVENTS).await, 200);
    }
    redis.kill();
    let id = role_id(&world, "support").await;
    let path = format!(
        "/v1/admin/users/{}/roles/{}",
        user.id,
        id.as_str().expect("an id")
    );
    world.staff(delete(path)).await.expect(204);
    let admitted = async |api| status(api, &user, EVENTS).await;
    assert_eq!(admitted(world.api()).await, 401);
    redis.restart().await;
    for api in [world.api(), second.api] {
        until("it is known", SOON, async || admitted(api).await == 401).await;
    }
}

#[tokio::test]
async fn a_key_does_what_its_scopes_roles_and_organization_allow() {
    let world = World::start().await;
    let (own, other) = (world.organization().await, world.organization().await);
    let event = world.event_of(own, &EventPlan::of(5)).await;
    let foreign = world.event_of(other, &EventPlan::of(5)).await;
    let account = service_account(&world, own, "organizer").await;
    let (_, reader) = key(&world, &account, &["events.read"], None).await;
    assert_eq!(status(world.api(), &reader, &event.staff_path()).await, 200);
    assert_eq!(status(world.api(), &reader, &foreign.staff_path()).await, 404);
    // The role allows it and the scope does not; the scope allows it and the role does not.
    assert_eq!(status(world.api(), &reader, "/v1/admin/organizations").await, 403);
    let (_, wide) = key(&world, &account, &["events.read", "users.read"], None).await;
    assert_eq!(status(world.api(), &wide, "/v1/admin/users").await, 403);
    let listed = world.send(get(EVENTS).by(&reader)).await.expect(200);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "{listed}");
    let hold = event.hold(1).by(&reader).key("key");
    world.send(hold).await.problem(403, "forbidden");
    let mut forged = reader.clone();
    forged
        .token
        .replace_range(20..21, if &forged.token[20..21] == "A" { "B" } else { "A" });
    assert_eq!(status(world.api(), &forged, EVENTS).await, 401);
}

#[tokio::test]
async fn a_key_ends_when_it_expires_is_revoked_or_loses_its_account() {
    let redis = PrivateRedis::start().await;
    let (world, second) = two_processes(&redis).await;
    let organization = world.organization().await;
    let account = service_account(&world, organization, "organizer").await;
    let expires_at = jiff::Timestamp::now() + Duration::from_secs(4);
    let (_, short) = key(&world, &account, &["events.read"], Some(expires_at.to_string())).await;
    let (revoked_id, revoked) = key(&world, &account, &["events.read"], None).await;
    let (_, last) = key(&world, &account, &["events.read"], None).await;
    for caller in [&short, &revoked, &last] {
        for api in [world.api(), second.api] {
            assert_eq!(status(api, caller, EVENTS).await, 200);
        }
    }
    let keys = format!("/v1/admin/service-accounts/{account}/api-keys");
    until("their use is noted", SOON, async || {
        let listed = world.staff(get(&keys)).await.expect(200);
        let listed = listed["data"].as_array().expect("keys").clone();
        assert!(listed.iter().all(|key| key.get("secret").is_none()));
        listed.iter().all(|key| key["last_used_at"].is_string())
    })
    .await;
    let refused = async |caller: &Caller| {
        until("it is refused everywhere", SOON, async || {
            status(world.api(), caller, EVENTS).await == 401
                && status(second.api, caller, EVENTS).await == 401
        })
        .await;
    };
    let path = format!("/v1/admin/api-keys/{revoked_id}");
    world.staff(delete(&path)).await.expect(204);
    world.staff(delete(&path)).await.problem(404, "not_found");
    refused(&revoked).await;
    refused(&short).await;
    assert_eq!(status(second.api, &last, EVENTS).await, 200);
    let path = format!("/v1/admin/service-accounts/{account}");
    world.staff(delete(path)).await.expect(204);
    refused(&last).await;
    let body = json!({"name": "Till 2", "scopes": ["events.read"]});
    world
        .staff(post(keys).json(&body))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn nobody_gives_away_what_they_do_not_hold() {
    let world = World::start().await;
    let (own, other) = (world.organization().await, world.organization().await);
    let body = json!({
        "name": "manager", "scope": "organization", "permissions": ["roles.assign", "roles.read", "events.read"],
    });
    world.staff(post("/v1/admin/roles").json(&body)).await.expect(201);
    let manager = world.hire("manager", Some(own)).await;
    let organizer = world.hire("organizer", Some(own)).await;
    let user = world.hire("buyer", None).await;
    let give = async |role: &str, organization: Option<Uuid>| {
        let body = json!({"role_id": role_id(&world, role).await, "organization_id": organization});
        let call = post(format!("/v1/admin/users/{}/roles", user.id)).json(&body);
        world.send(call.by(&manager)).await.status
    };
    assert_eq!(give("manager", Some(own)).await, 201);
    assert_eq!(give("organizer", Some(own)).await, 403);
    assert_eq!(give("manager", Some(other)).await, 404);
    assert_eq!(give("admin", None).await, 403);
    // The organizer makes service accounts, and none with more than their own rights or elsewhere.
    let try_to_make = async |role: &str, organization: Option<Uuid>| {
        let body = json!({
            "name": "Till", "organization_id": organization, "roles": [role_id(&world, role).await],
        });
        let call: Call = post("/v1/admin/service-accounts").json(&body);
        world.send(call.by(&organizer)).await
    };
    let account = try_to_make("organizer", Some(own)).await.expect(201);
    assert_eq!(try_to_make("manager", Some(own)).await.status, 403);
    assert_eq!(try_to_make("organizer", Some(other)).await.status, 404);
    assert_eq!(try_to_make("organizer", None).await.status, 403);
    let keys = format!(
        "/v1/admin/service-accounts/{}/api-keys",
        account["id"].as_str().expect("an id")
    );
    for (scopes, expected) in [
        (["events.edit"], 201),
        (["users.read"], 403),
        (["events.fly"], 422),
    ] {
        let call = post(&keys).json(&json!({"name": "Till 1", "scopes": scopes}));
        assert_eq!(
            world.send(call.by(&organizer)).await.status,
            expected,
            "{scopes:?}"
        );
    }
    // An admin gives what everybody has who registers, although admins do not buy.
    assert_eq!(assign(&world, manager.id, "buyer", None).await, 201);
    assert_eq!(assign(&world, manager.id, "organizer", None).await, 422);
}
