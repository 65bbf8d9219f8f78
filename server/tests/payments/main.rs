//! Payment providers: localstripe as the foreign Stripe, and a hand-made peer that speaks Midtrans.
//!
//! localstripe (from the Python index, started by these tests) has intents that are captured later, declines, 3-D
//! Secure, refunds and signed webhooks of its own. What it lacks stands in `front.rs`: idempotency keys, search, a
//! payment method in `confirm`, and two members of intents. No peer of Midtrans can be had, so that one follows the
//! public documentation, and shows only that we do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod front;
mod localstripe;
mod midtrans;
mod midtrans_peer;
mod peer;
mod sale;
mod stripe;

use onsale_domain::money::Currency;
use onsale_domain::{Money, OrderId, Purchase};
use onsale_services::{PaymentRef, PaymentRequest, ProviderState};
use uuid::Uuid;

/// A purchase that nobody made before.
fn purchase() -> Purchase {
    Purchase::Order(OrderId(Uuid::now_v7()))
}

fn money(amount_minor: i64, currency: Currency) -> Money {
    Money {
        amount_minor,
        currency,
    }
}

fn request(purchase: Purchase, amount: Money, payment_method: &str) -> PaymentRequest {
    PaymentRequest {
        purchase,
        amount,
        payment_method: payment_method.into(),
    }
}

/// What a process knows of a payment that it began and heard nothing of.
fn unheard(purchase: Purchase, amount: Money) -> PaymentRef {
    PaymentRef {
        purchase,
        reference: None,
        amount,
    }
}

/// What it knows after an answer.
fn heard(purchase: Purchase, amount: Money, state: &ProviderState) -> PaymentRef {
    let reference = match state {
        ProviderState::Pending { reference, .. }
        | ProviderState::Authorized { reference, .. }
        | ProviderState::Captured { reference, .. } => Some(reference.clone()),
        ProviderState::Absent | ProviderState::Declined { .. } | ProviderState::Voided => None,
    };
    PaymentRef {
        reference,
        ..unheard(purchase, amount)
    }
}
