//! `cargo xtask pg -- command`: the servers for one command, for use while working.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::private::Servers;
use crate::process::{self, Console};

/// Runs the command where it was called, with the servers in its environment, and returns its exit code.
pub fn run(command: &[String]) -> Result<ExitCode> {
    let (program, args) = command.split_first().context("no command given")?;
    let servers = Servers::start()?;
    let mut command = Command::new(program);
    servers.point(command.args(args));
    Ok(process::run(&mut command, Console::Shared, &servers.pids())?.exit_code())
}
