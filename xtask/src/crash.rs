//! `cargo xtask crash`: the server's crash tests as a long soak, on a release build.
//!
//! The rounds themselves are tests of `onsale-server` whose names hold `crash`; they read their number from
//! `ONSALE_CRASH_ROUNDS` and the journal from `ONSALE_CRASH_JOURNAL`.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::cli::Journal;
use crate::private::Servers;
use crate::process::{self, Console};
use crate::{cargo, workspace};

const BUILD: [&str; 4] = ["build", "--release", "--package", "onsale-server"];
/// The profile `soak` has no time limit; `--run-ignored` because the long rounds are ignored by default.
const NEXTEST: [&str; 9] = [
    "nextest",
    "run",
    "--release",
    "--profile",
    "soak",
    "--run-ignored",
    "all",
    "--package",
    "onsale-server",
];

/// Builds the server and runs its crash tests.
pub fn run(rounds: u32, journal: Option<Journal>) -> Result<ExitCode> {
    let root = workspace::root()?;
    ensure!(
        cargo::has_nextest(&root),
        "this needs nextest: `cargo install cargo-nextest --locked`"
    );
    let servers = Servers::start()?;

    let build = process::run(servers.cargo(&root).args(BUILD), Console::Shared, &servers.pids())?;
    if !build.status.success() {
        return Ok(build.exit_code());
    }
    let mut soak = servers.cargo(&root);
    soak.args(NEXTEST)
        .arg("crash")
        .env("ONSALE_CRASH_ROUNDS", rounds.to_string());
    match journal {
        Some(Journal::Local) => soak.env("ONSALE_CRASH_JOURNAL", "local"),
        Some(Journal::Postgres) => soak.env("ONSALE_CRASH_JOURNAL", "postgres"),
        None => &mut soak,
    };
    Ok(process::run(&mut soak, Console::Shared, &servers.pids())?.exit_code())
}
