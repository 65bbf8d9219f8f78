//! `onsale doctor`: looks at everything that stops people from serving, and says what to do about it.

mod files;
mod machine;
mod payments;

use clap::Args;
use serde::Serialize;

use super::{print, print_json};
use crate::cli::{Common, DataArguments};
use crate::configuration::{JournalKind, Settings};
use crate::exit::Failure;
use crate::wiring;

/// Arguments of `onsale doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale doctor
  onsale doctor --json | jq '.checks[] | select(.outcome != \"ok\")'

Exits 1 when something stops the server from serving; warnings do not.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ok,
    Warning,
    Failed,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    outcome: Outcome,
    detail: String,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            outcome: Outcome::Ok,
            detail: detail.into(),
        }
    }

    fn warning(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            outcome: Outcome::Warning,
            detail: detail.into(),
        }
    }

    fn failed(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            outcome: Outcome::Failed,
            detail: detail.into(),
        }
    }
}

/// Runs every check that can run.
pub(crate) async fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let mut checks = Vec::new();
    match Settings::load(&arguments.data.onto(common.sources())) {
        Ok(settings) => {
            checks.push(configuration(&settings));
            checks.extend(database(&settings).await);
            checks.push(redis(&settings).await);
            checks.push(files::files(&settings).await);
            checks.extend(payments::providers(&settings).await);
            if settings.journal == JournalKind::Local {
                checks.push(machine::journal_directory(&settings.journal_directory));
            }
            checks.push(machine::file_descriptors(settings.connections_max));
        }
        Err(error) => checks.push(Check::failed("configuration", error.to_string())),
    }
    checks.push(machine::clock());
    report(&checks, arguments.json)
}

fn configuration(settings: &Settings) -> Check {
    let required = settings
        .tokens()
        .and_then(|_| settings.files.ticket_keys())
        .and_then(|_| settings.required_database_url());
    match required {
        Ok(_) => Check::ok("configuration", "every setting is usable"),
        Err(error) => Check::failed("configuration", error.to_string()),
    }
}

async fn database(settings: &Settings) -> Vec<Check> {
    if settings.database_url.is_none() {
        return Vec::new();
    }
    let database = match wiring::connect_database(settings).await {
        Ok(database) => database,
        Err(error) => {
            let detail = format!("{error}; check that Postgres runs and DATABASE_URL names it");
            return vec![Check::failed("database", detail)];
        }
    };
    let schema = match database.is_migrated().await {
        Ok(true) => Check::ok("schema", "up to date"),
        Ok(false) => Check::failed("schema", "older than this release: run `onsale migrate`"),
        Err(error) => Check::failed("schema", error.to_string()),
    };
    vec![Check::ok("database", "answers"), schema]
}

async fn redis(settings: &Settings) -> Check {
    let answer = async {
        match wiring::open_redis(settings).await {
            Ok(Some(redis)) => redis
                .ping()
                .await
                .map(|()| "answers")
                .map_err(|error| error.to_string()),
            Ok(None) => Ok("none is configured: run one process only"),
            Err(error) => Err(error.to_string()),
        }
    };
    match answer.await {
        Ok(detail) => Check::ok("redis", detail),
        Err(error) => Check::failed(
            "redis",
            format!("{error}; check that Redis runs and REDIS_URL names it"),
        ),
    }
}

fn report(checks: &[Check], json: bool) -> Result<(), Failure> {
    let failed = checks
        .iter()
        .filter(|check| check.outcome == Outcome::Failed)
        .count();
    if json {
        print_json(&serde_json::json!({"ok": failed == 0, "checks": checks}))?;
    } else {
        let lines: Vec<_> = checks
            .iter()
            .map(|check| {
                let mark = match check.outcome {
                    Outcome::Ok => "ok     ",
                    Outcome::Warning => "warning",
                    Outcome::Failed => "FAILED ",
                };
                format!("{mark}  {:<18} {}", check.name, check.detail)
            })
            .collect();
        print(&lines.join("\n"))?;
    }
    match failed {
        0 => Ok(()),
        1 => Err(Failure::CheckFailed("one check failed".to_owned())),
        failed => Err(Failure::CheckFailed(format!("{failed} checks failed"))),
    }
}
