//! The auditor: folds each event's journal from its first record and compares what must follow with what is stored.
//!
//! It trusts the journal's bytes only as far as the hash chain, and nothing else: not the snapshot, not the
//! relational tables, not the projection's code. So its queries are its own: [`onsale_persistence::audit`].

mod clients;
mod compare;
mod expected;
mod fold;
mod rules;

use anyhow::Context as _;
use onsale_domain::{EventId, Sequence};
use onsale_engine::port::Journal;
use onsale_engine::replay::Damage;
use onsale_persistence::{Database, audit as tables};
use serde::Serialize;
use uuid::Uuid;

pub(crate) use self::clients::Clients;
use self::clients::ToldOrders;
use self::compare::Difference;
/// What is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Number in the register of invariants.
    pub(crate) invariant: &'static str,
    /// Where.
    pub(crate) event_id: String,
    /// The record at or up to which it shows.
    pub(crate) seq: Sequence,
    /// What was found.
    pub(crate) what: String,
}

/// An event that was audited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Audited {
    /// Which.
    pub(crate) event_id: String,
    /// Records in the journal.
    pub(crate) records: Sequence,
    /// Records that the tables have.
    pub(crate) projected: Sequence,
    /// Orders in the tables.
    pub(crate) orders: usize,
    /// Tickets in the tables.
    pub(crate) tickets: usize,
}

/// What an audit found.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Whether nothing was found.
    pub(crate) clean: bool,
    /// The events that were looked at.
    pub(crate) events: Vec<Audited>,
    /// The first difference of each event that has one; beside it, orders that clients were told of in two ways.
    pub(crate) findings: Vec<Finding>,
    /// Acknowledged orders that were looked for, where a clients' log was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) acknowledged: Option<usize>,
}

/// Why one event's audit ended early.
enum Stop {
    Found(Finding),
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Damage> for Stop {
    fn from(damage: Damage) -> Self {
        Self::Found(Finding {
            invariant: damage.invariant,
            event_id: damage.event_id.to_string(),
            seq: damage.seq,
            what: damage.reason,
        })
    }
}

/// Audits one event, or every event of the journal, and looks there for what clients were told.
pub(crate) async fn run(
    journal: &dyn Journal,
    database: &Database,
    event_id: Option<EventId>,
    clients: Option<Clients>,
) -> anyhow::Result<Report> {
    let mut heads = match journal.name() {
        "postgres" => tables::postgres_heads(database)
            .await
            .context("cannot read the owners of events")?,
        _ => journal.heads().await.context("cannot read the journal's heads")?,
    };
    if let Some(wanted) = event_id {
        heads.retain(|(event_id, _)| *event_id == wanted);
        if heads.is_empty() {
            anyhow::bail!("the {} journal has no event {wanted}", journal.name());
        }
    }
    let mut report = Report {
        acknowledged: clients.as_ref().map(Clients::count),
        ..Report::default()
    };
    let mut clients = clients.unwrap_or_default();
    let is_wanted = |event: Uuid| event_id.is_none_or(|wanted| wanted.0 == event);
    let contradicted = clients.contradicted().filter(|(event, _)| is_wanted(*event));
    report.findings.extend(contradicted.map(|(event, order)| Finding {
        invariant: "I7",
        event_id: event.to_string(),
        seq: 0,
        what: format!("clients were told of order {order} in two ways"),
    }));
    for (event_id, head) in heads {
        let told = clients.take(event_id.0);
        match event(journal, database, (event_id, head), told).await {
            Ok(audited) => report.events.push(audited),
            Err(Stop::Found(finding)) => report.findings.push(finding),
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    // Of one event only its own orders are looked for.
    if event_id.is_none() {
        report
            .findings
            .extend(clients.rest().map(|(event_id, orders)| Finding {
                invariant: "I7",
                event_id: event_id.to_string(),
                seq: 0,
                what: format!("{orders} acknowledged orders are of an event that the journal does not have"),
            }));
    }
    report.clean = report.findings.is_empty();
    Ok(report)
}

async fn event(
    journal: &dyn Journal,
    database: &Database,
    (event_id, head): (EventId, Sequence),
    told: ToldOrders,
) -> Result<Audited, Stop> {
    let found = |invariant, seq, what| {
        Stop::Found(Finding {
            invariant,
            event_id: event_id.to_string(),
            seq,
            what,
        })
    };
    let stored = tables::load(database, event_id)
        .await
        .context("cannot read the tables")?;
    let folded = fold::fold(journal, event_id, stored.watermark, told).await?;
    if head == 0 && folded.records > 0 {
        let what = "no owner's row says where its journal ends".to_owned();
        return Err(found("I14", folded.records, what));
    }
    if folded.records < head {
        let what = format!(
            "the journal says that it ends at {head}, its entries end at {}",
            folded.records
        );
        return Err(found("I6", folded.records, what));
    }
    if stored.watermark > folded.records {
        let what = format!(
            "the tables are at {}, the journal ends at {}",
            stored.watermark, folded.records
        );
        return Err(found("I8", stored.watermark, what));
    }
    compare::compare(&folded.expected.rows, &stored)
        .and_then(|()| rules::check(&stored))
        .map_err(|Difference { invariant, what }| found(invariant, stored.watermark, what))?;
    Ok(Audited {
        event_id: event_id.to_string(),
        records: folded.records,
        projected: stored.watermark,
        orders: stored.orders.len(),
        tickets: stored.tickets.len(),
    })
}
