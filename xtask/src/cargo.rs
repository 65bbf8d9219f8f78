//! How cargo is called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What the server is built with wherever it is tried, as its image is: with S3 and the export of traces.
pub const FEATURES: &str = "onsale-server/s3,onsale-server/otlp";

/// The cargo that runs this xtask, so that the toolchain stays the same.
pub fn command(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

/// Runs cargo quietly and returns what it printed.
pub fn output(root: &Path, args: &[&str]) -> Result<String> {
    let output = command(root)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "cargo {} failed: {}",
        args.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout).context("cargo printed something that is not UTF-8")
}

/// Whether `cargo nextest` is installed.
pub fn has_nextest(root: &Path) -> bool {
    output(root, &["nextest", "--version"]).is_ok()
}

/// Where cargo builds, and xtask keeps what it installs: asked of cargo, since the environment may name another directory.
pub fn target_directory(root: &Path) -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    Ok(metadata::<Metadata>(root)?.target_directory)
}

/// Those of [`FEATURES`] that the workspace in `root` knows, which may be an older one.
pub fn known_features(root: &Path) -> Result<String> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        features: BTreeMap<String, Vec<String>>,
    }
    let packages = metadata::<Metadata>(root)?.packages;
    let is_known = |feature: &&str| {
        feature.split_once('/').is_some_and(|(package, feature)| {
            let mut packages = packages.iter();
            packages.any(|found| found.name == package && found.features.contains_key(feature))
        })
    };
    let known: Vec<_> = FEATURES.split(',').filter(is_known).collect();
    Ok(known.join(","))
}

fn metadata<T: DeserializeOwned>(root: &Path) -> Result<T> {
    let json = output(
        root,
        &["metadata", "--no-deps", "--format-version", "1", "--locked"],
    )?;
    serde_json::from_str(&json).context("cannot read the output of cargo metadata")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn this_workspace_knows_every_feature() {
        let root = crate::workspace::root().unwrap();
        assert_eq!(known_features(&root).unwrap(), FEATURES);
    }

    #[test]
    fn a_release_from_before_a_feature_is_built_without_it() {
        let directory = tempfile::tempdir().unwrap();
        let manifest = "[package]\nname = \"onsale-server\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                        [lib]\npath = \"lib.rs\"\n[features]\ns3 = []\n[workspace]\n";
        let lock = "version = 4\n\n[[package]]\nname = \"onsale-server\"\nversion = \"0.1.0\"\n";
        for (name, text) in [("Cargo.toml", manifest), ("Cargo.lock", lock), ("lib.rs", "")] {
            fs::write(directory.path().join(name), text).unwrap();
        }
        assert_eq!(known_features(directory.path()).unwrap(), "onsale-server/s3");
    }
}
