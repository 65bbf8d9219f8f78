//! The programs that lint, and where they come from.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::python::{CHECKOV, LINTERS};
use crate::{apt, node};

/// A program.
#[derive(Clone, Copy, Debug)]
pub enum Program {
    /// Of `xtask/requirements-lint.txt`.
    Linter(&'static str),
    /// Of `xtask/requirements-checkov.txt`.
    Checkov,
    /// Of the packages in `xtask/src/node.rs`.
    Node(&'static str),
    /// What is in the path, or else in this package of Debian, where there is one.
    System(&'static str, Option<&'static str>),
    /// A program in the path with a part that may be missing, which is its first argument.
    Plugin(&'static str, &'static str),
}

/// Where a program is.
#[derive(Debug)]
pub enum Found {
    /// There, with arguments that it always gets.
    Here(PathBuf, Option<&'static str>),
    /// Not to be had on this machine; why.
    Missing(String),
}

impl Program {
    /// Looks for it, and installs it where that needs no questions.
    ///
    /// Errors: an installation that was begun and failed. That a program cannot be had is none.
    pub fn find(self) -> Result<Found> {
        match self {
            Self::Linter(name) => Ok(Found::Here(LINTERS.program(name)?, None)),
            Self::Checkov => Ok(Found::Here(CHECKOV.program("checkov")?, None)),
            Self::Node(name) => Ok(match node::program(name)? {
                Some(program) => Found::Here(program, None),
                None => Found::Missing("npm with Node 20 or later is not installed".to_owned()),
            }),
            Self::System(name, package) => {
                if apt::directory_in_path(name).is_none()
                    && let Some(package) = package
                {
                    apt::install(package, name)?;
                }
                Ok(match apt::directory_in_path(name) {
                    Some(directory) => Found::Here(directory.join(name), None),
                    None => Found::Missing(format!("{name} is not installed")),
                })
            }
            Self::Plugin(name, part) => Ok(match apt::directory_in_path(name) {
                Some(directory) if has(&directory.join(name), part) => {
                    Found::Here(directory.join(name), Some(part))
                }
                Some(_) => Found::Missing(format!("{name} has no {part}")),
                None => Found::Missing(format!("{name} is not installed")),
            }),
        }
    }
}

fn has(program: &Path, part: &str) -> bool {
    let status = Command::new(program)
        .args([part, "version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_nowhere_is_missing_and_no_error() {
        let found = Program::System("no-such-program-anywhere", None).find().unwrap();
        assert!(matches!(found, Found::Missing(_)), "{found:?}");
        let found = Program::Plugin("false", "part").find().unwrap();
        assert!(matches!(found, Found::Missing(_)), "{found:?}");
    }
}
