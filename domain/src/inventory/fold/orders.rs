//! Orders: made of holds, cancelled, refunded.

use super::super::Violation;
use super::super::line::{HeldLine, HeldLines};
use super::super::state::{Inventory, KeyEntry, KeyStage, Order};
use super::units::Count;
use crate::record::{HoldConfirmed, KeyBinding, TicketsRefunded};
use crate::{BuyerId, HoldId, OrderId, Sequence, TicketStatus, UnixMillis};

impl Inventory {
    pub(super) fn fold_confirmed(&mut self, record: &HoldConfirmed, seq: Sequence) -> Result<(), Violation> {
        let hold = self.take_hold(record.hold_id)?;
        self.remove_units(&hold.lines, Count::Held)?;
        self.add_units(&hold.lines, Count::Sold)?;
        self.make_order(record, hold.buyer_id, hold.lines, seq)
    }

    /// The units come from what is free, because the hold's were given back when it expired.
    pub(super) fn fold_reclaimed(&mut self, record: &HoldConfirmed, seq: Sequence) -> Result<(), Violation> {
        if self.ended_holds.swap_remove(&record.hold_id).is_none() {
            return Err(Violation::state("only a hold that ended can be reclaimed"));
        }
        let lines = self
            .held_lines(&record.lines)
            .ok_or(Violation::state("a line of an unknown ticket type"))?;
        self.add_units(&lines, Count::Sold)?;
        self.credit_buyer(record.buyer_id, lines.iter().map(|line| line.quantity).sum())?;
        self.make_order(record, record.buyer_id, lines, seq)
    }

    fn make_order(
        &mut self,
        record: &HoldConfirmed,
        buyer_id: BuyerId,
        lines: HeldLines,
        seq: Sequence,
    ) -> Result<(), Violation> {
        let order_id = OrderId::from(record.hold_id);
        let first_ticket = self.issue_tickets(record, order_id)?;
        let order = Order {
            buyer_id,
            lines,
            cancelled: false,
            first_ticket,
            ticket_count: u32::try_from(record.tickets.len())
                .map_err(|_| Violation::state("more tickets than can be counted"))?,
        };
        if self.orders.insert(order_id, order).is_some() {
            return Err(Violation::state("two orders have one id"));
        }
        self.settle_key(record.key, record.hold_id, seq, record.at);
        Ok(())
    }

    pub(super) fn fold_cancelled(&mut self, order_id: OrderId) -> Result<(), Violation> {
        let order = self
            .orders
            .get_mut(&order_id)
            .ok_or(Violation::state("only an order can be cancelled"))?;
        if std::mem::replace(&mut order.cancelled, true) {
            return Err(Violation::state("an order is cancelled once"));
        }
        let (buyer_id, mut lines) = (order.buyer_id, order.lines.clone());
        lines.retain(|line| line.quantity > 0);
        let tickets = order.first_ticket..order.first_ticket + order.ticket_count;
        for position in tickets {
            let ticket = self.ticket_at(position)?;
            if ticket.status != TicketStatus::Refunded {
                ticket.status = TicketStatus::Cancelled;
            }
        }
        self.remove_units(&lines, Count::Sold)?;
        self.debit_buyer(buyer_id, lines.iter().map(|line| line.quantity).sum())
    }

    pub(super) fn fold_refunded(&mut self, record: &TicketsRefunded, seq: Sequence) -> Result<(), Violation> {
        for ticket_id in &record.tickets {
            let ticket = self
                .tickets
                .get_mut(ticket_id)
                .filter(|ticket| ticket.order_id == record.order_id)
                .ok_or(Violation::state("a refund of a ticket of another order"))?;
            match ticket.status {
                TicketStatus::Valid | TicketStatus::Used => ticket.status = TicketStatus::Refunded,
                TicketStatus::Cancelled | TicketStatus::Refunded => {
                    return Err(Violation::state("a ticket is refunded once"));
                }
            }
        }
        let back = self
            .held_lines(&record.lines)
            .ok_or(Violation::state("a line of an unknown ticket type"))?;
        let order = self
            .orders
            .get_mut(&record.order_id)
            .ok_or(Violation::state("only an order can be refunded"))?;
        for line in &back {
            take_from(&mut order.lines, line)?;
        }
        let buyer_id = order.buyer_id;
        self.remove_units(&back, Count::Sold)?;
        self.debit_buyer(buyer_id, back.iter().map(|line| line.quantity).sum())?;
        self.settle_key(record.key, record.order_id.into(), seq, record.at);
        Ok(())
    }

    /// Remembers that a key is answered by this record.
    pub(super) fn settle_key(
        &mut self,
        key: Option<KeyBinding>,
        hold_id: HoldId,
        seq: Sequence,
        at: UnixMillis,
    ) {
        self.remember_key(key, |body| KeyEntry {
            body,
            hold_id,
            seq,
            stage: KeyStage::Settled,
            at,
        });
    }
}

fn take_from(lines: &mut HeldLines, back: &HeldLine) -> Result<(), Violation> {
    let line = lines
        .iter_mut()
        .find(|line| line.ticket_type == back.ticket_type)
        .ok_or(Violation::state(
            "a refund of a line that the order does not have",
        ))?;
    line.quantity = line
        .quantity
        .checked_sub(back.quantity)
        .ok_or(Violation::conservation("more units refunded than the order has"))?;
    Ok(())
}
