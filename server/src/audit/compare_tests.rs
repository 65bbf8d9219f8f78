//! What agrees and what does not.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use onsale_persistence::audit::{CheckInRow, Counters, TicketRow};

const ID: Uuid = Uuid::from_u128(7);

fn rows() -> Rows {
    let counters = Counters {
        capacity: 10,
        held: 1,
        sold: 2,
    };
    Rows {
        watermark: 5,
        event_status: Some("on_sale".to_owned()),
        quotas: BTreeMap::from([(ID, counters)]),
        orders: BTreeMap::from([(
            ID,
            OrderRow {
                buyer_id: ID,
                status: "confirmed".to_owned(),
                currency: "EUR".to_owned(),
                total_minor: 500,
                fees_minor: 0,
                tax_minor: 0,
                refunded_minor: 0,
                package_order_id: None,
                placed_at_ms: 1,
                confirmed_at_ms: Some(1),
                cancelled_at_ms: None,
                ended_at_ms: None,
            },
        )]),
        tickets: BTreeMap::from([(
            ID,
            TicketRow {
                order_id: ID,
                ticket_type_id: ID,
                code: "CODE".to_owned(),
                status: "valid".to_owned(),
                version: 1,
                owner_id: ID,
                refund_id: None,
            },
        )]),
        payments: BTreeMap::from([(
            ID,
            PaymentRow {
                gateway: "simulated".to_owned(),
                reference: Some("sim".to_owned()),
                amount_minor: 500,
                currency: "EUR".to_owned(),
                status: "authorized".to_owned(),
                refunded_minor: 0,
            },
        )]),
        ..Rows::default()
    }
}

fn check(spoil: impl FnOnce(&mut Rows), invariant: Option<&str>) {
    let mut stored = rows();
    spoil(&mut stored);
    let found = compare(&rows(), &stored).err();
    assert_eq!(
        found.as_ref().map(|found| found.invariant),
        invariant,
        "{found:?}"
    );
}

#[test]
fn rows_that_follow_from_the_records_agree() {
    check(|_| {}, None);
    check(
        |rows| rows.payments.get_mut(&ID).unwrap().status = "captured".to_owned(),
        None,
    );
    check(
        |rows| rows.payments.get_mut(&ID).unwrap().status = "quarantined".to_owned(),
        None,
    );
}

#[test]
fn every_difference_is_named_by_its_invariant() {
    check(|rows| rows.watermark = 4, Some("I8"));
    check(|rows| rows.event_status = None, Some("I13"));
    check(|rows| rows.quotas.get_mut(&ID).unwrap().sold = 3, Some("I8"));
    check(|rows| rows.orders.clear(), Some("I8"));
    check(
        |rows| rows.tickets.get_mut(&ID).unwrap().code = "OTHER".to_owned(),
        Some("I15"),
    );
    check(
        |rows| rows.tickets.get_mut(&ID).unwrap().status = "cancelled".to_owned(),
        Some("I15"),
    );
    check(
        |rows| rows.payments.get_mut(&ID).unwrap().amount_minor = 1,
        Some("I12"),
    );
    check(
        |rows| rows.payments.get_mut(&ID).unwrap().status = "voided".to_owned(),
        Some("I12"),
    );
    let stray = |rows: &mut Rows| {
        let order = rows.orders[&ID].clone();
        rows.orders.insert(Uuid::from_u128(8), order);
    };
    check(stray, Some("I8"));
    let scan = |rows: &mut Rows| {
        let row = CheckInRow {
            ticket_id: ID,
            gate: "North".to_owned(),
            direction: "in".to_owned(),
            scanned_at_ms: 1,
            recorded_at_ms: 1,
        };
        rows.check_ins.insert(4, row);
    };
    check(scan, Some("I15"));
    check(
        |rows| rows.orders.get_mut(&ID).unwrap().status = "paid".to_owned(),
        Some("I13"),
    );
    check(
        |rows| rows.orders.get_mut(&ID).unwrap().fees_minor = 1,
        Some("I12"),
    );
    check(
        |rows| rows.orders.get_mut(&ID).unwrap().ended_at_ms = Some(1),
        Some("I8"),
    );
}
