//! The write-behind: rows folded from the journal, rows and watermark in one transaction.

use std::collections::BTreeMap;

use onsale_domain::codec::decode_records;
use onsale_domain::{Inventory, OrderId, Record, Sequence, TicketTypeId};
use onsale_engine::port::JournalEntry;

use crate::fault::{Broken, Bug};

/// The rows of one event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Projection {
    watermark: Sequence,
    /// Held and sold tickets of each type.
    counts: BTreeMap<TicketTypeId, (i64, i64)>,
    /// Orders, and whether they are cancelled.
    orders: BTreeMap<OrderId, bool>,
}

impl Projection {
    pub(crate) const fn watermark(&self) -> Sequence {
        self.watermark
    }

    /// One transaction: nothing happens where the entries do not start right after the watermark.
    pub(crate) fn project(&mut self, entries: &[JournalEntry], bug: Option<Bug>) -> Result<(), Broken> {
        for entry in entries {
            if entry.first_seq != self.watermark + 1 && bug != Some(Bug::ProjectTwice) {
                return Ok(());
            }
            let records =
                decode_records(&entry.payload).map_err(|error| Broken::new("I8", error.to_string()))?;
            for record in &records {
                self.fold(record);
            }
            self.watermark = entry.last_seq;
        }
        Ok(())
    }

    fn fold(&mut self, record: &Record) {
        match record {
            Record::HoldPlaced(placed) => {
                for line in &placed.lines {
                    self.count(line.ticket_type_id, i64::from(line.quantity), 0);
                }
            }
            Record::HoldReleased(released) => {
                for line in &released.lines {
                    self.count(line.ticket_type_id, -i64::from(line.quantity), 0);
                }
            }
            Record::HoldsExpired { holds, .. } => {
                for line in holds.iter().flat_map(|hold| &hold.lines) {
                    self.count(line.ticket_type_id, -i64::from(line.quantity), 0);
                }
            }
            Record::HoldConfirmed(order) => {
                self.orders.insert(order.hold_id.into(), false);
                for line in &order.lines {
                    self.count(
                        line.ticket_type_id,
                        -i64::from(line.quantity),
                        i64::from(line.quantity),
                    );
                }
            }
            Record::HoldReclaimed(order) => {
                self.orders.insert(order.hold_id.into(), false);
                for line in &order.lines {
                    self.count(line.ticket_type_id, 0, i64::from(line.quantity));
                }
            }
            Record::TicketsRefunded(refund) => {
                for line in &refund.lines {
                    self.count(line.ticket_type_id, 0, -i64::from(line.quantity));
                }
            }
            Record::OrderCancelled { order_id, lines, .. } => {
                self.orders.insert(*order_id, true);
                for line in lines {
                    self.count(line.ticket_type_id, 0, -i64::from(line.quantity));
                }
            }
            Record::EventCreated { .. }
            | Record::EventEdited { .. }
            | Record::QuotaSet { .. }
            | Record::TicketTypeSet { .. }
            | Record::StatusChanged { .. }
            | Record::HoldExtended { .. }
            | Record::PaymentStarted(_)
            | Record::TicketTransferred(_)
            | Record::TicketScanned(_) => {}
        }
    }

    fn count(&mut self, ticket_type: TicketTypeId, held: i64, sold: i64) {
        let counts = self.counts.entry(ticket_type).or_default();
        counts.0 += held;
        counts.1 += sold;
    }

    /// The rows are the fold of the journal up to the watermark (I8).
    pub(crate) fn check(&self, journal: &[Record]) -> Result<(), Broken> {
        let broken = |detail: &str| Broken::new("I8", format!("{detail} at watermark {}", self.watermark));
        let length = usize::try_from(self.watermark).unwrap_or(usize::MAX);
        let records = journal
            .get(..length)
            .ok_or_else(|| broken("the projection is ahead of the journal"))?;
        let mut inventory = Inventory::default();
        for record in records {
            inventory
                .replay(record)
                .map_err(|violation| broken(&violation.to_string()))?;
        }
        let Some(availability) = inventory.availability() else {
            return Ok(());
        };
        for (ticket_type, counts) in availability
            .definition
            .ticket_types
            .iter()
            .zip(&availability.ticket_types)
        {
            let rows = self.counts.get(&ticket_type.id).copied().unwrap_or_default();
            if rows != (i64::from(counts.held), i64::from(counts.sold)) {
                return Err(broken("the rows' counts differ from the journal's"));
            }
        }
        let same = |(id, cancelled): (&OrderId, &bool)| {
            inventory
                .order(*id)
                .is_some_and(|order| order.cancelled == *cancelled)
        };
        if !self.orders.iter().all(same) {
            return Err(broken("the rows' orders differ from the journal's"));
        }
        Ok(())
    }
}
