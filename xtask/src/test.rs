//! `cargo xtask test`: every test, with all it needs, on a fresh machine.

use std::process::ExitCode;

use anyhow::Result;

use crate::counts::{self, Counts, Format};
use crate::private::Servers;
use crate::process::{self, Console};
use crate::{cargo, workspace};

/// What is built and tested, with S3 and the export of traces. Without the embedded Postgres, whose first build takes many minutes.
const WORKSPACE: &[&str] = &["--workspace", "--features", cargo::FEATURES];
/// Added by `--embedded` or `ONSALE_TEST_EMBEDDED=1`.
const EMBEDDED: &[&str] = &["--features", "onsale-server/embedded"];

/// An empty run is judged by us, over all suites.
const NEXTEST: &[&str] = &["nextest", "run", "--locked", "--no-tests=pass"];
/// Where nextest is missing. Doc tests follow on their own, as they do with nextest.
const CARGO_TEST: &[&str] = &["test", "--locked", "--no-fail-fast", "--lib", "--bins", "--tests"];
const DOC_TESTS: &[&str] = &["test", "--locked", "--no-fail-fast", "--doc"];

/// One run of a test runner.
struct Suite {
    format: Format,
    args: Vec<String>,
}

/// Runs the tests; the last line on stdout is `N passed, N failed`.
pub fn run(embedded: bool, extra: &[String]) -> Result<ExitCode> {
    let total = run_suites(embedded || embedded_by_environment(), extra);
    let interrupted = process::interrupted();
    if interrupted {
        eprintln!("xtask: interrupted, not every test ran");
    }
    let total = total.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        Counts { passed: 0, failed: 1 }
    });
    println!("{total}");
    Ok(if total.is_green() && !interrupted {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn embedded_by_environment() -> bool {
    std::env::var("ONSALE_TEST_EMBEDDED").is_ok_and(|value| value == "1")
}

/// The servers live for the whole of this function, and no longer.
fn run_suites(embedded: bool, extra: &[String]) -> Result<Counts> {
    let root = workspace::root()?;
    let nextest = cargo::has_nextest(&root);
    if !nextest {
        eprintln!("xtask: cargo-nextest is not installed, falling back to `cargo test` (slower, same tests)");
    }
    if !embedded {
        eprintln!("xtask: the tests of the embedded Postgres are left out (`--embedded` runs them)");
    }
    let servers = Servers::start()?;
    let mut total = Counts::default();
    for suite in suites(nextest, embedded, extra) {
        if process::interrupted() {
            break;
        }
        let mut command = servers.cargo(&root);
        let finished = process::run(command.args(&suite.args), Console::Captured, &servers.pids())?;
        let mut counts = counts::parse(suite.format, &finished.output);
        // A build that broke or a test binary that died names no failed test; it still is a failure.
        if !finished.status.success() && counts.failed == 0 {
            counts.failed = 1;
        }
        total += counts;
    }
    Ok(total)
}

/// Arguments choose what to run, so they replace the doc tests and, where they name packages, the workspace.
fn suites(nextest: bool, embedded: bool, extra: &[String]) -> Vec<Suite> {
    let names_packages = extra
        .iter()
        .any(|arg| arg.starts_with("-p") || arg.starts_with("--package"));
    let packages = if names_packages { &[] } else { WORKSPACE };
    let features = if embedded { EMBEDDED } else { &[] };
    let suite = |format, runner: &[&str], extra: &[String]| {
        let fixed = [runner, packages, features].concat();
        let args = fixed
            .into_iter()
            .map(str::to_owned)
            .chain(extra.iter().cloned())
            .collect();
        Suite { format, args }
    };
    let (format, runner) = if nextest {
        (Format::Nextest, NEXTEST)
    } else {
        (Format::Libtest, CARGO_TEST)
    };
    let mut suites = vec![suite(format, runner, extra)];
    if extra.is_empty() {
        suites.push(suite(Format::Libtest, DOC_TESTS, &[]));
    } else {
        eprintln!("xtask: doc tests are left out, because arguments choose the tests");
    }
    suites
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(nextest: bool, embedded: bool, extra: &[&str], expected: &[&str]) {
        let extra: Vec<_> = extra.iter().map(|&arg| arg.to_owned()).collect();
        let found: Vec<_> = suites(nextest, embedded, &extra)
            .iter()
            .map(|suite| suite.args.join(" "))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn everything_is_tested_by_default() {
        check(
            true,
            false,
            &[],
            &[
                "nextest run --locked --no-tests=pass --workspace --features onsale-server/s3,onsale-server/otlp",
                "test --locked --no-fail-fast --doc --workspace --features onsale-server/s3,onsale-server/otlp",
            ],
        );
    }

    #[test]
    fn the_embedded_postgres_is_a_feature() {
        check(
            false,
            true,
            &["hold"],
            &[
                "test --locked --no-fail-fast --lib --bins --tests --workspace --features onsale-server/s3,onsale-server/otlp --features onsale-server/embedded hold",
            ],
        );
    }

    #[test]
    fn named_packages_replace_the_workspace() {
        check(
            true,
            false,
            &["-p", "onsale-domain"],
            &["nextest run --locked --no-tests=pass -p onsale-domain"],
        );
    }
}
