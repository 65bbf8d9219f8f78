//! Decisions about orders: confirming a hold and cancelling an order.

use super::state::Inventory;
use crate::command::ConfirmHold;
use crate::money::total_minor;
use crate::record::{HoldConfirmed, IssuedTicket};
use crate::{BuyerId, EventStatus, Money, OrderId, Record, Refusal, UnixMillis};

impl Inventory {
    /// A live hold can be paid while the sale is paused or closed, but not once the event is cancelled.
    pub(super) fn confirm_hold(&self, command: &ConfirmHold, now: UnixMillis) -> Result<Record, Refusal> {
        let definition = self.definition.as_ref().ok_or(Refusal::EventNotFound)?;
        let hold = self.live_hold_of(command.hold_id, command.buyer_id)?;
        hold.check_not_overdue(now)?;
        if definition.status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled);
        }
        let lines = self.spell_out(&hold.lines);
        let amount_minor = total_minor(lines.iter().map(|line| (line.unit_price_minor, line.quantity)))
            .ok_or(Refusal::BadLines {
                reason: "the total is too large",
            })?;
        let total = Money {
            amount_minor,
            currency: definition.details.currency,
        };
        let paid = command.payment.as_ref().map(|payment| payment.amount);
        if paid != (amount_minor > 0).then_some(total) {
            return Err(Refusal::PaymentMismatch);
        }
        let kinds = lines
            .iter()
            .flat_map(|line| (0..line.quantity).map(|_| line.ticket_type_id));
        if command.tickets.len() != usize::try_from(hold.quantity()).unwrap_or(usize::MAX) {
            return Err(Refusal::TicketCountMismatch);
        }
        let tickets = kinds
            .zip(&command.tickets)
            .map(|(ticket_type_id, (id, code))| IssuedTicket {
                id: *id,
                ticket_type_id,
                code: *code,
            })
            .collect();
        Ok(Record::HoldConfirmed(HoldConfirmed {
            at: now,
            hold_id: command.hold_id,
            buyer_id: command.buyer_id,
            lines,
            total,
            payment: command.payment.clone(),
            tickets,
            key: command.key,
        }))
    }

    /// Gives the order's units back, once: repeating it changes nothing.
    pub(super) fn cancel_order(
        &self,
        order_id: OrderId,
        buyer_id: Option<BuyerId>,
        now: UnixMillis,
    ) -> Result<Option<Record>, Refusal> {
        let order = self.orders.get(&order_id).ok_or(Refusal::OrderNotFound)?;
        if buyer_id.is_some_and(|buyer_id| buyer_id != order.buyer_id) {
            return Err(Refusal::OrderNotFound);
        }
        if order.cancelled {
            return Ok(None);
        }
        let lines = self.spell_out(&order.lines);
        Ok(Some(Record::OrderCancelled {
            at: now,
            order_id,
            buyer_id: order.buyer_id,
            lines,
        }))
    }
}
