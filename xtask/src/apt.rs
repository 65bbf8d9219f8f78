//! Installs what is missing where that needs no questions: as root on Debian and its relatives.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::geteuid;

/// Debian asks this script before a package starts its service.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// The directory of `PATH` that holds `program`.
pub fn directory_in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|dir| dir.join(program).is_file())
}

/// Installs a Debian package, or says what to install by hand.
pub fn install(package: &str, what_for: &str) -> Result<()> {
    if !geteuid().is_root() || directory_in_path("apt-get").is_none() {
        bail!(
            "{what_for} is not installed, and only root on Debian can have it installed from here; \
             install it (on Debian: `apt-get install {package}`) and run this again"
        );
    }
    eprintln!("xtask: {what_for} is missing, installing the package {package}");
    let _no_services = NoServices::declare()?;
    apt_get(&["update", "--quiet=2"])?;
    apt_get(&[
        "install",
        "--quiet=2",
        "--yes",
        "--no-install-recommends",
        package,
    ])
}

fn apt_get(args: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        // What is printed on our stdout is results only.
        .stdout(std::io::stderr())
        .status()
        .context("cannot run apt-get")?;
    ensure!(status.success(), "apt-get {} failed: {status}", args.join(" "));
    Ok(())
}

/// While it lives, newly installed packages do not start their services: we start our own, private ones.
struct NoServices {
    written: bool,
}

impl NoServices {
    fn declare() -> Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { written: false });
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(POLICY)
            .with_context(|| format!("cannot write {POLICY}"))?;
        let guard = Self { written: true };
        file.write_all(b"#!/bin/sh\nexit 101\n")
            .with_context(|| format!("cannot write {POLICY}"))?;
        Ok(guard)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.written
            && let Err(error) = fs::remove_file(POLICY)
        {
            eprintln!("xtask: cannot remove {POLICY}: {error}");
        }
    }
}
