//! `onsale demo`: the main job, on an embedded default.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::{block_on, print, print_json};
use crate::cli::Common;
use crate::configuration::{JournalKind, Settings};
use crate::demo::{self, Crash, Grade, Plan};
use crate::exit::Failure;
use crate::telemetry;

/// Arguments of `onsale demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale demo                                   10,000 seats, 50,000 buyers, the event's actor killed midway
  onsale demo --crash process                   kill -9 on the whole server midway
  onsale demo --capacity 500 --rate 2000 --duration 5 --json
  onsale demo --journal postgres --database-url postgres://onsale@localhost/onsale

Buyers arrive on their own schedule over real HTTP: they buy, hold and think, walk away, get declined, retry with the
same key, and hammer as bots. The verdict is computed from Postgres and from the clients' own log.
Exits 1 unless the verdict is pass.")]
pub(crate) struct Arguments {
    /// Seats on sale
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    capacity: u32,
    /// Buyers who come [default: 50000]
    #[arg(long)]
    buyers: Option<u32>,
    /// Buyers arriving per second [default: buyers ÷ duration]
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// Seconds in which they arrive [default: 12]
    #[arg(long, value_name = "SECONDS")]
    duration: Option<f64>,
    /// Decides arrivals and behaviours: the same seed, the same storm
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What is crashed midway
    #[arg(long, value_enum, default_value_t = Crash::Actor)]
    crash: Crash,
    /// Where records become durable before they are acknowledged
    #[arg(long, value_enum, default_value_t = JournalKind::Local)]
    journal: JournalKind,
    /// Use this Postgres in place of the embedded one [env: `DATABASE_URL`]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Keep database, journal and logs in this directory instead of throwing them away
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "onsale-demo")]
    keep: Option<PathBuf>,
    /// Print the verdict as one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the demo and prints the verdict.
pub(crate) fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let (buyers, duration) = demo::crowd(arguments.buyers, arguments.rate, arguments.duration)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let sources = common.sources().flag("database_url", arguments.database_url);
    let log_given = sources.gives("log_level")?;
    let mut settings = Settings::load(&sources)?;
    if !log_given {
        "warn".clone_into(&mut settings.log);
    }
    telemetry::log_to_stderr(&settings)?;
    let temporary = tempfile::Builder::new().prefix("onsale-demo-").tempdir();
    let temporary = temporary.context("cannot make a temporary directory")?;
    let directory = match &arguments.keep {
        Some(directory) => directory.clone(),
        None => temporary.path().to_owned(),
    };
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let plan = Plan {
        capacity: arguments.capacity,
        buyers,
        duration,
        seed: arguments.seed,
        crash: arguments.crash,
        journal: arguments.journal,
        database_url: settings.database_url,
        directory: std::path::absolute(&directory).context("directory")?,
        log: settings.log,
    };
    block_on(async {
        let outcome = tokio::select! {
            outcome = demo::run(&plan) => outcome?,
            _ = tokio::signal::ctrl_c() => return Err(Failure::CheckFailed("interrupted".to_owned())),
        };
        if arguments.json {
            print_json(&outcome.verdict)?;
        } else {
            print(&demo::report(&plan, &outcome))?;
        }
        match outcome.verdict.verdict {
            Grade::Pass => Ok(()),
            Grade::Fail => Err(Failure::CheckFailed("the verdict is fail".to_owned())),
        }
    })
}
