//! What the tests share.

mod sale;

use std::time::Duration;

use onsale_domain::{EventId, HoldId, UnixMillis};
use onsale_engine::port::{Chain, Epoch, JournalEntry};
use onsale_persistence::audit::{self, Rows};
use onsale_persistence::{Actor, AuditEntry, AuditOutcome, Database, DatabaseConfig, EventFilter, EventRow};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

pub(crate) use sale::{Held, Made, Rng, Sale};

/// A database of its own, dropped with this.
pub(crate) struct TestDatabase {
    server_url: String,
    name: String,
    pub(crate) database: Database,
}

impl TestDatabase {
    pub(crate) async fn new() -> Self {
        Self::with_connections(5).await
    }

    pub(crate) async fn with_connections(connections_max: u32) -> Self {
        let this = Self::empty(connections_max).await;
        this.database.migrate().await.expect("migrate");
        this
    }

    /// Without tables.
    pub(crate) async fn empty(connections_max: u32) -> Self {
        let server_url = std::env::var("DATABASE_URL").expect(
            "these tests need DATABASE_URL, a Postgres where they may create databases: run `cargo xtask test`",
        );
        let name = format!("onsale_test_{}", Uuid::now_v7().simple());
        execute(&server_url, &format!("CREATE DATABASE {name}")).await;
        let database = Database::connect(&DatabaseConfig {
            connections_max,
            ..DatabaseConfig::new(url_of(&server_url, &name))
        })
        .await
        .expect("connect");
        Self {
            server_url,
            name,
            database,
        }
    }

    pub(crate) fn url(&self) -> String {
        url_of(&self.server_url, &self.name)
    }

    /// A session of somebody else's.
    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.expect("connect")
    }

    /// Runs SQL that is not the crate's.
    pub(crate) async fn execute(&self, sql: &str) {
        execute(&self.url(), sql).await;
    }

    /// What the projection wrote about an event.
    pub(crate) async fn rows(&self, event_id: EventId) -> Rows {
        audit::load(&self.database, event_id).await.expect("rows")
    }

    /// An event's row.
    pub(crate) async fn event(&self, event_id: EventId) -> Option<EventRow> {
        let events = self.database.events(&EventFilter::default(), None, 1_000).await;
        let mut events = events.expect("events").into_iter();
        events.find(|event| event.event_id == event_id)
    }

    /// When a hold was placed and how many tickets its lines add up to, which no query of the crate reads.
    pub(crate) async fn placed(&self, event_id: EventId, hold_id: HoldId) -> (i64, i64) {
        let mut connection = PgConnection::connect(&self.url()).await.expect("connect");
        let placed = sqlx::query_as(
            "SELECT (extract(epoch FROM placed_at) * 1000)::bigint,
                    (SELECT sum((line ->> 'quantity')::bigint)::bigint FROM jsonb_array_elements(lines) AS line)
             FROM holds WHERE event_id = $1 AND hold_id = $2",
        )
        .bind(event_id.0)
        .bind(hold_id.0)
        .fetch_one(&mut connection)
        .await
        .expect("a hold");
        let _ = connection.close().await;
        placed
    }

    /// A further handle, as another process would have.
    pub(crate) async fn another(&self) -> Database {
        Database::connect(&DatabaseConfig::new(self.url()))
            .await
            .expect("connect")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (url, name) = (self.server_url.clone(), self.name.clone());
        // The test's own runtime cannot wait for this here.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(execute(&url, &format!("DROP DATABASE {name} WITH (FORCE)")));
        });
        let _ = dropping.join();
    }
}

async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.expect("connect");
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let _ = connection.close().await;
}

fn url_of(server_url: &str, name: &str) -> String {
    let (server, _) = server_url
        .rsplit_once('/')
        .expect("DATABASE_URL ends in /database");
    format!("{server}/{name}")
}

pub(crate) fn event_id() -> EventId {
    EventId(Uuid::now_v7())
}

/// Entries of an event, chained. The payload is not looked into by journals.
pub(crate) struct Entries {
    pub(crate) event_id: EventId,
    pub(crate) epoch: Epoch,
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
}

impl Entries {
    pub(crate) fn new(event_id: EventId, epoch: Epoch) -> Self {
        Self {
            event_id,
            epoch,
            seq: 0,
            chain: Chain::default(),
        }
    }

    /// The next entry, of so many records.
    pub(crate) fn next(&mut self, records: u64, payload: &[u8]) -> JournalEntry {
        let entry = self.peek(records, payload);
        self.seq = entry.last_seq;
        self.chain = entry.chain;
        entry
    }

    /// An entry that would come next.
    pub(crate) fn peek(&self, records: u64, payload: &[u8]) -> JournalEntry {
        let mut entry = JournalEntry {
            event_id: self.event_id,
            epoch: self.epoch,
            first_seq: self.seq + 1,
            last_seq: self.seq + records,
            chain: Chain::default(),
            payload: payload.to_vec().into(),
        };
        entry.chain = entry.chain_after(self.chain);
        entry
    }
}

/// Checks that every entry's chain follows from the one before.
pub(crate) fn chain_holds(entries: &[JournalEntry]) -> bool {
    entries
        .iter()
        .try_fold(Chain::default(), |before, entry| {
            (entry.chain_after(before) == entry.chain).then_some(entry.chain)
        })
        .is_some()
}

/// Waits until something is so, for at most ten seconds.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not within ten seconds");
}

/// What the audit log says of an organization that a test makes.
pub(crate) fn creation() -> AuditEntry {
    AuditEntry::new(
        UnixMillis(0),
        Actor::SYSTEM,
        "organizations.create",
        AuditOutcome::Done,
    )
}
