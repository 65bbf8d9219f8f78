//! From a live hold to an answer: authorize, then confirm or give back.
//!
//! What the journal says decides, never what this task remembers. Money is let go only after the journal holds an
//! end of the hold without an order: another request, perhaps of another process, may have confirmed the same
//! purchase meanwhile, and its money is the same authorization.

use std::time::Duration;

use onsale_domain::command::ConfirmHold;
use onsale_domain::record::{
    HoldConfirmed, HoldPlaced, HoldReleased, KeyBinding, PaymentAuthorization, ReleaseReason,
};
use onsale_domain::{BuyerId, Command, EventId, HoldId, Money, Record, Refusal, Sequence};
use onsale_engine::{Answer, EngineError, Receipt};
use tokio::time::{sleep, timeout};

use super::Purchased;
use super::in_flight::{Claim, Work};
use crate::payments::{PaymentRef, PaymentRequest, ProviderState};
use crate::{ServiceError, Services};

/// A step that meets overload is tried this often: by then money is set aside, and giving up helps nobody.
const TRIES_MAX: u32 = 4;
/// Wait before the second try; doubled for each further one.
const TRY_AGAIN_MS: u64 = 25;

/// A live hold that is to be paid.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) event_id: EventId,
    pub(super) hold_id: HoldId,
    pub(super) buyer_id: BuyerId,
    pub(super) total: Money,
    pub(super) quantity: u32,
    pub(super) payment_method: Option<String>,
    pub(super) key: KeyBinding,
}

/// What a key's answering record means for a purchase.
pub(super) enum Outcome {
    /// The hold was placed; whether it still lives is another question.
    Open(HoldPlaced),
    /// The purchase is decided.
    Settled(Settled),
}

/// A decided purchase.
pub(super) enum Settled {
    /// There is an order.
    Confirmed(Box<HoldConfirmed>),
    /// The hold was given back.
    Released(ReleaseReason),
    /// A record that no purchase leads to.
    Unexpected,
}

pub(super) fn outcome_of(record: Record) -> Outcome {
    match record {
        Record::HoldPlaced(hold) => Outcome::Open(hold),
        Record::HoldConfirmed(order) => Outcome::Settled(Settled::Confirmed(Box::new(order))),
        Record::HoldReleased(HoldReleased { reason, .. }) => Outcome::Settled(Settled::Released(reason)),
        Record::EventCreated { .. }
        | Record::EventEdited { .. }
        | Record::QuotaSet { .. }
        | Record::TicketTypeSet { .. }
        | Record::StatusChanged { .. }
        | Record::HoldExtended { .. }
        | Record::HoldsExpired { .. }
        | Record::PaymentStarted(_)
        | Record::HoldReclaimed(_)
        | Record::TicketsRefunded(_)
        | Record::TicketTransferred(_)
        | Record::TicketScanned(_)
        | Record::OrderCancelled { .. } => Outcome::Settled(Settled::Unexpected),
    }
}

impl Settled {
    /// The answer that a decided purchase has, every time it is asked for.
    pub(super) fn answer(
        self,
        event_id: EventId,
        seq: Sequence,
        replayed: bool,
    ) -> Result<Purchased, ServiceError> {
        match self {
            Self::Confirmed(order) => Ok(Purchased {
                event_id,
                seq,
                order: *order,
                replayed,
            }),
            Self::Released(ReleaseReason::PaymentDeclined) => Err(ServiceError::PaymentDeclined { replayed }),
            Self::Released(ReleaseReason::PaymentUnavailable) => Err(ServiceError::PaymentUnavailable),
            Self::Released(ReleaseReason::Buyer | ReleaseReason::Package) => {
                Err(Refusal::HoldReleased.into())
            }
            Self::Unexpected => Err(ServiceError::Internal("a purchase led to another record")),
        }
    }
}

impl Services {
    /// Drives an attempt to its end in a task of its own, which a client that hangs up does not cancel.
    pub(super) async fn drive_detached(
        &self,
        attempt: Attempt,
        mut claims: Vec<Claim>,
    ) -> Result<Purchased, ServiceError> {
        claims.push(self.in_flight().claim(Work::Hold(attempt.hold_id))?);
        let services = self.clone();
        let driven = tokio::spawn(async move {
            let answer = services.drive(attempt).await;
            drop(claims);
            answer
        });
        driven
            .await
            .map_err(|_| ServiceError::Internal("a purchase's task died"))?
    }

    async fn drive(&self, attempt: Attempt) -> Result<Purchased, ServiceError> {
        match self.authorize(&attempt).await {
            Ok(payment) => self.confirm(attempt, payment).await,
            Err(reason) => self.give_back(attempt, reason).await,
        }
    }

