//! The engine with its real journals: durable holds on one hot event, with the projection off and on, and recovery.
//!
//! `cargo xtask pg -- cargo bench -p onsale-persistence --bench durable`
//!
//! It needs an empty database at `DATABASE_URL`; the local journal lies in a temporary directory.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

#[path = "../../engine/tests/support/mod.rs"]
mod support;

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use onsale_domain::{Command, EventId, HoldId, TicketTypeId};
use onsale_engine::port::{Journal, ProjectionSink, SystemClock};
use onsale_engine::{Engine, EngineConfig};
use onsale_persistence::{Database, DatabaseConfig, LocalJournal, PostgresJournal, PostgresProjection};
use support::{MemorySink, at_once, binding, open_sale};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HOLDS: usize = 500_000;
const ROUNDS: usize = 3;
const IN_FLIGHT: [usize; 2] = [1_024, 64];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let url =
            std::env::var("DATABASE_URL").unwrap_or_else(|_| panic!("run it under `cargo xtask pg --`"));
        let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
        database.migrate().await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        println!(
            "a sync of 128 KiB on this disk: {:.2} ms (median)",
            sync_ms(directory.path())
        );
        for in_flight in IN_FLIGHT {
            for on in [false, true] {
                // Each run has a journal of its own, so that none projects what another left.
                let path = directory.path().join(format!("{in_flight}-{on}"));
                let local = Arc::new(LocalJournal::open(&path, database.clone()).await.unwrap());
                measure(local, sink(&database, on), in_flight, on).await;
                let node = format!("benchmark-{in_flight}-{on}");
                let postgres = Arc::new(PostgresJournal::start(database.clone(), &node).await.unwrap());
                measure(Arc::clone(&postgres) as _, sink(&database, on), in_flight, on).await;
                postgres.shutdown().await;
            }
        }
    });
}

fn sink(database: &Database, on: bool) -> Arc<dyn ProjectionSink> {
    if on {
        Arc::new(PostgresProjection::new(database.clone()))
    } else {
        Arc::new(MemorySink::default())
    }
}

/// What the disk itself takes to make a commit's worth of bytes durable.
fn sync_ms(directory: &std::path::Path) -> f64 {
    let bytes = vec![7; 128 * 1_024];
    let mut file = std::fs::File::create(directory.join("sync")).unwrap();
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            file.write_all(&bytes).unwrap();
            let started = Instant::now();
            file.sync_data().unwrap();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

async fn measure(
    journal: Arc<dyn Journal>,
    sink: Arc<dyn ProjectionSink>,
    in_flight: usize,
    projection: bool,
) {
    let name = journal.name();
    let clock = Arc::new(SystemClock::start());
    let engine = Engine::start(
        EngineConfig::default(),
        Arc::clone(&journal),
        Arc::clone(&sink),
        clock,
    )
    .await
    .unwrap();
    let mut rates = Vec::new();
    let mut event_id = EventId(Uuid::now_v7());
    for _ in 0..ROUNDS {
        event_id = EventId(Uuid::now_v7());
        rates.push(hold(&engine, event_id, in_flight).await);
    }
    rates.sort_by(f64::total_cmp);
    let (per_second, best) = (rates[ROUNDS / 2], rates[ROUNDS - 1]);
    let lag = engine.status().write_behind_lag_records;
    println!(
        "{name:8} in flight {in_flight:4}  projection {projection:5}: {per_second:7.0} durable holds/s (best {best:.0}), {lag} behind"
    );
    let started = Instant::now();
    while engine.status().write_behind_lag_records > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if projection {
        println!("  drained in {:.2} s", started.elapsed().as_secs_f64());
    }
    engine.shutdown(Duration::from_secs(10)).await;
    if in_flight == IN_FLIGHT[0] {
        let started = Instant::now();
        let clock = Arc::new(SystemClock::start());
        let next = Engine::start(EngineConfig::default(), journal, sink, clock)
            .await
            .unwrap();
        let counts = next.availability(event_id).await.unwrap();
        let seconds = started.elapsed().as_secs_f64();
        println!("  recovered {} records in {seconds:.2} s", counts.seq);
        next.shutdown(Duration::from_secs(10)).await;
    }
}

/// Durable holds a second on a new event.
async fn hold(engine: &Engine, event_id: EventId, in_flight: usize) -> f64 {
    let ticket_type_id = open_sale(engine, event_id, 10_000_000).await;
    let tasks = (0..in_flight).map(|task| {
        let engine = engine.clone();
        Box::pin(async move {
            for number in 0..HOLDS / in_flight {
                let command = place(ticket_type_id, task * HOLDS + number);
                engine.execute(event_id, command).await.unwrap();
            }
        }) as _
    });
    let started = Instant::now();
    at_once(tasks.collect()).await;
    HOLDS as f64 / started.elapsed().as_secs_f64()
}

fn place(ticket_type_id: TicketTypeId, number: usize) -> Command {
    Command::PlaceHold(onsale_domain::command::PlaceHold {
        hold_id: HoldId(Uuid::from_u128(0x0190_0000_0000_7000_8000 << 48 | number as u128)),
        buyer_id: onsale_domain::BuyerId(Uuid::from_u128(number as u128)),
        lines: smallvec::smallvec![onsale_domain::command::RequestedLine {
            ticket_type_id,
            quantity: 1
        }],
        payment: None,
        package: None,
        key: Some(binding(number as u64)),
    })
}
