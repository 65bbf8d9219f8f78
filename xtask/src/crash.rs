//! `cargo xtask crash`: the server's crash tests as a long soak, on a release build.
//!
//! The rounds themselves are the tests in `server/tests/crash.rs`; they read their number from `ONSALE_CRASH_ROUNDS`
//! and the journal from `ONSALE_CRASH_JOURNAL`, and print their seed, which `ONSALE_CRASH_SEED` repeats.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::cli::Journal;
use crate::private::Servers;
use crate::process::{self, Console};
use crate::{cargo, workspace};

const BUILD: [&str; 4] = ["build", "--release", "--package", "onsale-server"];
/// The profile `soak` has no time limit. One test after the other, and what they print is shown: the rounds and the
/// seed.
const NEXTEST: [&str; 10] = [
    "nextest",
    "run",
    "--release",
    "--profile",
    "soak",
    "--no-capture",
    "--package",
    "onsale-server",
    "--test",
    "crash",
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
    soak.args(NEXTEST).env("ONSALE_CRASH_ROUNDS", rounds.to_string());
    match journal {
        Some(Journal::Local) => soak.env("ONSALE_CRASH_JOURNAL", "local"),
        Some(Journal::Postgres) => soak.env("ONSALE_CRASH_JOURNAL", "postgres"),
        None => &mut soak,
    };
    Ok(process::run(&mut soak, Console::Shared, &servers.pids())?.exit_code())
}
