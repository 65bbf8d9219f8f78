//! Idle connections: what one costs, and what they cost a hold.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use onsale_http::ServeLimits;

use crate::client::Clients;
use crate::forgetful::{Forgetful, Watermarks};
use crate::serving::{self, Server, somebody};
use crate::usage::{cpu_seconds, resident_bytes};
use crate::{database, point, sizes};

const SIZES: [usize; 6] = [1, 100, 1_000, 5_000, 10_000, 18_000];
const QUICK_MAX: usize = 5_000;
/// Fewer connections than these are lost in the noise of the process's memory.
const FOR_MEMORY_MIN: usize = 1_000;
const BUYERS: usize = 64;
/// What the process has open besides.
const OTHER_FILES: usize = 500;
/// Idle connections stay for the whole measurement.
const IDLE_TIMEOUT: Duration = Duration::from_hours(1);

pub fn run(quick: bool) {
    let lasting = Duration::from_secs(if quick { 2 } else { 4 });
    let serving = serving::runtime();
    let _ = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder();
    let (server, sale) = serving.block_on(async {
        let limits = ServeLimits {
            idle_timeout: IDLE_TIMEOUT,
            ..ServeLimits::default()
        };
        let (journal, sink) = (Arc::new(Forgetful::default()), Arc::new(Watermarks::default()));
        let server = Server::start_with(journal, sink, database().await, Router::new(), limits).await;
        let sale = server.sale(10_000_000).await;
        (server, sale)
    });
    let path = format!("/v1/events/{}/availability", sale.event_id);
    let tokens = server.tokens_of(BUYERS, somebody);
    let mut buyers = Clients::buyers(server.address, BUYERS, sale, &tokens);
    // Code, buffers and allocator are as they will be.
    buyers.begin(lasting, Duration::ZERO);
    buyers.end();
    let (mut idle, mut bytes, mut open) = (Vec::new(), 0, 0);
    for size in sizes(&SIZES, quick, QUICK_MAX) {
        if size + OTHER_FILES > files_max() {
            eprintln!(
                "{size} connections are left out: only {} files may be open",
                files_max()
            );
            continue;
        }
        let before = resident_bytes();
        idle.push(Clients::idle(server.address, size - open, &path));
        bytes += resident_bytes().saturating_sub(before);
        open = size;
        let cpu = cpu_seconds();
        buyers.begin(lasting, Duration::ZERO);
        let holds = buyers.end().answers;
        point(
            "connections-cpu",
            "64 buyers",
            size,
            (cpu_seconds() - cpu) * 1e6 / holds as f64,
        );
        if size >= FOR_MEMORY_MIN {
            point(
                "connections-memory",
                "idle after a request",
                size,
                bytes as f64 / size as f64,
            );
        }
    }
    drop((idle, buyers));
    serving.block_on(server.engine.shutdown(Duration::from_secs(20)));
}

fn files_max() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .unwrap();
    line.split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap_or(usize::MAX)
}
