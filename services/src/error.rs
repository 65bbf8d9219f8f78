//! Why a use case did not do as asked: the one error of this crate's boundary.

use onsale_domain::{EventId, Refusal, WeakPassword};
use onsale_engine::EngineError;
use onsale_persistence::{AccessError, DatabaseError, ObjectError};
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
    /// No account has this address and password, or it is deactivated.
    #[error("wrong address or password")]
    InvalidCredentials,
    /// Not a refresh token, or not any more.
    #[error("the refresh token is not valid")]
    RefreshTokenInvalid,
    /// Not a token for another password, or not any more.
    #[error("the token for another password is not valid")]
    ResetTokenInvalid,
    /// The new password is none that we accept.
    #[error(transparent)]
    WeakPassword(#[from] WeakPassword),
    /// The address has an account.
    #[error("the mail address has an account")]
    EmailTaken,
    /// Nobody shuts their own account.
    #[error("nobody deactivates their own account")]
    OwnAccount,
    /// A role, an assignment, a service account or a key was not changed.
    #[error(transparent)]
    Access(AccessError),
    /// Somebody must be left who may do everything.
    #[error("the last active admin stays")]
    LastAdmin,
    /// The ticket's file is still being made.
    #[error("the file is being made")]
    FileNotReady,
    /// A file could not be stored or read.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// Too many ask for this at once.
    #[error("too busy")]
    Overloaded,
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
    /// Only a payment that was put aside is let go by hand.
    #[error("the payment is not quarantined")]
    NotQuarantined,
    /// The same purchase is being worked on by another request right now.
    #[error("a request with this idempotency key is in flight")]
    InFlight,
    /// A price in another currency than the event's.
    #[error("prices must be in the event's currency")]
    CurrencyMismatch,
    /// An event of a package refused, so none of it was sold.
    #[error("event {event_id} of the package: {refusal}")]
    PackageLeg {
        /// Which event.
        event_id: EventId,
        /// What it said.
        refusal: Refusal,
    },
    /// The package cannot be bought, or not as the buyer saw it.
    #[error("the package is not on sale")]
    PackageNotOnSale,
    /// A package that was sold keeps its price and inclusions, is not hidden, and stays.
    #[error("some of the package were sold, or are being sold")]
    PackageSold,
    /// An event that a package includes stays.
    #[error("a package includes tickets of the event")]
    InPackage,
    /// A webhook that the provider did not sign, or not lately.
    #[error("the webhook's signature is not the provider's")]
    WebhookForged,
    /// A webhook that its provider signed and that is in no shape we know.
    #[error("the webhook cannot be read")]
    WebhookUnreadable,
    /// A ticket to another event was shown at the door.
    #[error("the ticket is to another event")]
    WrongEvent,
    /// No active account of a buyer has the address.
    #[error("no account has this mail address")]
    RecipientUnknown,
    /// Something that cannot be; told to nobody outside.
    #[error("internal: {0}")]
    Internal(&'static str),
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        Self::Engine(EngineError::Refused(refusal))
    }
}

impl From<AccessError> for ServiceError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Database(error) => Self::Database(error),
            AccessError::NotFound => Self::NotFound,
            AccessError::NotAllowed => Self::Forbidden,
            AccessError::LastAdmin => Self::LastAdmin,
            error @ (AccessError::NameTaken
            | AccessError::RoleIsSeeded
            | AccessError::RoleInUse
            | AccessError::WrongPlace
            | AccessError::NotAServiceAccount
            | AccessError::TooMany) => Self::Access(error),
        }
    }
}

impl From<RandomError> for ServiceError {
    fn from(_: RandomError) -> Self {
        Self::Internal("no random numbers")
    }
}
