//! Money that goes back for some tickets of an order.

use onsale_domain::{Direction, EventStatus, Record, Refusal, TicketStatus};

use super::common::*;
use super::{Expected, Records, Refused, Replayed, Sale, Unchanged, check, record_of};

const REFUNDED: Expected<'static> = Records(&["TicketsRefunded"]);

/// Order 1 of buyer 1: two tickets of 25.00 and one of 10.00, numbered from 1,000.
fn sold() -> Sale {
    Sale::on_sale()
        .then(place(1, 1, &[(1, 2), (2, 1)]))
        .then(confirm(1, 1, 6_000, 3))
}

fn refunded(sale: &Sale, tickets: &[u32]) -> (i64, bool) {
    match record_of(sale, &refund(1, 1, tickets)) {
        Record::TicketsRefunded(refund) => (refund.amount.amount_minor, refund.is_last),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refund_gives_back_what_its_tickets_cost_and_their_units() {
    let sale = sold();
    assert_eq!(refunded(&sale, &[1_000]), (2_500, false));
    assert_eq!(refunded(&sale, &[1_002, 1_001]), (3_500, false));
    assert_eq!(refunded(&sale, &[1_000, 1_001, 1_002]), (6_000, true));
    let sale = check(&sale, &refund(1, 1, &[1_002, 1_001]), REFUNDED);
    assert_eq!(sale.counts(0), (0, 1));
    assert_eq!(refunded(&sale, &[1_000]), (2_500, true));
    let sale = check(&sale, &refund(2, 1, &[1_000]), REFUNDED);
    assert_eq!(sale.counts(0), (0, 0));
    assert!(!sale.inventory.order(order_id(1)).unwrap().cancelled);
    check(&sale, &place(2, 1, &[(1, 8)]), Records(&["HoldPlaced"]));
}

#[test]
fn a_ticket_is_refunded_once() {
    let sale = sold().then(refund(1, 1, &[1_000]));
    let refused = || Refused(Refusal::TicketRefunded, "ticket_refunded");
    check(&sale, &refund(2, 1, &[1_000]), refused());
    check(&sale, &refund(2, 1, &[1_001, 1_000]), refused());
    let twice = Refused(
        Refusal::BadLines {
            reason: "each ticket must be named once",
        },
        "validation_failed",
    );
    check(&sale, &refund(2, 1, &[1_001, 1_001]), twice);
}

#[test]
fn a_refund_names_tickets_of_its_order() {
    let sale = sold().then(place(2, 1, &[(1, 1)])).then(confirm(2, 1, 2_500, 1));
    let none = Refused(
        Refusal::BadLines {
            reason: "each ticket must be named once",
        },
        "validation_failed",
    );
    check(&sale, &refund(1, 1, &[]), none);
    let unknown = || Refused(Refusal::TicketNotFound, "not_found");
    check(&sale, &refund(1, 1, &[1_000, 2_000]), unknown());
    check(&sale, &refund(1, 1, &[7]), unknown());
    check(
        &sale,
        &refund(1, 9, &[1_000]),
        Refused(Refusal::OrderNotFound, "not_found"),
    );
}

#[test]
fn a_refund_answers_its_key() {
    let command = keyed(refund(1, 1, &[1_000]), key(5, 0));
    let sale = sold().then(command.clone());
    let seq = sale.inventory.seq();
    check(&sale, &command, Replayed(seq));
    let other = keyed(refund(2, 1, &[1_000]), key(5, 0));
    check(&sale, &other, Replayed(seq));
    let reused = keyed(refund(2, 1, &[1_001]), key(5, 1));
    check(
        &sale,
        &reused,
        Refused(Refusal::KeyReused, "idempotency_key_reused"),
    );
}

#[test]
fn a_refunded_ticket_is_void() {
    let sale = sold().then(refund(1, 1, &[1_000]));
    let refused = || Refused(Refusal::TicketRefunded, "ticket_refunded");
    check(&sale, &scan(1_000, Direction::In, 1), refused());
    check(&sale, &transfer(1_000, 1, 2, 9), refused());
    check(&sale, &scan(1_001, Direction::In, 1), Records(&["TicketScanned"]));
}

#[test]
fn a_ticket_that_was_used_or_given_away_can_be_refunded() {
    let sale = sold()
        .then(scan(1_000, Direction::In, 1))
        .then(transfer(1_001, 1, 2, 9));
    let sale = check(&sale, &refund(1, 1, &[1_000, 1_001]), REFUNDED);
    let status = |ticket| sale.inventory.ticket(ticket_id(ticket)).unwrap().status;
    assert_eq!(
        [status(1_000), status(1_001), status(1_002)],
        [
            TicketStatus::Refunded,
            TicketStatus::Refunded,
            TicketStatus::Valid
        ]
    );
    check(&sale, &place(2, 1, &[(4, 7)]), Records(&["HoldPlaced"]));
}

#[test]
fn cancelling_after_a_refund_gives_back_what_is_left() {
    let sale = sold().then(refund(1, 1, &[1_000]));
    let Record::OrderCancelled { lines, .. } = record_of(&sale, &cancel(1, None)) else {
        panic!("a cancellation was expected")
    };
    assert_eq!(lines[..], [line(1, 1, 2_500), line(2, 1, 1_000)]);
    let cancelled = check(&sale, &cancel(1, None), Records(&["OrderCancelled"]));
    assert_eq!(cancelled.counts(0), (0, 0));
    check(
        &cancelled,
        &refund(2, 1, &[1_001]),
        Refused(Refusal::OrderCancelled, "already_cancelled"),
    );
    let status = |ticket| cancelled.inventory.ticket(ticket_id(ticket)).unwrap().status;
    assert_eq!(
        (status(1_000), status(1_001)),
        (TicketStatus::Refunded, TicketStatus::Cancelled)
    );
}

#[test]
fn an_order_that_was_refunded_whole_has_nothing_to_cancel() {
    let sale = sold().then(refund(1, 1, &[1_000, 1_001, 1_002]));
    check(&sale, &cancel(1, None), Unchanged);
    check(&sale, &cancel(1, Some(1)), Unchanged);
}

#[test]
fn a_line_is_left_out_of_a_cancellation_once_it_was_refunded() {
    let sale = sold().then(refund(1, 1, &[1_002]));
    let Record::OrderCancelled { lines, .. } = record_of(&sale, &cancel(1, None)) else {
        panic!("a cancellation was expected")
    };
    assert_eq!(lines[..], [line(1, 2, 2_500)]);
}

#[test]
fn a_buyer_cannot_cancel_what_was_used_or_given_away_but_staff_can() {
    let used = sold().then(scan(1_002, Direction::In, 1));
    check(
        &used,
        &cancel(1, Some(1)),
        Refused(Refusal::TicketUsed, "ticket_used"),
    );
    check(&used, &cancel(1, None), Records(&["OrderCancelled"]));
    let given = sold().then(transfer(1_002, 1, 2, 9));
    let away = Refused(Refusal::TicketTransferredAway, "ticket_transferred_away");
    check(&given, &cancel(1, Some(1)), away);
    check(&given, &cancel(1, None), Records(&["OrderCancelled"]));
    let returned = given.then(transfer(1_002, 2, 1, 10));
    check(&returned, &cancel(1, Some(1)), Records(&["OrderCancelled"]));
}

#[test]
fn a_ticket_given_away_and_refunded_does_not_keep_its_buyer_from_cancelling() {
    let sale = sold().then(transfer(1_002, 1, 2, 9)).then(refund(1, 1, &[1_002]));
    check(&sale, &cancel(1, Some(1)), Records(&["OrderCancelled"]));
}

#[test]
fn money_goes_back_after_the_event_was_cancelled_too() {
    let sale = sold().then(change_status(EventStatus::Cancelled));
    check(&sale, &refund(1, 1, &[1_000]), REFUNDED);
}
