//! From a live hold to an answer: ask the provider, then confirm or give back, or leave it pending.
//!
//! What the journal says decides, never what this task remembers. It lets no money go: that is the payment worker's,
//! which sees from the journal that a hold ended without an order, whoever took its payment.

use std::time::Duration;

use onsale_domain::command::{ConfirmHold, StartPayment};
use onsale_domain::price::totals;
use onsale_domain::record::{KeyBinding, Lines, PaymentAuthorization, PaymentStarted, ReleaseReason};
use onsale_domain::{
    BuyerId, Command, EventId, Gateway, HoldId, Money, Record, Refusal, Sequence, UnixMillis,
};
use onsale_engine::at_hand::carried;
use onsale_engine::{Answer, EngineError, HoldView, Receipt};
use tokio::time::sleep;

use super::answered::{Settled, recorded, settle};
use super::in_flight::{Claim, Work};
use super::{PendingOrder, Purchased};
use crate::payments::{GatewayError, PaymentAction, PaymentRequest, ProviderState};
use crate::{ServiceError, Services};

/// A step that meets overload is tried this often: by then money is set aside, and giving up helps nobody.
const TRIES_MAX: u32 = 4;
/// Wait before the second try; doubled for each further one.
const TRY_AGAIN_MS: u64 = 25;

/// Who pays which hold, under which key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    pub(super) hold_id: HoldId,
    pub(super) buyer_id: BuyerId,
    pub(super) key: KeyBinding,
}

/// A live hold that is to become an order.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) event_id: EventId,
    pub(super) asking: Asking,
    pub(super) lines: Lines,
    pub(super) total: Money,
    /// The payment that is under way; `None` where there is nothing to pay.
    pub(super) payment: Option<UnderWay>,
    pub(super) payment_method: Option<String>,
}

/// A payment that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnderWay {
    pub(super) gateway: Gateway,
    pub(super) placed_at: UnixMillis,
    pub(super) expires_at: UnixMillis,
    pub(super) seq: Sequence,
}

/// What the provider says to a payment.
enum Said {
    Paid(PaymentAuthorization),
    Refused(ReleaseReason),
    Open(Option<PaymentAction>),
}

impl Attempt {
    /// An attempt at a hold that costs nothing.
    ///
    /// Errors: that a means of payment is needed.
    pub(super) fn free(hold: &HoldView, asking: Asking) -> Result<Self, ServiceError> {
        let total = total(hold)?;
        if total.amount_minor > 0 {
            return Err(ServiceError::PaymentMethodMissing);
        }
        Ok(Self {
            event_id: hold.event_id,
            asking,
            lines: hold.lines.clone(),
            total,
            payment: None,
            payment_method: None,
        })
    }

    fn quantity(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    fn pending(self, payment: UnderWay, action: Option<PaymentAction>) -> Purchased {
        Purchased::Pending(Box::new(PendingOrder {
            event_id: self.event_id,
            order_id: self.asking.hold_id.into(),
            lines: self.lines,
            total: self.total,
            gateway: payment.gateway,
            action,
            placed_at: payment.placed_at,
            expires_at: payment.expires_at,
            seq: payment.seq,
        }))
    }
}

impl UnderWay {
    pub(super) const fn started(started: &PaymentStarted, seq: Sequence) -> Self {
        Self {
            gateway: started.gateway,
            placed_at: started.at,
            expires_at: started.expires_at,
            seq,
        }
    }

