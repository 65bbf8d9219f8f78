//! Confirming holds and cancelling orders.

use onsale_domain::money::Currency;
use onsale_domain::record::ReleaseReason::Buyer;
use onsale_domain::{Command, EventStatus, Money, Record, Refusal};

use super::common::*;
use super::{Records, Refused, Sale, Unchanged, check};

const CONFIRMED: super::Expected<'static> = Records(&["HoldConfirmed"]);

fn held() -> Sale {
    Sale::on_sale().then(place(1, 1, &[(1, 2), (2, 1)]))
}

#[test]
fn confirming_turns_the_hold_into_an_order_with_tickets() {
    let sale = check(&held(), &confirm(1, 1, 6_000, 3), CONFIRMED);
    assert_eq!(sale.counts(0), (0, 3));
    assert!(sale.inventory.hold(hold_id(1)).is_none());
    let order = sale.inventory.order(order_id(1)).unwrap();
    assert_eq!((order.buyer_id, order.cancelled), (buyer_id(1), false));
}

#[test]
fn tickets_follow_the_order_of_the_lines() {
    let mut inventory = held().inventory;
    let decision = inventory
        .apply(&confirm(1, 1, 6_000, 3), onsale_domain::UnixMillis(OPENS))
        .unwrap();
    let onsale_domain::Decision::Recorded(records) = decision else {
        panic!("{decision:?}")
    };
    let [Record::HoldConfirmed(order)] = &records[..] else {
        panic!("{records:?}")
    };
    assert_eq!(order.total, euros(6_000));
    let types: Vec<_> = order.tickets.iter().map(|ticket| ticket.ticket_type_id).collect();
    assert_eq!(types, [ticket_type_id(1), ticket_type_id(1), ticket_type_id(2)]);
    let ids: Vec<_> = order.tickets.iter().map(|ticket| ticket.id).collect();
    assert_eq!(ids, [ticket_id(1_000), ticket_id(1_001), ticket_id(1_002)]);
}

#[test]
fn a_payment_must_match_the_total_and_its_currency() {
    let wrong = || Refused(Refusal::PaymentMismatch, "payment_mismatch");
    let dollars = Money {
        amount_minor: 6_000,
        currency: Currency::USD,
    };
    for paid in [
        None,
        Some(euros(5_999)),
        Some(euros(6_001)),
        Some(euros(-6_000)),
        Some(dollars),
    ] {
        check(&held(), &confirm_paid_with(1, 1, paid, 3), wrong());
    }
    let free = Sale::on_sale().then(place(1, 1, &[(3, 2)]));
    check(&free, &confirm_paid_with(1, 1, Some(euros(0)), 2), wrong());
    check(&free, &confirm_paid_with(1, 1, Some(euros(1)), 2), wrong());
}

#[test]
fn a_free_order_needs_no_payment() {
    let free = Sale::on_sale().then(place(1, 1, &[(3, 2)]));
    let sale = check(&free, &confirm_paid_with(1, 1, None, 2), CONFIRMED);
    assert_eq!(sale.counts(1), (0, 2));
}

#[test]
fn as_many_ticket_ids_as_tickets_must_come() {
    for tickets in [0, 2, 4] {
        let wrong = Refused(Refusal::TicketCountMismatch, "internal");
        check(&held(), &confirm(1, 1, 6_000, tickets), wrong);
    }
}

#[test]
fn a_ticket_has_an_id_and_a_code_that_no_other_has() {
    let sold = held().then(confirm(1, 1, 6_000, 3)).then(place(2, 1, &[(1, 2)]));
    let with = |tickets: [(u32, u32); 2]| {
        let mut command = confirm(2, 1, 5_000, 2);
        if let Command::ConfirmHold(confirm) = &mut command {
            confirm.tickets = tickets
                .into_iter()
                .map(|(id, code)| (ticket_id(id), ticket_code(code)))
                .collect();
        }
        command
    };
    for alike in [
        [(2_000, 2_000), (2_000, 2_001)],
        [(2_000, 2_000), (2_001, 2_000)],
        [(2_000, 2_000), (1_000, 2_001)],
        [(2_000, 1_000), (2_001, 2_001)],
    ] {
        check(&sold, &with(alike), Refused(Refusal::TicketExists, "internal"));
    }
    let given = sold.then(transfer(1_000, 1, 2, 9));
    let dead_code = with([(2_000, 1_000), (2_001, 2_001)]);
    check(&given, &dead_code, Refused(Refusal::TicketExists, "internal"));
    check(&given, &with([(2_000, 2_000), (2_001, 2_001)]), CONFIRMED);
}

