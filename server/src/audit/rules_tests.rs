//! Each rule alone, on rows that compare would have to believe because the journal says the same.

#![allow(clippy::unwrap_used, reason = "tests")]

use onsale_persistence::audit::{CheckInRow, OrderLineRow, PaymentRow, RefundRow, TicketRow};
use uuid::Uuid;

use super::*;

const ORDER: Uuid = Uuid::from_u128(1);
const TYPE: Uuid = Uuid::from_u128(2);
const KEPT: Uuid = Uuid::from_u128(3);
const GIVEN_BACK: Uuid = Uuid::from_u128(4);
const REFUND: Uuid = Uuid::from_u128(5);

fn ticket(status: &str, refund_id: Option<Uuid>) -> TicketRow {
    TicketRow {
        order_id: ORDER,
        ticket_type_id: TYPE,
        code: "CODE".to_owned(),
        status: status.to_owned(),
        version: 1,
        owner_id: ORDER,
        refund_id,
    }
}

fn scan(direction: &str) -> CheckInRow {
    CheckInRow {
        ticket_id: KEPT,
        gate: "North".to_owned(),
        direction: direction.to_owned(),
        scanned_at_ms: 1,
        recorded_at_ms: 1,
    }
}

/// Two tickets at 10.00 with a fee of 1.00 and 19 % on top; one was given back, one let in.
fn rows() -> Rows {
    let order = OrderRow {
        buyer_id: ORDER,
        status: "partially_refunded".to_owned(),
        currency: "EUR".to_owned(),
        total_minor: 2_618,
        fees_minor: 200,
        tax_minor: 418,
        refunded_minor: 1_309,
        package_order_id: None,
        placed_at_ms: 1,
        confirmed_at_ms: Some(1),
        cancelled_at_ms: None,
        ended_at_ms: None,
    };
    let line = OrderLineRow {
        ticket_type_id: TYPE,
        quantity: 2,
        unit_price_minor: 1_000,
        unit_fee_minor: 100,
        tax_basis_points: 1_900,
        tax_inclusive: false,
    };
    let payment = PaymentRow {
        gateway: "simulated".to_owned(),
        reference: Some("sim".to_owned()),
        amount_minor: 2_618,
        currency: "EUR".to_owned(),
        status: "captured".to_owned(),
        refunded_minor: 1_309,
    };
    let refund = RefundRow {
        order_id: ORDER,
        buyer_id: ORDER,
        amount_minor: 1_309,
        currency: "EUR".to_owned(),
        status: "succeeded".to_owned(),
        requested_at_ms: 1,
        is_settled: true,
    };
    Rows {
        orders: [(ORDER, order)].into(),
        order_lines: [(ORDER, vec![line])].into(),
        payments: [(ORDER, payment)].into(),
        refunds: [(REFUND, refund)].into(),
        tickets: [
            (KEPT, ticket("used", None)),
            (GIVEN_BACK, ticket("refunded", Some(REFUND))),
        ]
        .into(),
        check_ins: [(7, scan("in"))].into(),
        ..Rows::default()
    }
}

#[track_caller]
fn found(invariant: &str, named: &str, spoil: impl FnOnce(&mut Rows)) {
    let mut rows = rows();
    spoil(&mut rows);
    let found = check(&rows).unwrap_err();
    assert_eq!(found.invariant, invariant, "{}", found.what);
    assert!(found.what.contains(named), "{}", found.what);
}

#[track_caller]
fn money(named: &str, spoil: impl FnOnce(&mut OrderRow, &mut PaymentRow, &mut RefundRow)) {
    found("I12", named, |rows| {
        let order = rows.orders.get_mut(&ORDER).unwrap();
        let payment = rows.payments.get_mut(&ORDER).unwrap();
        spoil(order, payment, rows.refunds.get_mut(&REFUND).unwrap());
    });
}

#[test]
fn rows_that_add_up_break_no_rule() {
    assert_eq!(check(&rows()), Ok(()));
    let mut inclusive = rows();
    let line = &mut inclusive.order_lines.get_mut(&ORDER).unwrap()[0];
    (line.unit_price_minor, line.tax_inclusive) = (1_209, true);
    assert_eq!(check(&inclusive), Ok(()));
}

