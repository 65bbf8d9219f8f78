//! A private Python environment with what `requirements.txt` names, for tests that speak to somebody else's programs.
//!
//! It is made once for each list and kept under the target directory. Tests find its interpreter in
//! `ONSALE_TEST_PYTHON` and start their programs with `python -m …` themselves.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{apt, process, workspace};

/// What is installed.
const REQUIREMENTS: &str = include_str!("../requirements.txt");
/// Written last: without it the environment is not whole.
const COMPLETE: &str = "complete";
/// What Debian calls what makes environments.
const PACKAGE: &str = "python3-venv";

/// The interpreter of the environment, which is made where it is not there yet.
pub fn interpreter() -> Result<PathBuf> {
    let kept = target_dir()?.join("xtask/venv");
    fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
    let name = format!("{:016x}", fingerprint(REQUIREMENTS));
    // Another run may be making the same one; the lock ends with this file.
    let lock = File::create(kept.join(format!("{name}.lock"))).context("cannot make a lock file")?;
    lock.lock().context("cannot wait for another run")?;
    let environment = kept.join(name);
    let python = environment.join("bin/python");
    if !environment.join(COMPLETE).is_file() || !can(&python, "pass") {
        make(&environment, &python)?;
    }
    Ok(python)
}

/// As cargo finds it.
fn target_dir() -> Result<PathBuf> {
    let root = workspace::root()?;
    Ok(std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir)))
}

fn make(environment: &Path, python: &Path) -> Result<()> {
    eprintln!("xtask: installing what xtask/requirements.txt names");
    if environment.exists() {
        fs::remove_dir_all(environment)
            .with_context(|| format!("cannot remove {}", environment.display()))?;
    }
    run(Command::new(system_python()?)
        .args(["-m", "venv"])
        .arg(environment))?;
    let requirements = environment.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).context("cannot write the requirements")?;
    run(Command::new(python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
        ])
        .arg("--requirement")
        .arg(&requirements))?;
    fs::write(environment.join(COMPLETE), "").context("cannot mark the environment as whole")
}

/// A Python that can make environments, installed where that is possible.
fn system_python() -> Result<&'static str> {
    // Debian's own comes last: what is installed here is for that one.
    const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];
    let usable = || {
        PYTHONS
            .into_iter()
            .find(|python| can(Path::new(python), "import ensurepip, venv"))
    };
    if let Some(python) = usable() {
        return Ok(python);
    }
    apt::install(PACKAGE, "Python 3 with venv")?;
    usable().context("Python 3 was installed, but makes no environments")
}

fn can(python: &Path, what: &str) -> bool {
    let mut command = Command::new(python);
    let status = command
        .args(["-c", what])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

fn run(command: &mut Command) -> Result<()> {
    let finished = process::run(command, process::Console::Captured, &[])?;
    ensure!(
        finished.status.success(),
        "{} failed ({})",
        command.get_program().to_string_lossy(),
        finished.status
    );
    Ok(())
}

/// FNV-1a: another list, another environment.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_pinned() {
        for line in REQUIREMENTS.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.contains("=="), "{line}");
        }
    }

    #[test]
    fn another_list_has_another_environment() {
        assert_ne!(fingerprint("aiosmtpd==1.4.6"), fingerprint("aiosmtpd==1.4.7"));
    }
}
