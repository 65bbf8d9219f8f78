//! Our packages and their direct dependencies, as cargo sees them (renames, targets and all).

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::cargo;

/// One package of the workspace.
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    /// Its name, `onsale-*` or `xtask`.
    pub name: String,
    /// What its manifest lists, optional dependencies included.
    pub dependencies: Vec<Dependency>,
}

/// One line of a manifest.
#[derive(Debug, Clone, Deserialize)]
pub struct Dependency {
    /// The real name of the package.
    pub name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    pub kind: Option<String>,
}

impl Dependency {
    /// Whether only tests, benches and examples see it.
    pub fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// Reads every manifest of the workspace.
pub fn read(root: &Path) -> Result<Vec<Package>> {
    parse(&cargo::output(
        root,
        &["metadata", "--no-deps", "--format-version", "1", "--locked"],
    )?)
}

fn parse(json: &str) -> Result<Vec<Package>> {
    let metadata: Metadata =
        serde_json::from_str(json).context("cannot read the output of cargo metadata")?;
    Ok(metadata.packages)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A package for the tests of the rules; `dev:name` is a dev-dependency.
    pub(in crate::tidy) fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependency = |spec: &&str| match spec.strip_prefix("dev:") {
            Some(name) => Dependency {
                name: name.to_owned(),
                kind: Some("dev".to_owned()),
            },
            None => Dependency {
                name: (*spec).to_owned(),
                kind: None,
            },
        };
        Package {
            name: name.to_owned(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    #[test]
    fn metadata_is_read() {
        let json = r#"{"packages": [{"name": "onsale-http", "dependencies": [
            {"name": "axum", "kind": null, "rename": null}, {"name": "tempfile", "kind": "dev"}]}]}"#;
        let packages = parse(json).unwrap();
        assert_eq!(packages[0].name, "onsale-http");
        assert!(!packages[0].dependencies[0].is_dev());
        assert!(packages[0].dependencies[1].is_dev());
    }
}
