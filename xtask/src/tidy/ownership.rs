//! Which libraries only one of our crates may use, so that replacing one touches one crate.

use super::Workspace;
use super::manifests::Package;

/// Library, and its owner.
const OWNERS: &[(&str, &str)] = &[
    ("ractor", "onsale-engine"),
    ("sqlx", "onsale-persistence"),
    ("jiff-sqlx", "onsale-persistence"),
    ("rusqlite", "onsale-persistence"),
    ("redis", "onsale-persistence"),
    ("aws-sdk-s3", "onsale-persistence"),
    ("axum", "onsale-http"),
    ("utoipa", "onsale-http"),
    ("utoipa-axum", "onsale-http"),
];

/// Which uses them to be what Onsale is compared with; nothing of ours depends on it.
const PEERS: &str = "onsale-compare";

/// Crate, library, and why its tests may use it all the same.
const TEST_EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "onsale-server",
    "sqlx",
    "tests of the whole look at the tables with queries of their own",
)];

/// Every use of an owned library by another crate, tests included.
pub fn check(workspace: &Workspace) -> Vec<String> {
    trespasses(&workspace.packages)
}

fn trespasses(packages: &[Package]) -> Vec<String> {
    let mut messages = Vec::new();
    for package in packages {
        for dependency in &package.dependencies {
            let Some((library, owner)) = OWNERS.iter().find(|(library, _)| *library == dependency.name)
            else {
                continue;
            };
            let excepted = dependency.is_dev()
                && TEST_EXCEPTIONS
                    .iter()
                    .any(|(name, lib, _)| *name == package.name && lib == library);
            if package.name != *owner && package.name != PEERS && !excepted {
                messages.push(format!(
                    "{} must not depend on {library}: offer what it needs as a function of {owner}",
                    package.name
                ));
            }
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::super::manifests::tests::package;
    use super::*;

    #[test]
    fn a_library_belongs_to_one_crate() {
        let packages = [
            package("onsale-engine", &["ractor", "tokio"]),
            package("onsale-persistence", &["sqlx"]),
            package("onsale-http", &["axum", "dev:sqlx"]),
        ];
        let messages = trespasses(&packages);
        assert_eq!(messages.len(), 1);
        assert!(messages[0].starts_with("onsale-http must not depend on sqlx"));
    }
}
