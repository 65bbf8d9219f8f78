//! Payments that succeed after their hold has expired.

use onsale_domain::limits::ORDER_QUANTITY_MAX;
use onsale_domain::record::Line;
use onsale_domain::record::ReleaseReason::Buyer;
use onsale_domain::{Command, EventStatus, Record, Refusal, UnixMillis};

use super::common::*;
use super::{Expected, Records, Refused, Replayed, Sale, check, record_of};

const RECLAIMED: Expected<'static> = Records(&["HoldReclaimed"]);

/// Two tickets of 25.00, their payment begun, the hold expired.
fn expired() -> Sale {
    Sale::on_sale()
        .then(keyed(paying(place(1, 1, &[(1, 2)])), key(1, 0)))
        .later(PAYMENT_WINDOW)
        .then(Command::Advance)
}

fn late() -> Command {
    keyed(reclaim(confirm(1, 1, 5_000, 2), &[line(1, 2, 2_500)]), key(1, 0))
}

#[test]
fn a_late_payment_gets_its_tickets_while_they_are_free() {
    let sale = check(&expired(), &late(), RECLAIMED);
    assert_eq!(sale.counts(0), (0, 2));
    assert_eq!(sale.inventory.tickets_of(order_id(1)).count(), 2);
    let Record::HoldReclaimed(order) = record_of(&expired(), &late()) else {
        panic!("an order was expected")
    };
    assert_eq!(
        (order.pending_since, order.total),
        (Some(UnixMillis(OPENS)), euros(5_000))
    );
    let seq = sale.inventory.seq();
    let again = keyed(paying(place(2, 1, &[(1, 2)])), key(1, 0));
    check(&sale, &again, Replayed(seq));
    let order_id = order_id(1);
    let confirmed = || Refused(Refusal::HoldConfirmed { order_id }, "already_confirmed");
    check(&sale, &late(), confirmed());
    check(
        &sale,
        &place(1, 2, &[(1, 1)]),
        Refused(Refusal::HoldExists, "already_exists"),
    );
    check(&sale, &cancel(1, Some(1)), Records(&["OrderCancelled"]));
}

#[test]
fn a_late_payment_takes_no_unit_that_is_not_free() {
    let sale = expired()
        .then(place(2, 2, &[(1, 8)]))
        .then(place(3, 3, &[(1, 1)]));
    let available = 1;
    check(
        &sale,
        &late(),
        Refused(
            Refusal::InsufficientAvailability { available },
            "insufficient_availability",
        ),
    );
    let full = sale.then(place(4, 4, &[(1, 1)]));
    let next_expiry_at = Some(UnixMillis(full.now + HOLD_DURATION));
    check(
        &full,
        &late(),
        Refused(Refusal::AllHeld { next_expiry_at }, "all_held"),
    );
    let sold = full
        .then(confirm(2, 2, 20_000, 8))
        .then(confirm(3, 3, 2_500, 1))
        .then(confirm(4, 4, 2_500, 1));
    check(&sold, &late(), Refused(Refusal::SoldOut, "sold_out"));
    let back = sold.then(cancel(2, None));
    check(&back, &late(), RECLAIMED);
}

#[test]
fn a_late_payment_stays_within_the_buyer_limit() {
    let sale = expired().then(place(2, 1, &[(4, 7)]));
    let over = Refused(
        Refusal::BuyerLimitExceeded { limit: 8, live: 7 },
        "buyer_limit_exceeded",
    );
    check(&sale, &late(), over);
}

#[test]
fn a_late_payment_is_taken_while_the_sale_is_paused_or_closed_but_not_cancelled() {
    for status in [EventStatus::Paused, EventStatus::Closed] {
        check(&expired().then(change_status(status)), &late(), RECLAIMED);
    }
    let cancelled = expired().then(change_status(EventStatus::Cancelled));
    check(
        &cancelled,
        &late(),
        Refused(Refusal::EventCancelled, "event_cancelled"),
    );
}

#[test]
fn only_a_hold_that_expired_by_itself_can_be_reclaimed() {
    let live = Sale::on_sale().then(place(1, 1, &[(1, 2)]));
    check(&live, &late(), Refused(Refusal::HoldExists, "already_exists"));
    let released = live.clone().then(release(1, 1, Buyer));
    check(
        &released,
        &late(),
        Refused(Refusal::NotReclaimable, "not_reclaimable"),
    );
    let never = Refused(Refusal::HoldNotFound, "not_found");
    check(&Sale::on_sale(), &late(), never);
    let other = reclaim(confirm(1, 2, 5_000, 2), &[line(1, 2, 2_500)]);
    check(&expired(), &other, Refused(Refusal::HoldNotFound, "not_found"));
    check(&live, &other, Refused(Refusal::HoldNotFound, "not_found"));
}

#[test]
fn a_late_payment_must_match_what_the_hold_cost() {
    let wrong = || Refused(Refusal::PaymentMismatch, "payment_mismatch");
    let lines = [line(1, 2, 2_500)];
    check(&expired(), &reclaim(confirm(1, 1, 4_999, 2), &lines), wrong());
    check(&expired(), &reclaim(confirm(1, 1, 0, 2), &lines), wrong());
    let few = Refused(Refusal::TicketCountMismatch, "internal");
    check(&expired(), &reclaim(confirm(1, 1, 5_000, 1), &lines), few);
}

#[test]
fn lines_that_no_hold_could_have_make_no_order() {
    let huge = [line(1, u32::MAX, 1), line(4, 1, 1)];
    let table: [&[Line]; 5] = [
        &[],
        &[line(1, 0, 2_500)],
        &[line(1, 1, 2_500), line(1, 1, 2_500)],
        &huge,
        &[line(4, ORDER_QUANTITY_MAX + 1, 1)],
    ];
    for lines in table {
        let refused = Refused(
            Refusal::BadLines {
                reason: "no hold has such lines",
            },
            "validation_failed",
        );
        check(&expired(), &reclaim(confirm(1, 1, 5_000, 2), lines), refused);
    }
    let unknown = Refused(Refusal::UnknownTicketType { line: 0 }, "validation_failed");
    check(
        &expired(),
        &reclaim(confirm(1, 1, 5_000, 2), &[line(99, 2, 2_500)]),
        unknown,
    );
}
