//! Beginning the payment of a hold.

use super::state::Inventory;
use crate::command::StartPayment;
use crate::limits::PAYMENT_WINDOW_MS;
use crate::price::totals;
use crate::record::PaymentStarted;
use crate::{EventStatus, Money, Record, Refusal, UnixMillis};

impl Inventory {
    /// From here the hold does not end while the provider decides, within [`PAYMENT_WINDOW_MS`].
    pub(super) fn start_payment(&self, command: StartPayment, now: UnixMillis) -> Result<Record, Refusal> {
        let definition = self.definition.as_ref().ok_or(Refusal::EventNotFound)?;
        let hold = self.live_hold_of(command.hold_id, command.buyer_id)?;
        hold.check_not_overdue(now)?;
        self.check_not_a_leg(command.hold_id)?;
        if definition.status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled);
        }
        if self.payments.contains_key(&command.hold_id) {
            return Err(Refusal::PaymentInProgress);
        }
        let lines = self.spell_out(&hold.lines);
        let totals = totals(&lines).ok_or(Refusal::BadLines {
            reason: "the total is too large",
        })?;
        if totals.total_minor == 0 {
            return Err(Refusal::NothingToPay);
        }
        Ok(Record::PaymentStarted(PaymentStarted {
            at: now,
            hold_id: command.hold_id,
            buyer_id: command.buyer_id,
            lines,
            total: Money {
                amount_minor: totals.total_minor,
                currency: definition.details.currency,
            },
            gateway: command.gateway,
            expires_at: hold.expires_at.max(now.plus_ms(PAYMENT_WINDOW_MS)),
            key: command.key,
        }))
    }
}
