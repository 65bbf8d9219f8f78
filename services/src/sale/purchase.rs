//! Buying in one call.

use onsale_domain::command::{PlaceHold, RequestedLines};
use onsale_domain::record::{HoldPlaced, KeyBinding};
use onsale_domain::{BuyerId, Command, EventId};
use onsale_engine::Answer;

use super::drive::{Attempt, Outcome, outcome_of};
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
    /// Buys. A repeat of the key gets the first answer, or goes on where an interrupted attempt stopped.
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
            payment: None,
            package: None,
            key: Some(request.key),
        });
        let receipt = self
            .engine()
            .execute(event_id, command)
            .await
            .map_err(hide_draft)?;
        let (record, replayed) = match receipt.answer {
            Answer::Recorded(record) => (*record, false),
            Answer::Replayed(record) => (*record, true),
            Answer::Unchanged => return Err(ServiceError::Internal("a hold without a record")),
        };
        let hold = match outcome_of(record) {
            Outcome::Open(hold) => hold,
            Outcome::Settled(settled) => return settled.answer(event_id, receipt.seq, replayed),
        };
        let attempt = attempt(event_id, &hold, request.payment_method, request.key)?;
        if replayed {
            self.check_live(&attempt).await?;
        }
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
                .is_some_and(|(_, ticket_type)| ticket_type.unit_price_minor > 0)
        };
        if request.lines.iter().any(|line| costs(line.ticket_type_id)) {
            return Err(ServiceError::PaymentMethodMissing);
        }
        Ok(())
    }
}

fn attempt(
    event_id: EventId,
    hold: &HoldPlaced,
    payment_method: Option<String>,
    key: KeyBinding,
) -> Result<Attempt, ServiceError> {
    Ok(Attempt {
        event_id,
        hold_id: hold.hold_id,
        buyer_id: hold.buyer_id,
        total: hold
            .total()
            .ok_or(ServiceError::Internal("a hold without a total"))?,
        quantity: hold.lines.iter().map(|line| line.quantity).sum(),
        payment_method,
        key,
    })
}