#[test]
fn amounts_are_the_sums_of_their_parts() {
    money("its lines make", |order, _, _| order.total_minor += 1);
    money("its lines make", |order, _, _| order.fees_minor += 1);
    money("its lines make", |order, _, _| order.tax_minor += 1);
    money("its refunds make", |order, _, _| order.refunded_minor += 1);
    money("its refunds make", |_, _, refund| refund.amount_minor -= 1);
    found("I12", "its lines make", |rows| {
        rows.order_lines.clear();
    });
}

#[test]
fn a_payment_is_for_its_orders_total_and_gives_back_what_refunds_say() {
    money("another amount than the order", |_, payment, _| {
        payment.amount_minor += 1;
    });
    money("another amount than the order", |_, payment, _| {
        payment.currency = "USD".to_owned();
    });
    money("than its refunds", |_, payment, _| payment.refunded_minor = 0);
    money("than its refunds", |_, payment, _| {
        payment.status = "voided".to_owned();
    });
    money("no job", |_, payment, refund| {
        payment.refunded_minor = 0;
        refund.status = "pending".to_owned();
    });
    found("I12", "is for no order", |rows| {
        let payment = rows.payments[&ORDER].clone();
        rows.payments.insert(KEPT, payment);
    });
}

#[test]
fn captured_is_what_was_paid_refunded_and_is_pending() {
    money(
        "captured are 2618, paid orders 0, refunded 1309, pending 0",
        |order, _, _| {
            order.status = "cancelled".to_owned();
        },
    );
    money("captured are", |_, payment, _| {
        (payment.status, payment.refunded_minor) = ("refunded".to_owned(), 2_618);
    });
}

#[test]
fn an_order_has_a_ticket_for_each_unit() {
    let tickets = |named: &str, spoil: fn(&mut Rows)| found("I15", named, spoil);
    tickets("0 tickets that let in", |rows| {
        rows.tickets.remove(&KEPT);
    });
    tickets("2 tickets that let in", |rows| {
        rows.tickets.insert(ORDER, ticket("valid", None));
    });
    tickets("1 cancelled", |rows| {
        rows.tickets.insert(KEPT, ticket("cancelled", None));
    });
    tickets("did not buy", |rows| {
        let mut stray = ticket("valid", None);
        stray.ticket_type_id = ORDER;
        rows.tickets.insert(ORDER, stray);
    });
    tickets("is lost", |rows| {
        rows.tickets.get_mut(&KEPT).unwrap().status = "lost".to_owned();
    });
    tickets("by refund", |rows| {
        rows.tickets.get_mut(&KEPT).unwrap().refund_id = Some(REFUND);
    });
    tickets("by refund", |rows| {
        rows.tickets.get_mut(&GIVEN_BACK).unwrap().refund_id = Some(KEPT);
    });
}

#[test]
fn a_ticket_lets_in_once_or_by_turns() {
    let scans = |named: &str, spoil: fn(&mut Rows)| found("I15", named, spoil);
    scans("goes in twice, at 8", |rows| {
        rows.check_ins.insert(8, scan("in"));
    });
    scans("goes out twice, at 6", |rows| {
        rows.check_ins.insert(6, scan("out"));
    });
    scans("its scans say otherwise", |rows| rows.check_ins.clear());
    scans("its scans say otherwise", |rows| {
        rows.tickets.get_mut(&KEPT).unwrap().status = "valid".to_owned();
    });
    scans("which is none", |rows| {
        rows.check_ins.get_mut(&7).unwrap().ticket_id = ORDER;
        rows.tickets.get_mut(&KEPT).unwrap().status = "valid".to_owned();
    });
    let mut by_turns = rows();
    by_turns.check_ins.insert(8, scan("out"));
    by_turns.check_ins.insert(9, scan("in"));
    assert_eq!(check(&by_turns), Ok(()));
}
