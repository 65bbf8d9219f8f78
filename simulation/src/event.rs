//! The event that the runs sell: small, so that it sells out, and its holds short, so that they expire.

use onsale_domain::money::Currency;
use onsale_domain::{
    Command, EventDetails, EventId, EventStatus, OrganizationId, Quota, QuotaId, SalesWindow, Sequence, Tax,
    TicketType, TicketTypeId, UnixMillis,
};
use uuid::Uuid;

pub(crate) const START: i64 = 1_800_000_000_000;
const HOUR: i64 = 3_600_000;

/// A `UUIDv7`-like id made at the start of the run.
pub(crate) fn ids(number: u64) -> Uuid {
    Uuid::from_u128(u128::from(START.unsigned_abs()) << 80 | 7 << 76 | 2 << 62 | u128::from(number))
}

pub(crate) fn event_id() -> EventId {
    EventId(Uuid::from_u128(0xE0))
}

/// Types 0 and 1 share quota 0; type 2 is free and draws from quota 1.
pub(crate) fn ticket_type_id(number: usize) -> TicketTypeId {
    TicketTypeId(Uuid::from_u128(0x1000 + number as u128))
}

pub(crate) fn quota(number: u128, capacity: u32) -> Quota {
    Quota {
        id: QuotaId(Uuid::from_u128(0x2000 + number)),
        name: format!("quota {number}"),
        capacity,
    }
}

fn details() -> EventDetails {
    EventDetails {
        organization_id: OrganizationId(Uuid::from_u128(1)),
        name: "simulated".to_owned(),
        description: String::new(),
        venue: String::new(),
        starts_at: UnixMillis(START + 1_000 * HOUR),
        time_zone: "UTC".to_owned(),
        sales_window: SalesWindow {
            opens_at: UnixMillis(START),
            closes_at: UnixMillis(START + 900 * HOUR),
        },
        currency: Currency::EUR,
        hold_duration_ms: 60_000,
        hold_lifetime_ms_max: 150_000,
        buyer_limit: Some(9),
        check_in_opens_at: None,
        re_entry: true,
    }
}

fn ticket_type(number: usize, of: u128, unit_price_minor: i64) -> TicketType {
    TicketType {
        id: ticket_type_id(number),
        name: format!("type {number}"),
        quota_id: quota(of, 0).id,
        unit_price_minor,
        unit_fee_minor: unit_price_minor / 10,
        tax: Tax {
            basis_points: 1_900,
            inclusive: number == 0,
        },
    }
}

pub(crate) fn set_quota(quota: Quota, expected_version: Sequence) -> Command {
    Command::SetQuota {
        quota: Box::new(quota),
        expected_version,
    }
}

/// The commands that bring the event on sale, in order.
pub(crate) fn setup() -> Vec<Command> {
    let mut commands = vec![Command::CreateEvent {
        event_id: event_id(),
        details: Box::new(details()),
    }];
    commands.push(set_quota(quota(0, 20), 1));
    commands.push(set_quota(quota(1, 8), 2));
    for (number, of, price, expected_version) in [(0, 0, 2_500, 3), (1, 0, 900, 4), (2, 1, 0, 5)] {
        commands.push(Command::SetTicketType {
            ticket_type: Box::new(ticket_type(number, of, price)),
            expected_version,
        });
    }
    commands.push(Command::ChangeStatus {
        to: EventStatus::Published,
        expected_version: None,
    });
    commands.push(Command::Advance);
    commands
}
