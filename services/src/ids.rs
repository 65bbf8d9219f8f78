//! Makes the ids and ticket codes that come in with commands.
//!
//! Ids are `UUIDv7` (RFC 9562): 48 bits of milliseconds, then 74 free bits. Ids of things inside an event keep their
//! event's route in the last four bytes, which leaves 42 free bits. These come from one counter for each process,
//! started at a random value: no two ids of a process are equal, whatever its clock does, and two processes would
//! have to meet in the same millisecond at the same value among 4 · 10¹².

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use onsale_domain::id::TicketCode;
use onsale_domain::{
    ApiKeyId, EventId, HoldId, MailId, OrganizationId, PackageId, QuotaId, RefundId, RoleId, Route,
    SessionId, TicketId, TicketTypeId, UnixMillis, UserId,
};
use uuid::{Builder, Uuid};

/// Bits of an id that neither the clock, the route, the version nor the variant takes.
const COUNTER_BITS: u32 = 42;
/// Of these, the ones that stand behind the variant; the other twelve stand behind the version.
const LOW_BITS: u32 = 30;

/// The operating system gave no random numbers.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the operating system gave no random numbers: {0}")]
pub struct RandomError(#[from] getrandom::Error);

/// Makes ids. One for each process.
#[derive(Debug)]
pub struct Ids {
    counter: AtomicU64,
}

impl Ids {
    /// A source whose counter starts at a random value.
    pub fn new() -> Result<Self, RandomError> {
        Ok(Self {
            counter: AtomicU64::new(getrandom::u64()?),
        })
    }

    /// An id for a new event. Its route is random; the journal refuses one that is taken.
    pub fn event_id(&self, now: UnixMillis) -> Result<EventId, RandomError> {
        random_id(now).map(EventId)
    }

    /// An id for a new organization.
    pub fn organization_id(&self, now: UnixMillis) -> Result<OrganizationId, RandomError> {
        random_id(now).map(OrganizationId)
    }

    /// An id for a new package.
    pub fn package_id(&self, now: UnixMillis) -> Result<PackageId, RandomError> {
        random_id(now).map(PackageId)
    }

    /// An id for a new account.
    pub fn user_id(&self, now: UnixMillis) -> Result<UserId, RandomError> {
        random_id(now).map(UserId)
    }

    /// An id for a new role.
    pub fn role_id(&self, now: UnixMillis) -> Result<RoleId, RandomError> {
        random_id(now).map(RoleId)
    }

    /// An id for a new API key.
    pub fn api_key_id(&self, now: UnixMillis) -> Result<ApiKeyId, RandomError> {
        random_id(now).map(ApiKeyId)
    }

    /// An id for a new session.
    pub fn session_id(&self, now: UnixMillis) -> Result<SessionId, RandomError> {
        random_id(now).map(SessionId)
    }

    /// An id for a new message.
    pub fn mail_id(&self, now: UnixMillis) -> Result<MailId, RandomError> {
        random_id(now).map(MailId)
    }

    /// An id for a new ticket type.
    pub fn ticket_type_id(&self, now: UnixMillis) -> Result<TicketTypeId, RandomError> {
        random_id(now).map(TicketTypeId)
    }

    /// An id for a new quota.
    pub fn quota_id(&self, now: UnixMillis) -> Result<QuotaId, RandomError> {
        random_id(now).map(QuotaId)
    }

    /// An id for a new hold of the event with this route.
    pub fn hold_id(&self, route: Route, now: UnixMillis) -> HoldId {
        HoldId(self.routed_id(route, now))
    }

    /// An id for a new refund of the event with this route.
    pub fn refund_id(&self, route: Route, now: UnixMillis) -> RefundId {
        RefundId(self.routed_id(route, now))
    }

    /// Ids and codes for the tickets of an order of the event with this route.
    pub fn tickets(
        &self,
        quantity: u32,
        route: Route,
        now: UnixMillis,
    ) -> Result<Vec<(TicketId, TicketCode)>, RandomError> {
        (0..quantity)
            .map(|_| Ok((TicketId(self.routed_id(route, now)), ticket_code()?)))
            .collect()
    }

    /// A code for a ticket.
    pub fn ticket_code(&self) -> Result<TicketCode, RandomError> {
        ticket_code()
    }

    fn routed_id(&self, route: Route, now: UnixMillis) -> Uuid {
        let count = self.counter.fetch_add(1, Ordering::Relaxed) & ((1 << COUNTER_BITS) - 1);
        let [_, _, _, _, _, _, high @ ..] = (count >> LOW_BITS).to_be_bytes();
        let [_, _, _, _, low @ ..] = (count & ((1 << LOW_BITS) - 1)).to_be_bytes();
        let mut free = [0; 10];
        free[..2].copy_from_slice(&high);
        free[2..6].copy_from_slice(&low);
        free[6..].copy_from_slice(&route.0.to_be_bytes());
        Builder::from_unix_timestamp_millis(millis(now), &free).into_uuid()
    }
}

fn random_id(now: UnixMillis) -> Result<Uuid, RandomError> {
    let mut free = [0; 10];
    random_bytes(&mut free)?;
    Ok(Builder::from_unix_timestamp_millis(millis(now), &free).into_uuid())
}

fn ticket_code() -> Result<TicketCode, RandomError> {
    let mut code = [0; 10];
    random_bytes(&mut code)?;
    Ok(TicketCode(code))
}

fn millis(now: UnixMillis) -> u64 {
    u64::try_from(now.0).unwrap_or_default()
}

/// Random bytes of the operating system, fetched a page at a time for each thread: a system call for each ticket
/// would cost more than the sale of it.
struct Buffer {
    bytes: [u8; 4_096],
    used: usize,
}

thread_local! {
    static BUFFER: RefCell<Buffer> = const { RefCell::new(Buffer { bytes: [0; 4_096], used: 4_096 }) };
}

fn random_bytes(wanted: &mut [u8; 10]) -> Result<(), RandomError> {
    BUFFER.with_borrow_mut(|buffer| {
        if buffer.used + wanted.len() > buffer.bytes.len() {
            getrandom::fill(&mut buffer.bytes)?;
            buffer.used = 0;
        }
        let taken = &mut buffer.bytes[buffer.used..buffer.used + wanted.len()];
        wanted.copy_from_slice(taken);
        // What was given out must not be readable in a core dump.
        taken.fill(0);
        buffer.used += wanted.len();
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_123);

    #[test]
    fn holds_and_tickets_carry_their_route() {
        let ids = Ids::new().unwrap();
        for route in [Route(0), Route(0xDEAD_BEEF), Route(u32::MAX)] {
            assert_eq!(ids.hold_id(route, NOW).route(), route);
            for (ticket_id, _) in ids.tickets(3, route, NOW).unwrap() {
                assert_eq!(ticket_id.route(), route);
            }
        }
    }

    #[test]
    fn version_variant_and_clock_are_right() {
        let ids = Ids {
            // Every free bit set, and then every free bit clear.
            counter: AtomicU64::new((1 << COUNTER_BITS) - 1),
        };
        for _ in 0..2 {
            let id = ids.hold_id(Route(7), NOW);
            assert_eq!(id.0.get_version_num(), 7);
            assert_eq!(id.0.get_variant(), uuid::Variant::RFC4122);
            assert_eq!(id.made_at(), NOW);
        }
        let event_id = ids.event_id(NOW).unwrap();
        assert_eq!(event_id.0.get_version_num(), 7);
    }

    #[test]
    fn ids_never_repeat_within_one_millisecond() {
        let ids = Ids {
            counter: AtomicU64::new((1 << LOW_BITS) - 50_000),
        };
        let seen: HashSet<HoldId> = (0..100_000).map(|_| ids.hold_id(Route(1), NOW)).collect();
        assert_eq!(seen.len(), 100_000);
    }

    #[test]
    fn ticket_codes_differ() {
        let ids = Ids::new().unwrap();
        let codes: HashSet<TicketCode> = ids
            .tickets(1_000, Route(1), NOW)
            .unwrap()
            .into_iter()
            .map(|(_, code)| code)
            .collect();
        assert_eq!(codes.len(), 1_000);
    }
}
