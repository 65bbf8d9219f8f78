//! What the run sells, made through the API as an organizer's program would.

use std::time::Duration;

use anyhow::Context as _;
use goose::prelude::GooseUser;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Call;
use crate::ledger::Sale;
use crate::staff::{Staff, succeed};

/// Most tickets of one line of an order.
const LINE_QUANTITY_MAX: u32 = 100;
/// Longest life of a hold, in seconds: the server's limit.
const HOLD_SECONDS_MAX: u32 = 86_400;

/// An event on sale.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) types: Vec<TicketType>,
    /// What staff wrote about it, to edit it.
    pub(crate) details: Value,
}

/// What a buyer chooses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TicketType {
    pub(crate) id: Uuid,
    pub(crate) quota_id: Uuid,
}

/// What an event shall be.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    /// When sales open, from now.
    pub(crate) opens_in: SignedDuration,
    pub(crate) hold_seconds: u32,
    /// Name and capacity of each quota, and the prices of its ticket types.
    pub(crate) quotas: Vec<(String, u32, Vec<i64>)>,
}

impl Event {
    /// Where buyers see it.
    pub(crate) fn path(&self) -> String {
        format!("/v1/events/{}", self.id)
    }

    /// Where staff see it.
    pub(crate) fn staff_path(&self) -> String {
        format!("/v1/admin/events/{}", self.id)
    }
}

/// The event that most journeys buy of: two ticket types share one quota, a third has one of its own.
pub(crate) fn main_plan(capacity: u32, hold_seconds: u32, lead: Duration) -> Plan {
    let seats = capacity / 5;
    let mut quotas = vec![("Floor".to_owned(), capacity - seats, vec![6_500, 4_500])];
    if seats > 0 {
        quotas.push(("Seats".to_owned(), seats, vec![9_000]));
    }
    Plan {
        name: "Load test",
        opens_in: SignedDuration::try_from(lead).unwrap_or(SignedDuration::ZERO),
        hold_seconds,
        quotas,
    }
}

/// An event whose every ticket type is one ticket.
pub(crate) fn race_plan(rounds: u32, hold_seconds: u32) -> Plan {
    let quota = |round: u32| (format!("Round {}", round + 1), 1, vec![1_000]);
    Plan {
        name: "Load test, last tickets",
        opens_in: SignedDuration::from_hours(-1),
        hold_seconds,
        quotas: (0..rounds).map(quota).collect(),
    }
}

/// An event whose tickets are sold before the run and shown at the door during it.
pub(crate) fn door_plan(capacity: u32) -> Plan {
    Plan {
        name: "Load test, doors",
        opens_in: SignedDuration::from_hours(-1),
        hold_seconds: 60,
        quotas: vec![("Floor".to_owned(), capacity, vec![1_000])],
    }
}

/// Makes and publishes an event.
pub(crate) async fn make(
    staff: &Staff,
    user: &mut GooseUser,
    organization_id: Uuid,
    plan: Plan,
) -> anyhow::Result<Event> {
    let details = details(organization_id, &plan)?;
    let made = staff.send(user, post("/v1/admin/events", &details)).await?;
    let id = id_of(&made.body)?;
    let path = format!("/v1/admin/events/{id}");
    let mut types = Vec::new();
    for (name, capacity, prices) in plan.quotas {
        let quota = json!({"name": name, "capacity": capacity});
        let quota_id = add(staff, user, &path, "quotas", &quota).await?;
        for (number, amount) in prices.into_iter().enumerate() {
            let name = format!("{name}, category {}", number + 1);
            let price = json!({"amount": amount, "currency": "EUR"});
            let kind = json!({"name": name, "quota_id": quota_id, "price": price});
            let id = add(staff, user, &path, "ticket-types", &kind).await?;
            types.push(TicketType { id, quota_id });
        }
    }
    let (_, tag) = staff.event(user, &path).await?;
    let publish = Call::post(format!("{path}/publish")).if_match(tag);
    staff.send(user, publish).await?;
    Ok(Event { id, types, details })
}

