//! `onsale doctor` from outside: each check is made to fail, and says what to do about it.

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

mod database;
mod machine;
mod outside;
mod patient;
mod ports;
mod redis;
#[cfg(feature = "s3")]
mod s3;
mod told;
