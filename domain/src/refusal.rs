//! Refusals: one variant for each violated rule.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::definition::EventStatus;
use crate::word::{self, Word};
use crate::{OrderId, Sequence, UnixMillis};

/// Why a command was refused. Nothing changed. [`Refusal::code`] is the public name of the rule.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum Refusal {
    /// The event does not exist yet.
    #[error("the event does not exist")]
    EventNotFound,
    /// An event with this id exists.
    #[error("an event with this id exists")]
    EventExists,
    /// The event is a draft, or published with sales still to open.
    #[error("the sale has not started")]
    SaleNotStarted {
        /// When it opens; `None` for a draft.
        opens_at: Option<UnixMillis>,
    },
    /// The sales window is over, or staff closed the sale.
    #[error("the sale has ended")]
    SaleEnded,
    /// Staff paused the sale.
    #[error("the sale is paused")]
    SalePaused,
    /// The event was called off.
    #[error("the event is cancelled")]
    EventCancelled,
    /// Nothing is free and nothing is held: no ticket of this type will come back by an expiring hold.
    #[error("sold out")]
    SoldOut,
    /// Nothing is free, but some are held and may come back.
    #[error("all remaining tickets are held by other buyers")]
    AllHeld {
        /// When the next hold ends.
        next_expiry_at: Option<UnixMillis>,
    },
    /// Some are free, but fewer than were asked for.
    #[error("only {available} tickets of this type are available")]
    InsufficientAvailability {
        /// How many the request could have had, after its earlier lines of the same quota.
        available: u32,
    },
    /// The buyer would pass the event's limit.
    #[error("a buyer may have at most {limit} tickets of this event and has {live}")]
    BuyerLimitExceeded {
        /// The limit.
        limit: u32,
        /// Live tickets that the buyer has.
        live: u32,
    },
    /// No such ticket type in this event.
    #[error("line {line}: the event has no such ticket type")]
    UnknownTicketType {
        /// Position of the line, from 0.
        line: usize,
    },
    /// A quantity outside 1 to the most a line may have.
    #[error("line {line}: quantity is out of range")]
    QuantityOutOfRange {
        /// Position of the line, from 0.
        line: usize,
    },
    /// No lines, too many lines, two lines of one type, or too many tickets in all.
    #[error("the lines are not acceptable: {reason}")]
    BadLines {
        /// What is wrong with them.
        #[serde(deserialize_with = "word::deserialize")]
        reason: Word,
    },
    /// Nothing by this id, or it belongs to somebody else.
    #[error("no such hold")]
    HoldNotFound,
    /// The hold ended by itself.
    #[error("the hold has expired")]
    HoldExpired,
    /// The hold was given back.
    #[error("the hold was released")]
    HoldReleased,
    /// The hold has become an order.
    #[error("the hold is confirmed already")]
    HoldConfirmed {
        /// The order.
        order_id: OrderId,
    },
    /// A hold with this id exists.
    #[error("a hold with this id exists")]
    HoldExists,
    /// The hold has reached its longest life.
    #[error("the hold cannot be extended further")]
    ExtensionLimitReached,
    /// The payment is missing or of another amount than the hold's total.
    #[error("the payment does not match the total")]
    PaymentMismatch,
    /// As many ticket ids as tickets must come with a confirmation.
    #[error("the number of ticket ids does not match the quantity")]
    TicketCountMismatch,
    /// Nothing by this id, or it belongs to somebody else.
    #[error("no such order")]
    OrderNotFound,
    /// The order is cancelled already.
    #[error("the order is cancelled already")]
    OrderCancelled,
    /// A payment of the hold is under way.
    #[error("a payment of this hold is under way")]
    PaymentInProgress,
    /// A free hold needs no payment.
    #[error("there is nothing to pay")]
    NothingToPay,
    /// The hold or order is a leg of a package, which is sold, released and cancelled as a whole.
    #[error("this belongs to a package and cannot be changed by itself")]
    PartOfPackage,
    /// Only a hold that expired by itself can be reclaimed.
    #[error("the hold cannot be reclaimed")]
    NotReclaimable,
    /// No such ticket, or it belongs to somebody else.
    #[error("no such ticket")]
    TicketNotFound,
    /// A ticket with this id or code exists.
    #[error("a ticket with this id or code exists")]
    TicketExists,
    /// Whoever shows the ticket has been let in: it cannot be given away, and its buyer cannot cancel its order.
    #[error("the ticket has been used")]
    TicketUsed,
    /// A ticket of the order belongs to somebody else by now.
    #[error("a ticket of this order was transferred")]
    TicketTransferredAway,
    /// A ticket goes to somebody else, not to its owner.
    #[error("the ticket is theirs already")]
    TransferToSelf,
    /// The door: the ticket let somebody in before.
    #[error("the ticket was used at gate {gate}")]
    AlreadyUsed {
        /// When.
        at: UnixMillis,
        /// Where.
        gate: String,
    },
    /// The door: nothing of this event has this code.
    #[error("no ticket of this event has this code")]
    UnknownCode,
    /// The order of the ticket was cancelled.
    #[error("the ticket was cancelled")]
    TicketCancelled,
    /// The money of the ticket went back.
    #[error("the ticket was refunded")]
    TicketRefunded,
    /// The door: the ticket belongs to somebody else by now, and this code of it is dead.
    #[error("the ticket was transferred, and this code is dead")]
    CodeTransferred,
    /// The door is not open yet.
    #[error("check-in has not opened")]
    CheckInTooEarly {
        /// When it opens.
        opens_at: UnixMillis,
    },
    /// The event lets nobody in again who went out, or the ticket's holder is not inside.
    #[error("{reason}")]
    NotLeaving {
        /// Which of the two.
        #[serde(deserialize_with = "word::deserialize")]
        reason: Word,
    },
    /// The same idempotency key came with another body.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The definition changed since the editor read it.
    #[error("the event has changed: its version is {version}")]
    VersionMismatch {
        /// The version now.
        version: Sequence,
    },
    /// The table of states has no such arrow.
    #[error("an event that is {} cannot become {}", from.as_str(), to.as_str())]
    InvalidTransition {
        /// Status now.
        from: EventStatus,
        /// Status wanted.
        to: EventStatus,
    },
    /// A capacity below what is sold and held.
    #[error("capacity cannot go below {committed}, which are sold or held")]
    CapacityBelowCommitted {
        /// Sold and held units.
        committed: u32,
    },
    /// No such quota in this event.
    #[error("the event has no such quota")]
    UnknownQuota,
    /// The event has as many quotas, ticket types or gates as it may have, or a ticket as many transfers.
    #[error("the event cannot have more {what}")]
    TooMany {
        /// Of what.
        #[serde(deserialize_with = "word::deserialize")]
        what: Word,
    },
    /// A thing that must not change once it may have been sold.
    #[error("{field} cannot change once the event is published")]
    Frozen {
        /// The field.
        #[serde(deserialize_with = "word::deserialize")]
        field: Word,
    },
    /// Only what was never published can be deleted.
    #[error("only a draft can be deleted")]
    NotDraft,
    /// An event without ticket types cannot be published.
    #[error("an event without ticket types cannot be published")]
    NothingToSell,
    /// A field outside its range.
    #[error("{field} is not acceptable")]
    InvalidField {
        /// The field, as the API names it.
        #[serde(deserialize_with = "word::deserialize")]
        field: Word,
    },
    /// A rule of the register in `docs/INVARIANTS.md` would break. The state must be dropped and read again.
    #[error("invariant broken: {0}")]
    Violation(#[from] crate::inventory::Violation),
}

