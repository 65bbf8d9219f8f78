//! Metrics, dashboards and alerts against a running server and a real Prometheus.

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

mod dashboards;
mod documented;
mod exposed;
mod prometheus;
mod queries;
mod rules;
mod sale;
