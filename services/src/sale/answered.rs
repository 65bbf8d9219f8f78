//! What a record means as the answer to a purchase or checkout.

use onsale_domain::command::ConfirmHold;
use onsale_domain::record::{HoldConfirmed, HoldPlaced, HoldReleased, PaymentStarted, ReleaseReason};
use onsale_domain::{Command, EventId, Record, Refusal, Sequence};
use onsale_engine::{Answer, Receipt};

use super::drive::Asking;
use super::{ConfirmedOrder, Purchased};
use crate::{ServiceError, Services};

/// What a key's answering record means for a purchase or checkout.
pub(super) enum Outcome {
    /// The hold was placed; whether it still lives is another question.
    Placed(HoldPlaced),
    /// The payment of a hold began; how it ends is another question.
    Started(PaymentStarted),
    /// It is decided.
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
        Record::HoldPlaced(hold) => Outcome::Placed(hold),
        Record::PaymentStarted(started) => Outcome::Started(started),
        Record::HoldConfirmed(order) | Record::HoldReclaimed(order) => {
            Outcome::Settled(Settled::Confirmed(Box::new(order)))
        }
        Record::HoldReleased(HoldReleased { reason, .. }) => Outcome::Settled(Settled::Released(reason)),
        Record::EventCreated { .. }
        | Record::EventEdited { .. }
        | Record::QuotaSet { .. }
        | Record::TicketTypeSet { .. }
        | Record::StatusChanged { .. }
        | Record::HoldExtended { .. }
        | Record::HoldsExpired { .. }
        | Record::TicketsRefunded(_)
        | Record::TicketTransferred(_)
        | Record::TicketScanned(_)
        | Record::OrderCancelled { .. } => Outcome::Settled(Settled::Unexpected),
    }
}

/// A receipt's record, and whether it answers an earlier request.
pub(super) fn recorded(receipt: Receipt) -> Result<(Record, bool), ServiceError> {
    match receipt.answer {
        Answer::Recorded(record) => Ok((*record, false)),
        Answer::Replayed(record) => Ok((*record, true)),
        Answer::Unchanged => Err(ServiceError::Internal("a step of a purchase without a record")),
    }
}

/// The answer of a receipt that decides a purchase.
pub(super) fn settle(event_id: EventId, receipt: Receipt) -> Result<Purchased, ServiceError> {
    let seq = receipt.seq;
    let (record, replayed) = recorded(receipt)?;
    match outcome_of(record) {
        Outcome::Settled(settled) => settled.answer(event_id, seq, replayed),
        Outcome::Placed(_) | Outcome::Started(_) => {
            Err(ServiceError::Internal("a settled purchase was answered as open"))
        }
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
            Self::Confirmed(order) => Ok(Purchased::Confirmed(Box::new(ConfirmedOrder {
                event_id,
                seq,
                order: *order,
                replayed,
            }))),
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
    /// What a key led to whose hold has ended: a confirmation that could never succeed finds out.
    ///
    /// Errors: how the hold ended, where the key has no answer.
    pub(super) async fn answered(
        &self,
        event_id: EventId,
        asking: Asking,
    ) -> Result<Purchased, ServiceError> {
        let command = Command::ConfirmHold(Box::new(ConfirmHold {
            hold_id: asking.hold_id,
            buyer_id: asking.buyer_id,
            payment: None,
            tickets: vec![],
            package_order_id: None,
            key: Some(asking.key),
        }));
        let receipt = self.engine().execute(event_id, command).await?;
        settle(event_id, receipt)
    }
}
