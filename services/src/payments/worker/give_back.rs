//! Giving money back: what no order came of, what was cancelled, and what was refunded by ticket.

use onsale_domain::{EventId, Money, OrderId, RefundId};
use onsale_persistence::{MailMessage, PaymentStatus, RefundToSettle, SettledRefund};

use super::pending::ABSENT_MS;
use super::{PaymentWorker, Step, Work, age_ms};
use crate::JobError;
use crate::metrics::{self, Effect};
use crate::payments::{ProviderState, RefundRequest, RefundState};

/// Refunds that are looked at in one step.
const REFUNDS_MAX: usize = 50;

impl PaymentWorker {
    /// Makes sure that the purchase costs nothing.
    pub(super) async fn void(&self, work: &Work<'_>) -> Result<Step, JobError> {
        let state = self.asked(work.provider.void(&work.reference())).await?;
        let is_young = age_ms(&work.payment, self.services.now()) < ABSENT_MS;
        // A provider that knows of nothing yet may still be reached by what is on its way.
        if !costs_nothing(&state) || (state == ProviderState::Absent && is_young) {
            return Ok(self.look_again(&work.payment));
        }
        let (event_id, order_id) = Self::event_and_order(work);
        let now = self.services.now();
        let voided = self
            .services
            .database()
            .mark_payment_voided(event_id, order_id, now)
            .await?;
        if voided {
            metrics::money_moved(Effect::Voided, work.payment.amount);
        }
        Ok(Step::Moved)
    }

    /// A payment that was let go and costs something all the same is let go again.
    pub(super) async fn look_once_more(&self, work: &Work<'_>) -> Result<Step, JobError> {
        let state = self.asked(work.provider.status(&work.reference())).await?;
        if costs_nothing(&state) {
            return Ok(Step::Done);
        }
        let payment = &work.payment;
        tracing::warn!(order_id = %payment.order_id, "a payment succeeded after it was let go");
        self.mark(payment, PaymentStatus::Voiding).await?;
        Ok(Step::Moved)
    }

    /// Gives back what single tickets cost.
    pub(super) async fn refund(&self, work: &Work<'_>) -> Result<Step, JobError> {
        let (event_id, order_id) = Self::event_and_order(work);
        let refunds = self
            .services
            .database()
            .pending_refunds(event_id, order_id, REFUNDS_MAX)
            .await?;
        if refunds.is_empty() {
            return Ok(Step::Done);
        }
        let mut is_open = false;
        for refund in refunds {
            is_open |= !self.settle(work, refund).await?;
        }
        Ok(if is_open {
            self.look_again(&work.payment)
        } else {
            Step::Moved
        })
    }

    /// Of an order without a payment, what is refunded is nothing.
    pub(super) async fn settle_free_refunds(
        &self,
        event_id: EventId,
        order_id: OrderId,
    ) -> Result<(), JobError> {
        let (database, now) = (self.services.database(), self.services.now());
        let refunds = database.pending_refunds(event_id, order_id, REFUNDS_MAX).await?;
        for refund in refunds.iter().filter(|refund| refund.amount.amount_minor == 0) {
            let outcome = SettledRefund::Succeeded;
            database
                .settle_refund(event_id, order_id, refund.refund_id, outcome, now)
                .await?;
        }
        Ok(())
    }

    /// `false` while the provider is still at it.
    async fn settle(&self, work: &Work<'_>, refund: RefundToSettle) -> Result<bool, JobError> {
        let request = RefundRequest {
            refund_id: refund.refund_id,
            amount: refund.amount,
        };
        let reference = work.reference();
        let state = match refund.amount.amount_minor {
            0 => RefundState::Succeeded,
            _ => self.asked(work.provider.refund(&reference, request)).await?,
        };
        let outcome = match &state {
            RefundState::Pending => return Ok(false),
            RefundState::Succeeded => SettledRefund::Succeeded,
            RefundState::Failed { reason } => {
                tracing::error!(refund_id = %refund.refund_id, reason, "a refund failed: staff have to give the money back");
                SettledRefund::Failed(reason)
            }
        };
        let (event_id, order_id) = Self::event_and_order(work);
        let now = self.services.now();
        let settled = self
            .services
            .database()
            .settle_refund(event_id, order_id, refund.refund_id, outcome, now)
            .await?;
        if settled && outcome == SettledRefund::Succeeded {
            metrics::money_moved(Effect::Refunded, refund.amount);
            let news = MailMessage::Refund {
                event_id,
                order_id,
                refund_id: refund.refund_id.0,
                amount: refund.amount,
            };
            self.services.enqueue_mail(news).await?;
        }
        Ok(true)
    }

    /// Gives back all that is left of a captured payment whose order was cancelled. The refund has the order's own id,
    /// and its amount changes only with its success, so a repeat is the same refund.
    pub(super) async fn refund_rest(&self, work: &Work<'_>) -> Result<Step, JobError> {
        let payment = &work.payment;
        match self.refund(work).await? {
            Step::Done => {}
            open @ (Step::Moved | Step::Later(_)) => return Ok(open),
        }
        let left = payment.amount.amount_minor.saturating_sub(payment.refunded_minor);
        let rest = Money {
            amount_minor: left,
            currency: payment.amount.currency,
        };
        if left > 0 {
            let request = RefundRequest {
                refund_id: RefundId(payment.order_id.0),
                amount: rest,
            };
            let reference = work.reference();
            match self.asked(work.provider.refund(&reference, request)).await? {
                RefundState::Pending => return Ok(self.look_again(payment)),
                RefundState::Succeeded => {}
                RefundState::Failed { reason } => {
                    return Err(JobError(format!("the provider does not refund: {reason}")));
                }
            }
        }
        let refunded = self
            .services
            .database()
            .mark_payment_refunded(payment.event_id, payment.order_id)
            .await?;
        if refunded && left > 0 {
            metrics::money_moved(Effect::Refunded, rest);
        }
        Ok(Step::Moved)
    }
}

/// Whether nothing is left of a payment, and nothing can come of it.
fn costs_nothing(state: &ProviderState) -> bool {
    match state {
        ProviderState::Voided | ProviderState::Declined { .. } | ProviderState::Absent => true,
        ProviderState::Captured {
            amount,
            refunded_minor,
            ..
        } => *refunded_minor >= amount.amount_minor,
        ProviderState::Pending { .. } | ProviderState::Authorized { .. } => false,
    }
}
