//! Tickets and scans.

use onsale_domain::record::{HoldConfirmed, TicketScanned, TicketTransferred, TicketsRefunded};
use onsale_domain::{Direction, Sequence};
use onsale_persistence::audit::{CheckInRow, TicketRow};
use uuid::Uuid;

use super::Expected;
use crate::audit::compare::Difference;

/// From where to where a ticket may go.
const ARROWS: &[(&str, &str)] = &[
    ("valid", "used"),
    ("used", "used"),
    ("valid", "cancelled"),
    ("used", "cancelled"),
    ("valid", "refunded"),
    ("used", "refunded"),
];

impl Expected {
    pub(super) fn issue(&mut self, confirmed: &HoldConfirmed) -> Result<(), Difference> {
        let order_id = confirmed.hold_id.0;
        for ticket in &confirmed.tickets {
            let row = TicketRow {
                order_id,
                ticket_type_id: ticket.ticket_type_id.0,
                code: ticket.code.to_string(),
                status: "valid".to_owned(),
                version: 1,
                owner_id: confirmed.buyer_id.0,
                refund_id: None,
            };
            if self.rows.tickets.insert(ticket.id.0, row).is_some() {
                return Err(Difference::ticket(format!(
                    "ticket {} is issued twice",
                    ticket.id
                )));
            }
            self.issued.entry(order_id).or_default().push(ticket.id.0);
        }
        Ok(())
    }

    pub(super) fn void_tickets(&mut self, order_id: Uuid) -> Result<(), Difference> {
        for ticket_id in self.issued.get(&order_id).cloned().unwrap_or_default() {
            let ticket = self.rows.tickets.get(&ticket_id);
            if ticket.is_some_and(|ticket| ticket.status != "refunded") {
                self.turn_ticket(ticket_id, "cancelled")?;
            }
        }
        Ok(())
    }

    pub(super) fn take_back(&mut self, refunded: &TicketsRefunded) -> Result<(), Difference> {
        for ticket_id in &refunded.tickets {
            let ticket = self.turn_ticket(ticket_id.0, "refunded")?;
            ticket.refund_id = Some(refunded.refund_id.0);
        }
        Ok(())
    }

    pub(super) fn fold_transferred(&mut self, transferred: &TicketTransferred) -> Result<(), Difference> {
        let ticket_id = transferred.ticket_id;
        let ticket = self
            .rows
            .tickets
            .get_mut(&ticket_id.0)
            .filter(|ticket| ticket.status == "valid" && ticket.owner_id == transferred.from.0)
            .ok_or_else(|| {
                Difference::ticket(format!("ticket {ticket_id} is not its giver's to transfer"))
            })?;
        let version = i32::try_from(transferred.version).unwrap_or(i32::MAX);
        if ticket.version.checked_add(1) != Some(version) {
            let before = ticket.version;
            return Err(Difference::ticket(format!(
                "ticket {ticket_id} goes from version {before} to {version}"
            )));
        }
        ticket.version = version;
        ticket.owner_id = transferred.to.0;
        ticket.code = transferred.code.to_string();
        Ok(())
    }

    /// In and out by turns, and in once where nobody may come in again.
    pub(super) fn fold_scanned(&mut self, seq: Sequence, scanned: &TicketScanned) -> Result<(), Difference> {
        let ticket_id = scanned.ticket_id.0;
        self.turn_ticket(ticket_id, "used")?;
        let last = self.last_ways.insert(ticket_id, scanned.direction);
        let allowed = match (last, scanned.direction) {
            (None, Direction::In) => true,
            (Some(Direction::Out), Direction::In) | (Some(Direction::In), Direction::Out) => self.re_entry,
            (Some(Direction::In), Direction::In) | (None | Some(Direction::Out), Direction::Out) => false,
        };
        let direction = scanned.direction.as_str();
        if !allowed {
            let before = last.map_or("nothing", Direction::as_str);
            return Err(Difference::ticket(format!(
                "ticket {ticket_id} goes {direction} after {before}"
            )));
        }
        let row = CheckInRow {
            ticket_id,
            gate: scanned.gate.clone(),
            direction: direction.to_owned(),
            scanned_at_ms: scanned.scanned_at.0,
            recorded_at_ms: scanned.at.0,
        };
        self.rows.check_ins.insert(seq, row);
        Ok(())
    }

    fn turn_ticket(&mut self, ticket_id: Uuid, to: &str) -> Result<&mut TicketRow, Difference> {
        let ticket = self.rows.tickets.get_mut(&ticket_id);
        let ticket =
            ticket.ok_or_else(|| Difference::ticket(format!("ticket {ticket_id} was never issued")))?;
        if !ARROWS.contains(&(ticket.status.as_str(), to)) {
            let from = &ticket.status;
            return Err(Difference::state(format!(
                "ticket {ticket_id} goes from {from} to {to}"
            )));
        }
        to.clone_into(&mut ticket.status);
        Ok(ticket)
    }
}
