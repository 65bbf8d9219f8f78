//! The load test's command line.

use std::process::ExitCode;

use clap::Parser as _;
use onsale_loadtest::Arguments;

/// As `onsale` has them: the check failed, or the tool could not do its work.
const FAILED: u8 = 1;
const BROKEN: u8 = 70;

#[tokio::main]
async fn main() -> ExitCode {
    match onsale_loadtest::run(&Arguments::parse()).await {
        Ok(report) if report.passed() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(FAILED),
        Err(error) => {
            eprintln!("onsale-load: {error:#}");
            ExitCode::from(BROKEN)
        }
    }
}
