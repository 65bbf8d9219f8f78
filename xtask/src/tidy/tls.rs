//! One TLS stack and one HTTP stack in what we build.
//!
//! `cargo deny` says the same (`deny.toml`), but is slow to install; this check needs only cargo. It asks for
//! the tree and not the lock file, because the lock file also names optional packages that nobody builds.

use std::path::Path;

use anyhow::Result;

use super::Workspace;
use crate::cargo;

/// Start of a line of the tree, and what to use instead.
const BANNED: &[(&str, &str)] = &[
    (
        "ring v",
        "aws-lc-rs: choose the feature of the dependency that selects it",
    ),
    ("openssl v", "rustls with aws-lc-rs"),
    ("openssl-sys v", "rustls with aws-lc-rs"),
    ("native-tls v", "rustls with aws-lc-rs"),
    (
        "hyper v0.14",
        "hyper 1: update or replace the dependency that needs the old one",
    ),
];

/// The packages of a default build.
pub(super) fn tree(root: &Path) -> Result<Vec<String>> {
    let args = [
        "tree",
        "--workspace",
        "-e",
        "normal,build",
        "--prefix",
        "none",
        "--locked",
    ];
    Ok(cargo::output(root, &args)?.lines().map(str::to_owned).collect())
}

/// Every banned package in the tree.
pub fn check(workspace: &Workspace) -> Vec<String> {
    banned(&workspace.tree)
}

fn banned(tree: &[String]) -> Vec<String> {
    BANNED
        .iter()
        .filter_map(|(start, instead)| {
            let found = tree.iter().find(|line| line.starts_with(start))?;
            Some(format!(
                "{found} is in the tree (`cargo tree -i` shows why): use {instead}"
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banned_packages_are_found_by_name_and_version() {
        let tree = [
            "hyper v1.12.0",
            "hyper v0.14.30",
            "ring-buffer v1.0.0",
            "rustls v0.23.0",
        ];
        let messages = banned(&tree.map(str::to_owned));
        assert_eq!(messages.len(), 1);
        assert!(messages[0].starts_with("hyper v0.14.30"));
    }
}
