//! The event that the tests sell, and short spellings of commands.
#![allow(dead_code, reason = "each test crate uses another part of it")]

use onsale_domain::command::{ConfirmHold, PlaceHold, RequestedLine};
use onsale_domain::id::{BodyDigest, KeyDigest, TicketCode};
use onsale_domain::money::Currency;
use onsale_domain::record::{KeyBinding, PaymentAuthorization, ReleaseReason};
use onsale_domain::{
    BuyerId, Command, EventDetails, EventId, EventStatus, HoldId, Money, OrderId, OrganizationId, Quota,
    QuotaId, Record, SalesWindow, Sequence, TicketId, TicketType, TicketTypeId, UnixMillis,
};
use uuid::Uuid;

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// When the test event is created.
pub(crate) const START: i64 = 1_800_000_000_000;
pub(crate) const OPENS: i64 = START + HOUR;
pub(crate) const CLOSES: i64 = START + 400 * HOUR;
pub(crate) const HOLD_DURATION: i64 = 10 * MINUTE;
pub(crate) const HOLD_LIFETIME: i64 = 25 * MINUTE;

/// A `UUIDv7` that was made when the test event was.
fn uuid(kind: u8, number: u32) -> Uuid {
    let made_at = u128::from(START.unsigned_abs()) << 80;
    Uuid::from_u128(made_at | 7 << 76 | u128::from(kind) << 64 | 2 << 62 | u128::from(number))
}

pub(crate) fn event_id() -> EventId {
    EventId(uuid(1, 0xE0))
}

pub(crate) fn organization_id(number: u32) -> OrganizationId {
    OrganizationId(uuid(2, number))
}

pub(crate) fn ticket_type_id(number: u32) -> TicketTypeId {
    TicketTypeId(uuid(3, number))
}

pub(crate) fn quota_id(number: u32) -> QuotaId {
    QuotaId(uuid(4, number))
}

pub(crate) fn hold_id(number: u32) -> HoldId {
    HoldId(uuid(5, number))
}

pub(crate) fn order_id(number: u32) -> OrderId {
    hold_id(number).into()
}

pub(crate) fn buyer_id(number: u32) -> BuyerId {
    BuyerId(uuid(6, number))
}

pub(crate) fn ticket_id(number: u32) -> TicketId {
    TicketId(uuid(7, number))
}

pub(crate) fn key(key: u8, body: u8) -> KeyBinding {
    KeyBinding {
        key: KeyDigest([key; 16]),
        body: BodyDigest([body; 8]),
    }
}

pub(crate) fn euros(amount_minor: i64) -> Money {
    Money {
        amount_minor,
        currency: Currency::EUR,
    }
}

pub(crate) fn authorization(amount: Money) -> PaymentAuthorization {
    PaymentAuthorization {
        gateway: "simulated".to_owned(),
        reference: "auth-1".to_owned(),
        amount,
    }
}

pub(crate) fn details() -> EventDetails {
    EventDetails {
        organization_id: organization_id(1),
        name: "Night of the organs".to_owned(),
        description: "Three hours, four hands.".to_owned(),
        venue: "St. Nicolai".to_owned(),
        starts_at: UnixMillis(START + 500 * HOUR),
        time_zone: "Europe/Berlin".to_owned(),
        sales_window: SalesWindow {
            opens_at: UnixMillis(OPENS),
            closes_at: UnixMillis(CLOSES),
        },
        currency: Currency::EUR,
        hold_duration_ms: HOLD_DURATION,
        hold_lifetime_ms_max: HOLD_LIFETIME,
        buyer_limit: Some(8),
    }
}

pub(crate) fn quota(number: u32, capacity: u32) -> Quota {
    Quota {
        id: quota_id(number),
        name: format!("quota {number}"),
        capacity,
    }
}

pub(crate) fn ticket_type(number: u32, quota: u32, unit_price_minor: i64) -> TicketType {
    TicketType {
        id: ticket_type_id(number),
        name: format!("type {number}"),
        quota_id: quota_id(quota),
        unit_price_minor,
    }
}

