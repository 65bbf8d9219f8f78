//! The list of an event's tickets for a gate without a connection. `docs/OFFLINE-GATES.md` tells device makers how to
//! use it.
//!
//! It is a signed token (JWS) with a time after which it must not be used. Codes are in it as digests under a salt:
//! whoever finds a device learns no code that admits. A large event's list comes in parts, each signed by itself; the
//! cursor carries the salt, so that one digest of a shown code is looked for in all parts.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onsale_domain::inventory::ListedTicket;
use onsale_domain::{Direction, EventId, Refusal, Sequence, TicketStatus, UnixMillis};
use onsale_engine::TicketPage;
use onsale_persistence::AuditOutcome;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::audit::target;
use crate::{RandomError, ServiceError, Services, StaffMember};

/// How long a gate may work from a list.
const LIFETIME_MS: i64 = 12 * 60 * 60 * 1_000;
/// What the token says that it is.
const KIND: &str = "onsale-door-bundle";
const SALT_BYTES: usize = 16;
/// Bytes of a code's digest: nobody finds another code of the same one, of which there are 2^80.
const DIGEST_BYTES: usize = 16;

/// One part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorBundle {
    /// The signed list, as a compact JWS.
    pub token: String,
    /// When it must not be used any more.
    pub expires_at: UnixMillis,
    /// Where the next part begins; `None`: this is the last.
    pub next: Option<BundleCursor>,
}

/// Where a part begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BundleCursor {
    salt: [u8; SALT_BYTES],
    from: u32,
}

/// What the token says. Times are in seconds since 1970, as tokens have them (RFC 7519).
#[derive(Serialize)]
struct Claims<'a> {
    iat: i64,
    exp: i64,
    event: Named<'a>,
    gate: &'a str,
    /// Whether who went out may come in again.
    re_entry: bool,
    /// Nobody is let in before.
    opens_at: Option<i64>,
    /// The state up to this record is listed.
    seq: Sequence,
    salt: String,
    /// Entries before this part.
    from: u32,
    /// Whether a further part follows.
    has_more: bool,
    ticket_types: Vec<Named<'a>>,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Named<'a> {
    id: Uuid,
    name: &'a str,
}

#[derive(Serialize)]
struct Entry {
    ticket: Uuid,
    /// Base64url of the first 16 bytes of SHA-256 over salt and code.
    code: String,
    version: u32,
    /// Position in `ticket_types`.
    r#type: u16,
    state: &'static str,
}

impl BundleCursor {
    /// The beginning of a new list.
    fn first() -> Result<Self, RandomError> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt)?;
        Ok(Self { salt, from: 0 })
    }

    /// Another part of the same list.
    fn at(self, from: u32) -> Self {
        Self {
            salt: self.salt,
            from,
        }
    }

    /// As it stands in a query.
    pub fn to_text(self) -> String {
        let bytes: Vec<u8> = self.salt.into_iter().chain(self.from.to_be_bytes()).collect();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads [`BundleCursor::to_text`].
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (salt, from) = bytes.split_first_chunk::<SALT_BYTES>()?;
        Some(Self {
            salt: *salt,
            from: u32::from_be_bytes(from.try_into().ok()?),
        })
    }
}

impl Services {
    /// One part of the list of an event's tickets for a gate: the first where no cursor is given.
    pub async fn door_bundle(
        &self,
        staff: &StaffMember,
        (event_id, gate): (EventId, &str),
        cursor: Option<BundleCursor>,
    ) -> Result<DoorBundle, ServiceError> {
        let event = self.staff_event(staff, event_id).await?;
        let is_first = cursor.is_none();
        let cursor = cursor.map_or_else(BundleCursor::first, Ok)?;
        // Each part by itself: a cursor is whatever a client sends.
        let mut entry = staff.entry(self.now(), "check_ins.take_bundle", AuditOutcome::Done);
        entry.target = Some(target("event", event_id.0));
        entry.organization_id = Some(event.definition.details.organization_id);
        entry.after = Some(json!({"gate": gate, "from": cursor.from, "is_first": is_first}));
        self.audit().write(entry).await?;
        let page = self.engine().tickets(event_id, cursor.from).await?;
        let expires_at = self.now().plus_ms(LIFETIME_MS);
        let claims = self.claims(&page, cursor, gate, expires_at)?;
        let claims =
            serde_json::to_vec(&claims).map_err(|_| ServiceError::Internal("a list cannot be written"))?;
        let next = page.next.map(|from| cursor.at(from));
        Ok(DoorBundle {
            token: self.ticket_keys().sign_token(KIND, &claims),
            expires_at,
            next,
        })
    }

    fn claims<'a>(
        &self,
        page: &'a TicketPage,
        cursor: BundleCursor,
        gate: &'a str,
        expires_at: UnixMillis,
    ) -> Result<Claims<'a>, ServiceError> {
        let definition = page.definition.as_deref().ok_or(Refusal::EventNotFound)?;
        let types = definition.ticket_types.iter();
        Ok(Claims {
            iat: seconds(self.now()),
            exp: seconds(expires_at),
            event: Named {
                id: definition.event_id.0,
                name: &definition.details.name,
            },
            gate,
            re_entry: definition.details.re_entry,
            opens_at: definition.details.check_in_opens_at.map(seconds),
            seq: page.seq,
            salt: URL_SAFE_NO_PAD.encode(cursor.salt),
            from: cursor.from,
            has_more: page.next.is_some(),
            ticket_types: types
                .map(|ticket_type| Named {
                    id: ticket_type.id.0,
                    name: &ticket_type.name,
                })
                .collect(),
            entries: page
                .tickets
                .iter()
                .map(|ticket| Entry::of(ticket, &cursor.salt))
                .collect(),
        })
    }
}

impl Entry {
    fn of(ticket: &ListedTicket, salt: &[u8]) -> Self {
        let salted = [salt, ticket.code.to_string().as_bytes()].concat();
        Self {
            ticket: ticket.ticket_id.0,
            code: URL_SAFE_NO_PAD.encode(&digest(&SHA256, &salted).as_ref()[..DIGEST_BYTES]),
            version: ticket.version,
            r#type: ticket.type_position,
            state: match (ticket.status, ticket.last) {
                (TicketStatus::Cancelled, _) => "cancelled",
                (TicketStatus::Refunded, _) => "refunded",
                (TicketStatus::Valid | TicketStatus::Used, None) => "valid",
                (TicketStatus::Valid | TicketStatus::Used, Some(Direction::In)) => "inside",
                (TicketStatus::Valid | TicketStatus::Used, Some(Direction::Out)) => "outside",
            },
        }
    }
}

fn seconds(at: UnixMillis) -> i64 {
    at.0.div_euclid(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written_and_nothing_else_is() {
        let cursor = BundleCursor {
            salt: [7; SALT_BYTES],
            from: 5_000,
        };
        assert_eq!(BundleCursor::parse(&cursor.to_text()), Some(cursor));
        for text in ["", "x", "AAAA", &format!("{}A", cursor.to_text())] {
            assert_eq!(BundleCursor::parse(text), None, "{text}");
        }
    }
}
