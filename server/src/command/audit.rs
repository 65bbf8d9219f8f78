//! `onsale audit`: folds every journal and compares it with the tables and the snapshots.

use clap::Args;
use uuid::Uuid;

use super::{print, print_json};
use crate::cli::{Common, DataArguments};
use crate::configuration::Settings;
use crate::exit::Failure;
use crate::{audit, telemetry, wiring};

/// Arguments of `onsale audit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale audit                                    every event of the configured journal
  onsale audit --event 01890a5d-ac96-774b-bcce-b302099a8057 --json
  onsale audit --journal local --journal-directory /var/lib/onsale

Checks hash chain, gapless sequence, epochs, decoding and every rule of the sale, then the tables at their watermark
and the snapshot. A local journal can be audited only while the server is stopped: its directory is locked.
Exits 1 and names the first difference (invariant, event, record) when something is not as it must be.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// Only this event
    #[arg(long, value_name = "UUID")]
    event: Option<Uuid>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Audits and reports.
pub(crate) async fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let settings = Settings::load(&arguments.data.onto(common.sources()))?;
    let report = of_settings(&settings, arguments.event, true).await?;
    if arguments.json {
        print_json(&report)?;
    } else {
        if report.events.is_empty() && report.findings.is_empty() {
            print("nothing to audit: the journal has no events")?;
        }
        for event in &report.events {
            print(&format!(
                "ok      event {}: {} records, {} projected, {} orders, {} tickets",
                event.event_id, event.records, event.projected, event.orders, event.tickets
            ))?;
        }
        for finding in &report.findings {
            print(&format!(
                "{}  event {}, record {}: {}",
                finding.invariant, finding.event_id, finding.seq, finding.what
            ))?;
        }
    }
    match report.findings.as_slice() {
        [] => Ok(()),
        [first, ..] => Err(Failure::CheckFailed(format!(
            "{} does not hold: event {}, record {}: {}",
            first.invariant, first.event_id, first.seq, first.what
        ))),
    }
}

/// Audits what the settings name, over one connection: the embedded Postgres has no more.
pub(crate) async fn of_settings(
    settings: &Settings,
    event: Option<Uuid>,
    log: bool,
) -> Result<audit::Report, Failure> {
    settings.required_database_url()?;
    if log {
        telemetry::log_to_stderr(settings)?;
    }
    let audited = wiring::open_audited(settings).await?;
    let event_id = event.map(onsale_domain::EventId);
    let report = audit::run(audited.journal().as_ref(), audited.database(), event_id).await;
    audited.close().await;
    Ok(report?)
}