pub(crate) fn create(details: EventDetails) -> Command {
    Command::CreateEvent {
        event_id: event_id(),
        details: Box::new(details),
    }
}

pub(crate) fn edit(details: EventDetails, expected_version: Sequence) -> Command {
    Command::EditEvent {
        details: Box::new(details),
        expected_version,
    }
}

pub(crate) fn set_quota(quota: Quota, expected_version: Sequence) -> Command {
    Command::SetQuota {
        quota: Box::new(quota),
        expected_version,
    }
}

pub(crate) fn set_ticket_type(ticket_type: TicketType, expected_version: Sequence) -> Command {
    Command::SetTicketType {
        ticket_type: Box::new(ticket_type),
        expected_version,
    }
}

pub(crate) fn change_status(to: EventStatus) -> Command {
    Command::ChangeStatus {
        to,
        expected_version: None,
    }
}

/// A hold of `(ticket type, quantity)` lines.
pub(crate) fn place(hold: u32, buyer: u32, lines: &[(u32, i64)]) -> Command {
    Command::PlaceHold(PlaceHold {
        hold_id: hold_id(hold),
        buyer_id: buyer_id(buyer),
        lines: lines
            .iter()
            .map(|(ticket_type, quantity)| RequestedLine {
                ticket_type_id: ticket_type_id(*ticket_type),
                quantity: *quantity,
            })
            .collect(),
        key: None,
    })
}

pub(crate) fn extend(hold: u32, buyer: u32) -> Command {
    Command::ExtendHold {
        hold_id: hold_id(hold),
        buyer_id: buyer_id(buyer),
    }
}

pub(crate) fn release(hold: u32, buyer: u32, reason: ReleaseReason) -> Command {
    Command::ReleaseHold {
        hold_id: hold_id(hold),
        buyer_id: buyer_id(buyer),
        reason,
        key: None,
    }
}

/// A confirmation of `tickets` tickets that cost `paid` cents together; 0 is a free order.
pub(crate) fn confirm(hold: u32, buyer: u32, paid: i64, tickets: u32) -> Command {
    confirm_paid_with(hold, buyer, (paid > 0).then(|| euros(paid)), tickets)
}

pub(crate) fn confirm_paid_with(hold: u32, buyer: u32, paid: Option<Money>, tickets: u32) -> Command {
    Command::ConfirmHold(Box::new(ConfirmHold {
        hold_id: hold_id(hold),
        buyer_id: buyer_id(buyer),
        payment: paid.map(authorization),
        tickets: (0..tickets)
            .map(|index| {
                (
                    ticket_id(1_000 * hold + index),
                    TicketCode([u8::try_from(index % 256).unwrap(); 10]),
                )
            })
            .collect(),
        key: None,
    }))
}

pub(crate) fn cancel(hold: u32, buyer: Option<u32>) -> Command {
    Command::CancelOrder {
        order_id: order_id(hold),
        buyer_id: buyer.map(buyer_id),
    }
}

/// The same command under an idempotency key.
pub(crate) fn keyed(mut command: Command, binding: KeyBinding) -> Command {
    match &mut command {
        Command::PlaceHold(place) => place.key = Some(binding),
        Command::ConfirmHold(confirm) => confirm.key = Some(binding),
        Command::ReleaseHold { key, .. } => *key = Some(binding),
        other => panic!("{other:?} takes no key"),
    }
    command
}

/// The name of a record's variant.
pub(crate) fn kind(record: &Record) -> &'static str {
    match record {
        Record::EventCreated { .. } => "EventCreated",
        Record::EventEdited { .. } => "EventEdited",
        Record::QuotaSet { .. } => "QuotaSet",
        Record::TicketTypeSet { .. } => "TicketTypeSet",
        Record::StatusChanged { .. } => "StatusChanged",
        Record::HoldPlaced(_) => "HoldPlaced",
        Record::HoldExtended { .. } => "HoldExtended",
        Record::HoldReleased(_) => "HoldReleased",
        Record::HoldsExpired { .. } => "HoldsExpired",
        Record::HoldConfirmed(_) => "HoldConfirmed",
        Record::OrderCancelled { .. } => "OrderCancelled",
    }
}