    fn of_hold(hold: &HoldView) -> Option<Self> {
        hold.payment.map(|payment| Self {
            gateway: payment.gateway,
            placed_at: payment.started_at,
            expires_at: hold.expires_at,
            seq: hold.seq,
        })
    }
}

fn total(hold: &HoldView) -> Result<Money, ServiceError> {
    let totals = totals(&hold.lines).ok_or(ServiceError::Internal("a hold without a total"))?;
    Ok(Money {
        amount_minor: totals.total_minor,
        currency: hold.currency,
    })
}

/// How a hold that was placed before goes on.
pub(super) enum Resumed {
    /// It lives.
    Live(Box<Attempt>),
    /// It has ended, and the key has its answer.
    Answered(Purchased),
}

impl Services {
    /// An attempt at a hold that an earlier request left alive, with the payment that goes on.
    ///
    /// Errors: how the hold ended, where the key has no answer.
    pub(super) async fn resume(
        &self,
        event_id: EventId,
        asking: Asking,
        payment_method: Option<String>,
    ) -> Result<Resumed, ServiceError> {
        let found = self
            .engine()
            .find_hold(event_id, asking.hold_id, asking.buyer_id)
            .await;
        let hold = match found {
            Ok(hold) => hold,
            Err(EngineError::Refused(
                Refusal::HoldExpired | Refusal::HoldReleased | Refusal::HoldConfirmed { .. },
            )) => return self.answered(event_id, asking).await.map(Resumed::Answered),
            Err(error) => return Err(error.into()),
        };
        let total = total(&hold)?;
        let payment = match UnderWay::of_hold(&hold) {
            // A purchase from before payments were recorded.
            None if total.amount_minor > 0 => Some(self.start_payment(event_id, asking).await?),
            payment => payment,
        };
        Ok(Resumed::Live(Box::new(Attempt {
            event_id,
            asking,
            total,
            lines: hold.lines,
            payment,
            payment_method,
        })))
    }

    /// Without a key: the purchase's own answers for what comes of it.
    async fn start_payment(&self, event_id: EventId, asking: Asking) -> Result<UnderWay, ServiceError> {
        let command = Command::StartPayment(StartPayment {
            hold_id: asking.hold_id,
            buyer_id: asking.buyer_id,
            gateway: self.gateways().current().gateway(),
            key: None,
        });
        let receipt = self.engine().execute(event_id, command).await?;
        let seq = receipt.seq;
        match recorded(receipt)? {
            (Record::PaymentStarted(started), _) => Ok(UnderWay::started(&started, seq)),
            _ => Err(ServiceError::Internal("a payment that began without its record")),
        }
    }

    /// Drives an attempt as far as it goes in a task of its own, which a client that hangs up does not cancel.
    pub(super) async fn drive_detached(
        &self,
        attempt: Attempt,
        mut claims: Vec<Claim>,
    ) -> Result<Purchased, ServiceError> {
        claims.push(self.in_flight().claim(Work::Hold(attempt.asking.hold_id))?);
        let services = self.clone();
        let driven = tokio::spawn(carried(async move {
            let answer = services.drive(attempt).await;
            drop(claims);
            answer
        }));
        driven
            .await
            .map_err(|_| ServiceError::Internal("a purchase's task died"))?
    }

    async fn drive(&self, attempt: Attempt) -> Result<Purchased, ServiceError> {
        let Some(payment) = attempt.payment else {
            return self.confirm(attempt, None).await;
        };
        match self.ask(&attempt, payment.gateway).await {
            Said::Paid(authorization) => self.confirm(attempt, Some(authorization)).await,
            // Boxed, here and below, so that what is paid does not grow by it.
            Said::Refused(reason) => Box::pin(self.give_back(attempt, reason)).await,
            Said::Open(action) => Ok(attempt.pending(payment, action)),
        }
    }

