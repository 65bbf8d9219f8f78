//! What a buyer may do with an order: read and cancel it.

use onsale_domain::command::CancelledBy;
use onsale_domain::record::ReleaseReason;
use onsale_domain::{BuyerId, Command, EventId, HoldId, OrderId, Refusal, Sequence};
use onsale_engine::EngineError;
use onsale_persistence::OrderStatus;

use crate::{ServiceError, Services};

/// An order that is cancelled.
#[derive(Clone, Copy, Debug)]
pub struct CancelledOrder {
    /// Which.
    pub order_id: OrderId,
    /// Of which event.
    pub event_id: EventId,
    /// Sequence of the cancellation, or of the state in which it was cancelled already.
    pub seq: Sequence,
}

impl Services {
    /// Cancels a buyer's own order: its units are free again, its tickets void, its payment goes back. One that is
    /// pending is given up. Repeating it changes nothing.
    pub async fn cancel_order(
        &self,
        order_id: OrderId,
        buyer_id: BuyerId,
    ) -> Result<CancelledOrder, ServiceError> {
        let event_id = self.event_of(order_id.route()).await?;
        self.cancel(event_id, order_id, buyer_id, CancelledBy::Buyer(buyer_id))
            .await
    }

    pub(super) async fn cancel(
        &self,
        event_id: EventId,
        order_id: OrderId,
        buyer_id: BuyerId,
        by: CancelledBy,
    ) -> Result<CancelledOrder, ServiceError> {
        let command = Command::CancelOrder { order_id, by };
        let seq = match self.engine().execute(event_id, command).await {
            Ok(receipt) => receipt.seq,
            Err(EngineError::Refused(Refusal::OrderNotFound)) => {
                self.give_up_pending(event_id, order_id, buyer_id).await?
            }
            Err(error) => return Err(error.into()),
        };
        Ok(CancelledOrder {
            order_id,
            event_id,
            seq,
        })
    }

    /// The journal knows a pending order as a hold under payment.
    async fn give_up_pending(
        &self,
        event_id: EventId,
        order_id: OrderId,
        buyer_id: BuyerId,
    ) -> Result<Sequence, ServiceError> {
        let hold_id = HoldId(order_id.0);
        match self.engine().find_hold(event_id, hold_id, buyer_id).await {
            Ok(hold) if hold.payment.is_some() => {
                let command = Command::ReleaseHold {
                    hold_id,
                    buyer_id,
                    reason: ReleaseReason::Buyer,
                    key: None,
                };
                Ok(self.engine().execute(event_id, command).await?.seq)
            }
            Ok(_) | Err(EngineError::Refused(Refusal::HoldNotFound)) => Err(ServiceError::NotFound),
            Err(EngineError::Refused(Refusal::HoldReleased)) => {
                let order = self.order(order_id, buyer_id).await?;
                match order.status {
                    OrderStatus::Cancelled => Ok(order.seq),
                    _ => Err(ServiceError::NotFound),
                }
            }
            Err(error) => Err(error.into()),
        }
    }
}