#[test]
fn only_the_buyers_own_live_hold_can_be_confirmed() {
    let not_found = || Refused(Refusal::HoldNotFound, "not_found");
    let pay = confirm(1, 1, 6_000, 3);
    check(&held(), &confirm(1, 2, 6_000, 3), not_found());
    check(&held(), &confirm(2, 1, 6_000, 3), not_found());
    let confirmed = held().then(pay.clone());
    let order_id = order_id(1);
    check(
        &confirmed,
        &pay,
        Refused(Refusal::HoldConfirmed { order_id }, "already_confirmed"),
    );
    let cancelled = confirmed.then(cancel(1, None));
    check(
        &cancelled,
        &pay,
        Refused(Refusal::HoldConfirmed { order_id }, "already_confirmed"),
    );
    let released = held().then(release(1, 1, Buyer));
    check(
        &released,
        &pay,
        Refused(Refusal::HoldReleased, "already_released"),
    );
    let expired = held().later(HOLD_DURATION).then(Command::Advance);
    check(&expired, &pay, Refused(Refusal::HoldExpired, "hold_expired"));
}

#[test]
fn a_live_hold_can_be_paid_while_the_sale_is_paused_or_closed_but_not_cancelled() {
    let pay = confirm(1, 1, 6_000, 3);
    for status in [EventStatus::Paused, EventStatus::Closed] {
        check(&held().then(change_status(status)), &pay, CONFIRMED);
    }
    let cancelled = held().then(change_status(EventStatus::Cancelled));
    check(
        &cancelled,
        &pay,
        Refused(Refusal::EventCancelled, "event_cancelled"),
    );
}

#[test]
fn a_hold_placed_before_the_end_of_the_sale_can_be_paid_after_it() {
    let sale = Sale::on_sale()
        .at(CLOSES - 1)
        .then(place(1, 1, &[(1, 1)]))
        .at(CLOSES + MINUTE);
    let sale = check(
        &sale,
        &confirm(1, 1, 2_500, 1),
        Records(&["StatusChanged", "HoldConfirmed"]),
    );
    assert_eq!(sale.status(), EventStatus::Closed);
}

#[test]
fn cancelling_an_order_frees_its_units_once() {
    let sold = held().then(confirm(1, 1, 6_000, 3));
    let not_found = || Refused(Refusal::OrderNotFound, "not_found");
    check(&sold, &cancel(2, None), not_found());
    check(&sold, &cancel(1, Some(2)), not_found());
    check(&held(), &cancel(1, Some(1)), not_found());
    check(&sold, &cancel(1, None), Records(&["OrderCancelled"]));
    let cancelled = check(&sold, &cancel(1, Some(1)), Records(&["OrderCancelled"]));
    assert_eq!(cancelled.counts(0), (0, 0));
    check(&cancelled, &cancel(1, Some(1)), Unchanged);
    check(&cancelled, &cancel(1, None), Unchanged);
    check(&cancelled, &cancel(1, Some(2)), not_found());
}

#[test]
fn an_order_can_be_cancelled_after_the_sale() {
    let sold = held().then(confirm(1, 1, 6_000, 3));
    check(
        &sold.clone().then(change_status(EventStatus::Cancelled)),
        &cancel(1, None),
        Records(&["OrderCancelled"]),
    );
    check(
        &sold.at(CLOSES),
        &cancel(1, None),
        Records(&["StatusChanged", "OrderCancelled"]),
    );
}
