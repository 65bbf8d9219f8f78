//! Buying in one call.

use onsale_domain::command::{PlaceHold, RequestedLines};
use onsale_domain::record::KeyBinding;
use onsale_domain::{BuyerId, Command, EventId};

use super::answered::{Outcome, outcome_of, recorded};
use super::drive::{Asking, Attempt, UnderWay};
use super::in_flight::Work;
use super::{Purchased, hide_draft};
use crate::{ServiceError, Services};

/// Asks to hold, pay and confirm in one call.
#[derive(Clone, Debug)]
pub struct PurchaseRequest {
    /// Of which event.
    pub event_id: EventId,
    /// For whom.
    pub buyer_id: BuyerId,
    /// What.
    pub lines: RequestedLines,
    /// The gateway's token for the means of payment; not needed where everything is free.
    pub payment_method: Option<String>,
    /// The request's idempotency key.
    pub key: KeyBinding,
}

impl Services {
    /// Buys. A repeat of the key goes on where an interrupted attempt stopped, or while the order is pending, and gets
    /// the first answer once it is decided.
    ///
    /// The key is claimed before anything else, so that a repeat that arrives while the first request is between two
    /// steps cannot take it for an interrupted one.
    pub async fn purchase(&self, request: PurchaseRequest) -> Result<Purchased, ServiceError> {
        let claim = self.in_flight().claim(Work::Key(request.key.key))?;
        self.check_payment_method(&request).await?;
        let event_id = request.event_id;
        let hold_id = self.ids().hold_id(event_id.route(), self.now());
        let command = Command::PlaceHold(PlaceHold {
            hold_id,
            buyer_id: request.buyer_id,
            lines: request.lines,
            payment: Some(self.gateways().current().gateway()),
            package: None,
            key: Some(request.key),
        });
        let receipt = self
            .engine()
            .execute(event_id, command)
            .await
            .map_err(hide_draft)?;
        let seq = receipt.seq;
        let (record, replayed) = recorded(receipt)?;
        let hold = match outcome_of(record) {
            Outcome::Placed(hold) => hold,
            Outcome::Settled(settled) => return settled.answer(event_id, seq, replayed),
            Outcome::Started(_) => return Err(ServiceError::Internal("a purchase answered as a checkout")),
        };
        let asking = Asking {
            hold_id: hold.hold_id,
            buyer_id: request.buyer_id,
            key: request.key,
        };
        if replayed {
            // Boxed, so that first requests do not grow by it.
            return Box::pin(self.go_on(event_id, asking, request.payment_method, vec![claim])).await;
        }
        let attempt = Attempt {
            event_id,
            asking,
            total: hold
                .total()
                .ok_or(ServiceError::Internal("a hold without a total"))?,
            payment: hold.payment.map(|gateway| UnderWay {
                gateway,
                placed_at: hold.at,
                expires_at: hold.expires_at,
                seq,
            }),
            lines: hold.lines,
            payment_method: request.payment_method,
        };
        self.drive_detached(attempt, vec![claim]).await
    }

    /// Without a means of payment only free tickets can be bought; better refused before a hold is placed.
    async fn check_payment_method(&self, request: &PurchaseRequest) -> Result<(), ServiceError> {
        if request.payment_method.is_some() {
            return Ok(());
        }
        let availability = self.availability(request.event_id).await?;
        let costs = |id| {
            availability
                .definition
                .ticket_type(id)
                .is_some_and(|(_, ticket_type)| ticket_type.unit_total_minor() != Some(0))
        };
        if request.lines.iter().any(|line| costs(line.ticket_type_id)) {
            return Err(ServiceError::PaymentMethodMissing);
        }
        Ok(())
    }
}
