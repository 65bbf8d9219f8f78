//! Digests of idempotency keys and bodies. Only these enter the journal: a key may be long or telling.

use onsale_domain::id::{BodyDigest, KeyDigest};
use onsale_domain::record::KeyBinding;
use onsale_domain::{BuyerId, ScanDigest, UnixMillis};
use uuid::Uuid;

/// A route that takes idempotency keys. Keys are scoped to caller and route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyedRoute {
    /// Placing a hold.
    PlaceHold,
    /// Buying in one call.
    Purchase,
    /// Paying a hold.
    Checkout,
    /// Giving a ticket away.
    Transfer,
    /// Refunding tickets.
    RefundTickets,
    /// Bringing an event into being.
    CreateEvent,
    /// Making an organization.
    CreateOrganization,
    /// Making a package.
    CreatePackage,
    /// Buying packages.
    PurchasePackage,
    /// A package order's hold in one event; the caller is the hold.
    PackageLeg,
}

impl KeyedRoute {
    /// The name that is digested; it must never change while keys are remembered.
    const fn name(self) -> &'static str {
        match self {
            Self::PlaceHold => "holds",
            Self::Purchase => "purchases",
            Self::Checkout => "checkout",
            Self::Transfer => "transfer",
            Self::RefundTickets => "admin/refunds",
            Self::CreateEvent => "admin/events",
            Self::CreateOrganization => "admin/organizations",
            Self::CreatePackage => "admin/packages",
            Self::PurchasePackage => "packages/purchases",
            Self::PackageLeg => "packages/legs",
        }
    }
}

/// Binds a caller's key to the raw body that came with it.
pub fn key_binding(caller: BuyerId, route: KeyedRoute, key: &str, body: &[u8]) -> KeyBinding {
    let mut body_digest = [0; 8];
    body_digest.copy_from_slice(&blake3::hash(body).as_bytes()[..8]);
    KeyBinding {
        key: key_digest(caller.0, route, key),
        body: BodyDigest(body_digest),
    }
}

/// The digest of a caller's key on a route.
pub fn key_digest(caller: Uuid, route: KeyedRoute, key: &str) -> KeyDigest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(caller.as_bytes());
    hasher.update(route.name().as_bytes());
    // No route's name holds a NUL, so no two (route, key) pairs look the same.
    hasher.update(&[0]);
    hasher.update(key.as_bytes());
    let mut digest = [0; 16];
    digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    KeyDigest(digest)
}

/// The digest of a gate's name for one of its scans.
pub(crate) fn scan_digest(gate: &str, nonce: &str, scanned_at: Option<UnixMillis>) -> ScanDigest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(gate.as_bytes());
    // No gate's name holds a NUL: the domain refuses it.
    hasher.update(&[0]);
    hasher.update(nonce.as_bytes());
    // Two devices of one gate may count their scans alike: those that they report are told apart by when they were.
    if let Some(scanned_at) = scanned_at {
        hasher.update(&[0]);
        hasher.update(&scanned_at.0.to_be_bytes());
    }
    let mut digest = [0; 16];
    digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    ScanDigest(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_scoped_to_caller_and_route() {
        let caller = |byte| BuyerId(uuid::Uuid::from_bytes([byte; 16]));
        let base = key_binding(caller(1), KeyedRoute::PlaceHold, "k", b"{}");
        assert_eq!(base, key_binding(caller(1), KeyedRoute::PlaceHold, "k", b"{}"));
        for other in [
            key_binding(caller(2), KeyedRoute::PlaceHold, "k", b"{}"),
            key_binding(caller(1), KeyedRoute::Purchase, "k", b"{}"),
            key_binding(caller(1), KeyedRoute::PlaceHold, "l", b"{}"),
        ] {
            assert_ne!(base.key, other.key);
            assert_eq!(base.body, other.body);
        }
        let other_body = key_binding(caller(1), KeyedRoute::PlaceHold, "k", b"{ }");
        assert_eq!(base.key, other_body.key);
        assert_ne!(base.body, other_body.body);
    }
}
