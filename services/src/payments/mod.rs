//! Taking money. A payment is authorized before its order is recorded, and captured, voided or refunded only after
//! the record is durable (see [`crate::settlement`]).

mod simulated;

use futures::future::BoxFuture;
use onsale_domain::{HoldId, Money};
use thiserror::Error;

pub use simulated::SimulatedGateway;

/// Asks a gateway to set money aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The purchase: the id of its hold. It is the gateway's idempotency key, so that asking again after a crash sets
    /// the money aside once.
    pub purchase_id: HoldId,
    /// How much.
    pub amount: Money,
    /// The gateway's token for the buyer's means of payment. Never logged.
    pub payment_method: String,
}

/// Money set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The purchase.
    pub purchase_id: HoldId,
    /// The gateway's own reference.
    pub reference: String,
    /// How much.
    pub amount: Money,
}

/// Why a gateway did not do as asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PaymentError {
    /// A final no.
    #[error("declined: {reason}")]
    Declined {
        /// The gateway's word for it; for logs, not for buyers.
        reason: &'static str,
    },
    /// No answer. The money may have been set aside or not: void, or ask again with the same purchase.
    #[error("no answer from the payment gateway")]
    Unavailable,
}

/// A payment provider. Every call is idempotent by the purchase, also after a restart of either side.
pub trait PaymentGateway: Send + Sync + 'static {
    /// Name in records, such as `simulated`.
    fn name(&self) -> &'static str;

    /// Sets money aside. Errors: [`PaymentError::Declined`] is final for this purchase.
    fn authorize(&self, request: AuthorizationRequest) -> BoxFuture<'_, Result<Authorization, PaymentError>>;

    /// Takes the money that was set aside.
    fn capture<'a>(&'a self, authorization: &'a Authorization) -> BoxFuture<'a, Result<(), PaymentError>>;

    /// Lets go of what was set aside for a purchase, if anything was; gives it back if it was captured, because a
    /// crash may lose the note of a capture. By the purchase and not by a reference,
    /// because it is needed exactly where the answer with the reference was lost.
    fn void(&self, purchase_id: HoldId) -> BoxFuture<'_, Result<(), PaymentError>>;

    /// Gives captured money back.
    fn refund<'a>(&'a self, authorization: &'a Authorization) -> BoxFuture<'a, Result<(), PaymentError>>;
}
