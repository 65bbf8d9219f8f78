//! `onsale journal backup`: copies the local journal elsewhere.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use onsale_persistence::LocalJournal;

use super::{print, print_json};
use crate::cli::Common;
use crate::configuration::Settings;
use crate::exit::Failure;
use crate::telemetry;

/// Arguments of `onsale journal backup`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale journal backup --to /backup/onsale/2026-11-21
  onsale journal backup --journal-directory /var/lib/onsale --to /backup/onsale/2026-11-21 --json

Safe while the server serves: the copy holds everything that was committed when it began, and is synced when the command
ends. Back Postgres up before the journal, so that the journal's copy is never the older one. What to do with a copy, and
what never to do, is in docs/OPERATING.md.")]
pub(crate) struct Arguments {
    /// Directory of the local journal [env: `ONSALE_JOURNAL_DIRECTORY`]
    #[arg(long, value_name = "DIR")]
    journal_directory: Option<PathBuf>,
    /// Directory for the copy; it must not hold a journal yet
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Copies.
pub(crate) async fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let directory = arguments.journal_directory.as_ref();
    let sources = common
        .sources()
        .flag("journal_directory", directory.map(|path| path.display()));
    let settings = Settings::load(&sources)?;
    telemetry::log_to_stderr(&settings)?;
    let copy = LocalJournal::back_up(&settings.journal_directory, &arguments.to)
        .await
        .context("cannot back the journal up")?;
    if arguments.json {
        print_json(&serde_json::json!({
            "journal": copy.id,
            "events": copy.events,
            "records": copy.records,
        }))
    } else {
        print(&format!(
            "copied journal {} with {} events and {} records to {}",
            copy.id,
            copy.events,
            copy.records,
            arguments.to.display()
        ))
    }
}
