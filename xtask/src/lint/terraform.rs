//! `terraform validate`, where somebody has fetched the providers: without them Terraform knows no resource.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::check::{Outcome, failure, said};
use super::program::{Found, Program};
use crate::workspace::SourceFile;

/// Validates every directory that was initialised.
pub(super) fn validate(root: &Path, files: &[&SourceFile]) -> Result<Outcome> {
    let terraform = match Program::System("terraform", None).find()? {
        Found::Here(path, _) => path,
        Found::Missing(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let directories: BTreeSet<&Path> = files
        .iter()
        .filter_map(|file| Path::new(&file.path).parent())
        .filter(|directory| root.join(directory).join(".terraform/providers").is_dir())
        .collect();
    if directories.is_empty() {
        let reason = "no directory has its providers: `terraform init -backend=false` in it fetches them";
        return Ok(Outcome::Skipped(reason.to_owned()));
    }
    let mut problems = Vec::new();
    for directory in directories {
        let mut command = Command::new(&terraform);
        command
            .current_dir(root.join(directory))
            .args(["validate", "-no-color"]);
        let refused = failure(&mut command)?;
        problems.extend(refused.map(|told| format!("{}: {told}", directory.display())));
    }
    Ok(said(problems.into_iter()))
}
