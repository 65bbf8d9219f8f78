//! A private place for programs from npm, made once and kept under the target directory.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{apt, cargo, python, workspace};

/// What is installed, each at an exact version.
const PACKAGES: &[&str] = &["dclint@3.1.0"];
/// Written last: without it the place is not whole.
const COMPLETE: &str = "complete";
/// What [`PACKAGES`] ask for.
const NODE_MAJOR_MIN: u32 = 20;

/// A program of the packages; `None` where npm or a Node that is new enough is missing. Neither is installed from here:
/// what Debian has is too old.
pub fn program(name: &str) -> Result<Option<PathBuf>> {
    if apt::directory_in_path("npm").is_none() || node_major().is_none_or(|major| major < NODE_MAJOR_MIN) {
        return Ok(None);
    }
    let kept = cargo::target_directory(&workspace::root()?)?.join("xtask/node");
    fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
    let key = format!("{:016x}", python::fingerprint(&PACKAGES.join("\n")));
    // Another run may be making the same one; the lock ends with this file.
    let lock = File::create(kept.join(format!("{key}.lock"))).context("cannot make a lock file")?;
    lock.lock().context("cannot wait for another run")?;
    let place = kept.join(key);
    if !place.join(COMPLETE).is_file() {
        install(&place)?;
    }
    let program = place.join("node_modules/.bin").join(name);
    ensure!(program.is_file(), "{} bring no {name}", PACKAGES.join(", "));
    Ok(Some(program))
}

fn install(place: &std::path::Path) -> Result<()> {
    eprintln!("xtask: installing {}", PACKAGES.join(", "));
    fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
    let status = Command::new("npm")
        .args([
            "install",
            "--no-fund",
            "--no-audit",
            "--ignore-scripts",
            "--prefix",
        ])
        .arg(place)
        .args(PACKAGES)
        .stdin(Stdio::null())
        // What is printed on our stdout is results only.
        .stdout(std::io::stderr())
        .status()
        .context("cannot run npm")?;
    ensure!(status.success(), "npm install failed: {status}");
    fs::write(place.join(COMPLETE), "").context("cannot mark the packages as whole")
}

fn node_major() -> Option<u32> {
    let output = Command::new("node").arg("--version").output().ok()?;
    major(&String::from_utf8_lossy(&output.stdout))
}

/// Of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_pinned() {
        for package in PACKAGES {
            let (_, version) = package.rsplit_once('@').unwrap();
            assert!(version.split('.').count() == 3, "{package}");
        }
    }

    #[test]
    fn the_version_of_node_is_understood() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major(""), None);
        assert_eq!(major("node: not found"), None);
    }
}
