//! What clients were told, to be found again in the journal: an acknowledged order is durable (I7).

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
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
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Told {
    order_id: Uuid,
    event_id: Uuid,
    /// In order, once read.
    ticket_ids: Vec<Uuid>,
    total_minor: i64,
}

/// The orders of one event that are still to be found, by their id.
pub(super) type ToldOrders = HashMap<Uuid, Told>;

/// A clients' log: a line of JSON for each acknowledged order.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    /// By event.
    orders: HashMap<Uuid, ToldOrders>,
    /// Of each event, the first order that was told in two ways.
    contradicted: BTreeMap<Uuid, Uuid>,
}

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
            let mut told: Told = serde_json::from_slice(&line)
                .with_context(|| format!("{}, line {number}: not an order", path.display()))?;
            told.ticket_ids.sort_unstable();
            clients.add(told);
        }
        Ok(clients)
    }

    /// The same again changes nothing; a client may note a repeated answer.
    fn add(&mut self, told: Told) {
        let orders = self.orders.entry(told.event_id).or_default();
        match orders.entry(told.order_id) {
            Entry::Vacant(entry) => {
                entry.insert(told);
            }
            Entry::Occupied(known) if *known.get() == told => {}
            Entry::Occupied(known) => {
                self.contradicted.entry(told.event_id).or_insert(*known.key());
            }
        }
    }

    /// Orders that were told in two ways, with their events: the first of each event.
    pub(super) fn contradicted(&self) -> impl Iterator<Item = (Uuid, Uuid)> {
        self.contradicted
            .iter()
            .map(|(event_id, order_id)| (*event_id, *order_id))
    }

    /// The orders of one event, which are then its own to look for.
    pub(super) fn take(&mut self, event_id: Uuid) -> ToldOrders {
        self.orders.remove(&event_id).unwrap_or_default()
    }

    /// Events that nobody looked at, and how many orders of them were told.
    pub(super) fn rest(&self) -> impl Iterator<Item = (Uuid, usize)> {
        self.orders
            .iter()
            .map(|(event_id, orders)| (*event_id, orders.len()))
    }

    /// How many orders there are.
    pub(super) fn count(&self) -> usize {
        self.orders.values().map(HashMap::len).sum()
    }
}

/// Whether a record is what the buyer was told, if the buyer was told of it. Errors: in what they differ.
pub(super) fn found(told: &mut ToldOrders, confirmed: &HoldConfirmed) -> Result<(), String> {
    let Some(told) = told.remove(&confirmed.hold_id.0) else {
        return Ok(());
    };
    let mut recorded: Vec<_> = confirmed.tickets.iter().map(|ticket| ticket.id.0).collect();
    recorded.sort_unstable();
    if recorded != told.ticket_ids {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EVENT: Uuid = Uuid::from_u128(1);

    fn read(lines: &[(u128, &[u128], i64)]) -> Clients {
        let lines = lines.iter().map(|(order, tickets, total)| {
            let tickets: Vec<_> = tickets.iter().copied().map(Uuid::from_u128).collect();
            let line = json!({
                "order_id": Uuid::from_u128(*order), "event_id": EVENT,
                "ticket_ids": tickets, "total_minor": total, "at_ms": 5,
            });
            format!("{line}\n")
        });
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("orders.jsonl");
        std::fs::write(&path, lines.collect::<String>()).unwrap();
        Clients::read(&path).unwrap()
    }

    #[test]
    fn an_order_that_was_told_in_two_ways_is_told_with_its_event() {
        for (second, contradicts) in [
            ((2, &[3, 4][..], 100), false),
            ((1, &[4, 3][..], 100), false),
            ((1, &[3, 5][..], 100), true),
            ((1, &[3, 4][..], 99), true),
        ] {
            let clients = read(&[(1, &[3, 4], 100), second]);
            let found: Vec<_> = clients.contradicted().collect();
            let due = if contradicts {
                vec![(EVENT, Uuid::from_u128(1))]
            } else {
                vec![]
            };
            assert_eq!(found, due, "{second:?}");
        }
    }

    #[test]
    fn the_same_order_again_counts_once() {
        assert_eq!(read(&[(1, &[3], 100), (1, &[3], 100), (2, &[4], 100)]).count(), 2);
    }
}
