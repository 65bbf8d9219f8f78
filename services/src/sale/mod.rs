//! The sale: holds, purchases, checkouts and a buyer's own cancellation.
//!
//! A purchase is a hold, an authorized payment and a confirmation under one idempotency key. Each step is recorded
//! by the engine before the next begins, so a repeat of the key finds out how far the first attempt came and goes on
//! from there, after a crash as well (see `drive.rs`).

mod checkout;
mod drive;
mod holds;
mod in_flight;
mod orders;
mod purchase;

pub use checkout::CheckoutRequest;
pub use holds::{ExtendedHold, HoldRequest, PlacedHold, ReleasedHold, ReleasedStatus};
pub(crate) use in_flight::{Claim, InFlight, Work};
pub use orders::CancelledOrder;
pub use purchase::PurchaseRequest;

use onsale_domain::record::HoldConfirmed;
use onsale_domain::{EventId, Refusal, Sequence};
use onsale_engine::EngineError;

use crate::ServiceError;

/// An order that came of a purchase or checkout.
#[derive(Clone, Debug)]
pub struct Purchased {
    /// Of which event.
    pub event_id: EventId,
    /// Sequence of the order's record.
    pub seq: Sequence,
    /// The order's record.
    pub order: HoldConfirmed,
    /// Whether this repeats an earlier answer to the same idempotency key.
    pub replayed: bool,
}

/// Buyers must not learn that there is a draft: its sale has no start that could be told, so it is not found, as where
/// it is read.
fn hide_draft(error: EngineError) -> ServiceError {
    match error {
        EngineError::Refused(Refusal::SaleNotStarted { opens_at: None }) => ServiceError::NotFound,
        error => error.into(),
    }
}
