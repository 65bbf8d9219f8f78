//! Tickets: issued with their order, transferred, scanned.

use super::super::Violation;
use super::super::state::{GateCounts, Inventory, LastScan, Ticket};
use crate::record::{HoldConfirmed, TicketScanned, TicketTransferred};
use crate::{Direction, OrderId, Sequence, TicketStatus};

impl Inventory {
    /// Gives the position of the first.
    pub(super) fn issue_tickets(
        &mut self,
        record: &HoldConfirmed,
        order_id: OrderId,
    ) -> Result<u32, Violation> {
        let first = self.next_ticket()?;
        let definition = self
            .definition
            .clone()
            .ok_or(Violation::state("the event was not created"))?;
        for issued in &record.tickets {
            let position = self.next_ticket()?;
            let type_position = definition
                .ticket_type(issued.ticket_type_id)
                .and_then(|(position, _)| u16::try_from(position).ok())
                .ok_or(Violation::state("a ticket of an unknown type"))?;
            let ticket = Ticket {
                order_id,
                owner: record.buyer_id,
                code: issued.code,
                version: 1,
                type_position,
                status: TicketStatus::Valid,
            };
            let known = self.tickets.insert(issued.id, ticket).is_some();
            if known || self.codes.insert(issued.code, position).is_some() {
                return Err(Violation::tickets("two tickets have one id or code"));
            }
        }
        Ok(first)
    }

    fn next_ticket(&self) -> Result<u32, Violation> {
        u32::try_from(self.tickets.len()).map_err(|_| Violation::tickets("more tickets than can be counted"))
    }

    pub(super) fn ticket_at(&mut self, position: u32) -> Result<&mut Ticket, Violation> {
        self.tickets
            .get_index_mut(position as usize)
            .map(|(_, ticket)| ticket)
            .ok_or(Violation::tickets("an order without its tickets"))
    }

    pub(super) fn fold_transferred(
        &mut self,
        record: &TicketTransferred,
        seq: Sequence,
    ) -> Result<(), Violation> {
        let (position, _, ticket) = self
            .tickets
            .get_full_mut(&record.ticket_id)
            .ok_or(Violation::tickets("only a ticket can be transferred"))?;
        let fits = ticket.status == TicketStatus::Valid
            && ticket.owner == record.from
            && ticket.version.checked_add(1) == Some(record.version);
        if !fits {
            return Err(Violation::tickets(
                "a transfer that does not follow from the ticket",
            ));
        }
        let dead = std::mem::replace(&mut ticket.code, record.code);
        ticket.owner = record.to;
        ticket.version = record.version;
        let position =
            u32::try_from(position).map_err(|_| Violation::tickets("more tickets than can be counted"))?;
        self.codes.swap_remove(&dead);
        self.dead_codes.insert(dead, position);
        if self.codes.insert(record.code, position).is_some() {
            return Err(Violation::tickets("two tickets have one id or code"));
        }
        self.settle_key(record.key, record.order_id.into(), seq, record.at);
        Ok(())
    }

    pub(super) fn fold_scanned(&mut self, record: &TicketScanned, seq: Sequence) -> Result<(), Violation> {
        let ticket = self
            .tickets
            .get_mut(&record.ticket_id)
            .ok_or(Violation::tickets("only a ticket can be scanned"))?;
        match ticket.status {
            TicketStatus::Valid | TicketStatus::Used => ticket.status = TicketStatus::Used,
            TicketStatus::Cancelled | TicketStatus::Refunded => {
                return Err(Violation::tickets("a ticket that is void let somebody in"));
            }
        }
        let entry = self.gates.entry(record.gate.clone());
        let gate = u16::try_from(entry.index()).map_err(|_| Violation::tickets("too many gates"))?;
        let counts: &mut GateCounts = entry.or_default();
        let count = match record.direction {
            Direction::In => &mut counts.entries,
            Direction::Out => &mut counts.exits,
        };
        *count = count.saturating_add(1);
        let last = LastScan {
            scan: record.scan,
            scanned_at: record.scanned_at,
            seq,
            gate,
            direction: record.direction,
        };
        let former = self.last_scans.insert(record.ticket_id, last);
        let inside = former.is_some_and(|former| former.direction == Direction::In);
        if inside == (record.direction == Direction::In) {
            return Err(Violation::tickets("a ticket let somebody in twice"));
        }
        if let Some(former) = former {
            let scan = (record.ticket_id, former.scan, former.direction);
            self.former_scans.insert(scan, former.seq);
        }
        Ok(())
    }
}
