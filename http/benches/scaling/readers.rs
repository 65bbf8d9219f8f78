//! Connections that read the availability, beside the sale.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use onsale_http::ServeLimits;
use onsale_persistence::{LocalJournal, PostgresProjection};

use crate::client::Clients;
use crate::serving::{self, Server, median, somebody};
use crate::usage::cpu_seconds;
use crate::{database, point, sizes};

const SIZES: [usize; 3] = [100, 1_000, 10_000];
const QUICK_MAX: usize = 1_000;
const BUYERS: usize = 64;
/// Answers a second for the cost of one, whatever the number of readers.
const ANSWERS_PER_SECOND: f64 = 5_000.0;
/// How often a reader looks while the sale is on.
const EVERY: Duration = Duration::from_secs(1);

pub fn run(quick: bool) {
    let (lasting, rounds) = if quick { (2, 1) } else { (4, 3) };
    let lasting = Duration::from_secs(lasting);
    let serving = serving::runtime();
    let _ = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder();
    let directory = tempfile::tempdir().unwrap();
    let (server, sale) = serving.block_on(async {
        let limits = ServeLimits {
            // Readers of the slow round are quiet for long.
            idle_timeout: Duration::from_hours(1),
            ..ServeLimits::default()
        };
        let database = database().await;
        let journal = LocalJournal::open(directory.path(), database.clone())
            .await
            .unwrap();
        let projection = Arc::new(PostgresProjection::new(database.clone()));
        let server = Server::start_with(Arc::new(journal), projection, database, Router::new(), limits).await;
        let sale = server.sale(10_000_000).await;
        (server, sale)
    });
    let path = format!("/v1/events/{}/availability", sale.event_id);
    let tokens = server.tokens_of(BUYERS, somebody);
    let mut buyers = Clients::buyers(server.address, BUYERS, sale, &tokens);
    buyers.begin(lasting, Duration::ZERO);
    buyers.end();
    for size in sizes(&SIZES, quick, QUICK_MAX) {
        let mut readers = Clients::readers(server.address, size, &path);
        let mut ratios = Vec::new();
        let mut answered = Vec::new();
        for _ in 0..rounds {
            server.catch_up();
            buyers.begin(lasting, Duration::ZERO);
            let alone = buyers.end().answers;
            server.catch_up();
            readers.begin(lasting, EVERY);
            buyers.begin(lasting, Duration::ZERO);
            ratios.push(buyers.end().answers as f64 / alone as f64);
            let asked = size as f64 * lasting.as_secs_f64() / EVERY.as_secs_f64();
            answered.push(readers.end().answers as f64 / asked);
        }
        point("readers-sale", "holds a second", size, median(ratios));
        point(
            "readers-sale",
            "answers, of those asked for",
            size,
            median(answered),
        );
        server.catch_up();
        let cpu = cpu_seconds();
        readers.begin(lasting, Duration::from_secs_f64(size as f64 / ANSWERS_PER_SECOND));
        let answers = readers.end().answers;
        point(
            "readers-cpu",
            "5,000 answers a second",
            size,
            (cpu_seconds() - cpu) * 1e6 / answers as f64,
        );
    }
    drop(buyers);
    serving.block_on(server.engine.shutdown(Duration::from_secs(20)));
}
