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

/// Crockford's base 32.
const CODE_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code.
const CODE_CHARACTERS: usize = 16;

impl fmt::Display for TicketCode {
    /// Crockford's base 32: 16 characters without I, L, O and U, so that a code can be read aloud.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in self.0.chunks(5) {
            let bits = group
                .iter()
                .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
            for shift in (0..8).rev() {
                let index = usize::try_from((bits >> (shift * 5)) & 31).unwrap_or_default();
                f.write_str(char::from(CODE_ALPHABET[index]).encode_utf8(&mut [0; 4]))?;
            }
        }
        Ok(())
    }
}

/// A text that is no ticket's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a ticket's code")]
pub struct NotATicketCode;

impl FromStr for TicketCode {
    type Err = NotATicketCode;

    /// As people type it: in either case, with O for 0 and I or L for 1, in groups divided by dashes or spaces.
    fn from_str(text: &str) -> Result<Self, NotATicketCode> {
        let mut bits = 0_u128;
        let mut characters = 0;
        for byte in text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')) {
            let character = match byte.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let digit = CODE_ALPHABET.iter().position(|known| *known == character);
            bits = (bits << 5) | digit.ok_or(NotATicketCode)? as u128;
            characters += 1;
            if characters > CODE_CHARACTERS {
                return Err(NotATicketCode);
            }
        }
        let [_, _, _, _, _, _, code @ ..] = bits.to_be_bytes();
        match characters {
            CODE_CHARACTERS => Ok(Self(code)),
            _ => Err(NotATicketCode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_shown_and_as_people_type_it() {
        for code in [
            TicketCode([0; 10]),
            TicketCode([255; 10]),
            TicketCode([1, 2, 3, 4, 5, 250, 251, 252, 253, 254]),
        ] {
            let shown = code.to_string();
            assert_eq!(shown.parse(), Ok(code));
            assert_eq!(shown.to_lowercase().parse(), Ok(code));
            let grouped = format!("{}-{} {}", &shown[..4], &shown[4..8], &shown[8..]);
            assert_eq!(grouped.parse(), Ok(code));
        }
        let typed = "oOIl-LiiL 0011-1111".parse::<TicketCode>();
        assert_eq!(typed, "0011111100111111".parse());
        assert!(typed.is_ok());
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in [
            "",
            "-",
            "012345678901234",
            "01234567890123456",
            "U123456789012345",
            "0123456789ABCDEé",
        ] {
            assert_eq!(text.parse::<TicketCode>(), Err(NotATicketCode), "{text}");
        }
    }
}
