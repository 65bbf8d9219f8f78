//! What the tables must hold: the fold of the records, in the tables' own words.
//!
//! Every change of an order's or a ticket's state must be an arrow of the register (I13); a record that takes another
//! way is a finding by itself.

mod orders;
mod tickets;

use std::collections::HashMap;

use onsale_domain::{Direction, Inventory, Record, Sequence};
use onsale_persistence::audit::{Counters, HoldRow, Rows};
use uuid::Uuid;

use super::compare::Difference;

/// The rows that follow from the records folded so far.
#[derive(Default)]
pub(super) struct Expected {
    pub(super) rows: Rows,
    /// Whether who went out may come in again, as the event says now.
    re_entry: bool,
    /// The tickets of each order.
    issued: HashMap<Uuid, Vec<Uuid>>,
    /// Which way each ticket was scanned last.
    last_ways: HashMap<Uuid, Direction>,
}

impl Expected {
    /// Folds one record into the rows of holds, orders, tickets, payments, refunds and scans.
    ///
    /// Errors: what the record does is no arrow of the register, or lets somebody in twice.
    pub(super) fn fold(&mut self, seq: Sequence, record: &Record) -> Result<(), Difference> {
        match record {
            Record::HoldPlaced(placed) => {
                let row = HoldRow {
                    buyer_id: placed.buyer_id.0,
                    status: "held".to_owned(),
                    total_minor: placed.total().map_or(i64::MAX, |total| total.amount_minor),
                    expires_at_ms: placed.expires_at.0,
                };
                self.rows.holds.insert(placed.hold_id.0, row);
                self.fold_placed(placed)?;
            }
            Record::HoldExtended {
                hold_id, expires_at, ..
            } => self.extend_hold(hold_id.0, expires_at.0),
            Record::HoldReleased(released) => {
                self.end_hold(released.hold_id.0, "released");
                self.fold_released(released)?;
            }
            Record::HoldsExpired { at, holds } => {
                for expired in holds {
                    self.end_hold(expired.hold_id.0, "expired");
                    self.fold_expired(expired, *at)?;
                }
            }
            Record::HoldConfirmed(confirmed) | Record::HoldReclaimed(confirmed) => {
                self.end_hold(confirmed.hold_id.0, "confirmed");
                self.fold_confirmed(confirmed)?;
            }
            Record::PaymentStarted(started) => {
                self.extend_hold(started.hold_id.0, started.expires_at.0);
                self.fold_started(started)?;
            }
            Record::OrderCancelled { at, order_id, .. } => self.fold_cancelled(order_id.0, *at)?,
            Record::TicketsRefunded(refunded) => self.fold_refunded(refunded)?,
            Record::TicketTransferred(transferred) => self.fold_transferred(transferred)?,
            Record::TicketScanned(scanned) => self.fold_scanned(seq, scanned)?,
            Record::EventCreated { details, .. } | Record::EventEdited { details, .. } => {
                self.re_entry = details.re_entry;
            }
            Record::QuotaSet { .. } | Record::TicketTypeSet { .. } | Record::StatusChanged { .. } => {}
        }
        Ok(())
    }

    fn extend_hold(&mut self, hold_id: Uuid, expires_at_ms: i64) {
        if let Some(hold) = self.rows.holds.get_mut(&hold_id) {
            hold.expires_at_ms = expires_at_ms;
        }
    }

    fn end_hold(&mut self, hold_id: Uuid, status: &str) {
        if let Some(hold) = self.rows.holds.get_mut(&hold_id) {
            status.clone_into(&mut hold.status);
        }
    }

    /// Takes status and counters from the state at the watermark.
    pub(super) fn count(&mut self, inventory: &Inventory) {
        self.rows.watermark = inventory.seq();
        let Some(availability) = inventory.availability() else {
            return;
        };
        let definition = &availability.definition;
        self.rows.event_status = Some(definition.status.as_str().to_owned());
        self.rows.quotas = definition
            .quotas
            .iter()
            .zip(&availability.quotas)
            .map(|(quota, counts)| {
                let counters = Counters {
                    capacity: counts.capacity.into(),
                    held: counts.held.into(),
                    sold: counts.sold.into(),
                };
                (quota.id.0, counters)
            })
            .collect();
        self.rows.quota_ids = definition
            .ticket_types
            .iter()
            .map(|ticket_type| (ticket_type.id.0, ticket_type.quota_id.0))
            .collect();
        self.rows.ticket_types = definition
            .ticket_types
            .iter()
            .zip(&availability.ticket_types)
            .map(|(ticket_type, counts)| {
                let counters = Counters {
                    capacity: 0,
                    held: counts.held.into(),
                    sold: counts.sold.into(),
                };
                (ticket_type.id.0, counters)
            })
            .collect();
    }
}
