//! `onsale doctor`: looks at everything that stops people from serving, and says what to do about it.
//!
//! To add a check: a function that gives a [`Check`] with its mend, its call in [`look`], a test under
//! `server/tests/doctor` that makes it fail. Every check ends by itself, whatever hangs.

mod check;
mod clock;
mod database;
mod files;
mod journal;
mod machine;
mod mail;
mod payments;
mod ports;
mod redis;
mod secrets;
mod traces;

use clap::Args;

use self::check::{Check, Outcome};
use self::clock::Clocks;
use super::{print, print_json};
use crate::cli::{Common, DataArguments};
use crate::configuration::{JournalKind, Settings, Sources};
use crate::exit::Failure;

/// Arguments of `onsale doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale doctor
  onsale doctor --json | jq '.checks[] | select(.outcome != \"ok\")'

Looks at the settings, Postgres, the schema, Redis, files, mail, payments, traces, clocks, ports and this machine, where it would
serve, and says what to do about what it finds. It stores and deletes one file and changes nothing else. Ends within a
minute, whatever hangs. Exits 1 when something stops the server from serving; warnings do not.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs every check that can run.
pub(crate) async fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let sources = arguments.data.onto(common.sources());
    let clocks = Clocks::new();
    let mut checks = vec![environment(&sources)];
    match Settings::load(&sources) {
        Ok(settings) => checks.extend(look(&settings, clocks).await),
        Err(error) => checks.extend([Check::refused("configuration", &error), clocks.plausible()]),
    }
    report(&checks, arguments.json)
}

async fn look(settings: &Settings, mut clocks: Clocks) -> Vec<Check> {
    let mut checks = vec![
        configuration(settings),
        secrets::secrets(settings),
        clocks.plausible(),
    ];
    checks.extend(database::database(settings, &mut clocks).await);
    checks.extend(redis::redis(settings, &mut clocks).await);
    checks.push(files::files(settings).await);
    checks.push(mail::mail(settings).await);
    checks.extend(payments::providers(settings).await);
    checks.extend(traces::traces(settings).await);
    if settings.journal == JournalKind::Local {
        checks.extend(journal::journal_directory(&settings.journal_directory));
    }
    checks.extend(ports::ports(settings).await);
    checks.extend([
        machine::file_descriptors(settings.connections_max),
        machine::memory(settings.connections_max),
        machine::cores(),
    ]);
    checks
}

fn environment(sources: &Sources) -> Check {
    const NAME: &str = "environment";
    let strangers = sources.strangers();
    if strangers.is_empty() {
        Check::ok(NAME, "every variable that begins with ONSALE_ is a setting")
    } else {
        Check::warning(NAME, strangers.join("; "), "Spell them right, or take them away")
    }
}

/// What serving cannot do without. What is wrong with a setting was told before.
fn configuration(settings: &Settings) -> Check {
    const NAME: &str = "configuration";
    let required = settings
        .tokens()
        .and_then(|_| settings.files.ticket_keys())
        .and_then(|_| settings.required_database_url())
        .and_then(|_| settings.breached_passwords());
    match required {
        Ok(_) => Check::ok(NAME, "every setting is usable"),
        Err(error) => Check::refused(NAME, &settings.located(error)),
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
        let lines: Vec<_> = checks.iter().map(line).collect();
        print(&lines.join("\n"))?;
    }
    match failed {
        0 => Ok(()),
        1 => Err(Failure::CheckFailed("one check failed".to_owned())),
        failed => Err(Failure::CheckFailed(format!("{failed} checks failed"))),
    }
}

fn line(check: &Check) -> String {
    let mark = match check.outcome {
        Outcome::Ok => "ok",
        Outcome::Warning => "warning",
        Outcome::Failed => "FAILED",
    };
    let found = format!("{mark:<8} {:<18} {}", check.name, check.detail);
    match &check.mend {
        None => found,
        Some(mend) => format!("{found}\n{:<27} mend: {mend}", ""),
    }
}
