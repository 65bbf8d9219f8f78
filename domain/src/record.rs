//! Records: the facts that the journal keeps.
//!
//! Each record stands for itself: a reader (projection, auditor, a repeated answer) needs no other record to
//! understand it. Variants are only ever added at the end, fields never change: a change of shape is a new variant
//! and [`crate::codec`] keeps reading the old one (`domain/tests/golden`).

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::definition::{EventDetails, EventStatus, Quota, TicketType};
use crate::id::{
    BodyDigest, BuyerId, EventId, HoldId, KeyDigest, OrderId, TicketCode, TicketId, TicketTypeId,
};
use crate::money::{Currency, Money, total_minor};
use crate::time::UnixMillis;

/// One line of a hold or order: tickets of one type at the price that was quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which ticket type.
    pub ticket_type_id: TicketTypeId,
    /// How many tickets; at least one.
    pub quantity: u32,
    /// Price of one ticket, locked when the hold was placed.
    pub unit_price_minor: i64,
}

/// The lines of a hold or order. Most have one.
pub type Lines = SmallVec<[Line; 1]>;

/// The idempotency key that a record answers, and the digest of the request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBinding {
    /// Caller, route and key.
    pub key: KeyDigest,
    /// The request's body.
    pub body: BodyDigest,
}

/// Why a hold was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReleaseReason {
    /// The buyer gave it back.
    Buyer,
    /// The payment provider declined.
    PaymentDeclined,
    /// The payment provider gave no answer in time.
    PaymentUnavailable,
}

/// How an order was paid: an authorization that is captured after the order's record is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAuthorization {
    /// Name of the gateway, such as `simulated`.
    pub gateway: String,
    /// The gateway's own reference.
    pub reference: String,
    /// What was authorized; equals the order's total.
    pub amount: Money,
}

/// One ticket of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedTicket {
    /// Identity.
    pub id: TicketId,
    /// Its type.
    pub ticket_type_id: TicketTypeId,
    /// The code printed on it.
    pub code: TicketCode,
}

/// A hold that was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldPlaced {
    /// When.
    pub at: UnixMillis,
    /// Identity of the hold.
    pub hold_id: HoldId,
    /// For whom.
    pub buyer_id: BuyerId,
    /// What, at which prices.
    pub lines: Lines,
    /// Currency of the prices.
    pub currency: Currency,
    /// When it ends unless extended, confirmed or released.
    pub expires_at: UnixMillis,
    /// The key that this answers.
    pub key: Option<KeyBinding>,
}

/// A hold that became an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldConfirmed {
    /// When.
    pub at: UnixMillis,
    /// Identity of the hold and, from now on, of the order.
    pub hold_id: HoldId,
    /// Who bought.
    pub buyer_id: BuyerId,
    /// What, at which prices.
    pub lines: Lines,
    /// Sum of the lines.
    pub total: Money,
    /// How it was paid; `None` for a free order.
    pub payment: Option<PaymentAuthorization>,
    /// The tickets, in the order of the lines.
    pub tickets: Vec<IssuedTicket>,
    /// The key that this answers.
    pub key: Option<KeyBinding>,
}

/// A hold that was released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldReleased {
    /// When.
    pub at: UnixMillis,
    /// Which hold.
    pub hold_id: HoldId,
    /// Whose it was.
    pub buyer_id: BuyerId,
    /// What came back.
    pub lines: Lines,
    /// Why.
    pub reason: ReleaseReason,
    /// The key that this answers, where a declined purchase or checkout is the answer.
    pub key: Option<KeyBinding>,
}

/// A hold that ended by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiredHold {
    /// Which hold.
    pub hold_id: HoldId,
    /// Whose it was.
    pub buyer_id: BuyerId,
    /// What came back.
    pub lines: Lines,
}

/// One journaled fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// The event came into being, as a draft.
    EventCreated {
        /// When.
        at: UnixMillis,
        /// Identity.
        event_id: EventId,
        /// What the organizer wrote.
        details: EventDetails,
    },
    /// The organizer edited the event.
    EventEdited {
        /// When.
        at: UnixMillis,
        /// The details from now on.
        details: EventDetails,
    },
    /// A quota was added, renamed or resized.
    QuotaSet {
        /// When.
        at: UnixMillis,
        /// The quota from now on.
        quota: Quota,
    },
    /// A ticket type was added or edited.
    TicketTypeSet {
        /// When.
        at: UnixMillis,
        /// The ticket type from now on.
        ticket_type: TicketType,
    },
    /// The event's status changed, by staff or because its sales window opened or closed.
    StatusChanged {
        /// When.
        at: UnixMillis,
        /// The status from now on.
        to: EventStatus,
    },
    /// A hold was placed.
    HoldPlaced(HoldPlaced),
    /// A hold's end was moved.
    HoldExtended {
        /// When.
        at: UnixMillis,
        /// Which hold.
        hold_id: HoldId,
        /// When it ends from now on.
        expires_at: UnixMillis,
    },
    /// A hold was released.
    HoldReleased(HoldReleased),
    /// Holds ended by themselves.
    HoldsExpired {
        /// When.
        at: UnixMillis,
        /// Which; at most [`crate::limits::EXPIRED_HOLDS_PER_RECORD_MAX`].
        holds: Vec<ExpiredHold>,
    },
    /// A hold became an order with tickets.
    HoldConfirmed(HoldConfirmed),
    /// An order was cancelled and its units are free again.
    OrderCancelled {
        /// When.
        at: UnixMillis,
        /// Which order.
        order_id: OrderId,
        /// Whose it was.
        buyer_id: BuyerId,
        /// What came back.
        lines: Lines,
    },
}

impl Record {
    /// When the fact happened.
    pub const fn at(&self) -> UnixMillis {
        match self {
            Self::EventCreated { at, .. }
            | Self::EventEdited { at, .. }
            | Self::QuotaSet { at, .. }
            | Self::TicketTypeSet { at, .. }
            | Self::StatusChanged { at, .. }
            | Self::HoldExtended { at, .. }
            | Self::HoldsExpired { at, .. }
            | Self::OrderCancelled { at, .. } => *at,
            Self::HoldPlaced(record) => record.at,
            Self::HoldReleased(record) => record.at,
            Self::HoldConfirmed(record) => record.at,
        }
    }

    /// The idempotency key that this record answers.
    pub const fn key(&self) -> Option<KeyBinding> {
        match self {
            Self::HoldPlaced(record) => record.key,
            Self::HoldReleased(record) => record.key,
            Self::HoldConfirmed(record) => record.key,
            Self::EventCreated { .. }
            | Self::EventEdited { .. }
            | Self::QuotaSet { .. }
            | Self::TicketTypeSet { .. }
            | Self::StatusChanged { .. }
            | Self::HoldExtended { .. }
            | Self::HoldsExpired { .. }
            | Self::OrderCancelled { .. } => None,
        }
    }
}

impl HoldPlaced {
    /// What the hold costs; `None` only for a record that no rule could have made.
    pub fn total(&self) -> Option<Money> {
        let amount_minor = total_minor(
            self.lines
                .iter()
                .map(|line| (line.unit_price_minor, line.quantity)),
        )?;
        Some(Money {
            amount_minor,
            currency: self.currency,
        })
    }
}
