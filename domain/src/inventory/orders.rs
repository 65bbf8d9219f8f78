//! What may be done with an order: cancelling it, and giving money back for some of its tickets.

use std::collections::BTreeSet;

use super::state::{Inventory, Order, Ticket};
use crate::command::{CancelledBy, RefundTickets};
use crate::record::{Line, Lines, TicketsRefunded};
use crate::{HoldId, Money, OrderId, Record, Refusal, TicketStatus, UnixMillis};

impl Inventory {
    /// Gives what is left of the order's units back, once: repeating it changes nothing.
    pub(super) fn cancel_order(
        &self,
        order_id: OrderId,
        by: CancelledBy,
        now: UnixMillis,
    ) -> Result<Option<Record>, Refusal> {
        let order = self.orders.get(&order_id).ok_or(Refusal::OrderNotFound)?;
        match by {
            CancelledBy::Buyer(buyer_id) if buyer_id != order.buyer_id => return Err(Refusal::OrderNotFound),
            CancelledBy::Buyer(_) | CancelledBy::Staff => self.check_not_a_leg(HoldId::from(order_id))?,
            CancelledBy::Package(package_order_id) => {
                if self.package_of(order_id.into()) != Some(package_order_id) {
                    return Err(Refusal::OrderNotFound);
                }
            }
        }
        let lines = self.left_of(order);
        if order.cancelled || lines.is_empty() {
            return Ok(None);
        }
        if let CancelledBy::Buyer(buyer_id) = by {
            for (_, ticket) in self.tickets_of(order_id) {
                if ticket.status == TicketStatus::Used {
                    return Err(Refusal::TicketUsed);
                }
                if ticket.status == TicketStatus::Valid && ticket.owner != buyer_id {
                    return Err(Refusal::TicketTransferredAway);
                }
            }
        }
        Ok(Some(Record::OrderCancelled {
            at: now,
            order_id,
            buyer_id: order.buyer_id,
            lines,
        }))
    }

    /// All of the tickets, or none: a ticket that cannot be refunded refuses the whole refund.
    pub(super) fn refund_tickets(&self, command: &RefundTickets, now: UnixMillis) -> Result<Record, Refusal> {
        let order = self.orders.get(&command.order_id).ok_or(Refusal::OrderNotFound)?;
        if order.cancelled {
            return Err(Refusal::OrderCancelled);
        }
        let distinct: BTreeSet<_> = command.tickets.iter().collect();
        if command.tickets.is_empty() || distinct.len() != command.tickets.len() {
            return Err(Refusal::BadLines {
                reason: "each ticket must be named once",
            });
        }
        let refunded = command
            .tickets
            .iter()
            .map(|ticket_id| self.refundable(command.order_id, self.tickets.get(ticket_id)))
            .collect::<Result<Vec<&Ticket>, Refusal>>()?;
        let lines = self.lines_of(order, &refunded);
        let amount_minor = lines
            .iter()
            .try_fold(0_i64, |sum, line| sum.checked_add(line.total_minor()?));
        let currency = self
            .definition
            .as_ref()
            .ok_or(Refusal::EventNotFound)?
            .details
            .currency;
        let left: u32 = order.lines.iter().map(|line| line.quantity).sum();
        Ok(Record::TicketsRefunded(TicketsRefunded {
            at: now,
            refund_id: command.refund_id,
            order_id: command.order_id,
            buyer_id: order.buyer_id,
            is_last: usize::try_from(left) == Ok(refunded.len()),
            tickets: command.tickets.clone(),
            lines,
            amount: Money {
                amount_minor: amount_minor.ok_or(Refusal::BadLines {
                    reason: "the amount is too large",
                })?,
                currency,
            },
            key: command.key,
        }))
    }

    fn refundable<'a>(&self, order_id: OrderId, ticket: Option<&'a Ticket>) -> Result<&'a Ticket, Refusal> {
        let ticket = ticket
            .filter(|ticket| ticket.order_id == order_id && self.is_order(order_id))
            .ok_or(Refusal::TicketNotFound)?;
        match ticket.status {
            // Staff may give money back for a ticket that was used.
            TicketStatus::Valid | TicketStatus::Used => Ok(ticket),
            TicketStatus::Cancelled => Err(Refusal::TicketCancelled),
            TicketStatus::Refunded => Err(Refusal::TicketRefunded),
        }
    }

    /// What refunds have left of an order.
    fn left_of(&self, order: &Order) -> Lines {
        let mut lines = self.spell_out(&order.lines);
        lines.retain(|line| line.quantity > 0);
        lines
    }

    /// The lines of an order, with as many units as there are tickets of each type.
    fn lines_of(&self, order: &Order, tickets: &[&Ticket]) -> Lines {
        let quantity = |ticket_type: u16| {
            let of_type = tickets
                .iter()
                .filter(|ticket| ticket.type_position == ticket_type);
            u32::try_from(of_type.count()).unwrap_or(u32::MAX)
        };
        self.spell_out(&order.lines)
            .into_iter()
            .zip(&order.lines)
            .map(|(line, held)| Line {
                quantity: quantity(held.ticket_type),
                ..line
            })
            .filter(|line| line.quantity > 0)
            .collect()
    }
}