impl Refusal {
    /// The refusal's public, stable code (see the API's error table).
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EventNotFound | Self::HoldNotFound | Self::OrderNotFound | Self::TicketNotFound => {
                "not_found"
            }
            Self::EventExists | Self::HoldExists => "already_exists",
            Self::SaleNotStarted { .. } => "sale_not_started",
            Self::SaleEnded => "sale_ended",
            Self::SalePaused => "sale_paused",
            Self::EventCancelled => "event_cancelled",
            Self::SoldOut => "sold_out",
            Self::AllHeld { .. } => "all_held",
            Self::InsufficientAvailability { .. } => "insufficient_availability",
            Self::BuyerLimitExceeded { .. } => "buyer_limit_exceeded",
            Self::UnknownTicketType { .. }
            | Self::QuantityOutOfRange { .. }
            | Self::BadLines { .. }
            | Self::UnknownQuota
            | Self::InvalidField { .. } => "validation_failed",
            Self::HoldExpired => "hold_expired",
            Self::HoldReleased => "already_released",
            Self::HoldConfirmed { .. } => "already_confirmed",
            Self::ExtensionLimitReached => "extension_limit_reached",
            Self::PaymentMismatch => "payment_mismatch",
            Self::OrderCancelled => "already_cancelled",
            Self::PaymentInProgress => "payment_in_progress",
            Self::NothingToPay => "nothing_to_pay",
            Self::PartOfPackage => "part_of_package",
            Self::NotReclaimable => "not_reclaimable",
            Self::TicketUsed => "ticket_used",
            Self::TicketTransferredAway => "ticket_transferred_away",
            Self::TransferToSelf => "transfer_to_self",
            Self::AlreadyUsed { .. } => "already_used",
            Self::UnknownCode => "unknown_ticket",
            Self::TicketCancelled => "ticket_cancelled",
            Self::TicketRefunded => "ticket_refunded",
            Self::CodeTransferred => "ticket_transferred",
            Self::CheckInTooEarly { .. } => "check_in_too_early",
            Self::NotLeaving { .. } => "not_leaving",
            Self::KeyReused => "idempotency_key_reused",
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::InvalidTransition { .. } => "invalid_transition",
            Self::CapacityBelowCommitted { .. } => "capacity_below_committed",
            Self::TooMany { .. } => "too_many",
            Self::Frozen { .. } => "frozen_field",
            Self::NothingToSell => "nothing_to_sell",
            Self::NotDraft => "not_draft",
            Self::TicketCountMismatch | Self::TicketExists | Self::Violation(_) => "internal",
        }
    }
}
