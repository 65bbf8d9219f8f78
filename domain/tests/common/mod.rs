//! The event that the tests sell, and short spellings of commands.
#![allow(dead_code, reason = "each test crate uses another part of it")]

use onsale_domain::command::{
    CancelledBy, ConfirmHold, PackageLeg, PlaceHold, ReclaimHold, RefundTickets, RequestedLine, ScanTicket,
    StartPayment, TransferTicket,
};
use onsale_domain::id::{BodyDigest, KeyDigest, TicketCode};
use onsale_domain::money::Currency;
use onsale_domain::record::{KeyBinding, Line, PaymentAuthorization, ReleaseReason};
use onsale_domain::{
    BuyerId, Command, Direction, EventDetails, EventId, EventStatus, Gateway, HoldId, Money, OrderId,
    OrganizationId, PackageOrderId, Presented, Quota, QuotaId, Record, RefundId, SalesWindow, ScanDigest,
    Sequence, Tax, TicketId, TicketType, TicketTypeId, UnixMillis,
};
use uuid::Uuid;

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const PAYMENT_WINDOW: i64 = 15 * MINUTE;
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

/// A code of its own for each number.
pub(crate) fn ticket_code(number: u32) -> TicketCode {
    let mut code = [7; 10];
    code[6..].copy_from_slice(&number.to_be_bytes());
    TicketCode(code)
}

pub(crate) fn refund_id(number: u32) -> RefundId {
    RefundId(uuid(8, number))
}

pub(crate) fn package_order_id(number: u32) -> PackageOrderId {
    PackageOrderId(uuid(9, number))
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
        gateway: Gateway::Simulated,
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
        check_in_opens_at: None,
        re_entry: false,
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
        unit_fee_minor: 0,
        tax: Tax::NONE,
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
        payment: None,
        package: None,
        key: None,
    })
}

/// The same placing, with its payment begun at once.
pub(crate) fn paying(mut command: Command) -> Command {
    if let Command::PlaceHold(place) = &mut command {
        place.payment = Some(Gateway::Simulated);
    }
    command
}

/// The same placing, as a leg of a package order with these prices.
pub(crate) fn leg(mut command: Command, package_order: u32, unit_prices_minor: &[i64]) -> Command {
    if let Command::PlaceHold(place) = &mut command {
        place.package = Some(PackageLeg {
            package_order_id: package_order_id(package_order),
            unit_prices_minor: unit_prices_minor.iter().copied().collect(),
        });
    }
    command
}

pub(crate) fn start(hold: u32, buyer: u32) -> Command {
    Command::StartPayment(StartPayment {
        hold_id: hold_id(hold),
        buyer_id: buyer_id(buyer),
        gateway: Gateway::Simulated,
        key: None,
    })
}

/// A line without fee and tax.
pub(crate) fn line(number: u32, quantity: u32, unit_price_minor: i64) -> Line {
    Line {
        ticket_type_id: ticket_type_id(number),
        quantity,
        unit_price_minor,
        unit_fee_minor: 0,
        tax: Tax::NONE,
    }
}

/// A confirmation that came too late, for a hold of these lines.
pub(crate) fn reclaim(confirm: Command, lines: &[Line]) -> Command {
    let Command::ConfirmHold(confirm) = confirm else {
        panic!("{confirm:?} confirms nothing")
    };
    Command::ReclaimHold(Box::new(ReclaimHold {
        confirm: *confirm,
        lines: lines.iter().copied().collect(),
        pending_since: UnixMillis(OPENS),
    }))
}

pub(crate) fn refund(refund: u32, order: u32, tickets: &[u32]) -> Command {
    Command::RefundTickets(Box::new(RefundTickets {
        refund_id: refund_id(refund),
        order_id: order_id(order),
        tickets: tickets.iter().copied().map(ticket_id).collect(),
        key: None,
    }))
}

pub(crate) fn transfer(ticket: u32, from: u32, to: u32, code: u32) -> Command {
    Command::TransferTicket(TransferTicket {
        ticket_id: ticket_id(ticket),
        from: buyer_id(from),
        to: buyer_id(to),
        code: ticket_code(code),
        key: None,
    })
}

/// Shows a code at the north gate; `nonce` tells repeats.
pub(crate) fn scan(code: u32, direction: Direction, nonce: u8) -> Command {
    scan_at("north", Presented::Code(ticket_code(code)), direction, nonce)
}

pub(crate) fn scan_at(gate: &str, presented: Presented, direction: Direction, nonce: u8) -> Command {
    Command::ScanTicket(Box::new(ScanTicket {
        presented,
        gate: gate.to_owned(),
        direction,
        scan: ScanDigest([nonce; 16]),
        scanned_at: None,
    }))
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
            .map(|index| (1_000 * hold + index, 1_000 * hold + index))
            .map(|(id, code)| (ticket_id(id), ticket_code(code)))
            .collect(),
        package_order_id: None,
        key: None,
    }))
}

pub(crate) fn cancel(hold: u32, buyer: Option<u32>) -> Command {
    Command::CancelOrder {
        order_id: order_id(hold),
        by: buyer.map_or(CancelledBy::Staff, |buyer| CancelledBy::Buyer(buyer_id(buyer))),
    }
}

/// The same command under an idempotency key.
pub(crate) fn keyed(mut command: Command, binding: KeyBinding) -> Command {
    match &mut command {
        Command::PlaceHold(place) => place.key = Some(binding),
        Command::ConfirmHold(confirm) => confirm.key = Some(binding),
        Command::ReleaseHold { key, .. } => *key = Some(binding),
        Command::StartPayment(start) => start.key = Some(binding),
        Command::ReclaimHold(reclaim) => reclaim.confirm.key = Some(binding),
        Command::RefundTickets(refund) => refund.key = Some(binding),
        Command::TransferTicket(transfer) => transfer.key = Some(binding),
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
        Record::PaymentStarted(_) => "PaymentStarted",
        Record::HoldReclaimed(_) => "HoldReclaimed",
        Record::TicketsRefunded(_) => "TicketsRefunded",
        Record::TicketTransferred(_) => "TicketTransferred",
        Record::TicketScanned(_) => "TicketScanned",
    }
}
