//! A payment that the sale has not decided: what the provider says, and what becomes of the hold.
//!
//! The journal decides. A hold that is paid in time is confirmed; one that has expired is reclaimed if its units are
//! free still, and otherwise the money goes back. What the journal has decided already is left to the projection, which
//! moves the payment and wakes this worker again.

use onsale_domain::command::{ConfirmHold, ReclaimHold};
use onsale_domain::record::{Lines, PaymentAuthorization, ReleaseReason};
use onsale_domain::{BuyerId, Command, HoldId, Money, Refusal};
use onsale_engine::EngineError;
use onsale_persistence::{OrderRow, PaymentStatus};

use super::{PaymentWorker, Step, Work, age_ms};
use crate::payments::{PaymentGateway, ProviderState};
use crate::{JobError, ServiceError};

/// A provider that knows of no payment this long after it was asked will not hear of it any more.
pub(super) const ABSENT_MS: i64 = 60_000;
/// An expiry that is due is recorded within this.
const EXPIRY_MS: i64 = 1_000;

/// What the provider says about a payment that is pending here.
enum Said {
    /// It has exactly what was asked for.
    Paid(PaymentAuthorization),
    /// It has something else.
    Mismatch,
    /// It has not decided.
    Open,
    /// It knows of none.
    Nothing,
    /// A final no.
    No,
    /// It let go already.
    LetGo,
}

/// How the order's hold stands in the journal.
enum Standing {
    Live,
    Expired,
    /// Decided: the projection tells how.
    Decided,
}

fn said(state: ProviderState, provider: &dyn PaymentGateway, wanted: Money) -> (Said, Option<String>) {
    let paid = |reference: String, amount| {
        let known = Some(reference.clone());
        if amount != wanted {
            return (Said::Mismatch, known);
        }
        let gateway = provider.gateway();
        let authorization = PaymentAuthorization {
            gateway,
            reference,
            amount,
        };
        (Said::Paid(authorization), known)
    };
    match state {
        ProviderState::Authorized { reference, amount }
        | ProviderState::Captured {
            reference,
            amount,
            refunded_minor: 0,
        } => paid(reference, amount),
        ProviderState::Captured {
            reference,
            amount,
            refunded_minor,
        } if refunded_minor >= amount.amount_minor => (Said::LetGo, Some(reference)),
        ProviderState::Captured { reference, .. } => (Said::Mismatch, Some(reference)),
        ProviderState::Pending { reference, .. } => (Said::Open, Some(reference)),
        ProviderState::Absent => (Said::Nothing, None),
        ProviderState::Declined { .. } => (Said::No, None),
        ProviderState::Voided => (Said::LetGo, None),
    }
}

impl PaymentWorker {
    pub(super) async fn decide(&self, work: &Work<'_>) -> Result<Step, JobError> {
        let (event_id, order_id) = Self::event_and_order(work);
        let database = self.services.database();
        let order = database
            .order(event_id, order_id)
            .await?
            .ok_or_else(|| JobError("a payment without its order".to_owned()))?;
        let state = self.asked(work.provider.status(&work.reference())).await?;
        let (said, reference) = said(state, work.provider, work.payment.amount);
        if let Some(reference) = reference.filter(|_| work.payment.reference.is_none()) {
            database
                .note_payment_reference(event_id, order_id, &reference)
                .await?;
        }
        match self.standing(&order).await? {
            Standing::Decided => Ok(Step::Done),
            Standing::Live => self.with_live_hold(work, &order, said).await,
            Standing::Expired => self.without_hold(work, &order, said).await,
        }
    }

    async fn standing(&self, order: &OrderRow) -> Result<Standing, JobError> {
        let found = self
            .services
            .engine()
            .find_hold(order.event_id, hold_of(order), order.buyer_id)
            .await;
        match found {
            Ok(_) => Ok(Standing::Live),
            // Not found: it ended so long ago that the event has forgotten it.
            Err(EngineError::Refused(Refusal::HoldExpired | Refusal::HoldNotFound)) => Ok(Standing::Expired),
            Err(EngineError::Refused(Refusal::HoldReleased | Refusal::HoldConfirmed { .. })) => {
                Ok(Standing::Decided)
            }
            Err(error) => Err(ServiceError::from(error).into()),
        }
    }

    async fn with_live_hold(&self, work: &Work<'_>, order: &OrderRow, said: Said) -> Result<Step, JobError> {
        let payment = &work.payment;
        match said {
            Said::Paid(authorization) => {
                self.services
                    .database()
                    .mark_order_paid(payment.event_id, payment.order_id)
                    .await?;
                self.confirm(order, authorization).await
            }
            Said::Mismatch => self.quarantine(payment, "authorized").await,
            Said::Open => Ok(self.look_again(payment)),
            Said::Nothing if age_ms(payment, self.services.now()) < ABSENT_MS => Ok(self.look_again(payment)),
            // The journal first: a request that is paid meanwhile has its order or is refused. The projection then has the
            // payment voided, with what was still on its way to the provider.
            Said::Nothing | Said::LetGo => self.release(order, ReleaseReason::PaymentUnavailable).await,
            Said::No => self.release(order, ReleaseReason::PaymentDeclined).await,
        }
    }

