//! `cargo xtask lint`: what clippy and tidy do not look at. Containers, compose, shell, YAML, Kubernetes, Terraform,
//! Prometheus, JSON.
//!
//! Each lint is a line of [`table::LINTS`]: its name, its files, what looks at them. Programs are installed at exact versions
//! into places of our own under the target directory ([`program`]); one that cannot be had here is said in a line that
//! starts with `skipped:`. To add a lint: a line in the table. To leave out one of a program's own rules: its configuration
//! in the root (`.hadolint.yaml`, `.yamllint.yaml`, `.dclintrc.yaml`, `.checkov.yaml`), with the reason beside it.

pub mod check;
pub mod files;
pub mod kustomize;
pub mod program;
pub mod table;
pub mod terraform;

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::workspace::{self, SourceFile};
use check::Outcome;
use table::LINTS;

/// Runs the lints, all of them or those whose name contains `only`; the last line counts them.
pub fn run(only: Option<&str>) -> Result<ExitCode> {
    let root = workspace::root()?;
    let files = workspace::text_files(&root)?;
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for lint in LINTS {
        if only.is_some_and(|part| !lint.name.contains(part)) {
            continue;
        }
        let own: Vec<&SourceFile> = files.iter().filter(|file| (lint.covers)(file)).collect();
        let outcome = if own.is_empty() {
            Outcome::Skipped("there is no file for it".to_owned())
        } else {
            lint.check.run(&root, &own)?
        };
        match outcome {
            Outcome::Passed => {
                println!("passed: {} ({} files)", lint.name, own.len());
                passed += 1;
            }
            Outcome::Failed(said) => {
                println!("failed: {}\n{}", lint.name, said.trim_end());
                failed += 1;
            }
            Outcome::Skipped(reason) => {
                println!("skipped: {}: {reason}", lint.name);
                skipped += 1;
            }
        }
    }
    ensure!(passed + failed + skipped > 0, "no lint has such a name");
    println!("{passed} lints passed, {failed} failed, {skipped} skipped");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
