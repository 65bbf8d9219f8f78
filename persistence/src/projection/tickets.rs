//! What records change of tickets: issued, refunded, transferred, scanned.

use onsale_domain::id::TicketCode;
use onsale_domain::record::{HoldConfirmed, TicketScanned, TicketTransferred, TicketsRefunded};
use onsale_domain::{BuyerId, EventId, OrderId, RefundId, Sequence, TicketId, TicketTypeId, UserId};

use super::changes::RowChanges;
use crate::jobs::MailMessage;
use crate::read::{OrderStatus, TicketStatus};

/// A ticket that this batch issued, as the batch leaves it.
#[derive(Debug)]
pub(super) struct NewTicket {
    pub(super) event_id: EventId,
    pub(super) ticket_id: TicketId,
    pub(super) order_id: OrderId,
    pub(super) ticket_type_id: TicketTypeId,
    pub(super) code: TicketCode,
    pub(super) status: TicketStatus,
    pub(super) version: u32,
    pub(super) owner: BuyerId,
    pub(super) refund_id: Option<RefundId>,
}

/// What a batch changes of an earlier batch's ticket. Several of one ticket follow each other.
#[derive(Debug)]
pub(super) struct TicketChange {
    pub(super) event_id: EventId,
    pub(super) ticket_id: TicketId,
    pub(super) step: TicketStep,
}

/// What happened to a ticket.
#[derive(Clone, Copy, Debug)]
pub(super) enum TicketStep {
    Used,
    Refunded(RefundId),
    Transferred {
        owner: BuyerId,
        code: TicketCode,
        version: u32,
    },
}

/// A refund that this batch asked for.
#[derive(Debug)]
pub(super) struct NewRefund {
    pub(super) event_id: EventId,
    pub(super) record: TicketsRefunded,
}

/// A scan of this batch.
#[derive(Debug)]
pub(super) struct NewScan {
    pub(super) event_id: EventId,
    pub(super) seq: Sequence,
    pub(super) record: TicketScanned,
}

impl NewTicket {
    fn take(&mut self, step: TicketStep) {
        match step {
            TicketStep::Used => self.status = TicketStatus::Used,
            TicketStep::Refunded(refund_id) => {
                self.status = TicketStatus::Refunded;
                self.refund_id = Some(refund_id);
            }
            TicketStep::Transferred { owner, code, version } => {
                self.owner = owner;
                self.code = code;
                self.version = version;
            }
        }
    }
}

impl RowChanges {
    pub(super) fn issue_tickets(&mut self, event_id: EventId, order_id: OrderId, confirmed: &HoldConfirmed) {
        let issued = confirmed.tickets.iter().map(|ticket| NewTicket {
            event_id,
            ticket_id: ticket.id,
            order_id,
            ticket_type_id: ticket.ticket_type_id,
            code: ticket.code,
            status: TicketStatus::Valid,
            version: 1,
            owner: confirmed.buyer_id,
            refund_id: None,
        });
        self.new_tickets.extend(issued);
    }

    /// Tickets of earlier batches are cancelled with their order's row.
    pub(super) fn cancel_tickets(&mut self, event_id: EventId, order_id: OrderId) {
        for ticket in &mut self.new_tickets {
            let of_order = ticket.event_id == event_id && ticket.order_id == order_id;
            if of_order && ticket.status != TicketStatus::Refunded {
                ticket.status = TicketStatus::Cancelled;
            }
        }
    }

    pub(super) fn refund(&mut self, event_id: EventId, seq: Sequence, record: TicketsRefunded) {
        for ticket_id in &record.tickets {
            self.step(event_id, *ticket_id, TicketStep::Refunded(record.refund_id));
        }
        let order = self.order(event_id, record.order_id, seq, record.at);
        order.refunded_minor = order.refunded_minor.saturating_add(record.amount.amount_minor);
        order.status = Some(if record.is_last {
            OrderStatus::Refunded
        } else {
            OrderStatus::PartiallyRefunded
        });
        self.refunds.push(NewRefund { event_id, record });
    }

    pub(super) fn transfer(&mut self, event_id: EventId, seq: Sequence, record: TicketTransferred) {
        let step = TicketStep::Transferred {
            owner: record.to,
            code: record.code,
            version: record.version,
        };
        self.step(event_id, record.ticket_id, step);
        let (ticket_id, version) = (record.ticket_id, record.version);
        let given_away = MailMessage::TicketGivenAway {
            event_id,
            ticket_id,
            version,
            user_id: UserId(record.from.0),
        };
        let received = MailMessage::TicketReceived {
            event_id,
            ticket_id,
            version,
            user_id: UserId(record.to.0),
        };
        self.mail.extend([(given_away, record.at), (received, record.at)]);
        self.order(event_id, record.order_id, seq, record.at).makes_files = true;
    }

    pub(super) fn scan(&mut self, event_id: EventId, seq: Sequence, record: TicketScanned) {
        self.step(event_id, record.ticket_id, TicketStep::Used);
        self.scans.push(NewScan {
            event_id,
            seq,
            record,
        });
    }

    /// Tickets are seldom scanned or transferred in the very batch that issued them, so these are searched and not
    /// indexed.
    fn step(&mut self, event_id: EventId, ticket_id: TicketId, step: TicketStep) {
        let new = self
            .new_tickets
            .iter_mut()
            .rfind(|ticket| ticket.ticket_id == ticket_id && ticket.event_id == event_id);
        match new {
            Some(ticket) => ticket.take(step),
            None => self.changed_tickets.push(TicketChange {
                event_id,
                ticket_id,
                step,
            }),
        }
    }
}
