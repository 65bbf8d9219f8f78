//! Records: the facts that the journal keeps.
//!
//! Each record stands for itself: a reader (projection, auditor, a repeated answer) needs no other record to
//! understand it. Variants are only ever added at the end. A change of shape is a new version of the format, and
//! [`crate::codec`] keeps reading the old ones (`domain/tests/golden`).

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::definition::{EventDetails, EventStatus, Quota, TicketType};
use crate::id::{
    BodyDigest, BuyerId, EventId, HoldId, KeyDigest, OrderId, PackageOrderId, RefundId, TicketCode, TicketId,
    TicketTypeId,
};
use crate::money::{Currency, Money};
use crate::payment::Gateway;
use crate::price::{Tax, totals};
use crate::ticket::{Direction, ScanDigest};
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
    /// Fee on one ticket, locked with the price.
    pub unit_fee_minor: i64,
    /// Tax on price and fee, locked with the price.
    pub tax: Tax,
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
    /// The package that it was a leg of was not sold.
    Package,
}

/// How an order was paid: an authorization that is captured after the order's record is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAuthorization {
    /// Who took it.
    pub gateway: Gateway,
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
    /// With whom its payment begins at once; an order is pending then.
    pub payment: Option<Gateway>,
    /// The package order that it is a leg of.
    pub package_order_id: Option<PackageOrderId>,
    /// The key that this answers.
    pub key: Option<KeyBinding>,
}

/// A hold whose payment began: an order is pending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentStarted {
    /// When.
    pub at: UnixMillis,
    /// Identity of the hold and of the order.
    pub hold_id: HoldId,
    /// Whose.
    pub buyer_id: BuyerId,
    /// What, at which prices.
    pub lines: Lines,
    /// Sum of the lines.
    pub total: Money,
    /// With whom.
    pub gateway: Gateway,
    /// When the hold ends from now on: a payment keeps it alive while the provider decides.
    pub expires_at: UnixMillis,
    /// The key that this answers until the payment is decided.
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
    /// Since when the order was pending; `None` where it was not.
    pub pending_since: Option<UnixMillis>,
    /// The package order that it is a leg of.
    pub package_order_id: Option<PackageOrderId>,
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
    /// With whom a payment was under way.
    pub payment: Option<Gateway>,
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
    /// With whom a payment was under way.
    pub payment: Option<Gateway>,
}

/// Tickets whose money goes back. They let nobody in any more, and their units are free again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketsRefunded {
    /// When.
    pub at: UnixMillis,
    /// Identity of the refund.
    pub refund_id: RefundId,
    /// Of which order.
    pub order_id: OrderId,
    /// Whose order it is.
    pub buyer_id: BuyerId,
    /// Which tickets.
    pub tickets: Vec<TicketId>,
    /// The units that came back.
    pub lines: Lines,
    /// What goes back: the sum of what the tickets cost.
    pub amount: Money,
    /// Whether no ticket of the order is left.
    pub is_last: bool,
    /// The key that this answers.
    pub key: Option<KeyBinding>,
}

/// A ticket that got another owner. Its former code and pass are dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTransferred {
    /// When.
    pub at: UnixMillis,
    /// Which ticket.
    pub ticket_id: TicketId,
    /// Of which order.
    pub order_id: OrderId,
    /// Whose it was.
    pub from: BuyerId,
    /// Whose it is.
    pub to: BuyerId,
    /// Its code from now on.
    pub code: TicketCode,
    /// Its version from now on.
    pub version: u32,
    /// The key that this answers.
    pub key: Option<KeyBinding>,
}

/// A scan that let somebody through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketScanned {
    /// When it was recorded.
    pub at: UnixMillis,
    /// Which ticket.
    pub ticket_id: TicketId,
    /// Its type.
    pub ticket_type_id: TicketTypeId,
    /// Where.
    pub gate: String,
    /// Which way.
    pub direction: Direction,
    /// When it was scanned: of an offline gate, before it was recorded.
    pub scanned_at: UnixMillis,
    /// Tells a repeat of the scan.
    pub scan: ScanDigest,
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
    /// The payment of a hold began.
    PaymentStarted(PaymentStarted),
    /// A hold that had ended became an order all the same: its payment came late, and its units were free still.
    HoldReclaimed(HoldConfirmed),
    /// Money goes back for some tickets.
    TicketsRefunded(TicketsRefunded),
    /// A ticket got another owner.
    TicketTransferred(TicketTransferred),
    /// A ticket let somebody through a gate.
    TicketScanned(TicketScanned),
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
            Self::PaymentStarted(record) => record.at,
            Self::HoldConfirmed(record) | Self::HoldReclaimed(record) => record.at,
            Self::TicketsRefunded(record) => record.at,
            Self::TicketTransferred(record) => record.at,
            Self::TicketScanned(record) => record.at,
        }
    }

    /// The idempotency key that this record answers.
    pub const fn key(&self) -> Option<KeyBinding> {
        match self {
            Self::HoldPlaced(record) => record.key,
            Self::HoldReleased(record) => record.key,
            Self::PaymentStarted(record) => record.key,
            Self::HoldConfirmed(record) | Self::HoldReclaimed(record) => record.key,
            Self::TicketsRefunded(record) => record.key,
            Self::TicketTransferred(record) => record.key,
            Self::EventCreated { .. }
            | Self::EventEdited { .. }
            | Self::QuotaSet { .. }
            | Self::TicketTypeSet { .. }
            | Self::StatusChanged { .. }
            | Self::HoldExtended { .. }
            | Self::HoldsExpired { .. }
            | Self::OrderCancelled { .. }
            | Self::TicketScanned(_) => None,
        }
    }
}

impl HoldPlaced {
    /// What the hold costs; `None` only for a record that no rule could have made.
    pub fn total(&self) -> Option<Money> {
        Some(Money {
            amount_minor: totals(&self.lines)?.total_minor,
            currency: self.currency,
        })
    }
}