    async fn without_hold(&self, work: &Work<'_>, order: &OrderRow, said: Said) -> Result<Step, JobError> {
        let payment = &work.payment;
        match said {
            Said::Paid(authorization) => self.reclaim(work, order, authorization).await,
            Said::Mismatch => self.quarantine(payment, "authorized").await,
            Said::Open => {
                self.decided(payment, PaymentStatus::Voiding, "undecided_in_time")
                    .await
            }
            Said::Nothing | Said::LetGo => {
                self.mark(payment, PaymentStatus::Voiding).await?;
                Ok(Step::Moved)
            }
            Said::No => {
                self.mark(payment, PaymentStatus::Declined).await?;
                Ok(Step::Moved)
            }
        }
    }

    async fn confirm(&self, order: &OrderRow, authorization: PaymentAuthorization) -> Result<Step, JobError> {
        let command = Command::ConfirmHold(Box::new(self.confirmation(order, authorization)?));
        match self.services.execute_patiently(order.event_id, command).await {
            // The projection wakes this worker again, to capture.
            Ok(_) => Ok(Step::Done),
            Err(EngineError::Refused(Refusal::EventCancelled)) => {
                self.release(order, ReleaseReason::PaymentUnavailable).await
            }
            Err(EngineError::Refused(
                Refusal::HoldExpired | Refusal::HoldReleased | Refusal::HoldConfirmed { .. },
            )) => Ok(self.after_expiry()),
            Err(error) => Err(ServiceError::from(error).into()),
        }
    }

    async fn release(&self, order: &OrderRow, reason: ReleaseReason) -> Result<Step, JobError> {
        let command = Command::ReleaseHold {
            hold_id: hold_of(order),
            buyer_id: order.buyer_id,
            reason,
            key: None,
        };
        match self.services.execute_patiently(order.event_id, command).await {
            Ok(_) => Ok(self.after_expiry()),
            Err(EngineError::Refused(Refusal::HoldConfirmed { .. })) => Ok(Step::Done),
            Err(error) => Err(ServiceError::from(error).into()),
        }
    }

    /// The intent is noted before it is tried, so that a crash cannot lose what was decided.
    async fn reclaim(
        &self,
        work: &Work<'_>,
        order: &OrderRow,
        authorization: PaymentAuthorization,
    ) -> Result<Step, JobError> {
        let payment = &work.payment;
        let noted = self
            .services
            .database()
            .decide_payment(
                payment.event_id,
                payment.order_id,
                (payment.status, payment.status),
                "reclaimed",
            )
            .await?;
        if !noted {
            return Ok(Step::Moved);
        }
        let lines: Lines = order.lines.iter().map(|line| (*line).into()).collect();
        let command = Command::ReclaimHold(Box::new(ReclaimHold {
            confirm: self.confirmation(order, authorization)?,
            lines,
            pending_since: order.placed_at,
        }));
        match self.services.execute_patiently(order.event_id, command).await {
            Ok(_) => {
                crate::metrics::payment_decided("reclaimed");
                tracing::info!(order_id = %order.order_id, "an expired hold was paid late and is reclaimed");
                Ok(Step::Done)
            }
            Err(EngineError::Refused(Refusal::HoldExists)) => Ok(self.after_expiry()),
            Err(EngineError::Refused(Refusal::HoldConfirmed { .. } | Refusal::NotReclaimable)) => {
                Ok(Step::Done)
            }
            Err(EngineError::Refused(refusal)) => {
                self.decided(payment, PaymentStatus::Voiding, refusal.code())
                    .await
            }
            Err(error) => Err(ServiceError::from(error).into()),
        }
    }

    /// What was met is not recorded yet, or not projected: both come soon, and the projection asks earlier.
    fn after_expiry(&self) -> Step {
        Step::Later(self.services.now().plus_ms(EXPIRY_MS))
    }

    fn confirmation(
        &self,
        order: &OrderRow,
        authorization: PaymentAuthorization,
    ) -> Result<ConfirmHold, JobError> {
        let quantity = order.lines.iter().map(|line| line.quantity).sum();
        let tickets = self
            .services
            .ids()
            .tickets(quantity, order.event_id.route(), self.services.now())
            .map_err(ServiceError::from)?;
        let buyer_id: BuyerId = order.buyer_id;
        Ok(ConfirmHold {
            hold_id: hold_of(order),
            buyer_id,
            payment: Some(authorization),
            tickets,
            package_order_id: None,
            // The key under which the payment began is answered.
            key: None,
        })
    }
}

fn hold_of(order: &OrderRow) -> HoldId {
    HoldId(order.order_id.0)
}
