//! Holds and refusals over HTTP, as ratios to a bare JSON echo route of the same server in the same run.
//!
//! `cargo xtask pg -- cargo bench -p onsale-http --bench sale`
//!
//! Tokens, rate limits and metrics are on; the projection runs; the load generator shares the cores. Rounds alternate,
//! and the median of each contender's rounds is compared, because machines are noisy.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

#[path = "../../engine/tests/support/mod.rs"]
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::routing::post;
use axum::{Json, Router};
use onsale_domain::{Command, EventId, SessionId, TicketTypeId, UserId};
use onsale_engine::port::{Clock, Journal, SystemClock};
use onsale_engine::{Engine, EngineConfig};
use onsale_http::{Gate, Rate, RateLimitConfig, ServeLimits};
use onsale_persistence::{Database, DatabaseConfig, LocalJournal, PostgresJournal, PostgresProjection};
use onsale_services::{
    ACCESS_TOKEN_LIFETIME_MS, AuditWriter, Dependencies, Grant, Services, ServicesConfig, SimulatedGateway,
    TokenKeys, Tokens,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: usize = 256;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);

fn main() {
    let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| panic!("run it under `cargo xtask pg --`"));
    let serving = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let _ = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder();
    let directory = tempfile::tempdir().unwrap();
    let mut journals = Vec::new();
    serving.block_on(async {
        let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
        database.migrate().await.unwrap();
        let local: Arc<dyn Journal> = Arc::new(
            LocalJournal::open(directory.path(), database.clone())
                .await
                .unwrap(),
        );
        let postgres: Arc<dyn Journal> = Arc::new(
            PostgresJournal::start(database.clone(), "benchmark")
                .await
                .unwrap(),
        );
        journals.push((local, database.clone()));
        journals.push((postgres, database));
    });
    for (journal, database) in journals {
        println!("journal {}", journal.name());
        let bench = serving.block_on(Bench::start(journal, database));
        bench.compare();
        serving.block_on(bench.engine.shutdown(Duration::from_secs(20)));
    }
}

/// A server with an event that never sells out and one that has.
struct Bench {
    address: SocketAddr,
    engine: Engine,
    tokens: Vec<String>,
    open: (EventId, TicketTypeId),
    sold_out: (EventId, TicketTypeId),
}

