//! Private Python environments with what a list of requirements names: for tests that speak to somebody else's programs,
//! and for linters.
//!
//! Each is made once for its list and kept under the target directory. Tests find the interpreter of theirs in
//! `ONSALE_TEST_PYTHON` and start their programs with `python -m …` themselves.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{apt, cargo, process, workspace};

/// An environment: the list of what is installed in it.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// File of the list, from the root of the workspace.
    file: &'static str,
    /// The list itself.
    requirements: &'static str,
}

/// What tests speak to.
const TESTS: Environment = Environment {
    file: "xtask/requirements.txt",
    requirements: include_str!("../requirements.txt"),
};
/// Linters that get on with each other.
pub const LINTERS: Environment = Environment {
    file: "xtask/requirements-lint.txt",
    requirements: include_str!("../requirements-lint.txt"),
};
/// The one that does not.
pub const CHECKOV: Environment = Environment {
    file: "xtask/requirements-checkov.txt",
    requirements: include_str!("../requirements-checkov.txt"),
};
/// Written last: without it the environment is not whole.
const COMPLETE: &str = "complete";
/// What Debian calls what makes environments.
const PACKAGE: &str = "python3-venv";

/// The interpreter of the environment of the tests, which is made where it is not there yet.
pub fn interpreter() -> Result<PathBuf> {
    TESTS.interpreter()
}

impl Environment {
    /// A program that the requirements bring, in the environment, which is made where it is not there yet.
    pub fn program(self, name: &str) -> Result<PathBuf> {
        let program = self.interpreter()?.with_file_name(name);
        ensure!(program.is_file(), "{} brings no {name}", self.file);
        Ok(program)
    }

    fn interpreter(self) -> Result<PathBuf> {
        let kept = cargo::target_directory(&workspace::root()?)?.join("xtask/venv");
        fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
        let name = format!("{:016x}", fingerprint(self.requirements));
        // Another run may be making the same one; the lock ends with this file.
        let lock = File::create(kept.join(format!("{name}.lock"))).context("cannot make a lock file")?;
        lock.lock().context("cannot wait for another run")?;
        let environment = kept.join(name);
        let python = environment.join("bin/python");
        if !environment.join(COMPLETE).is_file() || !can(&python, "pass") {
            make(self, &environment, &python)?;
        }
        Ok(python)
    }
}

fn make(what: Environment, environment: &Path, python: &Path) -> Result<()> {
    eprintln!("xtask: installing what {} names", what.file);
    if environment.exists() {
        fs::remove_dir_all(environment)
            .with_context(|| format!("cannot remove {}", environment.display()))?;
    }
    run(Command::new(system_python()?)
        .args(["-m", "venv"])
        .arg(environment))?;
    let requirements = environment.join("requirements.txt");
    fs::write(&requirements, what.requirements).context("cannot write the requirements")?;
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
pub(crate) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_pinned() {
        for list in [TESTS, LINTERS, CHECKOV] {
            for line in list.requirements.lines().filter(|line| !line.starts_with('#')) {
                assert!(line.contains("=="), "{}: {line}", list.file);
            }
        }
    }

    #[test]
    fn another_list_has_another_environment() {
        assert_ne!(fingerprint("aiosmtpd==1.4.6"), fingerprint("aiosmtpd==1.4.7"));
    }
}
