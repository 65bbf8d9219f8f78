//! Every rule of the domain has its row in the table of codes.

use onsale_domain::inventory::Violation;
use onsale_domain::{EventStatus, OrderId, Refusal, UnixMillis};
use onsale_services::{EngineError, ServiceError};
use uuid::Uuid;

use crate::codes::Code;
use crate::error::{ApiError, refusal_code};

fn violation() -> Violation {
    // The only way from outside to a violation: records that no rule could have made.
    let record = onsale_domain::Record::StatusChanged {
        at: UnixMillis(0),
        to: EventStatus::OnSale,
    };
    onsale_domain::Inventory::default().replay(&record).unwrap_err()
}

/// One of each. `refusal_code` matches exhaustively, so a new rule cannot be forgotten there.
fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::EventNotFound,
        Refusal::EventExists,
        Refusal::SaleNotStarted { opens_at: None },
        Refusal::SaleNotStarted {
            opens_at: Some(UnixMillis(0)),
        },
        Refusal::SaleEnded,
        Refusal::SalePaused,
        Refusal::EventCancelled,
        Refusal::SoldOut,
        Refusal::AllHeld { next_expiry_at: None },
        Refusal::AllHeld {
            next_expiry_at: Some(UnixMillis(1)),
        },
        Refusal::InsufficientAvailability { available: 1 },
        Refusal::BuyerLimitExceeded { limit: 4, live: 4 },
        Refusal::UnknownTicketType { line: 0 },
        Refusal::QuantityOutOfRange { line: 0 },
        Refusal::BadLines { reason: "x" },
        Refusal::HoldNotFound,
        Refusal::HoldExpired,
        Refusal::HoldReleased,
        Refusal::HoldConfirmed {
            order_id: OrderId(Uuid::nil()),
        },
        Refusal::HoldExists,
        Refusal::ExtensionLimitReached,
        Refusal::PaymentMismatch,
        Refusal::TicketCountMismatch,
        Refusal::OrderNotFound,
        Refusal::OrderCancelled,
        Refusal::PaymentInProgress,
        Refusal::NothingToPay,
        Refusal::PartOfPackage,
        Refusal::NotReclaimable,
        Refusal::TicketNotFound,
        Refusal::TicketExists,
        Refusal::TicketUsed,
        Refusal::TicketTransferredAway,
        Refusal::TransferToSelf,
        Refusal::AlreadyUsed {
            at: UnixMillis(0),
            gate: "North".to_owned(),
        },
        Refusal::UnknownCode,
        Refusal::TicketCancelled,
        Refusal::TicketRefunded,
        Refusal::CodeTransferred,
        Refusal::CheckInTooEarly {
            opens_at: UnixMillis(1),
        },
        Refusal::NotLeaving { reason: "x" },
        Refusal::KeyReused,
        Refusal::VersionMismatch { version: 3 },
        Refusal::InvalidTransition {
            from: EventStatus::Closed,
            to: EventStatus::OnSale,
        },
        Refusal::CapacityBelowCommitted { committed: 9 },
        Refusal::UnknownQuota,
        Refusal::TooMany { what: "quotas" },
        Refusal::Frozen { field: "currency" },
        Refusal::NothingToSell,
        Refusal::NotDraft,
        Refusal::InvalidField { field: "name" },
        Refusal::Violation(violation()),
    ]
}

#[test]
fn every_rule_is_answered_under_its_own_code() {
    for refusal in refusals() {
        let code = refusal_code(&refusal);
        assert_eq!(code.as_str(), refusal.code(), "{refusal:?}");
        let error = ServiceError::Engine(EngineError::Refused(refusal.clone()));
        assert_eq!(ApiError::from(error).into_problem().code, code, "{refusal:?}");
    }
}

#[test]
fn every_rule_is_in_the_document() {
    let document: serde_json::Value = serde_json::from_str(&crate::openapi_json()).unwrap();
    let listed = document["x-error-codes"].as_array().unwrap();
    for refusal in refusals() {
        assert!(
            listed.iter().any(|row| row["code"] == refusal.code()),
            "{refusal:?}"
        );
    }
    assert_eq!(listed.len(), Code::ALL.len());
}

#[test]
fn the_sales_refusals_have_the_statuses_of_the_contract() {
    for (code, status) in [
        ("sold_out", 409),
        ("all_held", 409),
        ("buyer_limit_exceeded", 409),
        ("sale_not_started", 409),
        ("sale_ended", 409),
        ("sale_paused", 409),
        ("event_cancelled", 409),
        ("hold_expired", 410),
        ("payment_declined", 402),
        ("overloaded", 503),
        ("rate_limited", 429),
        ("validation_failed", 422),
        ("idempotency_key_missing", 400),
        ("idempotency_in_flight", 409),
        ("idempotency_key_reused", 422),
        ("precondition_required", 428),
        ("version_mismatch", 412),
        ("body_too_large", 413),
    ] {
        let row = Code::ALL.iter().find(|row| row.as_str() == code).unwrap();
        assert_eq!(row.status(), status, "{code}");
    }
}
