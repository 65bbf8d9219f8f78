//! Paying a hold that was placed before.

use onsale_domain::command::ConfirmHold;
use onsale_domain::price::totals;
use onsale_domain::record::KeyBinding;
use onsale_domain::{BuyerId, Command, EventId, HoldId, Money, Refusal};
use onsale_engine::{Answer, EngineError, HoldView};

use super::Purchased;
use super::drive::{Attempt, Outcome, outcome_of};
use crate::{ServiceError, Services};

/// Asks to pay a hold.
#[derive(Clone, Debug)]
pub struct CheckoutRequest {
    /// Which hold.
    pub hold_id: HoldId,
    /// Whose.
    pub buyer_id: BuyerId,
    /// The gateway's token for the means of payment; not needed for a free order.
    pub payment_method: Option<String>,
    /// The request's idempotency key.
    pub key: KeyBinding,
}

impl Services {
    /// Pays a hold and turns it into an order. A repeat of the key gets the first answer.
    pub async fn checkout(&self, request: CheckoutRequest) -> Result<Purchased, ServiceError> {
        let event_id = self.event_of(request.hold_id.route()).await?;
        let found = self
            .engine()
            .find_hold(event_id, request.hold_id, request.buyer_id)
            .await;
        match found {
            Ok(hold) => {
                let attempt = attempt(&hold, request)?;
                if attempt.payment_method.is_none() && attempt.total.amount_minor > 0 {
                    return Err(ServiceError::PaymentMethodMissing);
                }
                self.drive_detached(attempt, vec![]).await
            }
            Err(EngineError::Refused(
                Refusal::HoldExpired | Refusal::HoldReleased | Refusal::HoldConfirmed { .. },
            )) => self.answered_checkout(event_id, &request).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The hold has ended, perhaps by this very key: a confirmation that could never succeed asks what the key led to.
    async fn answered_checkout(
        &self,
        event_id: EventId,
        request: &CheckoutRequest,
    ) -> Result<Purchased, ServiceError> {
        let command = Command::ConfirmHold(Box::new(ConfirmHold {
            hold_id: request.hold_id,
            buyer_id: request.buyer_id,
            payment: None,
            tickets: vec![],
            package_order_id: None,
            key: Some(request.key),
        }));
        let receipt = self.engine().execute(event_id, command).await?;
        match receipt.answer {
            Answer::Replayed(record) => match outcome_of(*record) {
                Outcome::Settled(settled) => settled.answer(event_id, receipt.seq, true),
                Outcome::Open(_) => Err(ServiceError::Internal("a checkout was answered as open")),
            },
            Answer::Recorded(_) | Answer::Unchanged => {
                Err(ServiceError::Internal("an ended hold was confirmed"))
            }
        }
    }
}

fn attempt(hold: &HoldView, request: CheckoutRequest) -> Result<Attempt, ServiceError> {
    Ok(Attempt {
        event_id: hold.event_id,
        hold_id: hold.hold_id,
        buyer_id: hold.buyer_id,
        total: Money {
            amount_minor: totals(&hold.lines)
                .ok_or(ServiceError::Internal("a hold without a total"))?
                .total_minor,
            currency: hold.currency,
        },
        quantity: hold.lines.iter().map(|line| line.quantity).sum(),
        payment_method: request.payment_method,
        key: request.key,
    })
}