    async fn ask(&self, attempt: &Attempt, gateway: Gateway) -> Said {
        let (Some(provider), Some(payment_method)) =
            (self.gateways().get(gateway), attempt.payment_method.clone())
        else {
            return Said::Open(None);
        };
        let hold_id = attempt.asking.hold_id;
        let request = PaymentRequest {
            purchase: hold_id.into(),
            amount: attempt.total,
            payment_method: payment_method.into(),
        };
        match self.asked_in_time(gateway, provider.start(request)).await {
            Ok(
                ProviderState::Authorized { reference, amount }
                | ProviderState::Captured {
                    reference,
                    amount,
                    refunded_minor: 0,
                },
            ) if amount == attempt.total => Said::Paid(PaymentAuthorization {
                gateway,
                reference,
                amount,
            }),
            Ok(ProviderState::Pending { action, .. }) => Said::Open(action),
            // Something else than was asked for: the worker sees the same and has it quarantined.
            Ok(ProviderState::Authorized { .. } | ProviderState::Captured { .. }) => Said::Open(None),
            Ok(ProviderState::Declined { reason }) => {
                tracing::debug!(%hold_id, reason, "payment declined");
                Said::Refused(ReleaseReason::PaymentDeclined)
            }
            Ok(ProviderState::Absent | ProviderState::Voided) => {
                Said::Refused(ReleaseReason::PaymentUnavailable)
            }
            Err(GatewayError::Unknown) => {
                tracing::warn!(%hold_id, "payment gateway gave no answer: the order is pending");
                Said::Open(None)
            }
            Err(error @ (GatewayError::Unavailable(_) | GatewayError::Rejected(_))) => {
                tracing::warn!(%hold_id, %error, "no payment was begun");
                Said::Refused(ReleaseReason::PaymentUnavailable)
            }
        }
    }

    async fn confirm(
        &self,
        attempt: Attempt,
        payment: Option<PaymentAuthorization>,
    ) -> Result<Purchased, ServiceError> {
        let is_paid = payment.is_some();
        let event_id = attempt.event_id;
        let tickets = self
            .ids()
            .tickets(attempt.quantity(), event_id.route(), self.now())?;
        let command = Command::ConfirmHold(Box::new(ConfirmHold {
            hold_id: attempt.asking.hold_id,
            buyer_id: attempt.asking.buyer_id,
            payment,
            tickets,
            package_order_id: None,
            key: Some(attempt.asking.key),
        }));
        match self.execute_patiently(event_id, command).await {
            Ok(receipt) => settle(event_id, receipt),
            Err(EngineError::Refused(Refusal::EventCancelled)) if is_paid => {
                // Nothing can come of it any more; the money goes back when the hold has ended.
                match Box::pin(self.give_back(attempt, ReleaseReason::PaymentUnavailable)).await {
                    Err(ServiceError::PaymentUnavailable) => Err(Refusal::EventCancelled.into()),
                    other => other,
                }
            }
            // Whether the order exists is open: the same key finds out, and the worker goes on.
            Err(error) => Err(error.into()),
        }
    }

    async fn give_back(&self, attempt: Attempt, reason: ReleaseReason) -> Result<Purchased, ServiceError> {
        let Attempt { event_id, asking, .. } = attempt;
        let command = Command::ReleaseHold {
            hold_id: asking.hold_id,
            buyer_id: asking.buyer_id,
            reason,
            key: Some(asking.key),
        };
        let receipt = self.execute_patiently(event_id, command).await?;
        match receipt.answer {
            Answer::Recorded(_) => Settled::Released(reason).answer(event_id, receipt.seq, false),
            // It had ended meanwhile, so this key is bound to nothing here and a repeat meets that end: so does this
            // answer.
            Answer::Unchanged => self.answered(event_id, asking).await,
            Answer::Replayed(_) => settle(event_id, receipt),
        }
    }

    /// Executes a step of a purchase, and again where it met overload.
    pub(crate) async fn execute_patiently(
        &self,
        event_id: EventId,
        command: Command,
    ) -> Result<Receipt, EngineError> {
        for attempt in 1..TRIES_MAX {
            match self.engine().execute(event_id, command.clone()).await {
                Err(EngineError::Overloaded { .. }) => {
                    sleep(Duration::from_millis(TRY_AGAIN_MS << attempt)).await;
                }
                answer => return answer,
            }
        }
        self.engine().execute(event_id, command).await
    }
}
