//! The golden journal's records, in the order in which one event could have made them.

use onsale_domain::record::{
    ExpiredHold, HoldConfirmed, HoldPlaced, HoldReleased, IssuedTicket, KeyBinding, Line, Lines,
    PaymentAuthorization, PaymentStarted, ReleaseReason, TicketScanned, TicketTransferred, TicketsRefunded,
};
use onsale_domain::{
    Direction, EventDetails, EventStatus, Gateway, Record, ScanDigest, Tax, TicketType, UnixMillis,
};

use super::common::*;

const PLACED: i64 = OPENS + MINUTE;
const ON_TOP: Tax = Tax {
    basis_points: 1_900,
    inclusive: false,
};

/// Two tickets of 25.00 with a fee of 1.50 and 19 % on top, one that is free.
fn lines() -> Lines {
    let dear = Line {
        unit_fee_minor: 150,
        tax: ON_TOP,
        ..line(1, 2, 2_500)
    };
    [dear, line(2, 1, 0)].into_iter().collect()
}

const TOTAL: i64 = 2 * (2_650 + 504);

fn placed(
    hold: u32,
    payment: Option<Gateway>,
    package_order: Option<u32>,
    key: Option<KeyBinding>,
) -> Record {
    let duration = if payment.is_some() {
        PAYMENT_WINDOW
    } else {
        HOLD_DURATION
    };
    Record::HoldPlaced(HoldPlaced {
        at: UnixMillis(PLACED),
        hold_id: hold_id(hold),
        buyer_id: buyer_id(1),
        lines: lines(),
        currency: onsale_domain::money::Currency::EUR,
        expires_at: UnixMillis(PLACED + duration),
        payment,
        package_order_id: package_order.map(package_order_id),
        key,
    })
}

fn released(hold: u32, reason: ReleaseReason, payment: Option<Gateway>, key: Option<KeyBinding>) -> Record {
    Record::HoldReleased(HoldReleased {
        at: UnixMillis(PLACED + 1),
        hold_id: hold_id(hold),
        buyer_id: buyer_id(1),
        lines: lines(),
        reason,
        payment,
        key,
    })
}

/// Its tickets are numbered `1_000 * hold`, and so on.
fn order(hold: u32, pending_since: Option<i64>, package_order: Option<u32>) -> HoldConfirmed {
    let tickets = [1, 1, 2];
    HoldConfirmed {
        at: UnixMillis(PLACED + 2),
        hold_id: hold_id(hold),
        buyer_id: buyer_id(1),
        lines: lines(),
        total: euros(TOTAL),
        payment: Some(PaymentAuthorization {
            gateway: Gateway::Stripe,
            reference: "pi_3N".to_owned(),
            amount: euros(TOTAL),
        }),
        pending_since: pending_since.map(UnixMillis),
        package_order_id: package_order.map(package_order_id),
        tickets: (1_000 * hold..)
            .zip(tickets)
            .map(|(number, ticket_type)| IssuedTicket {
                id: ticket_id(number),
                ticket_type_id: ticket_type_id(ticket_type),
                code: ticket_code(number),
            })
            .collect(),
        key: Some(key(7, 8)),
    }
}

fn refunded(order: u32, tickets: &[u32], lines: &[Line], amount: i64, is_last: bool) -> Record {
    Record::TicketsRefunded(TicketsRefunded {
        at: UnixMillis(PLACED + 5),
        refund_id: refund_id(order),
        order_id: order_id(order),
        buyer_id: buyer_id(1),
        tickets: tickets.iter().copied().map(ticket_id).collect(),
        lines: lines.iter().copied().collect(),
        amount: euros(amount),
        is_last,
        key: Some(key(9, 9)),
    })
}

fn scanned(ticket: u32, direction: Direction, nonce: u8) -> Record {
    Record::TicketScanned(TicketScanned {
        at: UnixMillis(PLACED + 6),
        ticket_id: ticket_id(ticket),
        ticket_type_id: ticket_type_id(1),
        gate: "north".to_owned(),
        direction,
        scanned_at: UnixMillis(PLACED + 4),
        scan: ScanDigest([nonce; 16]),
    })
}

fn status(to: EventStatus, at: i64) -> Record {
    let at = UnixMillis(at);
    Record::StatusChanged { at, to }
}

/// The definition's records.
fn staff() -> Vec<(&'static str, Record)> {
    let at = UnixMillis(START);
    let edited = EventDetails {
        buyer_limit: None,
        check_in_opens_at: Some(UnixMillis(PLACED + 3)),
        re_entry: true,
        ..details()
    };
    let taxed = TicketType {
        unit_fee_minor: 150,
        tax: ON_TOP,
        ..ticket_type(1, 1, 2_500)
    };
    let created = Record::EventCreated {
        at,
        event_id: event_id(),
        details: details(),
    };
    let quota = Record::QuotaSet {
        at,
        quota: quota(1, 1_000_000),
    };
    let type_set = |ticket_type| Record::TicketTypeSet { at, ticket_type };
    vec![
        ("event_created", created),
        ("event_edited", Record::EventEdited { at, details: edited }),
        ("quota_set", quota),
        ("ticket_type_set", type_set(taxed)),
        ("ticket_type_set_free", type_set(ticket_type(2, 1, 0))),
        ("published", status(EventStatus::Published, START)),
        ("on_sale", status(EventStatus::OnSale, OPENS)),
    ]
}

