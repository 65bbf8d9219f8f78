//! Journals, projection and read models against a real Postgres and a real disk.
//!
//! Every test makes its own database in the server that `DATABASE_URL` names (`cargo xtask test` starts one) and
//! drops it afterwards, so they run in parallel.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

mod access;
mod accounts;
mod audit_log;
mod conformance;
mod database;
mod jobs;
mod local;
mod objects;
mod postgres;
mod projection;
mod projection_orders;
mod random_streams;
mod read;
mod redis;
mod redis_access;
mod support;
