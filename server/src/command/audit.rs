//! `onsale audit`: folds every journal and compares it with the tables and the snapshots; with `--log` it verifies the
//! audit log's chain instead.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use onsale_persistence::{AuditHead, AuditLogReport};
use serde_json::json;
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
  onsale audit --clients orders.jsonl             and whether what clients were told is in the journal
  onsale audit --log                              the audit log; servers may go on meanwhile
  onsale audit --log --anchor 1042:8f14e45f...    and that entry 1042 is still the one noted then

Checks hash chain, gapless sequence, epochs, decoding and every rule of the sale, then the tables at their watermark
and the snapshot. A local journal can be audited only while the server is stopped: its directory is locked.
Exits 1 and names the first difference (invariant, event, record) when something is not as it must be.

With --log: checks that no entry of the audit log was edited, deleted, inserted or moved, and prints its head as
SEQ:HASH. Somebody who rewrites the whole log can only be shown by a head that was noted before, outside this database:
note it, and give it as --anchor. Exits 1 and names the first entry that is not as it must be.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// Only this event
    #[arg(long, value_name = "UUID")]
    event: Option<Uuid>,
    /// Orders that clients were told of, to be found in the journal: lines of JSON, as `onsale-load --log` writes them
    #[arg(long, value_name = "FILE")]
    clients: Option<PathBuf>,
    /// Verify the audit log instead
    #[arg(long, conflicts_with_all = ["event", "clients", "journal", "journal_directory"])]
    log: bool,
    /// An earlier head of the audit log that must still be in it
    #[arg(long, value_name = "SEQ:HASH", requires = "log")]
    anchor: Option<AuditHead>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Audits and reports.
pub(crate) async fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let settings = Settings::load(&arguments.data.onto(common.sources()))?;
    if arguments.log {
        return of_log(&settings, arguments.anchor, arguments.json).await;
    }
    let report = of_settings(&settings, (arguments.event, arguments.clients.as_deref()), true).await?;
    if arguments.json {
        print_json(&report)?;
    } else {
        if report.events.is_empty() && report.findings.is_empty() {
            print("nothing to audit: the journal has no events")?;
        }
        if let Some(acknowledged) = report.acknowledged {
            print(&format!("clients were told of {acknowledged} orders"))?;
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

/// Verifies the audit log and reports.
async fn of_log(settings: &Settings, anchor: Option<AuditHead>, json: bool) -> Result<(), Failure> {
    settings.required_database_url()?;
    telemetry::log_to_stderr(settings)?;
    let database = wiring::open_audited_database(settings).await?;
    let verified = database.verify_audit_log(anchor).await;
    database.close().await;
    let AuditLogReport {
        entries,
        head,
        finding,
    } = verified.context("cannot verify the audit log")?;
    if json {
        let finding = finding
            .as_ref()
            .map(|finding| json!({"seq": finding.seq, "what": finding.what}));
        print_json(&json!({
            "clean": finding.is_none(),
            "entries": entries,
            "head": head.to_string(),
            "finding": finding,
        }))?;
    } else if finding.is_none() {
        print(&format!("ok      audit log: {entries} entries"))?;
        print(&format!("head    {head}"))?;
    } else {
        print(&format!("broken  audit log: {entries} entries hold"))?;
    }
    match finding {
        None => Ok(()),
        Some(finding) => Err(Failure::CheckFailed(format!(
            "the audit log does not hold: entry {}: {}",
            finding.seq, finding.what
        ))),
    }
}

/// Audits what the settings name, over one connection: the embedded Postgres has no more.
pub(crate) async fn of_settings(
    settings: &Settings,
    (event, clients): (Option<Uuid>, Option<&Path>),
    log: bool,
) -> Result<audit::Report, Failure> {
    settings.required_database_url()?;
    if log {
        telemetry::log_to_stderr(settings)?;
    }
    let clients = clients.map(audit::Clients::read).transpose()?;
    let audited = wiring::open_audited(settings).await?;
    let event_id = event.map(onsale_domain::EventId);
    let report = audit::run(audited.journal().as_ref(), audited.database(), event_id, clients).await;
    audited.close().await;
    Ok(report?)
}
