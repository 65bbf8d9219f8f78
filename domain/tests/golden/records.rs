//! The records of version 1's golden journal, in the order in which one event could have made them, as what they mean
//! now.

use onsale_domain::id::TicketCode;
use onsale_domain::money::Currency;
use onsale_domain::record::{
    ExpiredHold, HoldConfirmed, HoldPlaced, HoldReleased, IssuedTicket, KeyBinding, Lines, ReleaseReason,
};
use onsale_domain::{EventDetails, EventStatus, Record, UnixMillis};

use super::common::*;

const PLACED: i64 = OPENS + MINUTE;

fn lines() -> Lines {
    [line(1, 2, 2_500), line(2, 1, 0)].into_iter().collect()
}

fn placed(hold: u32, key: Option<KeyBinding>) -> Record {
    Record::HoldPlaced(HoldPlaced {
        at: UnixMillis(PLACED),
        hold_id: hold_id(hold),
        buyer_id: buyer_id(1),
        lines: lines(),
        currency: Currency::EUR,
        expires_at: UnixMillis(PLACED + HOLD_DURATION),
        payment: None,
        package_order_id: None,
        key,
    })
}

fn released(hold: u32, reason: ReleaseReason, key: Option<KeyBinding>) -> Record {
    Record::HoldReleased(HoldReleased {
        at: UnixMillis(PLACED + 1),
        hold_id: hold_id(hold),
        buyer_id: buyer_id(1),
        lines: lines(),
        reason,
        payment: None,
        key,
    })
}

fn confirmed(hold: u32, lines: Lines, total: i64) -> Record {
    let tickets = lines
        .iter()
        .flat_map(|line| (0..line.quantity).map(|_| line.ticket_type_id));
    Record::HoldConfirmed(HoldConfirmed {
        at: UnixMillis(PLACED + 2),
        hold_id: hold_id(hold),
        buyer_id: buyer_id(1),
        total: euros(total),
        payment: (total > 0).then(|| authorization(euros(total))),
        pending_since: None,
        package_order_id: None,
        tickets: (0..)
            .zip(tickets)
            .map(|(index, ticket_type_id)| IssuedTicket {
                id: ticket_id(index),
                ticket_type_id,
                code: TicketCode([0, 1, 2, 3, 4, 250, 251, 252, 253, 254]),
            })
            .collect(),
        lines,
        key: Some(key(7, 8)),
    })
}

fn status(to: EventStatus, at: i64) -> Record {
    Record::StatusChanged {
        at: UnixMillis(at),
        to,
    }
}

/// The definition's records.
fn staff() -> Vec<(&'static str, Record)> {
    let at = UnixMillis(START);
    let edited = EventDetails {
        buyer_limit: None,
        description: String::new(),
        currency: Currency::EUR,
        ..details()
    };
    vec![
        (
            "event_created",
            Record::EventCreated {
                at,
                event_id: event_id(),
                details: details(),
            },
        ),
        ("event_edited", Record::EventEdited { at, details: edited }),
        (
            "quota_set",
            Record::QuotaSet {
                at,
                quota: quota(1, 1_000_000),
            },
        ),
        (
            "ticket_type_set",
            Record::TicketTypeSet {
                at,
                ticket_type: ticket_type(1, 1, 2_500),
            },
        ),
        (
            "ticket_type_set_free",
            Record::TicketTypeSet {
                at,
                ticket_type: ticket_type(2, 1, 0),
            },
        ),
        ("published", status(EventStatus::Published, START)),
        ("on_sale", status(EventStatus::OnSale, OPENS)),
    ]
}

/// Every golden record of version 1 with its name.
pub(crate) fn v1_records() -> Vec<(&'static str, Record)> {
    let mut records = staff();
    records.extend([
        ("hold_placed", placed(1, None)),
        ("hold_placed_with_key", placed(2, Some(key(1, 2)))),
        (
            "hold_extended",
            Record::HoldExtended {
                at: UnixMillis(PLACED + 1),
                hold_id: hold_id(1),
                expires_at: UnixMillis(PLACED + HOLD_LIFETIME),
            },
        ),
        ("hold_released_by_buyer", released(1, ReleaseReason::Buyer, None)),
        (
            "hold_released_declined",
            released(2, ReleaseReason::PaymentDeclined, Some(key(1, 2))),
        ),
        ("hold_placed_again", placed(3, Some(key(3, 4)))),
        (
            "hold_released_unavailable",
            released(3, ReleaseReason::PaymentUnavailable, Some(key(3, 4))),
        ),
        ("hold_placed_to_be_paid", placed(4, None)),
        ("hold_confirmed", confirmed(4, lines(), 5_000)),
        (
            "order_cancelled",
            Record::OrderCancelled {
                at: UnixMillis(PLACED + 3),
                order_id: order_id(4),
                buyer_id: buyer_id(1),
                lines: lines(),
            },
        ),
        ("hold_placed_to_expire", placed(5, None)),
        (
            "holds_expired",
            Record::HoldsExpired {
                at: UnixMillis(PLACED + HOLD_DURATION),
                holds: vec![ExpiredHold {
                    hold_id: hold_id(5),
                    buyer_id: buyer_id(1),
                    lines: lines(),
                    payment: None,
                }],
            },
        ),
        ("free_hold_placed", free_placed(6)),
        (
            "free_hold_confirmed",
            confirmed(6, [line(2, 1, 0)].into_iter().collect(), 0),
        ),
        ("paused", status(EventStatus::Paused, CLOSES - 1)),
        ("closed", status(EventStatus::Closed, CLOSES)),
        ("cancelled", status(EventStatus::Cancelled, CLOSES + 1)),
    ]);
    records
}

fn free_placed(hold: u32) -> Record {
    match placed(hold, None) {
        Record::HoldPlaced(placed) => Record::HoldPlaced(HoldPlaced {
            lines: [line(2, 1, 0)].into_iter().collect(),
            ..placed
        }),
        other => other,
    }
}
