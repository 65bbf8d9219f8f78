//! Metrics of who may do what.

use metrics::{counter, gauge};

/// Whether this process knows what was revoked: 1, or 0 while it asks Postgres at each request of staff.
pub const ACCESS_SYNCED: &str = "onsale_access_synced";
/// Where the access of accounts was found: `process`, `redis`, `postgres`, or `unsynced` for Postgres because the
/// process does not know what was revoked.
pub const ACCESS_CACHE_TOTAL: &str = "onsale_access_cache_total";
/// Sessions and accounts whose access tokens are refused.
pub const ACCESS_REVOCATIONS: &str = "onsale_access_revocations";

pub(super) fn found(outcome: &'static str) {
    counter!(ACCESS_CACHE_TOTAL, "outcome" => outcome).increment(1);
}

pub(super) fn state(is_synced: bool, revocations: usize) {
    gauge!(ACCESS_SYNCED).set(if is_synced { 1.0 } else { 0.0 });
    // Far below what a float holds exactly.
    gauge!(ACCESS_REVOCATIONS).set(u32::try_from(revocations).map_or(f64::INFINITY, f64::from));
}
