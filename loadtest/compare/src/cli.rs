//! The command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::host::{self, Programs};
use crate::peer::{self, ServeArguments};
use crate::plan::Plan;
use crate::{run, tell};

/// Onsale beside the usual ways to sell tickets, and beside the limit of the machine.
#[derive(Debug, Parser)]
#[command(name = "onsale-compare")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare: the table goes to stdout, progress to stderr; exit code 1 where a check failed
    Run(RunArguments),
    /// Serve one of the peers, until stdin ends
    Serve(ServeArguments),
}

#[derive(Debug, Args)]
struct RunArguments {
    /// Less than three minutes: fewer rounds, fewer connections
    #[arg(long)]
    quick: bool,
    /// The server of Onsale, a release build
    #[arg(long)]
    onsale: PathBuf,
    /// A Postgres on this machine where databases may be made, and CHECKPOINT may be issued
    #[arg(long, env = "DATABASE_URL")]
    database_url: String,
    /// Where to write all figures
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to write the tables as Markdown, between the marks in the file where it has them
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Where to draw the ceilings of the hot event
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Reads the command line and does what it says.
pub fn run() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(arguments) => {
                peer::serve(&arguments).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Run(arguments) => compare(arguments).await,
        }
    })
}

async fn compare(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    let mut plan = if arguments.quick {
        Plan::quick()
    } else {
        Plan::full()
    };
    for connections in plan.fit(host::open_files_max()) {
        eprintln!("left out: {connections} connections, for want of open files; see `ulimit -n`");
    }
    let programs = Programs {
        onsale: arguments.onsale,
        compare: std::env::current_exe().context("cannot find this program")?,
        cluster_url: arguments.database_url,
    };
    let mut told_to_stop = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let figures = tokio::select! {
        figures = run::run(&programs, &plan) => figures?,
        // What was started is dropped, and so ended, on the way out.
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
        _ = told_to_stop.recv() => anyhow::bail!("interrupted"),
    };
    println!("{}", tell::terminal(&figures));
    if let Some(path) = &arguments.json {
        write(path, &serde_json::to_string_pretty(&figures)?)?;
    }
    if let Some(path) = &arguments.markdown {
        let before = std::fs::read_to_string(path).unwrap_or_default();
        let chart = arguments.svg.as_deref().and_then(Path::file_name);
        let chart = chart.map(|name| name.to_string_lossy());
        let text = tell::markdown(&figures, chart.as_deref());
        write(path, &tell::into_page(&before, &text))?;
    }
    if let Some(path) = &arguments.svg {
        write(path, &tell::svg(&figures)?)?;
    }
    Ok(if tell::is_good(&figures) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
