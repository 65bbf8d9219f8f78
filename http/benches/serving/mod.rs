//! A whole server for benchmarks, over each journal in turn, and clients for it.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::panic,
    reason = "each benchmark uses a part"
)]

mod asked;
mod client;
mod nowhere;
#[path = "../../../engine/tests/support/mod.rs"]
pub mod support;
mod traced;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use asked::{Asked, echo};
use axum::Router;
pub use client::{Client, Connection};
use nowhere::Nowhere;
use onsale_domain::{EmailAddress, EventId, SessionId, TicketTypeId, UserId};
use onsale_engine::port::{Clock, Journal, ProjectionSink, SystemClock};
use onsale_engine::{Engine, EngineConfig};
use onsale_http::{Gate, Rate, RateLimitConfig, ServeLimits};
use onsale_persistence::{
    Database, DatabaseConfig, FolderStore, LocalJournal, PostgresJournal, PostgresProjection,
};
use onsale_services::{
    ACCESS_TOKEN_LIFETIME_MS, AuditWriter, Dependencies, Gateways, Grant, Registration, Services,
    ServicesConfig, SimulatedGateway, TicketKeys, TokenKeys, Tokens,
};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const CONNECTIONS: usize = 256;

/// A server under load: tokens, limits, metrics and the projection are on.
pub struct Server {
    pub address: SocketAddr,
    pub engine: Engine,
    pub services: Services,
    database: Database,
    clock: Arc<dyn Clock>,
}

/// An event on sale and the ticket type that is asked for.
#[derive(Clone, Copy)]
pub struct Sale {
    pub event_id: EventId,
    pub ticket_type_id: TicketTypeId,
}

/// Where the journal's records are written behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// Into Postgres, as ever.
    On,
    /// Nowhere, to see what it costs.
    Off,
}

/// Measures a server over each journal. The server has a runtime of its own. `further` are routes beside ours.
pub fn over_both_journals(further: fn() -> Router, measure: impl Fn(&Runtime, &Server)) {
    over_both_journals_with(&[Projection::On], further, measure);
}

/// The same, with the projection as it is said, one after the other.
pub fn over_both_journals_with(
    projections: &[Projection],
    further: fn() -> Router,
    measure: impl Fn(&Runtime, &Server),
) {
    let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| panic!("run it under `cargo xtask pg --`"));
    let serving = named_runtime(SERVING);
    let _ = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder();
    let directory = tempfile::tempdir().unwrap();
    let mut journals = Vec::new();
    let database = serving.block_on(async {
        let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
        database.migrate().await.unwrap();
        let local = LocalJournal::open(directory.path(), database.clone());
        let local: Arc<dyn Journal> = Arc::new(local.await.unwrap());
        let postgres = PostgresJournal::start(database.clone(), "benchmark");
        let postgres: Arc<dyn Journal> = Arc::new(postgres.await.unwrap());
        journals.extend([local, postgres]);
        database
    });
    for journal in journals {
        for projection in projections {
            println!("journal {}, projection {projection:?}", journal.name());
            let journal = Arc::clone(&journal);
            let server = Server::start(journal, database.clone(), *projection, further());
            let server = serving.block_on(server);
            measure(&serving, &server);
            serving.block_on(server.engine.shutdown(Duration::from_secs(20)));
        }
    }
}

/// What the threads of the server's runtime are called.
pub const SERVING: &str = "serving";

/// A runtime for a load generator.
pub fn runtime() -> Runtime {
    named_runtime("asking")
}

fn named_runtime(name: &str) -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name(name)
        .enable_all()
        .build()
        .unwrap()
}

impl Server {
    async fn start(
        journal: Arc<dyn Journal>,
        database: Database,
        projection: Projection,
        further: Router,
    ) -> Self {
        let projection: Arc<dyn ProjectionSink> = match projection {
            Projection::On => Arc::new(PostgresProjection::new(database.clone())),
            Projection::Off => Arc::new(Nowhere),
        };
        Self::start_with(journal, projection, database, further, ServeLimits::default()).await
    }