impl Bench {
    async fn start(journal: Arc<dyn Journal>, database: Database) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let projection = Arc::new(PostgresProjection::new(database.clone()));
        let engine = Engine::start(EngineConfig::default(), journal, projection, Arc::clone(&clock))
            .await
            .unwrap();
        let signing = || Tokens::new(TokenKeys::of_secret(&[7; 32]).unwrap(), "onsale", "onsale-api");
        let tokens = (0..CONNECTIONS).map(|_| token(&signing(), &*clock)).collect();
        // The limit is on and checked, and above what one buyer of this benchmark asks for.
        let rate = Rate::per_second(1_000_000, 1_000_000);
        let limits = RateLimitConfig {
            read: rate,
            sale: rate,
            staff: rate,
            auth: None,
            auth_account: None,
        };
        let gate = Gate::new(&limits, None, Vec::new(), clock);
        let (audit, writing) = AuditWriter::new(database.clone());
        tokio::spawn(writing.run(CancellationToken::new()));
        let services = Services::new(
            Dependencies {
                engine: engine.clone(),
                database,
                redis: None,
                gateway: Arc::new(SimulatedGateway),
                tokens: signing(),
                audit,
            },
            ServicesConfig::default(),
        );
        let services = services.unwrap();
        services.load_roles().await.unwrap();
        let router = onsale_http::router(services, gate, &[]).merge(Router::new().route(
            "/echo",
            post(|Json(body): Json<serde_json::Value>| async { Json(body) }),
        ));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = onsale_http::serve(listener, router, ServeLimits::default(), CancellationToken::new());
        tokio::spawn(serving);
        let open = event(&engine, 10_000_000).await;
        let sold_out = event(&engine, 1).await;
        let hold = support::place(sold_out.1);
        let Command::PlaceHold(place) = &hold else {
            panic!("a hold")
        };
        let hold_id = place.hold_id;
        engine.execute(sold_out.0, hold).await.unwrap();
        engine
            .execute(sold_out.0, support::confirm(hold_id, 1))
            .await
            .unwrap();
        Self {
            address,
            engine,
            tokens,
            open,
            sold_out,
        }
    }

    fn compare(&self) {
        let [mut echo, mut hold, mut refused] = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            echo.push(self.round("/echo", self.open.1, 200));
            hold.push(self.round(&format!("/v1/events/{}/holds", self.open.0), self.open.1, 201));
            let behind = Instant::now();
            while self.engine.status().write_behind_lag_records > 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
            println!(
                "  (projected {:.1} s after the round)",
                behind.elapsed().as_secs_f64()
            );
            refused.push(self.round(
                &format!("/v1/events/{}/holds", self.sold_out.0),
                self.sold_out.1,
                409,
            ));
        }
        let [echo, hold, refused] = [echo, hold, refused].map(median);
        println!("  echo     {echo:8.0}/s");
        println!("  holds    {hold:8.0}/s, {:.2} of the echo", hold / echo);
        println!("  sold out {refused:8.0}/s, {:.2} of the echo", refused / echo);
    }

    /// Answers a second, in a closed loop on all connections from a runtime of its own.
    fn round(&self, path: &str, ticket_type_id: TicketTypeId, status: u16) -> f64 {
        let driving = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        driving.block_on(async {
            let until = Instant::now() + ROUND;
            let clients = self.tokens.iter().map(|token| {
                let client = Client {
                    path: path.to_owned(),
                    token: token.clone(),
                    ticket_type_id,
                    status,
                };
                tokio::spawn(client.run(self.address, until))
            });
            let clients: Vec<_> = clients.collect();
            let mut answers = 0;
            for client in clients {
                answers += client.await.unwrap();
            }
            answers as f64 / ROUND.as_secs_f64()
        })
    }
}

/// One keep-alive connection that asks, reads the whole answer, and asks again.
struct Client {
    path: String,
    token: String,
    ticket_type_id: TicketTypeId,
    status: u16,
}

impl Client {
    async fn run(self, address: SocketAddr, until: Instant) -> usize {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let body = format!(
            "{{\"lines\":[{{\"ticket_type_id\":\"{}\",\"quantity\":1}}]}}",
            self.ticket_type_id
        );
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nidempotency-key: ",
            self.path,
            self.token,
            body.len()
        );
        let expected = format!("HTTP/1.1 {}", self.status);
        let run = Uuid::now_v7().simple().to_string();
        let mut buffer = vec![0; 8_192];
        let mut answers = 0;
        while Instant::now() < until {
            let request = format!("{head}{run}-{answers}\r\n\r\n{body}");
            stream.write_all(request.as_bytes()).await.unwrap();
            let filled = read_answer(&mut stream, &mut buffer).await;
            assert!(
                buffer.starts_with(expected.as_bytes()),
                "{}",
                String::from_utf8_lossy(&buffer[..filled])
            );
            answers += 1;
        }
        answers
    }
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> usize {
    let mut filled = 0;
    loop {
        filled += stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(filled > 0, "the server closed the connection");
        if let Some(end) = end_of_answer(&buffer[..filled])
            && filled >= end
        {
            return filled;
        }
    }
}

fn end_of_answer(bytes: &[u8]) -> Option<usize> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    Some(head_end + length.parse::<usize>().unwrap())
}

async fn event(engine: &Engine, capacity: u32) -> (EventId, TicketTypeId) {
    let event_id = EventId(Uuid::now_v7());
    let ticket_type_id = support::open_sale(engine, event_id, capacity).await;
    (event_id, ticket_type_id)
}

fn token(signing: &Tokens, clock: &dyn Clock) -> String {
    let grant = Grant {
        user_id: UserId(Uuid::now_v7()),
        session_id: SessionId(Uuid::now_v7()),
        generation: 0,
        roles: vec!["buyer".to_owned()],
        issued_at: clock.now(),
        expires_at: clock.now().plus_ms(ACCESS_TOKEN_LIFETIME_MS),
    };
    signing.mint(&grant).unwrap()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
