//! Two organizations with all that there is to be seen and done in one of them, and everybody who might try.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::Who;
use crate::support::{Call, Caller, Event, EventPlan, Reply, World, delete, get, post};

pub(super) const PASSWORD: &str = "a quiet harbour at dusk";

/// A caller with what they come in with.
struct Person {
    caller: Caller,
    email: String,
}

/// What the requests are about.
pub(super) struct Fixture {
    pub(super) world: World,
    pub(super) organization: Uuid,
    /// On sale, of the organization.
    pub(super) event: Event,
    /// Of the organization; nobody sells it.
    pub(super) draft: Event,
    /// A service account of the organization.
    pub(super) service_account: String,
    /// A role that nobody has.
    pub(super) spare_role: String,
    /// An account that nobody uses.
    pub(super) bystander: Uuid,
    /// Events at the beginning of a step, by its route.
    pub(super) at_step: BTreeMap<String, Event>,
    /// The buyer's next.
    pub(super) refresh_token: String,
    /// Ids of the buyer's holds and orders.
    pub(super) bought: Vec<String>,
    people: Vec<Person>,
    key: Caller,
    made: u32,
}

impl Fixture {
    pub(super) async fn build() -> Self {
        let world = World::start().await;
        let organization = world.organization().await;
        let event = world.event_of(organization, &EventPlan::of(1_000)).await;
        let unpublished = EventPlan {
            publish: false,
            ..EventPlan::of(10)
        };
        let draft = world.event_of(organization, &unpublished).await;
        let role = json!({"name": "spare", "scope": "organization", "permissions": ["events.read"]});
        let spare_role = text(
            &world.staff(post("/v1/admin/roles").json(&role)).await.expect(201),
            "id",
        );
        let service_account = service_account(&world, organization).await;
        let key = key_without_scope(&world, &service_account).await;
        let bystander = register(&world, "bystander@test.example").await.caller.id;
        let people = people(&world, organization).await;
        let session = log_in(&world, "buyer@test.example").await;
        Self {
            world,
            organization,
            event,
            draft,
            service_account,
            spare_role,
            bystander,
            at_step: BTreeMap::new(),
            refresh_token: text(&session, "refresh_token"),
            bought: vec![],
            people,
            key,
            made: 0,
        }
    }

    /// A text that was not used before.
    pub(super) fn fresh(&mut self) -> String {
        self.made += 1;
        format!("fresh{}", self.made)
    }

    fn caller(&self, who: Who) -> Option<&Caller> {
        match who {
            Who::Anonymous => None,
            Who::KeyWithoutScope => Some(&self.key),
            _ => Some(&self.people[who as usize - 1].caller),
        }
    }

    /// Somebody who is let do what the fixture needs.
    pub(super) fn buyer(&self) -> &Caller {
        &self.people[Who::Buyer as usize - 1].caller
    }

    /// A caller's account; nil for who has none.
    pub(super) fn id(&self, who: Who) -> Uuid {
        self.caller(who).map_or(Uuid::nil(), |caller| caller.id)
    }

    /// A request of a route, that would succeed for who may make it.
    pub(super) async fn call(&mut self, route: &str, who: Who) -> Call {
        if let Some(call) = self.account_call(route) {
            return call;
        }
        if let Some(call) = self.sale_call(route).await {
            return call;
        }
        if let Some(call) = self.package_call(route).await {
            return call;
        }
        if let Some(call) = self.door_call(route).await {
            return call;
        }
        if let Some(call) = self.event_call(route).await {
            return call;
        }
        let call = self.access_call(route).await;
        call.unwrap_or_else(|| panic!("{who:?}: how is {route} called?"))
    }

    pub(super) async fn send(&self, call: Call, who: Who) -> Reply {
        match self.caller(who) {
            Some(caller) => self.world.send(call.by(caller)).await,
            None => self.world.send(call).await,
        }
    }

    /// What somebody was told of that is not theirs: another organization, or what another buyer bought.
    pub(super) fn told_too_much(&self, path: &str, who: Who, reply: &Reply) -> Option<String> {
        let body = String::from_utf8_lossy(&reply.raw);
        let is_foreign = match who {
            Who::OtherOrganizer if path.starts_with("/v1/admin/") => {
                body.contains(&self.organization.to_string())
            }
            Who::OtherBuyer => self.bought.iter().any(|id| body.contains(id)),
            _ => false,
        };
        is_foreign.then(|| format!("{path} tells {who:?}: {body}"))
    }

