//! A deployment for one test, and what staff do in it.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::{Call, Caller, Journal, Reply, Server, TestDatabase, get, post, until};

/// A database, a directory and one serving process.
pub struct World {
    // Dropped in this order: the process must not outlive its storage.
    pub server: Server,
    pub database: TestDatabase,
    pub directory: TempDir,
    pub admin: Caller,
}

/// What an event shall be.
#[derive(Clone, Debug)]
pub struct EventPlan {
    pub name: &'static str,
    /// Capacity and price of each ticket type, each with a quota of its own.
    pub types: Vec<(u32, i64)>,
    pub hold_seconds: i64,
    pub hold_seconds_max: i64,
    pub buyer_limit: Option<u32>,
    /// When sales open, in seconds from now.
    pub opens_in: i64,
    /// When sales close, in seconds from now.
    pub closes_in: i64,
    pub publish: bool,
}

impl EventPlan {
    /// One ticket type at ten euros.
    pub fn of(capacity: u32) -> Self {
        Self {
            name: "A concert",
            types: vec![(capacity, 1_000)],
            hold_seconds: 60,
            hold_seconds_max: 120,
            buyer_limit: None,
            opens_in: -3_600,
            closes_in: 86_400,
            publish: true,
        }
    }

    /// What staff send.
    pub fn body(&self, organization: Uuid) -> Value {
        json!({
            "organization_id": organization,
            "name": self.name,
            "description": "Loud.",
            "venue": "The hall",
            "starts_at": in_seconds(30 * 86_400),
            "time_zone": "Europe/Berlin",
            "sales_window": {"opens_at": in_seconds(self.opens_in), "closes_at": in_seconds(self.closes_in)},
            "currency": "EUR",
            "hold_duration_seconds": self.hold_seconds,
            "hold_lifetime_seconds_max": self.hold_seconds_max,
            "buyer_limit": self.buyer_limit,
        })
    }
}

/// An event that staff made.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: Uuid,
    pub organization: Uuid,
    pub types: Vec<Uuid>,
    pub quotas: Vec<Uuid>,
}

impl Event {
    pub fn path(&self) -> String {
        format!("/v1/events/{}", self.id)
    }

    pub fn staff_path(&self) -> String {
        format!("/v1/admin/events/{}", self.id)
    }

    /// Lines of one request: so many of the first ticket type.
    pub fn lines(&self, quantity: i64) -> Value {
        json!([{"ticket_type_id": self.types[0], "quantity": quantity}])
    }

    pub fn hold(&self, quantity: i64) -> Call {
        let body = json!({"lines": self.lines(quantity)});
        post(format!("{}/holds", self.path())).json(&body)
    }

    pub fn purchase(&self, quantity: i64, payment_method: &str) -> Call {
        let body = json!({"lines": self.lines(quantity), "payment_method": payment_method});
        post(format!("{}/purchases", self.path())).json(&body)
    }
}

impl World {
    /// A migrated database and a ready process on the local journal.
    pub async fn start() -> Self {
        Self::with(Journal::Local, &[]).await
    }

    /// A migrated database and a ready process.
    pub async fn with(journal: Journal, settings: &[(&str, &str)]) -> Self {
        let mut world = Self::prepare(journal, settings);
        world.migrate().await;
        world.server.start().await;
        world
    }

    /// An empty database and a process that does not run.
    pub fn prepare(journal: Journal, settings: &[(&str, &str)]) -> Self {
        Self::on(TestDatabase::create(), journal, settings)
    }

    /// A process that does not run, on a database that is there.
    pub fn on(database: TestDatabase, journal: Journal, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("directory");
        let server = Server::prepare("one", directory.path(), &database.url(), journal, settings);
        Self {
            server,
            database,
            directory,
            admin: Caller::new(&["admin"]),
        }
    }

    /// Brings the schema up and makes the admin.
    pub async fn migrate(&self) {
        self.server.migrate();
        self.database.hire(&self.admin, "admin", None).await;
    }

    /// A new member of staff.
    pub async fn hire(&self, role: &str, organization: Option<Uuid>) -> Caller {
        let caller = Caller::new(&[]);
        self.database.hire(&caller, role, organization).await;
        caller
    }

    /// A further process on the same database and directory.
    pub fn another(&self, name: &str, journal: Journal) -> Server {
        Server::prepare(name, self.directory.path(), &self.database.url(), journal, &[])
    }

    pub fn api(&self) -> SocketAddr {
        self.server.api
    }

