//! Paying a hold that was placed before.

use onsale_domain::command::StartPayment;
use onsale_domain::record::KeyBinding;
use onsale_domain::{BuyerId, Command, EventId, HoldId, Refusal};
use onsale_engine::EngineError;

use super::Purchased;
use super::answered::{Outcome, outcome_of, recorded};
use super::drive::{Asking, Attempt, Resumed, UnderWay};
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
    /// Pays a hold and turns it into an order. A repeat of the key goes on while the order is pending, and gets the
    /// first answer once it is decided.
    pub async fn checkout(&self, request: CheckoutRequest) -> Result<Purchased, ServiceError> {
        let event_id = self.event_of(request.hold_id.route()).await?;
        let asking = Asking {
            hold_id: request.hold_id,
            buyer_id: request.buyer_id,
            key: request.key,
        };
        let Some(payment_method) = request.payment_method else {
            return self.check_out_free(event_id, asking).await;
        };
        let command = Command::StartPayment(StartPayment {
            hold_id: asking.hold_id,
            buyer_id: asking.buyer_id,
            gateway: self.gateways().current().gateway(),
            key: Some(asking.key),
        });
        let receipt = match self.engine().execute(event_id, command).await {
            Ok(receipt) => receipt,
            Err(EngineError::Refused(Refusal::NothingToPay)) => {
                return self.check_out_free(event_id, asking).await;
            }
            Err(error) => return Err(error.into()),
        };
        let seq = receipt.seq;
        let (record, replayed) = recorded(receipt)?;
        match outcome_of(record) {
            Outcome::Started(_) if replayed => {
                self.go_on(event_id, asking, Some(payment_method), vec![]).await
            }
            Outcome::Started(started) => {
                let attempt = Attempt {
                    event_id,
                    asking,
                    payment: Some(UnderWay::started(&started, seq)),
                    lines: started.lines,
                    total: started.total,
                    payment_method: Some(payment_method),
                };
                self.drive_detached(attempt, vec![]).await
            }
            Outcome::Settled(settled) => settled.answer(event_id, seq, replayed),
            Outcome::Placed(_) => Err(ServiceError::Internal("a checkout was answered by a hold")),
        }
    }

    /// Without a means of payment only what costs nothing is confirmed.
    async fn check_out_free(&self, event_id: EventId, asking: Asking) -> Result<Purchased, ServiceError> {
        let found = self
            .engine()
            .find_hold(event_id, asking.hold_id, asking.buyer_id)
            .await;
        match found {
            Ok(hold) => {
                let attempt = Attempt::free(&hold, asking)?;
                self.drive_detached(attempt, vec![]).await
            }
            Err(EngineError::Refused(
                Refusal::HoldExpired | Refusal::HoldReleased | Refusal::HoldConfirmed { .. },
            )) => self.answered(event_id, asking).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Drives on what an earlier request under the same key began.
    pub(super) async fn go_on(
        &self,
        event_id: EventId,
        asking: Asking,
        payment_method: Option<String>,
        claims: Vec<super::in_flight::Claim>,
    ) -> Result<Purchased, ServiceError> {
        match self.resume(event_id, asking, payment_method).await? {
            Resumed::Live(attempt) => self.drive_detached(*attempt, claims).await,
            Resumed::Answered(answer) => Ok(answer),
        }
    }
}
