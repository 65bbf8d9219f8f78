//! `cargo xtask compare`: Onsale beside the usual ways to sell tickets, on release builds.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::private::Servers;
use crate::process::{self, Console};
use crate::{cargo, workspace};

const BUILD: [&str; 7] = [
    "build",
    "--release",
    "--locked",
    "--package",
    "onsale-server",
    "--package",
    "onsale-compare",
];
/// Where the recorded figures are.
const PAGE: &str = "docs/COMPARE.md";
const CHART: &str = "docs/compare.svg";

/// Builds server and comparison, and runs it. `record` writes the figures into the docs.
pub fn run(quick: bool, record: bool, json: Option<&Path>) -> Result<ExitCode> {
    let root = workspace::root()?;
    let servers = Servers::start()?;
    let build = process::run(servers.cargo(&root).args(BUILD), Console::Shared, &servers.pids())?;
    if !build.status.success() {
        return Ok(build.exit_code());
    }
    let programs = cargo::target_directory(&root)?.join("release");
    let mut compare = std::process::Command::new(programs.join("onsale-compare"));
    servers.point(&mut compare);
    compare.arg("run").arg("--onsale").arg(programs.join("onsale"));
    if quick {
        compare.arg("--quick");
    }
    if let Some(json) = json {
        compare.arg("--json").arg(json);
    }
    if record {
        compare.arg("--markdown").arg(root.join(PAGE));
        compare.arg("--svg").arg(root.join(CHART));
    }
    Ok(process::run(&mut compare, Console::Shared, &servers.pids())?.exit_code())
}
