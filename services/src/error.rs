//! Why a use case did not do as asked: the one error of this crate's boundary.

use onsale_domain::Refusal;
use onsale_engine::EngineError;
use onsale_persistence::DatabaseError;
use thiserror::Error;

use crate::ids::RandomError;

/// Why a use case gave no answer.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The engine refused or could not decide.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A relational read or write failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Nothing by this id, or the caller may not know of it.
    #[error("not found")]
    NotFound,
    /// The credential is not good, or not any more.
    #[error("not authenticated")]
    Unauthenticated,
    /// The caller may not do this.
    #[error("not allowed")]
    Forbidden,
    /// The payment was declined; the hold is given back.
    #[error("the payment was declined")]
    PaymentDeclined {
        /// Whether this repeats an earlier answer to the same idempotency key.
        replayed: bool,
    },
    /// The payment gateway gave no answer; the hold is given back, and the same key may try again.
    #[error("the payment gateway gave no answer")]
    PaymentUnavailable,
    /// Something with a price was asked for without a means of payment.
    #[error("a payment method is needed")]
    PaymentMethodMissing,
    /// The same purchase is being worked on by another request right now.
    #[error("a request with this idempotency key is in flight")]
    InFlight,
    /// A price in another currency than the event's.
    #[error("prices must be in the event's currency")]
    CurrencyMismatch,
    /// Something that cannot be; told to nobody outside.
    #[error("internal: {0}")]
    Internal(&'static str),
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        Self::Engine(EngineError::Refused(refusal))
    }
}

impl From<RandomError> for ServiceError {
    fn from(_: RandomError) -> Self {
        Self::Internal("no random numbers")
    }
}
