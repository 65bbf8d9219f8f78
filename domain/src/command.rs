//! Commands: what the outside asks of an event. Ids, digests and codes come in with them.

use smallvec::SmallVec;

use crate::definition::{EventDetails, Quota, TicketType};
use crate::id::{BuyerId, EventId, HoldId, OrderId, TicketCode, TicketId, TicketTypeId};
use crate::record::{KeyBinding, PaymentAuthorization, ReleaseReason};
use crate::{EventStatus, Sequence};

/// One requested line: so many tickets of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestedLine {
    /// Which ticket type.
    pub ticket_type_id: TicketTypeId,
    /// How many; wider than a valid quantity so that nonsense is refused and not wrapped.
    pub quantity: i64,
}

/// The requested lines. Most requests have one.
pub type RequestedLines = SmallVec<[RequestedLine; 1]>;

/// Asks for a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceHold {
    /// Identity of the new hold.
    pub hold_id: HoldId,
    /// For whom.
    pub buyer_id: BuyerId,
    /// What.
    pub lines: RequestedLines,
    /// The request's idempotency key.
    pub key: Option<KeyBinding>,
}

/// Asks to turn a hold into an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmHold {
    /// Which hold.
    pub hold_id: HoldId,
    /// Who asks; must be the hold's buyer.
    pub buyer_id: BuyerId,
    /// How it is paid; `None` only for free orders.
    pub payment: Option<PaymentAuthorization>,
    /// One id and code for each ticket.
    pub tickets: Vec<(TicketId, TicketCode)>,
    /// The request's idempotency key.
    pub key: Option<KeyBinding>,
}

/// Everything that can be asked of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Brings the event into being.
    CreateEvent {
        /// Identity of the new event.
        event_id: EventId,
        /// What the organizer wrote.
        details: Box<EventDetails>,
    },
    /// Replaces the event's details.
    EditEvent {
        /// The details from now on.
        details: Box<EventDetails>,
        /// Definition version that the editor saw.
        expected_version: Sequence,
    },
    /// Adds a quota, or renames or resizes the one with this id.
    SetQuota {
        /// The quota from now on.
        quota: Box<Quota>,
        /// Definition version that the editor saw.
        expected_version: Sequence,
    },
    /// Adds a ticket type, or edits the one with this id.
    SetTicketType {
        /// The ticket type from now on.
        ticket_type: Box<TicketType>,
        /// Definition version that the editor saw.
        expected_version: Sequence,
    },
    /// Moves the event to another status.
    ChangeStatus {
        /// The status wanted.
        to: EventStatus,
        /// Definition version that the caller saw; `None` where stopping must not wait for a fresh read.
        expected_version: Option<Sequence>,
    },
    /// Sets capacity aside.
    PlaceHold(PlaceHold),
    /// Moves a hold's end, within the cap.
    ExtendHold {
        /// Which hold.
        hold_id: HoldId,
        /// Who asks.
        buyer_id: BuyerId,
    },
    /// Gives a hold back.
    ReleaseHold {
        /// Which hold.
        hold_id: HoldId,
        /// Who asks.
        buyer_id: BuyerId,
        /// Why.
        reason: ReleaseReason,
        /// The key that the release answers (a declined purchase or checkout).
        key: Option<KeyBinding>,
    },
    /// Turns a hold into an order.
    ConfirmHold(Box<ConfirmHold>),
    /// Cancels an order and frees its units.
    CancelOrder {
        /// Which order.
        order_id: OrderId,
        /// Who asks; `None` for staff.
        buyer_id: Option<BuyerId>,
    },
    /// Lets time pass: opens and closes the sale, ends holds that are due (a bounded number for each record).
    Advance,
}
