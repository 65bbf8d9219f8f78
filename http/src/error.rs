//! From what went wrong below to what is answered: the boundary's error enum and its one mapping.

use axum::response::{IntoResponse, Response};
use onsale_domain::{Refusal, UnixMillis};
use onsale_services::{AccessError, EngineError, ServiceError};

use crate::codes::Code;
use crate::problem::{Problem, Retry};

/// Seconds after which a client should try again where nothing better is known.
const RETRY_SECONDS: u64 = 1;

/// Why a handler gives no answer.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// A use case failed.
    Service(ServiceError),
    /// The request itself is at fault, or limits are.
    Problem(Box<Problem>),
}

impl<E: Into<ServiceError>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self::Service(error.into())
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl ApiError {
    /// The problem to answer. Internal context goes to the log here, once.
    pub(crate) fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => *problem,
            Self::Service(error) => service_problem(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.into_problem().into_response()
    }
}

fn service_problem(error: ServiceError) -> Problem {
    match error {
        ServiceError::Engine(error) => engine_problem(error),
        ServiceError::Database(error) => {
            tracing::error!(%error, "a relational read or write failed");
            Problem::new(Code::Unavailable).retry(Retry::InSeconds(RETRY_SECONDS))
        }
        ServiceError::NotFound => Problem::new(Code::NotFound),
        ServiceError::Unauthenticated => Problem::new(Code::Unauthenticated),
        ServiceError::Forbidden => Problem::new(Code::Forbidden),
        ServiceError::InvalidCredentials => Problem::new(Code::InvalidCredentials),
        ServiceError::RefreshTokenInvalid => Problem::new(Code::RefreshTokenInvalid),
        ServiceError::ResetTokenInvalid => {
            Problem::invalid("/token", "the token is not valid, or not any more")
        }
        ServiceError::WeakPassword(weakness) => Problem::new(Code::WeakPassword).detail(weakness.to_string()),
        ServiceError::EmailTaken => {
            Problem::new(Code::AlreadyExists).detail("the mail address has an account")
        }
        ServiceError::OwnAccount => Problem::new(Code::OwnAccount),
        ServiceError::Access(error) => access_problem(error),
        ServiceError::LastAdmin => Problem::new(Code::LastAdmin),
        ServiceError::Overloaded => Problem::new(Code::Overloaded).retry(Retry::InSeconds(RETRY_SECONDS)),
        ServiceError::FileNotReady => Problem::new(Code::FileNotReady).retry(Retry::InSeconds(RETRY_SECONDS)),
        ServiceError::Objects(error) => {
            tracing::error!(%error, "a file could not be read or linked");
            Problem::new(Code::Unavailable).retry(Retry::InSeconds(RETRY_SECONDS))
        }
        ServiceError::PaymentDeclined { replayed } => Problem::new(Code::PaymentDeclined).replayed(replayed),
        ServiceError::PaymentUnavailable => {
            Problem::new(Code::PaymentUnavailable).retry(Retry::InSeconds(RETRY_SECONDS))
        }
        ServiceError::PaymentMethodMissing => {
            Problem::invalid("/payment_method", "a payment method is needed")
        }
        ServiceError::NotQuarantined => {
            Problem::new(Code::InvalidTransition).detail("only a quarantined payment is let go by hand")
        }
        ServiceError::InFlight => {
            Problem::new(Code::IdempotencyInFlight).retry(Retry::InSeconds(RETRY_SECONDS))
        }
        ServiceError::CurrencyMismatch => {
            Problem::invalid("/price/currency", "prices must be in the event's currency")
        }
        ServiceError::PackageLeg { event_id, refusal } => {
            refusal_problem(&refusal).text("event_id", &event_id)
        }
        ServiceError::PackageNotOnSale => Problem::new(Code::PackageNotOnSale),
        ServiceError::PackageSold => Problem::new(Code::PackageSold).detail(
            "what was sold keeps its price and inclusions, is not hidden again, and stays: close it instead",
        ),
        ServiceError::InPackage => Problem::new(Code::InPackage),
        ServiceError::WebhookForged => Problem::new(Code::WebhookSignatureInvalid),
        ServiceError::WebhookUnreadable => {
            Problem::new(Code::MalformedBody).detail("the message is signed and in no shape that is known")
        }
        ServiceError::WrongEvent => Problem::new(Code::WrongEvent),
        ServiceError::RecipientUnknown => Problem::new(Code::RecipientUnknown),
        ServiceError::Internal(what) => {
            tracing::error!(what, "a use case met something that cannot be");
            Problem::new(Code::Internal)
        }
    }
}