    async fn authorize(&self, attempt: &Attempt) -> Result<Option<PaymentAuthorization>, ReleaseReason> {
        if attempt.total.amount_minor == 0 {
            return Ok(None);
        }
        let payment_method = attempt
            .payment_method
            .clone()
            .ok_or(ReleaseReason::PaymentDeclined)?;
        let request = PaymentRequest {
            purchase: attempt.hold_id.into(),
            amount: attempt.total,
            payment_method: payment_method.into(),
        };
        let gateway = self.gateways().current();
        match timeout(self.gateway_timeout(), gateway.start(request)).await {
            Ok(Ok(ProviderState::Authorized { reference, amount })) => Ok(Some(PaymentAuthorization {
                gateway: gateway.gateway(),
                reference,
                amount,
            })),
            Ok(Ok(ProviderState::Declined { reason })) => {
                tracing::debug!(hold_id = %attempt.hold_id, reason, "payment declined");
                Err(ReleaseReason::PaymentDeclined)
            }
            _ => {
                tracing::warn!(hold_id = %attempt.hold_id, "payment gateway gave no answer");
                Err(ReleaseReason::PaymentUnavailable)
            }
        }
    }

    async fn confirm(
        &self,
        attempt: Attempt,
        payment: Option<PaymentAuthorization>,
    ) -> Result<Purchased, ServiceError> {
        let attempt_ref = attempt.clone();
        let tickets = self
            .ids()
            .tickets(attempt.quantity, attempt.event_id.route(), self.now())?;
        let command = Command::ConfirmHold(Box::new(ConfirmHold {
            hold_id: attempt.hold_id,
            buyer_id: attempt.buyer_id,
            payment,
            tickets,
            package_order_id: None,
            key: Some(attempt.key),
        }));
        match self.execute_patiently(attempt.event_id, command).await {
            Ok(receipt) => settle(&attempt, receipt),
            Err(EngineError::Refused(refusal)) => {
                self.void_if_ended(&attempt_ref, &refusal).await;
                Err(refusal.into())
            }
            // Whether the order exists is open: the same key finds out, and the money stays set aside until then.
            Err(error) => Err(error.into()),
        }
    }

    async fn give_back(&self, attempt: Attempt, reason: ReleaseReason) -> Result<Purchased, ServiceError> {
        let command = Command::ReleaseHold {
            hold_id: attempt.hold_id,
            buyer_id: attempt.buyer_id,
            reason,
            key: Some(attempt.key),
        };
        let receipt = self.execute_patiently(attempt.event_id, command).await?;
        match receipt.answer {
            Answer::Recorded(_) => {
                if reason == ReleaseReason::PaymentUnavailable {
                    self.void(attempt.hold_id, attempt.total).await;
                }
                Settled::Released(reason).answer(attempt.event_id, receipt.seq, false)
            }
            // It had ended meanwhile, so this key is bound to nothing here and a repeat meets that end: so does this
            // answer.
            Answer::Unchanged => {
                self.check_live(&attempt).await?;
                Err(ServiceError::Internal("an ended hold came back to life"))
            }
            Answer::Replayed(_) => settle(&attempt, receipt),
        }
    }

    /// An attempt can go on only while its hold lives. One that ended may have left money set aside, which is let go.
    ///
    /// Errors: what became of the hold.
    pub(super) async fn check_live(&self, attempt: &Attempt) -> Result<(), ServiceError> {
        let found = self
            .engine()
            .find_hold(attempt.event_id, attempt.hold_id, attempt.buyer_id)
            .await;
        match found {
            Ok(_) => Ok(()),
            Err(EngineError::Refused(refusal)) => {
                self.void_if_ended(attempt, &refusal).await;
                Err(refusal.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Executes a step of a purchase, and again where it met overload.
    async fn execute_patiently(&self, event_id: EventId, command: Command) -> Result<Receipt, EngineError> {
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

    /// Lets money go after a refusal that says that no order can come of the hold any more.
    async fn void_if_ended(&self, attempt: &Attempt, refusal: &Refusal) {
        if matches!(
            refusal,
            Refusal::HoldExpired | Refusal::HoldReleased | Refusal::EventCancelled
        ) {
            self.void(attempt.hold_id, attempt.total).await;
        }
    }

    /// Best effort: an authorization that nobody voids lapses at the gateway.
    async fn void(&self, hold_id: HoldId, amount: Money) {
        let payment = PaymentRef {
            purchase: hold_id.into(),
            reference: None,
            amount,
        };
        let voided = timeout(self.gateway_timeout(), self.gateways().current().void(&payment)).await;
        if !matches!(voided, Ok(Ok(_))) {
            tracing::warn!(%hold_id, "could not void an authorization");
        }
    }
}

/// The answer of a receipt for this attempt's key.
fn settle(attempt: &Attempt, receipt: Receipt) -> Result<Purchased, ServiceError> {
    let (record, replayed) = match receipt.answer {
        Answer::Recorded(record) => (*record, false),
        Answer::Replayed(record) => (*record, true),
        Answer::Unchanged => return Err(ServiceError::Internal("an order without a record")),
    };
    match outcome_of(record) {
        Outcome::Settled(settled) => settled.answer(attempt.event_id, receipt.seq, replayed),
        Outcome::Open(_) => Err(ServiceError::Internal("a settled purchase was answered as open")),
    }
}
