//! Commands: what the outside asks of an event. Ids, digests and codes come in with them.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::definition::{EventDetails, Quota, TicketType};
use crate::id::{
    BuyerId, EventId, HoldId, OrderId, PackageOrderId, RefundId, TicketCode, TicketId, TicketTypeId,
};
use crate::payment::Gateway;
use crate::record::{KeyBinding, Lines, PaymentAuthorization, ReleaseReason};
use crate::ticket::{Direction, Presented, ScanDigest};
use crate::{EventStatus, Sequence, UnixMillis};

/// One requested line: so many tickets of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedLine {
    /// Which ticket type.
    pub ticket_type_id: TicketTypeId,
    /// How many; wider than a valid quantity so that nonsense is refused and not wrapped.
    pub quantity: i64,
}

/// The requested lines. Most requests have one.
pub type RequestedLines = SmallVec<[RequestedLine; 1]>;

/// Asks for a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceHold {
    /// Identity of the new hold.
    pub hold_id: HoldId,
    /// For whom.
    pub buyer_id: BuyerId,
    /// What.
    pub lines: RequestedLines,
    /// With whom its payment begins at once, unless it costs nothing.
    pub payment: Option<Gateway>,
    /// The package that it is a leg of.
    pub package: Option<PackageLeg>,
    /// The request's idempotency key.
    pub key: Option<KeyBinding>,
}

/// What makes a hold a leg of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageLeg {
    /// The package order.
    pub package_order_id: PackageOrderId,
    /// For each line, what one of its tickets contributes to the package's price. It contains fee and tax.
    pub unit_prices_minor: SmallVec<[i64; 1]>,
}

/// Asks to begin the payment of a hold: an order is pending from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartPayment {
    /// Which hold.
    pub hold_id: HoldId,
    /// Who asks; must be the hold's buyer.
    pub buyer_id: BuyerId,
    /// With whom.
    pub gateway: Gateway,
    /// The request's idempotency key.
    pub key: Option<KeyBinding>,
}

/// Asks to turn a hold into an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmHold {
    /// Which hold.
    pub hold_id: HoldId,
    /// Who asks; must be the hold's buyer.
    pub buyer_id: BuyerId,
    /// How it is paid; `None` only for free orders.
    pub payment: Option<PaymentAuthorization>,
    /// One id and code for each ticket.
    pub tickets: Vec<(TicketId, TicketCode)>,
    /// The package order that the hold is a leg of.
    pub package_order_id: Option<PackageOrderId>,
    /// The request's idempotency key. Where the payment began under a key, that one is answered.
    pub key: Option<KeyBinding>,
}

/// Asks to turn a hold into an order that has expired while its payment succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReclaimHold {
    /// The confirmation that came too late.
    pub confirm: ConfirmHold,
    /// What the hold was for, at which prices, as its records say.
    pub lines: Lines,
    /// Since when the order was pending.
    pub pending_since: UnixMillis,
}

/// On whose behalf an order is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelledBy {
    /// Its buyer, while none of its tickets was used or given away.
    Buyer(BuyerId),
    /// Staff.
    Staff,
    /// The package order that it is a leg of.
    Package(PackageOrderId),
}

/// Asks for the money of some tickets to go back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundTickets {
    /// Identity of the new refund.
    pub refund_id: RefundId,
    /// Of which order.
    pub order_id: OrderId,
    /// Which tickets of it.
    pub tickets: Vec<TicketId>,
    /// The request's idempotency key.
    pub key: Option<KeyBinding>,
}

/// Asks to give a ticket to another account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferTicket {
    /// Which ticket.
    pub ticket_id: TicketId,
    /// Who asks; must be the owner.
    pub from: BuyerId,
    /// Who gets it.
    pub to: BuyerId,
    /// The ticket's code from then on.
    pub code: TicketCode,
    /// The request's idempotency key.
    pub key: Option<KeyBinding>,
}

/// Asks to let somebody through a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanTicket {
    /// What was shown.
    pub presented: Presented,
    /// Where.
    pub gate: String,
    /// Which way.
    pub direction: Direction,
    /// Tells a repeat of the scan.
    pub scan: ScanDigest,
    /// When an offline gate let somebody through; `None`: now.
    pub scanned_at: Option<UnixMillis>,
}

/// Everything that can be asked of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        /// On whose behalf.
        by: CancelledBy,
    },
    /// Begins the payment of a hold.
    StartPayment(StartPayment),
    /// Turns a hold into an order that has expired while its payment succeeded, if its units are free still.
    ReclaimHold(Box<ReclaimHold>),
    /// Gives money back for some tickets.
    RefundTickets(Box<RefundTickets>),
    /// Gives a ticket to another account.
    TransferTicket(TransferTicket),
    /// Lets somebody through a gate.
    ScanTicket(Box<ScanTicket>),
    /// Lets time pass: opens and closes the sale, ends holds that are due (a bounded number for each record).
    Advance,
}

impl Command {
    /// What is asked, as one word of few.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CreateEvent { .. } => "create_event",
            Self::EditEvent { .. } => "edit_event",
            Self::SetQuota { .. } => "set_quota",
            Self::SetTicketType { .. } => "set_ticket_type",
            Self::ChangeStatus { .. } => "change_status",
            Self::PlaceHold(_) => "place_hold",
            Self::ExtendHold { .. } => "extend_hold",
            Self::ReleaseHold { .. } => "release_hold",
            Self::ConfirmHold(_) => "confirm_hold",
            Self::CancelOrder { .. } => "cancel_order",
            Self::StartPayment(_) => "start_payment",
            Self::ReclaimHold(_) => "reclaim_hold",
            Self::RefundTickets(_) => "refund_tickets",
            Self::TransferTicket(_) => "transfer_ticket",
            Self::ScanTicket(_) => "scan_ticket",
            Self::Advance => "advance",
        }
    }
}
