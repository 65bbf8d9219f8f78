//! The lints. Adding one is one line.

use super::check::Check;
use super::files::{
    compose, dockerfile, hcl, in_infra, json, kubernetes, kustomization, prometheus_config, prometheus_rules,
    shell, yaml,
};
use super::program::Program::{Checkov, Linter, Node, Plugin, System};
use super::{check, kustomize, terraform};
use crate::workspace::SourceFile;

/// A lint.
#[derive(Debug)]
pub struct Lint {
    /// For people, and for `--only`.
    pub name: &'static str,
    /// Whether it looks at a file.
    pub covers: fn(&SourceFile) -> bool,
    /// How.
    pub check: Check,
}

const fn lint(name: &'static str, covers: fn(&SourceFile) -> bool, check: Check) -> Lint {
    Lint { name, covers, check }
}

/// All lints, the quick ones first.
#[rustfmt::skip]
pub const LINTS: &[Lint] = &[
    lint("json", json, Check::Text(check::parses_as_json)),
    lint("shellcheck", shell, Check::Files(Linter("shellcheck"), &[])),
    lint("yamllint", yaml, Check::Files(Linter("yamllint"), &["--strict"])),
    lint("hadolint", dockerfile, Check::Files(Linter("hadolint"), &["--config", ".hadolint.yaml"])),
    lint("dclint", compose, Check::Files(Node("dclint"), &["--config", ".dclintrc.yaml", "--max-warnings", "0"])),
    lint("compose config", compose, Check::Once(Plugin("docker", "compose"), &["--profile", "*", "config", "--quiet"])),
    lint("promtool rules", prometheus_rules, Check::Files(System("promtool", Some("prometheus")), &["check", "rules"])),
    lint("promtool config", prometheus_config, Check::Files(System("promtool", Some("prometheus")), &["check", "config", "--syntax-only"])),
    lint("kubernetes schemas", kubernetes, Check::Own(kustomize::schemas)),
    lint("kustomize", kustomization, Check::Own(kustomize::check)),
    lint("hcl", hcl, Check::EachFile(Linter("hcl2tojson"), &[])),
    lint("terraform fmt", hcl, Check::Once(System("terraform", None), &["fmt", "-check", "-diff", "-recursive", "infra"])),
    lint("terraform validate", hcl, Check::Own(terraform::validate)),
    lint("checkov", in_infra, Check::Once(Checkov, &["--config-file", ".checkov.yaml", "--directory", "."])),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_differ() {
        let names: BTreeSet<_> = LINTS.iter().map(|lint| lint.name).collect();
        assert_eq!(names.len(), LINTS.len());
    }
}