    pub async fn start_with(
        journal: Arc<dyn Journal>,
        projection: Arc<dyn ProjectionSink>,
        database: Database,
        further: Router,
        serve_limits: ServeLimits,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let engine = Engine::start(EngineConfig::default(), journal, projection, Arc::clone(&clock))
            .await
            .unwrap();
        // The limits are on and checked, and above what one buyer of a benchmark asks for.
        let rate = Rate::per_second(1_000_000, 1_000_000);
        let limits = RateLimitConfig {
            read: rate,
            sale: rate,
            staff: rate,
            door: rate,
            auth: None,
            auth_account: None,
            refused: None,
        };
        let gate = Gate::new(&limits, None, Vec::new(), Arc::clone(&clock));
        tokio::spawn(gate.clone().upkeep(CancellationToken::new()));
        let (audit, writing) = AuditWriter::new(database.clone());
        tokio::spawn(writing.run(CancellationToken::new()));
        let keys = TicketKeys::parse(&TicketKeys::generate("test").unwrap()).unwrap();
        let folder = std::env::temp_dir().join("onsale-test-files");
        let objects =
            Arc::new(FolderStore::open(&folder, keys.link_secrets(), onsale_domain::UnixMillis(0)).unwrap());
        let services = Services::new(
            Dependencies {
                engine: engine.clone(),
                database: database.clone(),
                redis: None,
                gateways: Gateways::new(Arc::new(SimulatedGateway::new(Arc::clone(&clock))), []),
                tokens: tokens(),
                audit,
                ticket_keys: keys,
                objects,
            },
            ServicesConfig::default(),
        );
        let services = services.unwrap();
        services.load_roles().await.unwrap();
        let router = onsale_http::router(services.clone(), gate, &[], traced::tracing(&clock)).merge(further);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = onsale_http::serve(listener, router, serve_limits, CancellationToken::new());
        tokio::spawn(serving);
        Self {
            address,
            engine,
            services,
            database,
            clock,
        }
    }

    /// Opens the sale of a new event.
    pub async fn sale(&self, capacity: u32) -> Sale {
        let event_id = EventId(Uuid::now_v7());
        let ticket_type_id = support::open_sale(&self.engine, event_id, capacity).await;
        Sale {
            event_id,
            ticket_type_id,
        }
    }

    /// Opens the sale of a new event whose tickets cost something.
    pub async fn priced_sale(&self, capacity: u32) -> Sale {
        let sale = self.sale(capacity).await;
        // The opening of the sale may come in between, and then the version has moved.
        for _ in 0..10 {
            let event = self.engine.availability(sale.event_id).await.unwrap();
            let mut ticket_type = event.definition.ticket_types[0].clone();
            ticket_type.unit_price_minor = 4_500;
            let command = onsale_domain::Command::SetTicketType {
                ticket_type: Box::new(ticket_type),
                expected_version: event.definition.version,
            };
            if self.engine.execute(sale.event_id, command).await.is_ok() {
                return sale;
            }
        }
        panic!("the definition moves on and on")
    }

    /// Access tokens of as many sessions, of an account each or of one account.
    pub fn tokens_of(&self, sessions: usize, user_id: impl Fn() -> UserId) -> Vec<String> {
        let signing = tokens();
        let issued_at = self.clock.now();
        let mint = || {
            let grant = Grant {
                user_id: user_id(),
                session_id: SessionId(Uuid::now_v7()),
                generation: 0,
                roles: vec!["buyer".to_owned()],
                issued_at,
                expires_at: issued_at.plus_ms(ACCESS_TOKEN_LIFETIME_MS),
            };
            signing.mint(&grant).unwrap()
        };
        (0..sessions).map(|_| mint()).collect()
    }

    /// An account that may do everything but buy.
    pub async fn admin(&self) -> UserId {
        let registration = Registration {
            email: EmailAddress::parse(&format!("{}@bench.example", Uuid::now_v7().simple())).unwrap(),
            password: "a quiet harbour at dusk".into(),
            name: "Admin".to_owned(),
        };
        onsale_services::create_admin(&self.database, registration, self.clock.now())
            .await
            .unwrap()
    }

    /// Waits until the projection has caught up; how long that took.
    pub fn catch_up(&self) -> Duration {
        let started = Instant::now();
        while self.engine.status().write_behind_lag_records > 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        started.elapsed()
    }
}

impl Sale {
    pub fn purchases_path(&self) -> String {
        format!("/v1/events/{}/purchases", self.event_id)
    }

    pub fn path(&self) -> String {
        format!("/v1/events/{}/holds", self.event_id)
    }
}

pub fn somebody() -> UserId {
    UserId(Uuid::now_v7())
}

fn tokens() -> Tokens {
    Tokens::new(TokenKeys::of_secret(&[7; 32]).unwrap(), "onsale", "onsale-api")
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
