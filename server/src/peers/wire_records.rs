//! A sample of every record.

use onsale_domain::money::Currency;
use onsale_domain::record::{
    ExpiredHold, HoldConfirmed, HoldPlaced, HoldReleased, IssuedTicket, Line, PaymentAuthorization,
    PaymentStarted, ReleaseReason, TicketScanned, TicketTransferred, TicketsRefunded,
};
use onsale_domain::{
    BuyerId, Direction, EventStatus, Gateway, Money, Record, RefundId, ScanDigest, UnixMillis,
};
use uuid::Uuid;

use super::samples::{
    AT, BUYER, CODE, EVENT, HOLD, KEY, ORDER, PACKAGE, TICKET, TYPE, details, line, quota, ticket_type,
};

const LATER: UnixMillis = UnixMillis(AT.0 + 1);
const TOTAL: Money = Money {
    amount_minor: 2_200,
    currency: Currency::EUR,
};

pub(super) fn records() -> Vec<Record> {
    let mut records = of_the_event();
    records.extend(of_holds());
    records.extend(of_tickets());
    records
}

fn of_the_event() -> Vec<Record> {
    vec![
        Record::EventCreated {
            at: AT,
            event_id: EVENT,
            details: details(),
        },
        Record::EventEdited {
            at: AT,
            details: details(),
        },
        Record::QuotaSet {
            at: AT,
            quota: quota(),
        },
        Record::TicketTypeSet {
            at: AT,
            ticket_type: ticket_type(),
        },
        Record::StatusChanged {
            at: AT,
            to: EventStatus::Closed,
        },
    ]
}

fn lines<L: FromIterator<Line>>() -> L {
    [line()].into_iter().collect()
}

fn confirmed() -> HoldConfirmed {
    HoldConfirmed {
        at: AT,
        hold_id: HOLD,
        buyer_id: BUYER,
        lines: lines(),
        total: TOTAL,
        payment: Some(PaymentAuthorization {
            gateway: Gateway::Midtrans,
            reference: "pi_2".to_owned(),
            amount: TOTAL,
        }),
        pending_since: Some(AT),
        package_order_id: Some(PACKAGE),
        tickets: vec![IssuedTicket {
            id: TICKET,
            ticket_type_id: TYPE,
            code: CODE,
        }],
        key: KEY,
    }
}

fn of_holds() -> Vec<Record> {
    vec![
        Record::HoldPlaced(HoldPlaced {
            at: AT,
            hold_id: HOLD,
            buyer_id: BUYER,
            lines: lines(),
            currency: Currency::EUR,
            expires_at: LATER,
            payment: Some(Gateway::Stripe),
            package_order_id: Some(PACKAGE),
            key: KEY,
        }),
        Record::HoldExtended {
            at: AT,
            hold_id: HOLD,
            expires_at: LATER,
        },
        Record::HoldReleased(HoldReleased {
            at: AT,
            hold_id: HOLD,
            buyer_id: BUYER,
            lines: lines(),
            reason: ReleaseReason::PaymentUnavailable,
            payment: Some(Gateway::Stripe),
            key: KEY,
        }),
        Record::HoldsExpired {
            at: AT,
            holds: vec![ExpiredHold {
                hold_id: HOLD,
                buyer_id: BUYER,
                lines: lines(),
                payment: Some(Gateway::Stripe),
            }],
        },
        Record::HoldConfirmed(confirmed()),
        Record::OrderCancelled {
            at: AT,
            order_id: ORDER,
            buyer_id: BUYER,
            lines: lines(),
        },
        Record::PaymentStarted(PaymentStarted {
            at: AT,
            hold_id: HOLD,
            buyer_id: BUYER,
            lines: lines(),
            total: TOTAL,
            gateway: Gateway::Midtrans,
            expires_at: LATER,
            key: KEY,
        }),
        Record::HoldReclaimed(confirmed()),
    ]
}

fn of_tickets() -> Vec<Record> {
    vec![
        Record::TicketsRefunded(TicketsRefunded {
            at: AT,
            refund_id: RefundId(Uuid::from_u128(17)),
            order_id: ORDER,
            buyer_id: BUYER,
            tickets: vec![TICKET],
            lines: lines(),
            amount: TOTAL,
            is_last: true,
            key: KEY,
        }),
        Record::TicketTransferred(TicketTransferred {
            at: AT,
            ticket_id: TICKET,
            order_id: ORDER,
            from: BUYER,
            to: BuyerId(Uuid::from_u128(13)),
            code: CODE,
            version: 2,
            key: KEY,
        }),
        Record::TicketScanned(TicketScanned {
            at: LATER,
            ticket_id: TICKET,
            ticket_type_id: TYPE,
            gate: "North".to_owned(),
            direction: Direction::Out,
            scanned_at: AT,
            scan: ScanDigest([15; 16]),
        }),
    ]
}
