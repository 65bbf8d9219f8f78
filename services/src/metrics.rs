//! Names and meanings of the metrics of use cases.

use metrics::{counter, describe_counter, describe_gauge, gauge};

/// Whether this process knows what was revoked: 1, or 0 while it asks Postgres at each request of staff.
pub const ACCESS_SYNCED: &str = "onsale_access_synced";
/// Where the access of accounts was found: `process`, `redis`, `postgres`, or `unsynced` for Postgres because the
/// process does not know what was revoked.
pub const ACCESS_CACHE_TOTAL: &str = "onsale_access_cache_total";
/// Sessions and accounts whose access tokens are refused.
pub const ACCESS_REVOCATIONS: &str = "onsale_access_revocations";

/// How many passwords were hashed, to keep or to compare.
pub const PASSWORD_HASHES_TOTAL: &str = "onsale_password_hashes_total";

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
