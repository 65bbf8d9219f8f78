//! `onsale-report`: turns what a measurement printed into charts, tables and verdicts.

mod scaling;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Draws what was measured.
#[derive(Debug, Parser)]
#[command(name = "onsale-report")]
enum Cli {
    /// Charts and tables of how cost grows, from points as `benches/scaling` prints them, one in a line
    Scaling {
        /// File with the points
        #[arg(long)]
        lines: PathBuf,
        /// Directory for `scaling.json` and `scaling/*.svg`; the tables of a `SCALING.md` there are written anew
        #[arg(long)]
        into: PathBuf,
        /// The points are of a quick run
        #[arg(long)]
        quick: bool,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse() {
        Cli::Scaling { lines, into, quick } => scaling::run(&lines, &into, quick),
    }
}
