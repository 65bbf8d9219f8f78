//! Random sales, step by step against a naive reference model.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "properties/bytes.rs"]
mod bytes;
mod common;
#[path = "properties/money.rs"]
mod money;
#[path = "properties/reference.rs"]
mod reference;
#[path = "properties/resolve.rs"]
mod resolve;
#[path = "properties/sale.rs"]
mod sale;
#[path = "properties/steps.rs"]
mod steps;
#[path = "properties/strategies.rs"]
mod strategies;
