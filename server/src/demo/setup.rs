//! The organizer's part: makes the event over the public API, as an organizer's program would.

use anyhow::{Context as _, bail};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::api::{self, Call, Reply};
use super::connections::Connections;
use super::plan::Plan;
use super::process::Admin;
use super::random::Random;

/// Most live tickets of one buyer: what stops the bots.
const BUYER_LIMIT: u32 = 4;
/// How long a hold lives. Short, so that abandoned holds come back while the storm lasts.
const HOLD_SECONDS: u32 = 2;

/// What is on sale.
#[derive(Clone, Debug)]
pub(crate) struct Sale {
    /// The event.
    pub(crate) event_id: Uuid,
    /// Its ticket types.
    pub(crate) ticket_type_ids: Vec<Uuid>,
}

struct Organizer<'a> {
    connections: &'a Connections,
    token: String,
    random: Random,
    keys: u32,
}

/// Makes organization, event, quotas and ticket types, and opens the sale. Two ticket types share one quota: what is
/// sold of one is gone for the other.
pub(crate) async fn open_sale(connections: &Connections, admin: &Admin, plan: &Plan) -> anyhow::Result<Sale> {
    let mut organizer = Organizer {
        connections,
        token: String::new(),
        random: Random::new(plan.seed, u64::MAX - 1),
        keys: 0,
    };
    organizer.log_in(admin).await?;
    let organization = json!({"name": "Storm Hall"});
    let organization_id = organizer.create("/v1/admin/organizations", organization).await?;
    let event_id = organizer
        .create("/v1/admin/events", event(organization_id)?)
        .await?;
    let event = format!("/v1/admin/events/{event_id}");

    let seats = plan.capacity / 5;
    let floor = organizer
        .add(
            &event,
            "quotas",
            json!({"name": "Floor", "capacity": plan.capacity - seats}),
        )
        .await?;
    let seated = organizer
        .add(&event, "quotas", json!({"name": "Seats", "capacity": seats}))
        .await?;
    let mut ticket_type_ids = Vec::new();
    for (name, quota_id, amount) in [
        ("Floor", floor, 6_500),
        ("Floor, reduced", floor, 4_500),
        ("Seat", seated, 9_000),
    ] {
        let price = json!({"amount": amount, "currency": "EUR"});
        let ticket_type = json!({"name": name, "quota_id": quota_id, "price": price});
        ticket_type_ids.push(organizer.add(&event, "ticket-types", ticket_type).await?);
    }
    organizer.publish(&event).await?;
    Ok(Sale {
        event_id,
        ticket_type_ids,
    })
}

fn event(organization_id: Uuid) -> anyhow::Result<Value> {
    let now = Timestamp::now();
    let hours = |hours: i64| {
        now.checked_add(hours.hours())
            .context("the clock is out of range")
    };
    Ok(json!({
        "organization_id": organization_id,
        "name": "The Storm, live",
        "description": "One night only.",
        "venue": "Storm Hall",
        "starts_at": hours(24 * 30)?,
        "time_zone": "Europe/Berlin",
        "sales_window": {"opens_at": hours(-1)?, "closes_at": hours(24)?},
        "currency": "EUR",
        "hold_duration_seconds": HOLD_SECONDS,
        "hold_lifetime_seconds_max": HOLD_SECONDS * 5,
        "buyer_limit": BUYER_LIMIT,
    }))
}

impl Organizer<'_> {
    async fn log_in(&mut self, admin: &Admin) -> anyhow::Result<()> {
        let body = json!({"email": admin.email, "password": admin.password});
        let (session, _) = self.call("POST", "/v1/auth/login", None, Some(body)).await?;
        let token = session["access_token"].as_str();
        token
            .context("the login gave no token")?
            .clone_into(&mut self.token);
        Ok(())
    }

    /// Posts a new thing; its id.
    async fn create(&mut self, path: &str, body: Value) -> anyhow::Result<Uuid> {
        let (body, _) = self.call("POST", path, None, Some(body)).await?;
        id_of(&body).with_context(|| format!("POST {path}"))
    }

    /// Posts a part of the event, under the event's present version.
    async fn add(&mut self, event: &str, part: &str, body: Value) -> anyhow::Result<Uuid> {
        let version = self.version(event).await?;
        let path = format!("{event}/{part}");
        let (body, _) = self.call("POST", &path, Some(version), Some(body)).await?;
        // The answer is the whole event; parts stand in the order in which they were added.
        let parts = body[part.replace('-', "_")]
            .as_array()
            .and_then(|parts| parts.last());
        let part = parts.with_context(|| format!("POST {path} answers no {part}"))?;
        id_of(part)
    }

    async fn publish(&mut self, event: &str) -> anyhow::Result<()> {
        let version = self.version(event).await?;
        self.call("POST", &format!("{event}/publish"), Some(version), None)
            .await?;
        Ok(())
    }

    async fn version(&mut self, event: &str) -> anyhow::Result<String> {
        let (_, etag) = self.call("GET", event, None, None).await?;
        etag.with_context(|| format!("GET {event} has no ETag"))
    }

    async fn call(
        &mut self,
        method: &'static str,
        path: &str,
        if_match: Option<String>,
        body: Option<Value>,
    ) -> anyhow::Result<(Value, Option<String>)> {
        self.keys += 1;
        let call = Call {
            method,
            path: path.to_owned(),
            token: self.token.as_str().into(),
            key: (method != "GET").then(|| format!("demo-setup-{}", self.keys)),
            if_match,
            body,
        };
        match api::send(self.connections, &call, &mut self.random, || ()).await? {
            Reply::Done { body, etag, .. } => Ok((body, etag)),
            Reply::Refused { code, detail, .. } => bail!("{method} {path}: {code}: {detail}"),
            Reply::GaveUp => bail!("{method} {path}: no answer"),
        }
    }
}

fn id_of(body: &Value) -> anyhow::Result<Uuid> {
    let id = body["id"].as_str().context("the answer has no id")?;
    Uuid::parse_str(id).context("the id is no UUID")
}
