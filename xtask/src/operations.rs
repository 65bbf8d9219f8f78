//! `cargo xtask operations`: what `docs/OPERATING.md` says, tried on a release build.
//!
//! The trials are the tests in `server/tests/operations`, which are part of `cargo xtask test` too; here they start the
//! release build, which `ONSALE_BINARY` names, and where a revision is given they upgrade from its release build, which
//! `ONSALE_OLD_BINARY` names. What the program says to a wrong configuration is tried on it as well.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

use crate::private::Servers;
use crate::process::{self, Console};
use crate::{cargo, workspace};

const BUILD: [&str; 5] = ["build", "--release", "--locked", "--package", "onsale-server"];
/// As `cargo xtask test` builds them, so that they are built once.
const WORKSPACE: [&str; 4] = ["--locked", "--workspace", "--features", cargo::FEATURES];
/// The test binaries that are pointed at the release build.
const BINARIES: [&str; 2] = ["operations", "configuration"];

/// Builds, and runs the trials. Exit code 1 where one fails.
pub fn run(from: Option<&str>, seconds: u32) -> Result<ExitCode> {
    let root = workspace::root()?;
    let servers = Servers::start()?;
    let mut build = servers.cargo(&root);
    run_to_end(build.args(BUILD).args(["--features", cargo::FEATURES]), &servers)?;
    let binary = cargo::target_directory(&root)?.join("release/onsale");
    let old = match from {
        Some(revision) => Some(old_release(&root, revision, &servers)?),
        None => None,
    };
    let mut trials = servers.cargo(&root);
    trials.args(runner(&root));
    trials.env("ONSALE_BINARY", &binary);
    trials.env("ONSALE_OPERATIONS_SECONDS", seconds.to_string());
    if let Some(old) = old {
        trials.env("ONSALE_OLD_BINARY", old);
    }
    Ok(process::run(&mut trials, Console::Shared, &servers.pids())?.exit_code())
}

fn run_to_end(command: &mut Command, servers: &Servers) -> Result<()> {
    let finished = process::run(command, Console::Shared, &servers.pids())?;
    if process::interrupted() {
        bail!("interrupted");
    }
    let program = command.get_program().to_string_lossy();
    ensure!(finished.status.success(), "{program} failed: {}", finished.status);
    Ok(())
}

/// Arguments of cargo that run the trials one after the other: each has the machine for itself.
fn runner(root: &Path) -> Vec<String> {
    let names = BINARIES.iter();
    let mut arguments: Vec<String> = Vec::new();
    if cargo::has_nextest(root) {
        arguments.extend(["nextest", "run", "--no-capture"].map(str::to_owned));
        arguments.extend(WORKSPACE.map(str::to_owned));
        let binaries: Vec<_> = names.map(|name| format!("binary({name})")).collect();
        let filter = format!("package(onsale-server) and ({})", binaries.join(" or "));
        arguments.extend(["--filterset".to_owned(), filter]);
    } else {
        arguments.push("test".to_owned());
        arguments.extend(WORKSPACE.map(str::to_owned));
        arguments.extend(names.flat_map(|name| ["--test".to_owned(), (*name).to_owned()]));
        arguments.extend(["--", "--nocapture", "--test-threads=1"].map(str::to_owned));
    }
    arguments
}

/// Builds a revision's release in a worktree of its own, below `target`, and keeps it for the next time.
fn old_release(root: &Path, revision: &str, servers: &Servers) -> Result<PathBuf> {
    let commit = git(
        root,
        &["rev-parse", "--verify", &format!("{revision}^{{commit}}")],
    )?;
    let worktree = cargo::target_directory(root)?.join("releases").join(&commit);
    if !worktree.join("Cargo.lock").is_file() {
        let path = worktree.to_str().context("the target directory is not UTF-8")?;
        git(root, &["worktree", "prune"])?;
        git(root, &["worktree", "add", "--detach", path, &commit])?;
    }
    let target = worktree.join("target");
    let mut build = servers.cargo(&worktree);
    build.args(BUILD).arg("--target-dir").arg(&target);
    // It may be from before one of them.
    build.arg("--features").arg(cargo::known_features(&worktree)?);
    run_to_end(&mut build, servers)?;
    Ok(target.join("release/onsale"))
}

fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .current_dir(root)
        .args(arguments)
        .output()
        .context("cannot run git")?;
    ensure!(
        output.status.success(),
        "git {} failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trials_are_there() {
        let tests = workspace::root().unwrap().join("server/tests");
        for name in BINARIES {
            let (file, directory) = (tests.join(format!("{name}.rs")), tests.join(name).join("main.rs"));
            assert!(file.is_file() || directory.is_file(), "{name}");
        }
    }

    #[test]
    fn a_revision_that_is_not_there_is_named() {
        let root = workspace::root().unwrap();
        let error = git(&root, &["rev-parse", "--verify", "no-such-revision^{commit}"]).unwrap_err();
        assert!(error.to_string().contains("no-such-revision"), "{error}");
    }
}
