//! Placing, reading, extending and releasing holds.

use onsale_domain::command::{PlaceHold, RequestedLines};
use onsale_domain::record::{HoldPlaced, KeyBinding, ReleaseReason};
use onsale_domain::{BuyerId, Command, EventId, HoldId, Record, Refusal, Sequence};
use onsale_engine::{Answer, EngineError, HoldView};

use super::hide_draft;
use crate::{ServiceError, Services};

/// Asks for a hold.
#[derive(Clone, Debug)]
pub struct HoldRequest {
    /// Of which event.
    pub event_id: EventId,
    /// For whom.
    pub buyer_id: BuyerId,
    /// What.
    pub lines: RequestedLines,
    /// The request's idempotency key.
    pub key: KeyBinding,
}

/// A hold that was placed, now or by an earlier request with the same key.
#[derive(Clone, Debug)]
pub struct PlacedHold {
    /// Of which event.
    pub event_id: EventId,
    /// Sequence of the hold's record.
    pub seq: Sequence,
    /// The hold's record.
    pub hold: HoldPlaced,
    /// Whether this repeats an earlier answer.
    pub replayed: bool,
}

/// A hold whose end was moved.
#[derive(Clone, Debug)]
pub struct ExtendedHold {
    /// The hold as it is now.
    pub hold: HoldView,
    /// Sequence of the extension.
    pub seq: Sequence,
}

/// What became of a hold that was to be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleasedStatus {
    /// Given back, now or before.
    Released,
    /// It had ended by itself before.
    Expired,
}

/// A hold that is no more.
#[derive(Clone, Copy, Debug)]
pub struct ReleasedHold {
    /// Which.
    pub hold_id: HoldId,
    /// Of which event.
    pub event_id: EventId,
    /// How it ended.
    pub status: ReleasedStatus,
    /// Sequence of the release, or of the state in which there was nothing left to release.
    pub seq: Sequence,
}

impl Services {
    /// Sets capacity aside for a buyer.
    pub async fn place_hold(&self, request: HoldRequest) -> Result<PlacedHold, ServiceError> {
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
        let Record::HoldPlaced(hold) = record else {
            return Err(ServiceError::Internal("a hold answered by another record"));
        };
        Ok(PlacedHold {
            event_id,
            seq: receipt.seq,
            hold,
            replayed,
        })
    }

    /// A buyer's live hold. Errors: what became of it, when it has ended; not found, when it is another's.
    pub async fn hold(&self, hold_id: HoldId, buyer_id: BuyerId) -> Result<HoldView, ServiceError> {
        let event_id = self.event_of(hold_id.route()).await?;
        Ok(self.engine().find_hold(event_id, hold_id, buyer_id).await?)
    }

    /// Moves a live hold's end, within the event's cap.
    pub async fn extend_hold(
        &self,
        hold_id: HoldId,
        buyer_id: BuyerId,
    ) -> Result<ExtendedHold, ServiceError> {
        let event_id = self.event_of(hold_id.route()).await?;
        let command = Command::ExtendHold { hold_id, buyer_id };
        let receipt = self.engine().execute(event_id, command).await?;
        let hold = self.engine().find_hold(event_id, hold_id, buyer_id).await?;
        Ok(ExtendedHold {
            hold,
            seq: receipt.seq,
        })
    }

    /// Gives a hold back. Repeating it changes nothing.
    pub async fn release_hold(
        &self,
        hold_id: HoldId,
        buyer_id: BuyerId,
    ) -> Result<ReleasedHold, ServiceError> {
        let event_id = self.event_of(hold_id.route()).await?;
        let command = Command::ReleaseHold {
            hold_id,
            buyer_id,
            reason: ReleaseReason::Buyer,
            key: None,
        };
        let receipt = self.engine().execute(event_id, command).await?;
        let status = match receipt.answer {
            Answer::Recorded(_) | Answer::Replayed(_) => ReleasedStatus::Released,
            Answer::Unchanged => self.ended_status(event_id, hold_id, buyer_id).await?,
        };
        Ok(ReleasedHold {
            hold_id,
            event_id,
            status,
            seq: receipt.seq,
        })
    }

    async fn ended_status(
        &self,
        event_id: EventId,
        hold_id: HoldId,
        buyer_id: BuyerId,
    ) -> Result<ReleasedStatus, ServiceError> {
        match self.engine().find_hold(event_id, hold_id, buyer_id).await {
            Err(EngineError::Refused(Refusal::HoldExpired)) => Ok(ReleasedStatus::Expired),
            Err(EngineError::Refused(Refusal::HoldReleased)) => Ok(ReleasedStatus::Released),
            Err(error) => Err(error.into()),
            Ok(_) => Err(ServiceError::Internal("an ended hold came back to life")),
        }
    }
}
