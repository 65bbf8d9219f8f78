//! `onsale migrate`: brings the database's schema up to this release.

use anyhow::Context as _;
use clap::Args;

use super::{print, print_json};
use crate::cli::{Common, DataArguments};
use crate::configuration::Settings;
use crate::exit::Failure;
use crate::{telemetry, wiring};

/// Arguments of `onsale migrate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  DATABASE_URL=postgres://onsale@localhost/onsale onsale migrate
  onsale migrate --check        exit 1 when the schema is older than this release

Migrations only ever add: the release before this one keeps working on the new schema. Safe to run twice, and while
serving.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// Change nothing; exit 1 when something is to be done
    #[arg(long)]
    check: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Migrates, or checks.
pub(crate) async fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let settings = Settings::load(&arguments.data.onto(common.sources()))?;
    settings.required_database_url()?;
    telemetry::log_to_stderr(&settings)?;
    let database = wiring::connect_database(&settings).await?;
    if !arguments.check {
        database.migrate().await.context("cannot migrate")?;
    }
    let migrated = database
        .is_migrated()
        .await
        .context("cannot read the schema's version")?;
    if arguments.json {
        print_json(&serde_json::json!({"migrated": migrated}))?;
    } else if migrated {
        print("the schema is up to date")?;
    }
    if migrated {
        Ok(())
    } else {
        Err(Failure::CheckFailed(
            "the schema is older than this release: run `onsale migrate`".to_owned(),
        ))
    }
}