    /// Sends to the API.
    pub async fn send(&self, call: Call) -> Reply {
        call.send(self.api()).await
    }

    /// Sends as the admin.
    pub async fn staff(&self, call: Call) -> Reply {
        self.send(call.by(&self.admin)).await
    }

    pub async fn organization(&self) -> Uuid {
        let call = post("/v1/admin/organizations").json(&json!({"name": "A promoter"}));
        id(&self.staff(call).await.expect(201))
    }

    /// An event on sale, as planned, of an organization of its own.
    pub async fn event(&self, plan: &EventPlan) -> Event {
        let organization = self.organization().await;
        self.event_of(organization, plan).await
    }

    /// An event as planned.
    pub async fn event_of(&self, organization: Uuid, plan: &EventPlan) -> Event {
        let call = post("/v1/admin/events").json(&plan.body(organization));
        let mut event = Event {
            id: id(&self.staff(call).await.expect(201)),
            organization,
            types: vec![],
            quotas: vec![],
        };
        for (position, &(capacity, amount)) in plan.types.iter().enumerate() {
            let quota = json!({"name": format!("Quota {position}"), "capacity": capacity});
            event.quotas.push(self.add(&event, "quotas", &quota).await);
            let price = json!({"amount": amount, "currency": "EUR"});
            let name = format!("Type {position}");
            let ticket_type = json!({"name": name, "quota_id": event.quotas[position], "price": price});
            event
                .types
                .push(self.add(&event, "ticket-types", &ticket_type).await);
        }
        if plan.publish {
            let call = post(format!("{}/publish", event.staff_path()));
            self.staff(call).await.expect(200);
            // Tests compare what is available: the opening of the sale must be behind them.
            if plan.opens_in <= 0 && plan.closes_in > 0 {
                self.shows(&event, "on_sale").await;
            }
        }
        event
    }

    /// Adds a part to an event, at its present version.
    async fn add(&self, event: &Event, part: &str, body: &Value) -> Uuid {
        let call = post(format!("{}/{part}", event.staff_path())).if_match(self.version(event).await);
        let body = self.staff(call.json(body)).await.expect(201);
        let parts = body[part.replace('-', "_")].as_array().expect("parts");
        id(parts.last().expect("the new part"))
    }

    /// The event's tag.
    pub async fn version(&self, event: &Event) -> String {
        let reply = self.staff(get(event.staff_path())).await;
        reply.expect(200);
        reply.header("etag").to_owned()
    }

    /// Waits until buyers see the event at a status: the sales window moves it a moment after staff published it.
    pub async fn shows(&self, event: &Event, status: &str) {
        until(status, Duration::from_secs(5), async || {
            self.send(get(event.path())).await.text("status") == status
        })
        .await;
    }

    /// What is available, whole.
    pub async fn availability(&self, event: &Event) -> Value {
        self.send(get(format!("{}/availability", event.path())))
            .await
            .expect(200)
    }

    /// `(available, held, sold)` of the first ticket type.
    pub async fn counts(&self, event: &Event) -> (u64, u64, u64) {
        let body = self.availability(event).await;
        let count = |name: &str| body["ticket_types"][0][name].as_u64().expect(name);
        (count("available"), count("held"), count("sold"))
    }

    /// Waits until Postgres has everything, and every payment is where it is going.
    pub async fn settled(&self) {
        until("the projection catches up", Duration::from_secs(30), async || {
            self.server.readiness().await["write_behind_lag_records"] == 0
        })
        .await;
        // A process that was killed leaves its jobs claimed for half a minute.
        until("payments settle", Duration::from_mins(1), async || {
            let open = "SELECT count(*) FROM payments WHERE status IN ('authorized', 'voiding', 'refunding')";
            self.database.number(open).await == 0
        })
        .await;
    }

    /// Stops the process gracefully and audits journal and tables.
    pub async fn stop_and_audit(&mut self) -> Value {
        self.server.stop().await;
        let output = self.server.run(&["audit", "--json"]);
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "audit: {report}\n{log}");
        self.server.assert_no_panic();
        serde_json::from_str(&report).expect("the audit's report")
    }
}

fn id(body: &Value) -> Uuid {
    let id = body["id"].as_str().and_then(|id| id.parse().ok());
    id.unwrap_or_else(|| panic!("no id: {body}"))
}

/// So many seconds from now, as the API writes instants.
fn in_seconds(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = i64::try_from(now.as_secs()).expect("seconds");
    jiff::Timestamp::from_second(now + seconds)
        .expect("instant")
        .to_string()
}