/// Makes an organization.
pub(crate) async fn organization(staff: &Staff, user: &mut GooseUser) -> anyhow::Result<Uuid> {
    let body = json!({"name": "Load test"});
    let made = staff.send(user, post("/v1/admin/organizations", &body)).await?;
    id_of(&made.body)
}

/// Sells so many tickets of an event to the first of the buyers; their codes, and what the buyer was told.
pub(crate) async fn sell_for_the_door(
    user: &mut GooseUser,
    event: &Event,
    buyer: &str,
    count: u32,
) -> anyhow::Result<(Vec<String>, Vec<Sale>)> {
    let kind = event.types.first().context("an event without ticket types")?;
    let (mut codes, mut sales) = (Vec::new(), Vec::new());
    let mut left = count;
    while left > 0 {
        let quantity = left.min(LINE_QUANTITY_MAX);
        left -= quantity;
        let lines = json!([{"ticket_type_id": kind.id, "quantity": quantity}]);
        let body = json!({"lines": lines, "payment_method": "sim_approve"});
        let call = post(&format!("{}/purchases", event.path()), &body).by(buyer);
        let order = succeed(user, &call).await?;
        let sale = Sale::of(&order.body, 0, Duration::ZERO);
        sales.push(sale.context("the order is not confirmed, or has no tickets")?);
        let tickets = order.body["tickets"].as_array();
        let tickets = tickets.context("the order has no tickets")?;
        codes.extend(
            tickets
                .iter()
                .filter_map(|ticket| Some(ticket["code"].as_str()?.to_owned())),
        );
    }
    Ok((codes, sales))
}

fn details(organization_id: Uuid, plan: &Plan) -> anyhow::Result<Value> {
    let now = Timestamp::now();
    let at = |from_now: SignedDuration| now.checked_add(from_now).context("the clock is out of range");
    Ok(json!({
        "organization_id": organization_id,
        "name": plan.name,
        "description": "",
        "venue": "Nowhere",
        "starts_at": at(SignedDuration::from_hours(24 * 30))?,
        "time_zone": "Europe/Berlin",
        "sales_window": {"opens_at": at(plan.opens_in)?, "closes_at": at(SignedDuration::from_hours(24 * 7))?},
        "currency": "EUR",
        "hold_duration_seconds": plan.hold_seconds,
        "hold_lifetime_seconds_max": plan.hold_seconds.saturating_mul(3).min(HOLD_SECONDS_MAX),
    }))
}

/// Adds a part under the event's present version; the answer is the event, with its parts in the order of addition.
async fn add(
    staff: &Staff,
    user: &mut GooseUser,
    event: &str,
    part: &str,
    body: &Value,
) -> anyhow::Result<Uuid> {
    let (_, tag) = staff.event(user, event).await?;
    let path = format!("{event}/{part}");
    let answer = staff.send(user, post(&path, body).if_match(tag)).await?;
    let parts = answer.body[part.replace('-', "_")].as_array();
    let last = parts.and_then(|parts| parts.last());
    id_of(last.with_context(|| format!("{path} answers no {part}"))?)
}

/// With a key of its own, so that it may be sent again.
fn post(path: &str, body: &Value) -> Call {
    Call::post(path).key(Uuid::now_v7().to_string()).json(body)
}

/// The id of what an answer shows.
pub(crate) fn id_of(body: &Value) -> anyhow::Result<Uuid> {
    let id = body["id"].as_str().context("the answer has no id")?;
    Uuid::parse_str(id).context("the id is no UUID")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quotas_of_the_event_make_its_capacity() {
        for capacity in [1, 4, 5, 1_003] {
            let plan = main_plan(capacity, 5, Duration::ZERO);
            let sum: u32 = plan.quotas.iter().map(|(_, capacity, _)| capacity).sum();
            assert_eq!(sum, capacity);
            assert!(plan.quotas.iter().all(|(_, capacity, _)| *capacity > 0));
        }
    }
}
