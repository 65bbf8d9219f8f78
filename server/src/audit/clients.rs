//! What clients were told, to be found again in the journal: an acknowledged order is durable (I7).

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use onsale_domain::record::HoldConfirmed;
use serde::Deserialize;
use uuid::Uuid;

/// Bytes of one line: an order of a thousand tickets has some 40,000.
const LINE_BYTES_MAX: u64 = 1_024 * 1_024;

/// An order as its buyer was told of it; other fields of the line do not matter.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    order_id: Uuid,
    event_id: Uuid,
    ticket_ids: Vec<Uuid>,
    total_minor: i64,
}

/// The orders of one event that are still to be found, by their id.
pub(super) type ToldOrders = HashMap<Uuid, Told>;

/// A clients' log: a line of JSON for each acknowledged order.
#[derive(Debug, Default)]
pub(crate) struct Clients(HashMap<Uuid, ToldOrders>);

impl Clients {
    /// Reads a log. Errors: a line that is none, by its number.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut file = BufReader::new(file);
        let mut clients = Self::default();
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let read = file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            let is_whole = line.len() < usize::try_from(LINE_BYTES_MAX)?;
            ensure!(is_whole, "{}, line {number}: too long", path.display());
            let told: Told = serde_json::from_slice(&line)
                .with_context(|| format!("{}, line {number}: not an order", path.display()))?;
            clients
                .0
                .entry(told.event_id)
                .or_default()
                .insert(told.order_id, told);
        }
        Ok(clients)
    }

    /// The orders of one event, which are then its own to look for.
    pub(super) fn take(&mut self, event_id: Uuid) -> ToldOrders {
        self.0.remove(&event_id).unwrap_or_default()
    }

    /// Events that nobody looked at, and how many orders of them were told.
    pub(super) fn rest(&self) -> impl Iterator<Item = (Uuid, usize)> {
        self.0.iter().map(|(event_id, orders)| (*event_id, orders.len()))
    }

    /// How many orders there are.
    pub(super) fn count(&self) -> usize {
        self.0.values().map(HashMap::len).sum()
    }
}

/// Whether a record is what the buyer was told, if the buyer was told of it. Errors: in what they differ.
pub(super) fn found(told: &mut ToldOrders, confirmed: &HoldConfirmed) -> Result<(), String> {
    let Some(told) = told.remove(&confirmed.hold_id.0) else {
        return Ok(());
    };
    let mut recorded: Vec<_> = confirmed.tickets.iter().map(|ticket| ticket.id.0).collect();
    let mut tickets = told.ticket_ids;
    recorded.sort_unstable();
    tickets.sort_unstable();
    if recorded != tickets {
        return Err(format!("order {} was told with other tickets", told.order_id));
    }
    let total = confirmed.total.amount_minor;
    if total != told.total_minor {
        return Err(format!(
            "order {} was told at {}, and is recorded at {total}",
            told.order_id, told.total_minor
        ));
    }
    Ok(())
}

/// What of it the journal does not have.
pub(super) fn missing(told: &ToldOrders) -> Option<String> {
    let first = told.keys().min()?;
    Some(format!(
        "{} acknowledged orders are in no record, among them {first}",
        told.len()
    ))
}
