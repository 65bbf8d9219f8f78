//! Names and meanings of the metrics of use cases.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use onsale_domain::Gateway;

/// Whether this process knows what was revoked: 1, or 0 while it asks Postgres at each request of staff.
pub const ACCESS_SYNCED: &str = "onsale_access_synced";
/// Where the access of accounts was found: `process`, `redis`, `postgres`, or `unsynced` for Postgres because the
/// process does not know what was revoked.
pub const ACCESS_CACHE_TOTAL: &str = "onsale_access_cache_total";
/// Sessions and accounts whose access tokens are refused.
pub const ACCESS_REVOCATIONS: &str = "onsale_access_revocations";

/// How many passwords were hashed, to keep or to compare.
pub const PASSWORD_HASHES_TOTAL: &str = "onsale_password_hashes_total";

/// Attempts to ask a payment provider. Labels: gateway, operation, outcome (`answered`, `rejected`, `unavailable`,
/// `unknown`, or `held_back` by the circuit breaker).
pub const GATEWAY_REQUESTS_TOTAL: &str = "onsale_gateway_requests_total";
/// Seconds that an attempt took. Labels: gateway, operation.
pub const GATEWAY_REQUEST_DURATION_SECONDS: &str = "onsale_gateway_request_duration_seconds";
/// Whether a provider is left alone because it does not answer: 1, or 0. Label: gateway.
pub const GATEWAY_CIRCUIT_OPEN: &str = "onsale_gateway_circuit_open";
/// Webhooks of payment providers. Labels: gateway, outcome (`accepted`, `ignored` where it is about nothing of ours,
/// `forged`, `unreadable`, or `failed` where it could not be kept and the provider has to try again).
pub const WEBHOOKS_TOTAL: &str = "onsale_webhooks_total";

/// Tells the recorder what they mean.
pub fn describe() {
    describe_gauge!(
        ACCESS_SYNCED,
        "1, or 0 while each request of staff is checked in Postgres."
    );
    describe_counter!(ACCESS_CACHE_TOTAL, "Where the access of staff was found.");
    describe_gauge!(
        ACCESS_REVOCATIONS,
        "Sessions and accounts whose access tokens are refused."
    );
    describe_counter!(PASSWORD_HASHES_TOTAL, "Passwords hashed, to keep or to compare.");
    describe_counter!(GATEWAY_REQUESTS_TOTAL, "Attempts to ask a payment provider.");
    describe_histogram!(
        GATEWAY_REQUEST_DURATION_SECONDS,
        "Seconds that an attempt to ask a payment provider took."
    );
    describe_gauge!(
        GATEWAY_CIRCUIT_OPEN,
        "1 while a payment provider is left alone because it does not answer, else 0."
    );
    describe_counter!(WEBHOOKS_TOTAL, "Webhooks of payment providers by outcome.");
}

/// An account's access was looked up.
pub(crate) fn access_found(outcome: &'static str) {
    counter!(ACCESS_CACHE_TOTAL, "outcome" => outcome).increment(1);
}

/// What this process knows of revocations.
pub(crate) fn access_state(is_synced: bool, revocations: usize) {
    gauge!(ACCESS_SYNCED).set(if is_synced { 1.0 } else { 0.0 });
    // Far below what a float holds exactly.
    gauge!(ACCESS_REVOCATIONS).set(u32::try_from(revocations).map_or(f64::INFINITY, f64::from));
}

/// An attempt to ask a provider ended so, after so long where it was made.
pub(crate) fn gateway_request(
    gateway: Gateway,
    operation: &'static str,
    outcome: &'static str,
    took: Option<Duration>,
) {
    let gateway = gateway.as_str();
    counter!(GATEWAY_REQUESTS_TOTAL, "gateway" => gateway, "operation" => operation, "outcome" => outcome)
        .increment(1);
    if let Some(took) = took {
        histogram!(GATEWAY_REQUEST_DURATION_SECONDS, "gateway" => gateway, "operation" => operation)
            .record(took);
    }
}

/// Whether a provider is left alone.
pub(crate) fn gateway_circuit(gateway: Gateway, is_open: bool) {
    gauge!(GATEWAY_CIRCUIT_OPEN, "gateway" => gateway.as_str()).set(if is_open { 1.0 } else { 0.0 });
}

/// A webhook came in.
pub(crate) fn webhook(gateway: Gateway, outcome: &'static str) {
    counter!(WEBHOOKS_TOTAL, "gateway" => gateway.as_str(), "outcome" => outcome).increment(1);
}