fn holds() -> Vec<(&'static str, Record)> {
    let extended = Record::HoldExtended {
        at: UnixMillis(PLACED + 1),
        hold_id: hold_id(1),
        expires_at: UnixMillis(PLACED + HOLD_LIFETIME),
    };
    let started = Record::PaymentStarted(PaymentStarted {
        at: UnixMillis(PLACED + 1),
        hold_id: hold_id(1),
        buyer_id: buyer_id(1),
        lines: lines(),
        total: euros(TOTAL),
        gateway: Gateway::Stripe,
        expires_at: UnixMillis(PLACED + 1 + PAYMENT_WINDOW),
        key: Some(key(3, 4)),
    });
    let (declined, unavailable) = (ReleaseReason::PaymentDeclined, ReleaseReason::PaymentUnavailable);
    let midtrans = Some(Gateway::Midtrans);
    vec![
        ("hold_placed", placed(1, None, None, None)),
        ("hold_placed_with_key", placed(2, None, None, Some(key(1, 2)))),
        ("hold_placed_paying", placed(3, midtrans, None, Some(key(5, 6)))),
        (
            "hold_placed_as_leg",
            placed(4, Some(Gateway::Simulated), Some(1), None),
        ),
        ("hold_extended", extended),
        ("payment_started", started),
        (
            "hold_released_by_buyer",
            released(2, ReleaseReason::Buyer, None, None),
        ),
        (
            "hold_released_declined",
            released(3, declined, midtrans, Some(key(5, 6))),
        ),
        (
            "hold_released_unavailable",
            released(1, unavailable, Some(Gateway::Stripe), Some(key(3, 4))),
        ),
        (
            "hold_released_with_its_package",
            released(4, ReleaseReason::Package, Some(Gateway::Simulated), None),
        ),
    ]
}

/// Every golden record with its name.
pub(crate) fn records() -> Vec<(&'static str, Record)> {
    let mut records = staff();
    records.extend(holds());
    let expired = Record::HoldsExpired {
        at: UnixMillis(PLACED + HOLD_DURATION),
        holds: vec![ExpiredHold {
            hold_id: hold_id(7),
            buyer_id: buyer_id(1),
            lines: lines(),
            payment: Some(Gateway::Stripe),
        }],
    };
    let dear = Line {
        quantity: 1,
        ..lines()[0]
    };
    let transferred = Record::TicketTransferred(TicketTransferred {
        at: UnixMillis(PLACED + 3),
        ticket_id: ticket_id(5_000),
        order_id: order_id(5),
        from: buyer_id(1),
        to: buyer_id(2),
        code: ticket_code(1),
        version: 2,
        key: Some(key(11, 12)),
    });
    let cancelled = Record::OrderCancelled {
        at: UnixMillis(PLACED + 7),
        order_id: order_id(6),
        buyer_id: buyer_id(1),
        lines: lines(),
    };
    records.extend([
        (
            "hold_placed_to_be_paid",
            placed(5, Some(Gateway::Stripe), None, None),
        ),
        (
            "hold_confirmed",
            Record::HoldConfirmed(order(5, Some(PLACED), None)),
        ),
        ("leg_placed_to_be_paid", placed(6, None, Some(2), None)),
        ("leg_confirmed", Record::HoldConfirmed(order(6, None, Some(2)))),
        (
            "hold_placed_to_expire",
            placed(7, Some(Gateway::Stripe), None, None),
        ),
        ("holds_expired", expired),
        (
            "hold_reclaimed",
            Record::HoldReclaimed(order(7, Some(PLACED), None)),
        ),
        ("ticket_transferred", transferred),
        ("tickets_refunded", refunded(5, &[5_001], &[dear], 3_154, false)),
        (
            "tickets_refunded_last",
            refunded(7, &[7_000, 7_001, 7_002], &lines(), TOTAL, true),
        ),
        ("ticket_scanned_in", scanned(5_000, Direction::In, 1)),
        ("ticket_scanned_out", scanned(5_000, Direction::Out, 2)),
        ("order_cancelled", cancelled),
        ("paused", status(EventStatus::Paused, CLOSES - 1)),
        ("closed", status(EventStatus::Closed, CLOSES)),
        ("cancelled", status(EventStatus::Cancelled, CLOSES + 1)),
    ]);
    records
}
