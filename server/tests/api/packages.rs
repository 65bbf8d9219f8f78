//! Packages: what staff may do with them, and how they are bought.

mod catalog;
mod purchases;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Call, Event, EventPlan, World, post};

/// Two events of one organization, at 10 and 20 euros.
pub(crate) async fn two_events(world: &World, capacities: [u32; 2]) -> [Event; 2] {
    let organization = world.organization().await;
    let plan = |capacity, amount| EventPlan {
        types: vec![(capacity, amount)],
        ..EventPlan::of(capacity)
    };
    [
        world.event_of(organization, &plan(capacities[0], 1_000)).await,
        world.event_of(organization, &plan(capacities[1], 2_000)).await,
    ]
}

/// What staff write: one ticket of each event, for 27 euros.
pub(crate) fn package_of(events: &[Event; 2]) -> Value {
    let inclusion =
        |event: &Event| json!({"event_id": event.id, "ticket_type_id": event.types[0], "quantity": 1});
    json!({
        "organization_id": events[0].organization,
        "name": "Both nights",
        "price": {"amount": 2_700, "currency": "EUR"},
        "status": "on_sale",
        "inclusions": [inclusion(&events[0]), inclusion(&events[1])],
    })
}

/// The id of a new package.
pub(crate) async fn make(world: &World, body: &Value) -> Uuid {
    let call = post("/v1/admin/packages").json(body);
    let made = world.staff(call).await.expect(201);
    made["id"].as_str().unwrap().parse().unwrap()
}

/// Buys so many of a package.
pub(crate) fn buy(package: Uuid, quantity: i64, payment_method: &str) -> Call {
    let body = json!({"quantity": quantity, "payment_method": payment_method});
    post(format!("/v1/packages/{package}/purchases")).json(&body)
}
