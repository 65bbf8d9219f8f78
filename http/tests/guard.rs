//! A hold over HTTP costs no more than it is bound to: router, token, limits, metrics, use case, engine and the answer,
//! over a journal in memory. One test, because the allocator counts the whole process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

#[allow(dead_code, unreachable_pub, reason = "each guard uses a part")]
#[path = "../../engine/tests/guard/bounds.rs"]
mod bounds;
#[path = "../benches/serving/mod.rs"]
mod serving;

use std::alloc::System;
use std::sync::Arc;

use axum::Router;
use onsale_http::ServeLimits;
use onsale_persistence::{Database, DatabaseConfig};
use serving::support::{MemoryJournal, MemorySink};
use serving::{Client, Server, somebody};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const BATCHES: usize = 25;
const BATCH: usize = 40;

#[test]
fn a_hold_over_http_stays_within_its_bounds() {
    let url = std::env::var("DATABASE_URL")
        .unwrap_or_else(|_| panic!("this test needs DATABASE_URL: run it under `cargo xtask pg --`"));
    let _ = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
        database.migrate().await.unwrap();
        let (journal, sink) = (
            Arc::new(MemoryJournal::default()),
            Arc::new(MemorySink::default()),
        );
        let limits = ServeLimits::default();
        let server = Server::start_with(journal, sink, database, Router::new(), limits).await;
        let sale = server.sale(100_000).await;
        let tokens = Arc::new(server.tokens_of(4, somebody));
        let client = Client::new(server.address, &sale.path(), sale.ticket_type_id, 201, &tokens);
        let mut connection = client.connect().await;
        let mut request = String::new();

        let mut batches = Vec::new();
        for _ in 0..BATCHES {
            let before = allocations();
            for _ in 0..BATCH {
                client.ask(&mut connection, &mut request).await;
            }
            batches.push((allocations() - before) as f64 / BATCH as f64);
        }
        bounds::HTTP_HOLD.check(bounds::median(batches));

        let reading = format!(
            "GET /v1/events/{}/availability HTTP/1.1\r\nhost: localhost\r\n\r\n",
            sale.event_id
        );
        let mut batches = Vec::new();
        for _ in 0..BATCHES {
            let before = allocations();
            for _ in 0..BATCH {
                connection.exchange(&reading, 200).await;
            }
            batches.push((allocations() - before) as f64 / BATCH as f64);
        }
        bounds::HTTP_AVAILABILITY.check(bounds::median(batches));
    });
}

fn allocations() -> usize {
    let stats = ALLOCATOR.stats();
    stats.allocations + stats.reallocations
}
