//! Traces and logs of a running server, seen by a collector in this process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod collector;
mod logs;
mod outages;
mod purchase;
mod sampling;
mod secrets;

use collector::Collector;
use support::{Journal, World};

/// A world whose requests are all traced.
async fn traced_world(collector: &Collector, journal: Journal, settings: &[(&str, &str)]) -> World {
    let endpoint = collector.endpoint();
    let tracing = [
        ("ONSALE_OTLP_ENDPOINT", endpoint.as_str()),
        ("ONSALE_TRACE_SAMPLE_RATIO", "1"),
        ("ONSALE_LOG_FORMAT", "json"),
    ];
    World::with(journal, &[&tracing[..], settings].concat()).await
}
