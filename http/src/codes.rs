//! Every error code of the API, with its status and title: the one table that problems, metrics, the `OpenAPI`
//! document and the reference page are made from. Codes are stable; texts may change.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident $status:literal $code:literal $title:literal;)+) => {
        /// A stable name of an error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the titles in the table say what the codes mean")]
        pub enum Code {
            $($name,)+
        }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code in problems and metrics.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The status that it is answered with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// What it means, in few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

codes! {
    MalformedBody 400 "malformed_body" "The body is not JSON";
    MalformedRequest 400 "malformed_request" "The request cannot be understood";
    IdempotencyKeyMissing 400 "idempotency_key_missing" "An Idempotency-Key header is required";
    IdempotencyKeyInvalid 400 "idempotency_key_invalid" "The Idempotency-Key is not 1 to 255 visible ASCII characters";
    Unauthenticated 401 "unauthenticated" "A valid access token is required";
    InvalidCredentials 401 "invalid_credentials" "Wrong mail address or password";
    RefreshTokenInvalid 401 "refresh_token_invalid" "The refresh token is not valid";
    WebhookSignatureInvalid 401 "webhook_signature_invalid" "The signature is not the provider's, or too old";
    PaymentDeclined 402 "payment_declined" "The payment was declined";
    Forbidden 403 "forbidden" "The token's roles do not allow this";
    NotFound 404 "not_found" "There is nothing here";
    MethodNotAllowed 405 "method_not_allowed" "The method is not allowed here";
    RequestTimeout 408 "request_timeout" "The body did not arrive in time";
    AlreadyExists 409 "already_exists" "It exists already";
    OwnAccount 409 "own_account" "Nobody deactivates their own account";
    RoleInUse 409 "role_in_use" "Somebody has the role";
    LastAdmin 409 "last_admin" "The last active admin stays";
    SaleNotStarted 409 "sale_not_started" "The sale has not started";
    SaleEnded 409 "sale_ended" "The sale has ended";
    SalePaused 409 "sale_paused" "The sale is paused";
    EventCancelled 409 "event_cancelled" "The event is cancelled";
    SoldOut 409 "sold_out" "Sold out";
    AllHeld 409 "all_held" "All remaining tickets are held by other buyers";
    InsufficientAvailability 409 "insufficient_availability" "Fewer tickets are available";
    BuyerLimitExceeded 409 "buyer_limit_exceeded" "The buyer's limit is reached";
    AlreadyReleased 409 "already_released" "The hold was released";
    AlreadyConfirmed 409 "already_confirmed" "The hold is an order already";
    AlreadyCancelled 409 "already_cancelled" "The order is cancelled already";
    ExtensionLimitReached 409 "extension_limit_reached" "The hold cannot be extended further";
    PaymentMismatch 409 "payment_mismatch" "The payment does not match the total";
    InvalidTransition 409 "invalid_transition" "It cannot move to this status";
    CapacityBelowCommitted 409 "capacity_below_committed" "More tickets are sold or held";
    TooMany 409 "too_many" "There cannot be more of these";
    FrozenField 409 "frozen_field" "This cannot change any more";
    NothingToSell 409 "nothing_to_sell" "The event has no ticket types";
    PaymentInProgress 409 "payment_in_progress" "A payment of this hold is under way";
    NothingToPay 409 "nothing_to_pay" "There is nothing to pay";
    PartOfPackage 409 "part_of_package" "It belongs to a package";
    NotDraft 409 "not_draft" "Only a draft can be deleted";
    PackageNotOnSale 409 "package_not_on_sale" "The package is not on sale";
    PackageSold 409 "package_sold" "Some of the package were sold";
    InPackage 409 "in_package" "A package includes tickets of the event";
    NotReclaimable 409 "not_reclaimable" "The hold cannot be reclaimed";
    TicketUsed 409 "ticket_used" "The ticket has been used";
    TicketTransferredAway 409 "ticket_transferred_away" "A ticket of the order was transferred";
    TransferToSelf 409 "transfer_to_self" "The ticket is theirs already";
    AlreadyUsed 409 "already_used" "The ticket was used already";
    WrongEvent 409 "wrong_event" "The ticket is to another event";
    UnknownTicket 409 "unknown_ticket" "No ticket of this event has this code";
    TicketCancelled 409 "ticket_cancelled" "The ticket was cancelled";
    TicketRefunded 409 "ticket_refunded" "The ticket was refunded";
    TicketTransferred 409 "ticket_transferred" "The ticket was transferred, and this code is dead";
    CheckInTooEarly 409 "check_in_too_early" "Check-in has not opened";
    NotLeaving 409 "not_leaving" "Nobody can be scanned out here";
    FileNotReady 409 "file_not_ready" "The file is being made";
    IdempotencyInFlight 409 "idempotency_in_flight" "A request with this key is in flight";
    HoldExpired 410 "hold_expired" "The hold has expired";
    VersionMismatch 412 "version_mismatch" "The event has changed";
    BodyTooLarge 413 "body_too_large" "The body is too large";
    UnsupportedMediaType 415 "unsupported_media_type" "The body must be application/json without encoding";
    ValidationFailed 422 "validation_failed" "The request is not acceptable";
    RecipientUnknown 422 "recipient_unknown" "No account has this mail address";
    WeakPassword 422 "weak_password" "The password is not acceptable";
    IdempotencyKeyReused 422 "idempotency_key_reused" "The key was used with another request";
    PreconditionRequired 428 "precondition_required" "An If-Match header is required";
    RateLimited 429 "rate_limited" "Too many requests";
    Internal 500 "internal" "Something went wrong here";
    Overloaded 503 "overloaded" "Too busy";
    PaymentUnavailable 503 "payment_unavailable" "The payment provider gave no answer";
    OutcomeUnknown 503 "outcome_unknown" "The outcome is not known yet";
    Unavailable 503 "unavailable" "Not available now";
}

impl Code {
    /// The status as the response wants it.
    pub fn status_code(self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The most telling code for a bare status, as a library below may answer one.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            408 => Self::RequestTimeout,
            413 => Self::BodyTooLarge,
            415 => Self::UnsupportedMediaType,
            422 => Self::ValidationFailed,
            429 => Self::RateLimited,
            503 => Self::Unavailable,
            500..=599 => Self::Internal,
            _ => Self::MalformedRequest,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_statuses_are_errors() {
        let names: HashSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(code.status_code().as_u16(), code.status());
            assert!(code.status_code().is_client_error() || code.status_code().is_server_error());
        }
    }

    #[test]
    fn bare_statuses_keep_their_status() {
        for status in [401, 403, 404, 405, 408, 413, 415, 422, 429, 500, 503] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Code::of_status(status).status_code(), status);
        }
    }
}
