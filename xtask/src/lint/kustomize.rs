//! Objects of a cluster against the schemas of Kubernetes: as they stand in their files, and as kustomize makes them of base
//! and overlays, since a patch may break what was whole.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::check::{Outcome, failure, said};
use super::files::is_custom;
use super::program::{Found, Program};
use crate::workspace::SourceFile;

/// Checks the objects of each file whose kinds Kubernetes itself has.
pub(super) fn schemas(_root: &Path, files: &[&SourceFile]) -> Result<Outcome> {
    let validate = match Program::Linter("kubernetes-validate").find()? {
        Found::Here(path, _) => path,
        Found::Missing(reason) => return Ok(Outcome::Skipped(reason)),
    };
    // Copies under the same names, so that one call looks at all and names them right.
    let copies = tempfile::tempdir().context("cannot make a directory")?;
    let mut command = Command::new(&validate);
    command.arg("--strict").current_dir(copies.path());
    for file in files {
        let known = without_custom(&file.text);
        if known.trim().is_empty() {
            continue;
        }
        let copy = copies.path().join(&file.path);
        fs::create_dir_all(copy.parent().unwrap_or(copies.path())).context("cannot make a directory")?;
        fs::write(&copy, known).with_context(|| format!("cannot copy {}", file.path))?;
        command.arg(&file.path);
    }
    if command.get_args().count() == 1 {
        return Ok(Outcome::Skipped("there is no object with a schema".to_owned()));
    }
    Ok(said(failure(&mut command)?.into_iter()))
}

/// Builds every kustomization and checks what comes out. Components are built where they are used.
pub(super) fn check(root: &Path, files: &[&SourceFile]) -> Result<Outcome> {
    let kubectl = match Program::System("kubectl", None).find()? {
        Found::Here(path, _) => path,
        Found::Missing(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let validate = match Program::Linter("kubernetes-validate").find()? {
        Found::Here(path, _) => path,
        Found::Missing(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let mut problems = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.text.contains("kind: Kustomization"))
    {
        let directory = Path::new(&file.path).parent().unwrap_or(Path::new("."));
        let built = Command::new(&kubectl)
            .arg("kustomize")
            .arg(directory)
            .current_dir(root)
            .stdin(Stdio::null())
            .output()
            .context("cannot run kubectl")?;
        if !built.status.success() {
            let error = String::from_utf8_lossy(&built.stderr);
            problems.push(format!("{}: {}", file.path, error.trim()));
            continue;
        }
        let objects = tempfile::Builder::new()
            .suffix(".yaml")
            .tempfile()
            .context("cannot make a file")?;
        let known = without_custom(&String::from_utf8_lossy(&built.stdout));
        fs::write(objects.path(), known).context("cannot write what was built")?;
        let refused = failure(Command::new(&validate).arg("--strict").arg(objects.path()))?;
        problems.extend(refused.map(|told| format!("{}: {told}", file.path)));
    }
    Ok(said(problems.into_iter()))
}

/// The objects whose kinds Kubernetes itself has.
fn without_custom(objects: &str) -> String {
    let known: Vec<&str> = objects
        .split("\n---\n")
        .filter(|object| !is_custom(object))
        .collect();
    known.join("\n---\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_operators_are_left_out() {
        let objects = "apiVersion: v1\nkind: Service\n---\napiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\n---\n\
                       apiVersion: apps/v1\nkind: Deployment\n";
        let known = without_custom(objects);
        assert_eq!(
            known,
            "apiVersion: v1\nkind: Service\n---\napiVersion: apps/v1\nkind: Deployment\n"
        );
        assert_eq!(
            without_custom("# Says why.\napiVersion: monitoring.coreos.com/v1\n"),
            ""
        );
    }
}
