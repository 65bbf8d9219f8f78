//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

use crate::{compare, crash, dev, lint, operations, pg, scaling, sqlx_prepare, test, tidy};

/// Tests, tidiness checks and chores of Onsale.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub chore: Chore,
}

/// One variant per chore.
#[derive(Debug, Subcommand)]
pub enum Chore {
    /// Set up Postgres and Redis, run every test, print `N passed, N failed` as the last line
    Test {
        /// Also build and test the embedded Postgres (a long first build); `ONSALE_TEST_EMBEDDED=1` does too
        #[arg(long)]
        embedded: bool,
        /// Arguments for nextest, for example `-p onsale-domain hold`; doc tests are then left out
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Check the rules of the repository: crate edges, file sizes, banned calls, links
    Tidy,
    /// Lint what is not Rust: Dockerfile, compose, shell, YAML, Kubernetes, Terraform, Prometheus, JSON
    Lint {
        /// Only lints whose name contains this
        #[arg(long, value_name = "NAME")]
        only: Option<String>,
    },
    /// Write the offline query data in `.sqlx` afresh, from `migrations/` and the queries in the code
    SqlxPrepare,
    /// Run a command with a private Postgres and Redis, for example `-- cargo nextest run -p onsale-persistence`
    Pg {
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Run Postgres, Redis, an S3 server, Prometheus and a debug build of the server here, and print where they are
    ///
    /// Nothing of it is for production. Ctrl-C stops everything. What was stored is kept in target/dev for the next run.
    Dev(dev::Options),
    /// Kill and recover a release build of the server, many times
    Crash {
        /// How many times to crash
        #[arg(long, default_value_t = 100)]
        rounds: u32,
        /// The journal to crash; both when left out
        #[arg(long)]
        journal: Option<Journal>,
    },
    /// Try what docs/OPERATING.md says on a release build: stopping, upgrading, restoring, outages
    Operations {
        /// Upgrade from the release of this revision, instead of from the same build
        #[arg(long, value_name = "REVISION")]
        from: Option<String>,
        /// How long each phase of a trial lasts, in seconds
        #[arg(long, default_value_t = 1)]
        seconds: u32,
    },
    /// Measure a release build beside the usual ways to sell tickets and a bare JSON echo; see docs/COMPARE.md
    Compare {
        /// Less than three minutes after the build
        #[arg(long)]
        quick: bool,
        /// Write the figures into docs/COMPARE.md and docs/compare.svg
        #[arg(long)]
        record: bool,
        /// Write all figures as JSON
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// Measure how cost grows with holds, events, connections and records, and write docs/SCALING.md
    Scaling {
        /// Smaller sizes, under three minutes; charts and figures go to target/scaling
        #[arg(long)]
        quick: bool,
        /// Only this subject; the figures of the others stay
        #[arg(long)]
        only: Option<scaling::Subject>,
    },
}

/// The journals of the server, as its own `--journal` spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Journal {
    /// Files on the disk of the machine
    Local,
    /// A table in Postgres
    Postgres,
}

/// Reads the command line and does the chore.
pub fn run() -> Result<ExitCode> {
    match Cli::parse().chore {
        Chore::Test { embedded, args } => test::run(embedded, &args),
        Chore::Tidy => tidy::run(),
        Chore::Lint { only } => lint::run(only.as_deref()),
        Chore::SqlxPrepare => sqlx_prepare::run(),
        Chore::Pg { command } => pg::run(&command),
        Chore::Dev(options) => dev::run(&options),
        Chore::Crash { rounds, journal } => crash::run(rounds, journal),
        Chore::Operations { from, seconds } => operations::run(from.as_deref(), seconds),
        Chore::Compare { quick, record, json } => compare::run(quick, record, json.as_deref()),
        Chore::Scaling { quick, only } => scaling::run(quick, only),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_after_the_dashes_go_to_the_runner() {
        let cli = Cli::parse_from(["xtask", "test", "--", "-p", "onsale-domain"]);
        let Chore::Test { embedded, args } = cli.chore else {
            panic!("not test: {cli:?}")
        };
        assert!(!embedded);
        assert_eq!(args, ["-p", "onsale-domain"]);
    }
}