fn access_problem(error: AccessError) -> Problem {
    match error {
        AccessError::Database(error) => service_problem(error.into()),
        AccessError::NotFound | AccessError::NotAServiceAccount => Problem::new(Code::NotFound),
        AccessError::NotAllowed => Problem::new(Code::Forbidden),
        AccessError::NameTaken => Problem::new(Code::AlreadyExists).detail("another role has this name"),
        AccessError::RoleIsSeeded => Problem::new(Code::FrozenField)
            .detail("a seeded role keeps its name and stays, and admin its permissions too"),
        AccessError::RoleInUse => Problem::new(Code::RoleInUse),
        AccessError::WrongPlace => Problem::invalid(
            "/organization_id",
            "the role is held elsewhere: everywhere, or within the right organization",
        ),
        AccessError::LastAdmin => Problem::new(Code::LastAdmin),
        AccessError::TooMany => Problem::new(Code::TooMany),
    }
}

fn engine_problem(error: EngineError) -> Problem {
    match error {
        EngineError::Refused(refusal) => refusal_problem(&refusal),
        EngineError::NotFound => Problem::new(Code::NotFound),
        EngineError::Overloaded { reason } => {
            tracing::debug!(reason, "refused as overload");
            Problem::new(Code::Overloaded).retry(Retry::InSeconds(RETRY_SECONDS))
        }
        EngineError::OutcomeUnknown => Problem::new(Code::OutcomeUnknown)
            .detail("The request may have been done. Repeat it with the same idempotency key.")
            .retry(Retry::InSeconds(RETRY_SECONDS)),
        EngineError::OwnedElsewhere { .. }
        | EngineError::Unavailable { .. }
        | EngineError::Quarantined { .. }
        | EngineError::ShuttingDown => {
            tracing::warn!(%error, "the engine is not available");
            Problem::new(Code::Unavailable).retry(Retry::InSeconds(RETRY_SECONDS))
        }
    }
}

/// The code of each rule. A test holds it against the domain's own.
pub(crate) fn refusal_code(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::EventNotFound | Refusal::HoldNotFound | Refusal::OrderNotFound | Refusal::TicketNotFound => {
            Code::NotFound
        }
        Refusal::EventExists | Refusal::HoldExists => Code::AlreadyExists,
        Refusal::SaleNotStarted { .. } => Code::SaleNotStarted,
        Refusal::SaleEnded => Code::SaleEnded,
        Refusal::SalePaused => Code::SalePaused,
        Refusal::EventCancelled => Code::EventCancelled,
        Refusal::SoldOut => Code::SoldOut,
        Refusal::AllHeld { .. } => Code::AllHeld,
        Refusal::InsufficientAvailability { .. } => Code::InsufficientAvailability,
        Refusal::BuyerLimitExceeded { .. } => Code::BuyerLimitExceeded,
        Refusal::UnknownTicketType { .. }
        | Refusal::QuantityOutOfRange { .. }
        | Refusal::BadLines { .. }
        | Refusal::UnknownQuota
        | Refusal::InvalidField { .. } => Code::ValidationFailed,
        Refusal::HoldExpired => Code::HoldExpired,
        Refusal::HoldReleased => Code::AlreadyReleased,
        Refusal::HoldConfirmed { .. } => Code::AlreadyConfirmed,
        Refusal::ExtensionLimitReached => Code::ExtensionLimitReached,
        Refusal::PaymentMismatch => Code::PaymentMismatch,
        Refusal::OrderCancelled => Code::AlreadyCancelled,
        Refusal::KeyReused => Code::IdempotencyKeyReused,
        Refusal::VersionMismatch { .. } => Code::VersionMismatch,
        Refusal::InvalidTransition { .. } => Code::InvalidTransition,
        Refusal::CapacityBelowCommitted { .. } => Code::CapacityBelowCommitted,
        Refusal::TooMany { .. } => Code::TooMany,
        Refusal::Frozen { .. } => Code::FrozenField,
        Refusal::NothingToSell => Code::NothingToSell,
        Refusal::NotDraft => Code::NotDraft,
        Refusal::PaymentInProgress => Code::PaymentInProgress,
        Refusal::NothingToPay => Code::NothingToPay,
        Refusal::PartOfPackage => Code::PartOfPackage,
        Refusal::NotReclaimable => Code::NotReclaimable,
        Refusal::TicketUsed => Code::TicketUsed,
        Refusal::TicketTransferredAway => Code::TicketTransferredAway,
        Refusal::TransferToSelf => Code::TransferToSelf,
        Refusal::AlreadyUsed { .. } => Code::AlreadyUsed,
        Refusal::UnknownCode => Code::UnknownTicket,
        Refusal::TicketCancelled => Code::TicketCancelled,
        Refusal::TicketRefunded => Code::TicketRefunded,
        Refusal::CodeTransferred => Code::TicketTransferred,
        Refusal::CheckInTooEarly { .. } => Code::CheckInTooEarly,
        Refusal::NotLeaving { .. } => Code::NotLeaving,
        Refusal::TicketCountMismatch | Refusal::TicketExists | Refusal::Violation(_) => Code::Internal,
    }
}

