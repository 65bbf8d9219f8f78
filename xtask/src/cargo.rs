//! How cargo is called.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// The cargo that runs this xtask, so that the toolchain stays the same.
pub fn command(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

/// Runs cargo quietly and returns what it printed.
pub fn output(root: &Path, args: &[&str]) -> Result<String> {
    let output = command(root)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "cargo {} failed: {}",
        args.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout).context("cargo printed something that is not UTF-8")
}

/// Whether `cargo nextest` is installed.
pub fn has_nextest(root: &Path) -> bool {
    output(root, &["nextest", "--version"]).is_ok()
}

/// Where cargo builds: asked of cargo, since the environment may name another directory.
pub fn target_directory(root: &Path) -> Result<PathBuf> {
    #[derive(serde::Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let json = output(
        root,
        &["metadata", "--no-deps", "--format-version", "1", "--locked"],
    )?;
    let metadata: Metadata =
        serde_json::from_str(&json).context("cannot read the output of cargo metadata")?;
    Ok(metadata.target_directory)
}
