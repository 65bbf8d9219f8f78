//! Beginning a payment, and what it leads to: an order, in time or late, or the hold given back.

use onsale_domain::command::{ConfirmHold, ReclaimHold, StartPayment};
use onsale_domain::record::{
    HoldConfirmed, HoldReleased, IssuedTicket, KeyBinding, Line, PaymentAuthorization, PaymentStarted,
    ReleaseReason,
};
use onsale_domain::{BuyerId, EventStatus, HoldId, Money, Record, Refusal, TicketTypeId, UnixMillis};

use super::buyers::{not_a_leg, not_overdue};
use super::{Reference, Wanted};

impl Reference {
    pub(super) fn start(&self, start: &StartPayment, at: UnixMillis) -> Wanted {
        let holding = self.live(start.hold_id, start.buyer_id)?;
        not_overdue(holding, at.0)?;
        not_a_leg(holding)?;
        if self.event().status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled);
        }
        if holding.payment.is_some() {
            return Err(Refusal::PaymentInProgress);
        }
        let total = self.total(&holding.lines);
        if total.amount_minor == 0 {
            return Err(Refusal::NothingToPay);
        }
        Ok(Some(Record::PaymentStarted(PaymentStarted {
            at,
            hold_id: start.hold_id,
            buyer_id: start.buyer_id,
            lines: holding.lines.clone().into(),
            total,
            gateway: start.gateway,
            expires_at: UnixMillis(holding.ends.max(at.0 + 15 * 60_000)),
            key: start.key,
        })))
    }

    pub(super) fn release(
        &self,
        (hold_id, buyer_id): (HoldId, BuyerId),
        reason: ReleaseReason,
        key: Option<KeyBinding>,
        at: UnixMillis,
    ) -> Wanted {
        let holding = match self.live(hold_id, buyer_id) {
            Ok(holding) => holding,
            Err(Refusal::HoldReleased | Refusal::HoldExpired) => return Ok(None),
            Err(other) => return Err(other),
        };
        if reason != ReleaseReason::Package {
            not_a_leg(holding)?;
        }
        Ok(Some(Record::HoldReleased(HoldReleased {
            at,
            hold_id,
            buyer_id,
            lines: holding.lines.clone().into(),
            reason,
            payment: holding.payment.map(|payment| payment.gateway),
            key: holding.payment.and_then(|payment| payment.key).or(key),
        })))
    }

    pub(super) fn confirm(&self, confirm: &ConfirmHold, at: UnixMillis) -> Wanted {
        let holding = self.live(confirm.hold_id, confirm.buyer_id)?;
        not_overdue(holding, at.0)?;
        if confirm.package_order_id != holding.package {
            return Err(Refusal::PartOfPackage);
        }
        let mut order = self.order_of(confirm, &holding.lines, at)?;
        if let Some(payment) = holding.payment {
            order.pending_since = Some(payment.started_at);
            order.key = payment.key.or(confirm.key);
        }
        Ok(Some(Record::HoldConfirmed(order)))
    }

    pub(super) fn reclaim(&self, reclaim: &ReclaimHold, at: UnixMillis) -> Wanted {
        let confirm = &reclaim.confirm;
        match self.live(confirm.hold_id, confirm.buyer_id) {
            Err(Refusal::HoldExpired) => {}
            Err(Refusal::HoldReleased) => return Err(Refusal::NotReclaimable),
            Err(other) => return Err(other),
            Ok(_) => return Err(Refusal::HoldExists),
        }
        if confirm.package_order_id != self.holding(confirm.hold_id).unwrap().package {
            return Err(Refusal::PartOfPackage);
        }
        let lines = &reclaim.lines[..];
        for (index, line) in lines.iter().enumerate() {
            let alike = |other: &Line| other.ticket_type_id == line.ticket_type_id;
            if line.quantity == 0 || lines[..index].iter().any(alike) {
                return Err(Refusal::BadLines {
                    reason: "no hold has such lines",
                });
            }
        }
        self.within_limit(confirm.buyer_id, lines)?;
        self.enough(lines)?;
        let mut order = self.order_of(confirm, lines, at)?;
        order.pending_since = Some(reclaim.pending_since);
        Ok(Some(Record::HoldReclaimed(order)))
    }

    fn order_of(
        &self,
        confirm: &ConfirmHold,
        lines: &[Line],
        at: UnixMillis,
    ) -> Result<HoldConfirmed, Refusal> {
        if self.event().status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled);
        }
        let total = self.total(lines);
        check_payment(confirm.payment.as_ref(), total)?;
        let kinds: Vec<TicketTypeId> = each_ticket(lines);
        if kinds.len() != confirm.tickets.len() {
            return Err(Refusal::TicketCountMismatch);
        }
        for (index, (id, code)) in confirm.tickets.iter().enumerate() {
            let known = self
                .tickets
                .iter()
                .any(|ticket| ticket.id == *id || ticket.had(*code));
            let earlier = &confirm.tickets[..index];
            if known
                || earlier
                    .iter()
                    .any(|(other, another)| other == id || another == code)
            {
                return Err(Refusal::TicketExists);
            }
        }
        Ok(HoldConfirmed {
            at,
            hold_id: confirm.hold_id,
            buyer_id: confirm.buyer_id,
            lines: lines.to_vec().into(),
            total,
            payment: confirm.payment.clone(),
            pending_since: None,
            package_order_id: self.holding(confirm.hold_id).unwrap().package,
            tickets: kinds
                .into_iter()
                .zip(&confirm.tickets)
                .map(|(ticket_type_id, (id, code))| IssuedTicket {
                    id: *id,
                    ticket_type_id,
                    code: *code,
                })
                .collect(),
            key: confirm.key,
        })
    }
}

fn check_payment(payment: Option<&PaymentAuthorization>, total: Money) -> Result<(), Refusal> {
    let matches = match payment {
        None => total.amount_minor == 0,
        Some(payment) => total.amount_minor != 0 && payment.amount == total,
    };
    if matches {
        Ok(())
    } else {
        Err(Refusal::PaymentMismatch)
    }
}

fn each_ticket(lines: &[Line]) -> Vec<TicketTypeId> {
    let mut kinds = Vec::new();
    for line in lines {
        for _ in 0..line.quantity {
            kinds.push(line.ticket_type_id);
        }
    }
    kinds
}