    /// Puts back what a request took that succeeded: an event's step, a refresh token, somebody's session.
    pub(super) async fn mend(&mut self, route: &str, who: Who, reply: &Reply) {
        if !(200..300).contains(&reply.status) {
            return;
        }
        self.at_step.remove(route);
        if route == "POST /v1/auth/refresh" {
            self.refresh_token = text(&reply.json(), "refresh_token");
        }
        let token = match route {
            "PUT /v1/auth/password" => text(&reply.json(), "access_token"),
            "POST /v1/auth/logout" | "POST /v1/auth/logout-everywhere" => {
                let email = &self.people[who as usize - 1].email;
                text(&log_in(&self.world, email).await, "access_token")
            }
            _ => return,
        };
        self.people[who as usize - 1].caller.token = token;
    }
}

/// One text of an object.
#[track_caller]
pub(super) fn text(object: &Value, field: &str) -> String {
    let text = object[field].as_str();
    text.unwrap_or_else(|| panic!("no {field}: {object}")).to_owned()
}

async fn log_in(world: &World, email: &str) -> Value {
    let body = json!({"email": email, "password": PASSWORD});
    world.send(post("/v1/auth/login").json(&body)).await.expect(200)
}

async fn register(world: &World, email: &str) -> Person {
    let body = json!({"email": email, "password": PASSWORD, "name": "Somebody"});
    let session = world
        .send(post("/v1/auth/register").json(&body))
        .await
        .expect(201);
    Person {
        caller: Caller {
            id: text(&session["user"], "id").parse().expect("an id"),
            session: Uuid::nil(),
            token: text(&session, "access_token"),
        },
        email: email.to_owned(),
    }
}

/// In the order of [`Who`], from the buyer to the admin.
async fn people(world: &World, organization: Uuid) -> Vec<Person> {
    let elsewhere = world.organization().await;
    let mut people = vec![
        register(world, "buyer@test.example").await,
        register(world, "other-buyer@test.example").await,
    ];
    for (email, role, organization) in [
        ("organizer@test.example", "organizer", Some(organization)),
        ("other-organizer@test.example", "organizer", Some(elsewhere)),
        ("support@test.example", "support", None),
        ("scanner@test.example", "scanner", Some(organization)),
        ("admin@test.example", "admin", None),
    ] {
        people.push(hired(world, email, role, organization).await);
    }
    people
}

/// Somebody with this role and no other, who came in by password.
async fn hired(world: &World, email: &str, role: &str, organization: Option<Uuid>) -> Person {
    let mut person = register(world, email).await;
    let path = format!("/v1/admin/users/{}/roles", person.caller.id);
    let body = json!({"role_id": role_id(world, role).await, "organization_id": organization});
    world.staff(post(&path).json(&body)).await.expect(201);
    // Who registers may buy.
    let buyer = role_id(world, "buyer").await;
    let taken = world.staff(delete(format!("{path}/{buyer}"))).await;
    assert_eq!(taken.status, 204, "{taken:?}");
    person.caller.token = text(&log_in(world, email).await, "access_token");
    person
}

pub(super) async fn role_id(world: &World, name: &str) -> String {
    let roles = world.staff(get("/v1/admin/roles")).await.expect(200);
    let roles = roles["data"].as_array().expect("roles");
    text(roles.iter().find(|role| role["name"] == name).expect(name), "id")
}

/// A program that organizes.
pub(super) async fn service_account(world: &World, organization: Uuid) -> String {
    let roles = [role_id(world, "organizer").await];
    let body = json!({"name": "Till", "organization_id": organization, "roles": roles});
    let call = post("/v1/admin/service-accounts").json(&body);
    text(&world.staff(call).await.expect(201), "id")
}

/// A key of a service account: what the API tells of it this once.
pub(super) async fn api_key(world: &World, service_account: &str) -> Value {
    let path = format!("/v1/admin/service-accounts/{service_account}/api-keys");
    let body = json!({"name": "Door", "scopes": ["check_ins.create"]});
    world.staff(post(path).json(&body)).await.expect(201)
}

async fn key_without_scope(world: &World, service_account: &str) -> Caller {
    Caller {
        id: service_account.parse().expect("an id"),
        session: Uuid::nil(),
        token: text(&api_key(world, service_account).await, "secret"),
    }
}
