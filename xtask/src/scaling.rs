//! `cargo xtask scaling`: how cost grows, measured, drawn and judged.
//!
//! `http/benches/scaling` measures, each subject in a process and on a Postgres of its own; `onsale-report` draws the
//! charts and writes the tables of `docs/SCALING.md`. A quick run writes to `target/scaling` instead.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::ValueEnum;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::private::Servers;
use crate::process::{self, Console, Finished};
use crate::{cargo, workspace};

const BENCH: [&str; 6] = [
    "bench",
    "--locked",
    "--package",
    "onsale-http",
    "--bench",
    "scaling",
];
const REPORT: [&str; 7] = [
    "run",
    "--quiet",
    "--locked",
    "--package",
    "onsale-report",
    "--",
    "scaling",
];

/// What is measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// Holds in one event
    Holds,
    /// Events in memory
    Events,
    /// Start beside events that an earlier process left
    Start,
    /// Open connections
    Connections,
    /// Reading an event back
    Recovery,
    /// Holds that end at once
    Expiry,
    /// Readers of the availability
    Readers,
}

/// Measures and draws. Exit code 1 where a cost grows faster than it may.
pub fn run(quick: bool, only: Option<Subject>) -> Result<ExitCode> {
    let root = workspace::root()?;
    raise_open_files()?;
    let build = execute(cargo::command(&root).args(BENCH).arg("--no-run"), Console::Shared)?;
    if !build.status.success() {
        return Ok(build.exit_code());
    }
    let mut points = tempfile::NamedTempFile::new().context("no temporary file")?;
    let subjects = only.map_or_else(|| Subject::value_variants().to_vec(), |subject| vec![subject]);
    for subject in subjects {
        let finished = measure(&root, subject, quick)?;
        if process::interrupted() || !finished.status.success() {
            return Ok(finished.exit_code());
        }
        for point in finished.output.lines().filter(|line| line.starts_with('{')) {
            writeln!(points, "{point}")?;
        }
    }
    let mut report = cargo::command(&root);
    report.args(REPORT).arg("--lines").arg(points.path());
    if quick {
        report
            .args(["--quick", "--into"])
            .arg(root.join("target/scaling"));
    } else {
        report.arg("--into").arg(root.join("docs"));
    }
    Ok(execute(&mut report, Console::Shared)?.exit_code())
}

fn execute(command: &mut Command, console: Console) -> Result<Finished> {
    process::run(command, console, &[])
}

fn measure(root: &Path, subject: Subject, quick: bool) -> Result<Finished> {
    let servers = Servers::start_postgres()?;
    let name = subject.to_possible_value().context("every subject has a name")?;
    let mut command = servers.cargo(root);
    command.args(BENCH).args(["--", name.get_name()]);
    if quick {
        command.arg("quick");
    }
    process::run(&mut command, Console::Captured, &servers.pids())
}

/// Children inherit it: the server and its clients have a connection each for all that are open.
fn raise_open_files() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).context("cannot raise the limit of open files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_benchmark_knows_every_subject() {
        let root = workspace::root().unwrap();
        let benchmark = std::fs::read_to_string(root.join("http/benches/scaling/main.rs")).unwrap();
        for subject in Subject::value_variants() {
            let name = subject.to_possible_value().unwrap();
            let line = format!("(\"{}\", ", name.get_name());
            assert!(benchmark.contains(&line), "no line begins with {line}");
        }
    }
}
