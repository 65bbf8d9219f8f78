//! Turning a hold into an order, in time or late.

use smallvec::SmallVec;

use super::state::{HoldEnd, Inventory};
use crate::command::{ConfirmHold, ReclaimHold};
use crate::limits::{LINES_MAX, ORDER_QUANTITY_MAX};
use crate::price::totals;
use crate::record::{HoldConfirmed, IssuedTicket, KeyBinding, Line, Lines};
use crate::{EventStatus, Money, OrderId, Record, Refusal, UnixMillis};

impl Inventory {
    /// A live hold can be paid while the sale is paused or closed, but not once the event is cancelled.
    pub(super) fn confirm_hold(&self, command: &ConfirmHold, now: UnixMillis) -> Result<Record, Refusal> {
        let hold = self.live_hold_of(command.hold_id, command.buyer_id)?;
        hold.check_not_overdue(now)?;
        if command.package_order_id != self.package_of(command.hold_id) {
            return Err(Refusal::PartOfPackage);
        }
        let lines = self.spell_out(&hold.lines);
        let pending = self.pending_payment(command.hold_id);
        let key = pending.and_then(|pending| pending.key).or(command.key);
        let pending_since = pending.map(|pending| pending.started_at);
        let confirmed = self.confirmed(command, lines, pending_since, key, now)?;
        Ok(Record::HoldConfirmed(confirmed))
    }

    /// A payment that succeeded after its hold expired still gets its tickets, if they are free and the buyer may
    /// have them.
    pub(super) fn reclaim_hold(&self, command: &ReclaimHold, now: UnixMillis) -> Result<Record, Refusal> {
        let confirm = &command.confirm;
        let ended = self.ended_holds.get(&confirm.hold_id);
        match ended {
            Some(ended) if ended.buyer_id == confirm.buyer_id && ended.end == HoldEnd::Expired => {}
            Some(ended) if ended.buyer_id == confirm.buyer_id => return Err(Refusal::NotReclaimable),
            Some(_) | None => {
                return match self.live_hold_of(confirm.hold_id, confirm.buyer_id) {
                    Ok(_) => Err(Refusal::HoldExists),
                    Err(refusal) => Err(refusal),
                };
            }
        }
        if confirm.package_order_id != self.package_of(confirm.hold_id) {
            return Err(Refusal::PartOfPackage);
        }
        let definition = self.definition.as_ref().ok_or(Refusal::EventNotFound)?;
        let quantity = checked_quantity(&command.lines)?;
        self.check_buyer_limit(definition, confirm.buyer_id, quantity)?;
        self.check_capacity(definition, &command.lines)?;
        let pending_since = Some(command.pending_since);
        let confirmed = self.confirmed(confirm, command.lines.clone(), pending_since, confirm.key, now)?;
        Ok(Record::HoldReclaimed(confirmed))
    }

    fn confirmed(
        &self,
        command: &ConfirmHold,
        lines: Lines,
        pending_since: Option<UnixMillis>,
        key: Option<KeyBinding>,
        now: UnixMillis,
    ) -> Result<HoldConfirmed, Refusal> {
        let definition = self.definition.as_ref().ok_or(Refusal::EventNotFound)?;
        if definition.status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled);
        }
        let totals = totals(&lines).ok_or(Refusal::BadLines {
            reason: "the total is too large",
        })?;
        let total = Money {
            amount_minor: totals.total_minor,
            currency: definition.details.currency,
        };
        let paid = command.payment.as_ref().map(|payment| payment.amount);
        if paid != (total.amount_minor > 0).then_some(total) {
            return Err(Refusal::PaymentMismatch);
        }
        Ok(HoldConfirmed {
            at: now,
            hold_id: command.hold_id,
            buyer_id: command.buyer_id,
            tickets: self.issued_tickets(command, &lines)?,
            lines,
            total,
            payment: command.payment.clone(),
            pending_since,
            package_order_id: self.package_of(command.hold_id),
            key,
        })
    }

    fn issued_tickets(&self, command: &ConfirmHold, lines: &Lines) -> Result<Vec<IssuedTicket>, Refusal> {
        let quantity: u32 = lines.iter().map(|line| line.quantity).sum();
        if command.tickets.len() != usize::try_from(quantity).unwrap_or(usize::MAX) {
            return Err(Refusal::TicketCountMismatch);
        }
        let tickets = &command.tickets;
        if has_two_alike(tickets.iter().map(|(id, _)| *id))
            || has_two_alike(tickets.iter().map(|(_, code)| code.0))
        {
            return Err(Refusal::TicketExists);
        }
        let kinds = lines
            .iter()
            .flat_map(|line| (0..line.quantity).map(|_| line.ticket_type_id));
        kinds
            .zip(&command.tickets)
            .map(|(ticket_type_id, (id, code))| {
                if self.tickets.contains_key(id) || self.knows_code(*code) {
                    return Err(Refusal::TicketExists);
                }
                Ok(IssuedTicket {
                    id: *id,
                    ticket_type_id,
                    code: *code,
                })
            })
            .collect()
    }

    /// Whether an order came of a hold.
    pub(super) fn is_order(&self, order_id: OrderId) -> bool {
        self.orders.contains_key(&order_id)
    }
}

/// The tickets of lines that come from outside.
///
/// Errors: the lines are not those of any hold, so that no order can be made of them.
fn checked_quantity(lines: &[Line]) -> Result<u32, Refusal> {
    let quantity = lines
        .iter()
        .try_fold(0_u32, |sum, line| sum.checked_add(line.quantity))
        .filter(|sum| *sum <= ORDER_QUANTITY_MAX);
    match quantity {
        Some(quantity)
            if (1..=LINES_MAX).contains(&lines.len())
                && lines.iter().all(|line| line.quantity > 0)
                && !has_two_alike(lines.iter().map(|line| line.ticket_type_id)) =>
        {
            Ok(quantity)
        }
        Some(_) | None => Err(Refusal::BadLines {
            reason: "no hold has such lines",
        }),
    }
}

fn has_two_alike<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut items: SmallVec<[T; 8]> = items.collect();
    items.sort_unstable();
    items.windows(2).any(|pair| pair[0] == pair[1])
}
