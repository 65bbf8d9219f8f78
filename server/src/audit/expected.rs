//! What the tables must hold: the fold of the records, in the tables' own words.

use onsale_domain::record::HoldConfirmed;
use onsale_domain::{Inventory, Record};
use onsale_persistence::audit::{Counters, HoldRow, OrderRow, PaymentRow, Rows, TicketRow};
use uuid::Uuid;

/// The rows that follow from the records folded so far.
#[derive(Default)]
pub(super) struct Expected {
    pub(super) rows: Rows,
}

impl Expected {
    /// Folds one record into the rows of holds, orders, tickets and payments.
    pub(super) fn fold(&mut self, record: &Record) {
        match record {
            Record::HoldPlaced(placed) => {
                let row = HoldRow {
                    buyer_id: placed.buyer_id.0,
                    status: "held".to_owned(),
                    total_minor: placed.total().map_or(i64::MAX, |total| total.amount_minor),
                    expires_at_ms: placed.expires_at.0,
                };
                self.rows.holds.insert(placed.hold_id.0, row);
            }
            Record::HoldExtended {
                hold_id, expires_at, ..
            } => {
                if let Some(hold) = self.rows.holds.get_mut(&hold_id.0) {
                    hold.expires_at_ms = expires_at.0;
                }
            }
            Record::HoldReleased(released) => self.end_hold(released.hold_id.0, "released"),
            Record::HoldsExpired { holds, .. } => {
                for expired in holds {
                    self.end_hold(expired.hold_id.0, "expired");
                }
            }
            Record::HoldConfirmed(confirmed) | Record::HoldReclaimed(confirmed) => {
                self.fold_confirmed(confirmed)
            }
            Record::PaymentStarted(started) => {
                if let Some(hold) = self.rows.holds.get_mut(&started.hold_id.0) {
                    hold.expires_at_ms = started.expires_at.0;
                }
            }
            Record::OrderCancelled { order_id, .. } => self.fold_cancelled(order_id.0),
            Record::EventCreated { .. }
            | Record::EventEdited { .. }
            | Record::QuotaSet { .. }
            | Record::TicketTypeSet { .. }
            | Record::TicketsRefunded(_)
            | Record::TicketTransferred(_)
            | Record::TicketScanned(_)
            | Record::StatusChanged { .. } => {}
        }
    }

    fn end_hold(&mut self, hold_id: Uuid, status: &str) {
        if let Some(hold) = self.rows.holds.get_mut(&hold_id) {
            status.clone_into(&mut hold.status);
        }
    }

    fn fold_confirmed(&mut self, confirmed: &HoldConfirmed) {
        let order_id = confirmed.hold_id.0;
        self.end_hold(order_id, "confirmed");
        let order = OrderRow {
            buyer_id: confirmed.buyer_id.0,
            status: "confirmed".to_owned(),
            currency: confirmed.total.currency.code().to_owned(),
            total_minor: confirmed.total.amount_minor,
        };
        self.rows.orders.insert(order_id, order);
        for ticket in &confirmed.tickets {
            let row = TicketRow {
                order_id,
                ticket_type_id: ticket.ticket_type_id.0,
                code: ticket.code.to_string(),
                status: "valid".to_owned(),
            };
            self.rows.tickets.insert(ticket.id.0, row);
        }
        if let Some(payment) = &confirmed.payment {
            let row = PaymentRow {
                gateway: payment.gateway.as_str().to_owned(),
                reference: Some(payment.reference.clone()),
                amount_minor: payment.amount.amount_minor,
                currency: payment.amount.currency.code().to_owned(),
                status: "authorized".to_owned(),
            };
            self.rows.payments.insert(order_id, row);
        }
    }

    fn fold_cancelled(&mut self, order_id: Uuid) {
        if let Some(order) = self.rows.orders.get_mut(&order_id) {
            "cancelled".clone_into(&mut order.status);
        }
        for ticket in self
            .rows
            .tickets
            .values_mut()
            .filter(|ticket| ticket.order_id == order_id)
        {
            "cancelled".clone_into(&mut ticket.status);
        }
        if let Some(payment) = self.rows.payments.get_mut(&order_id) {
            "voiding".clone_into(&mut payment.status);
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
