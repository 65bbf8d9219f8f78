//! Typed identifiers. All are `UUIDv7` (RFC 9562), made outside the domain and handed in.
//!
//! Ids of things that live inside an event (holds, orders, tickets) carry their event's [`Route`] in their last
//! four bytes. A request that names only a hold therefore finds its event without a lookup table, on any
//! process (see `docs/adr/0003-ids-carry-their-event.md`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The last four bytes of an event's id, unique among all events of a deployment (a database constraint).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Route(pub u32);

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

fn route_of(uuid: Uuid) -> Route {
    let bytes = uuid.as_bytes();
    Route(u32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

macro_rules! routed {
    ($($name:ident),+ $(,)?) => {$(
        impl $name {
            /// The route of the event that this belongs to.
            pub fn route(self) -> Route {
                route_of(self.0)
            }
        }
    )+};
}

ids! {
    /// An organization: the tenant that owns events.
    OrganizationId,
    /// An event: something that takes place once and sells tickets.
    EventId,
    /// A ticket type of an event: what a buyer chooses, with a name and a price.
    TicketTypeId,
    /// A quota of an event: a pool of capacity that one or more ticket types draw from.
    QuotaId,
    /// A hold: capacity set aside for a buyer until it expires.
    HoldId,
    /// An order. An order keeps the id of the hold that it was made from.
    OrderId,
    /// A ticket of a confirmed order.
    TicketId,
    /// The account that buys: a [`UserId`] in the sale.
    BuyerId,
    /// An account: a person, or a service account.
    UserId,
    /// One login on one device: a family of refresh tokens.
    SessionId,
    /// A role: a set of permissions with a name.
    RoleId,
    /// An API key.
    ApiKeyId,
    /// A message in the outbox.
    MailId,
    /// A refund: money that goes back for some of an order's tickets.
    RefundId,
    /// A package: several inclusions sold as one.
    PackageId,
    /// An order of a package: one purchase with an order in each of its events.
    PackageOrderId,
}

routed!(EventId, HoldId, OrderId, TicketId);

impl From<HoldId> for OrderId {
    fn from(hold_id: HoldId) -> Self {
        Self(hold_id.0)
    }
}

impl From<OrderId> for HoldId {
    fn from(order_id: OrderId) -> Self {
        Self(order_id.0)
    }
}

impl From<UserId> for BuyerId {
    fn from(user_id: UserId) -> Self {
        Self(user_id.0)
    }
}

impl HoldId {
    /// When the id was made: the 48-bit millisecond clock in front of every `UUIDv7`.
    pub fn made_at(self) -> crate::UnixMillis {
        let bytes = self.0.as_bytes();
        let millis = bytes[..6]
            .iter()
            .fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte));
        crate::UnixMillis(millis)
    }
}

/// Digest of caller, route and idempotency key. Only digests enter the state: keys may be long or telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyDigest(pub [u8; 16]);

/// Digest of a request's body, to tell a repeat from another request under the same key. Eight bytes are enough:
/// a caller who finds a collision only fools itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BodyDigest(pub [u8; 8]);

/// The unguessable code that is printed on a ticket: 80 random bits, shown as base 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TicketCode(pub [u8; 10]);

impl fmt::Display for TicketCode {
    /// Crockford's base 32: 16 characters without I, L, O and U, so that a code can be read aloud.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        for group in self.0.chunks(5) {
            let bits = group
                .iter()
                .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
            for shift in (0..8).rev() {
                let index = usize::try_from((bits >> (shift * 5)) & 31).unwrap_or_default();
                f.write_str(char::from(ALPHABET[index]).encode_utf8(&mut [0; 4]))?;
            }
        }
        Ok(())
    }
}