/// The problem of each rule, with what a client may act on.
fn refusal_problem(refusal: &Refusal) -> Problem {
    let plain = || Problem::new(refusal_code(refusal)).detail(refusal.to_string());
    match refusal {
        // The answer that a herd gets: nothing to format.
        Refusal::SoldOut => Problem::new(Code::SoldOut),
        Refusal::SaleNotStarted {
            opens_at: Some(opens_at),
        } => plain().text("starts_at", &opens_at.to_timestamp()),
        Refusal::AllHeld { next_expiry_at } => all_held(*next_expiry_at),
        Refusal::InsufficientAvailability { available } => plain().number("available", *available),
        Refusal::BuyerLimitExceeded { limit, live } => plain().number("limit", *limit).number("live", *live),
        Refusal::UnknownTicketType { line } => Problem::invalid(
            format!("/lines/{line}/ticket_type_id"),
            "the event has no such ticket type",
        ),
        Refusal::QuantityOutOfRange { line } => {
            Problem::invalid(format!("/lines/{line}/quantity"), "out of range")
        }
        Refusal::BadLines { reason } => Problem::invalid("/lines", *reason),
        Refusal::UnknownQuota => Problem::invalid("/quota_id", refusal.to_string()),
        Refusal::InvalidField { field } => Problem::invalid(format!("/{field}"), refusal.to_string()),
        Refusal::HoldConfirmed { order_id } => plain().text("order_id", order_id),
        Refusal::VersionMismatch { version } => plain().number("version", *version),
        Refusal::InvalidTransition { from, to } => {
            plain().text("from", &from.as_str()).text("to", &to.as_str())
        }
        Refusal::CapacityBelowCommitted { committed } => plain().number("committed", *committed),
        Refusal::Frozen { field } => plain().text("field", field),
        Refusal::AlreadyUsed { at, gate } => plain().text("used_at", &at.to_timestamp()).text("gate", gate),
        Refusal::CheckInTooEarly { opens_at } => plain().text("opens_at", &opens_at.to_timestamp()),
        Refusal::TicketCountMismatch | Refusal::TicketExists | Refusal::Violation(_) => {
            tracing::error!(%refusal, "a rule of the engine itself was broken");
            Problem::new(Code::Internal)
        }
        Refusal::EventNotFound
        | Refusal::EventExists
        | Refusal::SaleNotStarted { opens_at: None }
        | Refusal::SaleEnded
        | Refusal::SalePaused
        | Refusal::EventCancelled
        | Refusal::HoldNotFound
        | Refusal::HoldExpired
        | Refusal::HoldReleased
        | Refusal::HoldExists
        | Refusal::ExtensionLimitReached
        | Refusal::PaymentMismatch
        | Refusal::OrderNotFound
        | Refusal::OrderCancelled
        | Refusal::KeyReused
        | Refusal::TooMany { .. }
        | Refusal::PaymentInProgress
        | Refusal::NothingToPay
        | Refusal::PartOfPackage
        | Refusal::NotReclaimable
        | Refusal::TicketNotFound
        | Refusal::TicketUsed
        | Refusal::TicketTransferredAway
        | Refusal::TransferToSelf
        | Refusal::UnknownCode
        | Refusal::TicketCancelled
        | Refusal::TicketRefunded
        | Refusal::CodeTransferred
        | Refusal::NotLeaving { .. }
        | Refusal::NotDraft
        | Refusal::NothingToSell => plain(),
    }
}

fn all_held(next_expiry_at: Option<UnixMillis>) -> Problem {
    let problem = Problem::new(Code::AllHeld);
    match next_expiry_at {
        Some(at) => problem
            .retry(Retry::At(at))
            .text("next_expiry_at", &at.to_timestamp()),
        None => problem.retry(Retry::InSeconds(RETRY_SECONDS)),
    }
}
