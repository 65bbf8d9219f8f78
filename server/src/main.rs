//! The `onsale` binary. Logs go to stderr, results to stdout, and the exit code says what happened
//! ([`exit::Failure`]).

#![expect(
    clippy::disallowed_methods,
    reason = "this crate measures and schedules; nothing about a sale is decided here"
)]

mod audit;
mod cli;
mod command;
mod configuration;
mod demo;
mod exit;
mod internal;
mod metrics;
mod peers;
mod readiness;
mod request;
mod retry;
mod signals;
mod telemetry;
mod token;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match command::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
