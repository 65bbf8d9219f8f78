//! The sale: holds, purchases, checkouts, and what becomes of orders.
//!
//! Paying is a saga of durable steps: the hold with its pending order, the provider's decision, the confirmation in the
//! event's journal, the tickets. Here the request drives it as far as it goes at once (`drive.rs`); what is left, after
//! a crash or because the provider takes its time, is done by the payment worker (`payments/worker`). Both act only on
//! what the journal and the provider say, so it does not matter who comes first, or that both come.

mod answered;
mod checkout;
mod drive;
mod holds;
mod in_flight;
mod orders;
mod purchase;
mod staff;
mod transfer;

pub use checkout::CheckoutRequest;
pub use holds::{ExtendedHold, HoldRequest, PlacedHold, ReleasedHold, ReleasedStatus};
pub(crate) use in_flight::{Claim, InFlight, Work};
pub use orders::CancelledOrder;
pub use purchase::PurchaseRequest;
pub use staff::{RefundRequested, RequestedRefund};
pub use transfer::{TransferRequest, TransferredTicket};

use onsale_domain::record::{HoldConfirmed, Lines};
use onsale_domain::{EventId, Gateway, Money, OrderId, Refusal, Sequence, UnixMillis};
use onsale_engine::EngineError;

use crate::ServiceError;
use crate::payments::PaymentAction;

/// What a purchase or checkout has led to.
#[derive(Clone, Debug)]
pub enum Purchased {
    /// An order with its tickets.
    Confirmed(Box<ConfirmedOrder>),
    /// The provider has not decided, or has given no answer. The order goes on by itself.
    Pending(Box<PendingOrder>),
}

/// An order that came of a purchase or checkout.
#[derive(Clone, Debug)]
pub struct ConfirmedOrder {
    /// Of which event.
    pub event_id: EventId,
    /// Sequence of the order's record.
    pub seq: Sequence,
    /// The order's record.
    pub order: HoldConfirmed,
    /// Whether this repeats an earlier answer to the same idempotency key.
    pub replayed: bool,
}

/// An order whose payment is under way.
#[derive(Clone, Debug)]
pub struct PendingOrder {
    /// Of which event.
    pub event_id: EventId,
    /// Which.
    pub order_id: OrderId,
    /// What, at which prices.
    pub lines: Lines,
    /// What is to be paid.
    pub total: Money,
    /// With whom.
    pub gateway: Gateway,
    /// What the buyer has to do, where the provider waits for that.
    pub action: Option<PaymentAction>,
    /// When the order came into being.
    pub placed_at: UnixMillis,
    /// Until when its tickets are set aside.
    pub expires_at: UnixMillis,
    /// Sequence of the record that began the payment.
    pub seq: Sequence,
}

/// Buyers must not learn that there is a draft: its sale has no start that could be told, so it is not found, as where
/// it is read.
fn hide_draft(error: EngineError) -> ServiceError {
    match error {
        EngineError::Refused(Refusal::SaleNotStarted { opens_at: None }) => ServiceError::NotFound,
        error => error.into(),
    }
}
