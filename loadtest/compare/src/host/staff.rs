//! The organizer's part, over the API as an organizer's program would do it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use onsale_domain::UnixMillis;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;
use uuid::Uuid;

use super::onsale::Admin;
use crate::clock;
use crate::contender::Sale;
use crate::load::Connection;

/// No hold ends by itself while it is counted.
const HOLD_SECONDS: u32 = 12 * 3_600;
const HOUR_MS: i64 = 3_600_000;
/// The sales window moves an event a moment after it was published.
const ON_SALE_POLL: Duration = Duration::from_millis(10);
const ON_SALE_POLLS: u32 = 1_000;
/// What who asks too often is told, and how long they then wait.
const TOO_MANY_REQUESTS: u16 = 429;
const TOO_MANY_PAUSE: Duration = Duration::from_millis(50);

/// Somebody who may make events.
struct Organizer {
    connection: Connection,
    token: String,
    organization_id: Uuid,
}

/// Puts as many events on sale, with a ticket type of this price and capacity each. The admins share the work.
pub(super) async fn open_sales(
    api: SocketAddr,
    admins: &[Admin],
    count: usize,
    capacity: u32,
    price: u32,
) -> anyhow::Result<Vec<Sale>> {
    let mut making = JoinSet::new();
    for (number, admin) in admins.iter().enumerate() {
        let events = count / admins.len() + usize::from(number < count % admins.len());
        let admin = admin.clone();
        making.spawn(async move {
            let mut organizer = Organizer::log_in(api, &admin).await?;
            let mut sales = Vec::with_capacity(events);
            for _ in 0..events {
                sales.push(organizer.open_sale(capacity, price).await?);
            }
            for sale in &sales {
                organizer.wait_for(sale).await?;
            }
            anyhow::Ok(sales)
        });
    }
    let mut sales = Vec::with_capacity(count);
    while let Some(made) = making.join_next().await {
        sales.extend(made??);
    }
    Ok(sales)
}

impl Organizer {
    async fn log_in(api: SocketAddr, admin: &Admin) -> anyhow::Result<Self> {
        let mut organizer = Self {
            connection: Connection::open(api).await?,
            token: String::new(),
            organization_id: Uuid::nil(),
        };
        let body = json!({"email": admin.email, "password": admin.password});
        let (session, _) = organizer
            .call("POST", "/v1/auth/login", None, Some(&body))
            .await?;
        organizer.token = session["access_token"]
            .as_str()
            .context("the login gave no token")?
            .to_owned();
        let body = json!({"name": "A comparison"});
        let (organization, _) = organizer
            .call("POST", "/v1/admin/organizations", None, Some(&body))
            .await?;
        organizer.organization_id = id_of(&organization)?;
        Ok(organizer)
    }

    async fn open_sale(&mut self, capacity: u32, price: u32) -> anyhow::Result<Sale> {
        let body = event(self.organization_id);
        let (event, tag) = self.call("POST", "/v1/admin/events", None, Some(&body)).await?;
        let event_id = id_of(&event)?;
        let path = format!("/v1/admin/events/{event_id}");
        let quota = json!({"name": "All", "capacity": capacity});
        let (event, tag) = self
            .call("POST", &format!("{path}/quotas"), tag, Some(&quota))
            .await?;
        let price = json!({"amount": price, "currency": "EUR"});
        let ticket_type = json!({"name": "Ticket", "quota_id": id_of(&event["quotas"][0])?, "price": price});
        let (event, tag) = self
            .call("POST", &format!("{path}/ticket-types"), tag, Some(&ticket_type))
            .await?;
        self.call("POST", &format!("{path}/publish"), tag, None).await?;
        Ok(Sale {
            event_id,
            ticket_type_id: id_of(&event["ticket_types"][0])?,
        })
    }

    /// Waits until an event is on sale.
    async fn wait_for(&mut self, sale: &Sale) -> anyhow::Result<()> {
        let path = format!("/v1/events/{}", sale.event_id);
        for _ in 0..ON_SALE_POLLS {
            let (event, _) = self.call("GET", &path, None, None).await?;
            if event["status"] == "on_sale" {
                return Ok(());
            }
            sleep(ON_SALE_POLL).await;
        }
        anyhow::bail!("event {} does not come on sale", sale.event_id)
    }

    /// Sends a call; the body and the tag of its answer.
    async fn call(
        &mut self,
        method: &str,
        path: &str,
        if_match: Option<String>,
        body: Option<&Value>,
    ) -> anyhow::Result<(Value, Option<String>)> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let length = body.len();
        let mut headers = vec![format!("host: localhost\r\ncontent-length: {length}\r\n")];
        if !body.is_empty() {
            headers.push("content-type: application/json\r\n".to_owned());
        }
        if !self.token.is_empty() {
            headers.push(format!("authorization: Bearer {}\r\n", self.token));
        }
        if method == "POST" {
            headers.push(format!("idempotency-key: {}\r\n", Uuid::now_v7()));
        }
        if let Some(tag) = if_match {
            headers.push(format!("if-match: {tag}\r\n"));
        }
        let headers = headers.concat();
        let request = format!("{method} {path} HTTP/1.1\r\n{headers}\r\n{body}");
        let mut status = self.connection.ask(&request).await?;
        while status == TOO_MANY_REQUESTS {
            sleep(TOO_MANY_PAUSE).await;
            status = self.connection.ask(&request).await?;
        }
        let answer = String::from_utf8_lossy(self.connection.body());
        ensure!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        let tag = self.connection.header("etag").map(str::to_owned);
        Ok((
            serde_json::from_str(&answer).context("an answer that is not JSON")?,
            tag,
        ))
    }
}

fn event(organization_id: Uuid) -> Value {
    let now = clock::now();
    let hours = |hours: i64| UnixMillis(now.0 + hours * HOUR_MS).to_timestamp().to_string();
    json!({
        "organization_id": organization_id,
        "name": "A comparison",
        "description": "",
        "venue": "Here",
        "starts_at": hours(24 * 30),
        "time_zone": "Europe/Berlin",
        "sales_window": {"opens_at": hours(-1), "closes_at": hours(24)},
        "currency": "EUR",
        "hold_duration_seconds": HOLD_SECONDS,
        "hold_lifetime_seconds_max": HOLD_SECONDS,
    })
}

fn id_of(body: &Value) -> anyhow::Result<Uuid> {
    let id = body["id"].as_str().with_context(|| format!("no id: {body}"))?;
    Ok(id.parse()?)
}
