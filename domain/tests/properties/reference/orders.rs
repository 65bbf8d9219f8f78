//! Cancelling an order, and giving money back for some of its tickets.

use onsale_domain::command::{CancelledBy, RefundTickets};
use onsale_domain::record::{Line, TicketsRefunded};
use onsale_domain::{OrderId, Record, Refusal, TicketStatus, UnixMillis};

use super::buyers::not_a_leg;
use super::{Holding, Reference, State, Wanted};

impl Reference {
    fn order(&self, id: OrderId) -> Result<&Holding, Refusal> {
        self.holding(id.into())
            .filter(|holding| matches!(holding.state, State::Sold | State::Cancelled))
            .ok_or(Refusal::OrderNotFound)
    }

    pub(super) fn cancel(&self, id: OrderId, by: CancelledBy, at: UnixMillis) -> Wanted {
        let order = self.order(id)?;
        match by {
            CancelledBy::Staff => not_a_leg(order)?,
            CancelledBy::Buyer(buyer) if buyer == order.buyer => not_a_leg(order)?,
            CancelledBy::Package(package) if order.package == Some(package) => {}
            CancelledBy::Buyer(_) | CancelledBy::Package(_) => return Err(Refusal::OrderNotFound),
        }
        let lines = self.left_of(order);
        if order.state == State::Cancelled || lines.is_empty() {
            return Ok(None);
        }
        if matches!(by, CancelledBy::Buyer(_)) {
            for ticket in self.tickets.iter().filter(|ticket| ticket.order == order.id) {
                match ticket.status {
                    TicketStatus::Used => return Err(Refusal::TicketUsed),
                    TicketStatus::Valid if ticket.owner != order.buyer => {
                        return Err(Refusal::TicketTransferredAway);
                    }
                    TicketStatus::Valid | TicketStatus::Cancelled | TicketStatus::Refunded => {}
                }
            }
        }
        Ok(Some(Record::OrderCancelled {
            at,
            order_id: id,
            buyer_id: order.buyer,
            lines: lines.into(),
        }))
    }

    pub(super) fn refund(&self, refund: &RefundTickets, at: UnixMillis) -> Wanted {
        let order = self.order(refund.order_id)?;
        if order.state == State::Cancelled {
            return Err(Refusal::OrderCancelled);
        }
        let twice = |index: usize| refund.tickets[..index].contains(&refund.tickets[index]);
        if refund.tickets.is_empty() || (0..refund.tickets.len()).any(twice) {
            return Err(Refusal::BadLines {
                reason: "each ticket must be named once",
            });
        }
        let mut lines: Vec<Line> = Vec::new();
        for line in &order.lines {
            lines.push(Line { quantity: 0, ..*line });
        }
        for id in &refund.tickets {
            let ticket = self
                .tickets
                .iter()
                .find(|ticket| ticket.id == *id && ticket.order == order.id)
                .ok_or(Refusal::TicketNotFound)?;
            match ticket.status {
                TicketStatus::Valid | TicketStatus::Used => {}
                TicketStatus::Cancelled => return Err(Refusal::TicketCancelled),
                TicketStatus::Refunded => return Err(Refusal::TicketRefunded),
            }
            let of_type = |line: &&mut Line| line.ticket_type_id == ticket.ticket_type;
            lines.iter_mut().find(of_type).unwrap().quantity += 1;
        }
        lines.retain(|line| line.quantity > 0);
        let left = self
            .left_of(order)
            .iter()
            .map(|line| line.quantity as usize)
            .sum::<usize>();
        Ok(Some(Record::TicketsRefunded(TicketsRefunded {
            at,
            refund_id: refund.refund_id,
            order_id: refund.order_id,
            buyer_id: order.buyer,
            tickets: refund.tickets.clone(),
            amount: self.total(&lines),
            lines: lines.into(),
            is_last: left == refund.tickets.len(),
            key: refund.key,
        })))
    }
}
