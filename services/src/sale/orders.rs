//! What a buyer may do with an order.

use onsale_domain::command::CancelledBy;
use onsale_domain::{BuyerId, Command, EventId, OrderId, Sequence};

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
    /// Cancels a buyer's own order: its units are free again, its tickets void, its payment goes back. Repeating it
    /// changes nothing.
    pub async fn cancel_order(
        &self,
        order_id: OrderId,
        buyer_id: BuyerId,
    ) -> Result<CancelledOrder, ServiceError> {
        let event_id = self.event_of(order_id.route()).await?;
        let command = Command::CancelOrder {
            order_id,
            by: CancelledBy::Buyer(buyer_id),
        };
        let receipt = self.engine().execute(event_id, command).await?;
        Ok(CancelledOrder {
            order_id,
            event_id,
            seq: receipt.seq,
        })
    }
}
