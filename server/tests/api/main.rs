//! The API of the real binary, from outside, with real storage. Files stand where the routes stand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

#[path = "../../../services/tests/mail_sink/mod.rs"]
mod mail_sink;
#[path = "../support/mod.rs"]
mod support;

mod access;
mod accounts;
mod admin;
mod authorization;
mod bad_input;
mod check_ins;
mod checkout;
mod events;
mod holds;
mod idempotency;
mod in_step;
mod internal;
mod jobs;
mod log_canary;
mod mail;
mod orders;
mod packages;
mod process;
mod purchases;
mod rate_limits;
mod refunds;
mod request_log;
mod slow_clients;
mod tickets;
mod tokens;
mod transfers;
mod webhooks;
