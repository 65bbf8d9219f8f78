//! Which of our crates may depend on which: the arrows of the architecture page.

use super::Workspace;
use super::manifests::Package;

/// Crate, and the crates of ours that it may depend on.
const EDGES: &[(&str, &[&str])] = &[
    ("onsale-domain", &[]),
    ("onsale-engine", &["onsale-domain"]),
    ("onsale-persistence", &["onsale-domain", "onsale-engine"]),
    (
        "onsale-services",
        &["onsale-domain", "onsale-engine", "onsale-persistence"],
    ),
    ("onsale-http", &["onsale-domain", "onsale-services"]),
    (
        "onsale-server",
        &[
            "onsale-domain",
            "onsale-engine",
            "onsale-persistence",
            "onsale-services",
            "onsale-http",
            "onsale-simulation",
        ],
    ),
    ("onsale-simulation", &["onsale-domain", "onsale-engine"]),
    ("onsale-report", &[]),
    ("onsale-loadtest", &["onsale-report"]),
    // Its peers stand behind our server's shell, so that only what they do differs.
    (
        "onsale-compare",
        &["onsale-domain", "onsale-http", "onsale-report", "onsale-services"],
    ),
    ("xtask", &[]),
];

/// Crate, and what its tests may use on top: the route tests put a whole application together.
/// The load test is tried on the real binary, which only the server's own tests know.
const DEV_EXCEPTIONS: &[(&str, &[&str])] = &[
    ("onsale-http", &["onsale-engine", "onsale-persistence"]),
    ("onsale-server", &["onsale-loadtest"]),
];

/// Every edge that no table allows.
pub fn check(workspace: &Workspace) -> Vec<String> {
    forbidden_edges(&workspace.packages)
}

fn forbidden_edges(packages: &[Package]) -> Vec<String> {
    let ours = |name: &str| packages.iter().any(|package| package.name == name);
    let mut messages = Vec::new();
    for package in packages {
        let Some(allowed) = lookup(EDGES, &package.name) else {
            messages.push(format!(
                "{} is new: add it to EDGES in xtask/src/tidy/edges.rs",
                package.name
            ));
            continue;
        };
        let for_tests = lookup(DEV_EXCEPTIONS, &package.name).unwrap_or_default();
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| ours(&dependency.name))
        {
            let name = dependency.name.as_str();
            let is_allowed = allowed.contains(&name) || dependency.is_dev() && for_tests.contains(&name);
            if !is_allowed {
                messages.push(format!(
                    "{} must not depend on {name}: move the code, or let the crate above both connect them",
                    package.name
                ));
            }
        }
    }
    messages
}

fn lookup<'a>(table: &'a [(&str, &'a [&'a str])], name: &str) -> Option<&'a [&'a str]> {
    table.iter().find(|(from, _)| *from == name).map(|(_, to)| *to)
}

#[cfg(test)]
mod tests {
    use super::super::manifests::tests::package;
    use super::*;

    /// How many violations `from` has when the crates it may meet exist.
    fn check(from: &str, dependencies: &[&str], violations: usize) {
        let mut packages: Vec<_> = EDGES.iter().map(|(name, _)| package(name, &[])).collect();
        packages.retain(|known| known.name != from);
        packages.push(package(from, dependencies));
        assert_eq!(
            forbidden_edges(&packages).len(),
            violations,
            "{from} -> {dependencies:?}"
        );
    }

    #[test]
    fn arrows_point_inwards() {
        check("onsale-engine", &["onsale-domain", "tokio"], 0);
        check("onsale-domain", &["onsale-engine"], 1);
        check(
            "onsale-http",
            &["onsale-domain", "onsale-engine", "onsale-persistence"],
            2,
        );
        check("xtask", &["onsale-domain"], 1);
    }

    #[test]
    fn tests_may_use_more_only_where_the_table_says_so() {
        check("onsale-http", &["dev:onsale-persistence"], 0);
        check("onsale-engine", &["dev:onsale-persistence"], 1);
    }

    #[test]
    fn a_new_crate_must_be_placed() {
        check("onsale-tomorrow", &[], 1);
    }
}
