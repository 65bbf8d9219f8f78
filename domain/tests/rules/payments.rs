//! Payments that take their time: an order is pending, and its hold stays.

use onsale_domain::limits::HOLD_OVERDUE_MS;
use onsale_domain::record::ReleaseReason::{Buyer, PaymentDeclined, PaymentUnavailable};
use onsale_domain::{Command, EventDetails, EventStatus, Gateway, Record, Refusal, UnixMillis};

use super::common::*;
use super::{Records, Refused, Replayed, Sale, Unchanged, check, record_of};

const STARTED: super::Expected<'static> = Records(&["PaymentStarted"]);

fn held() -> Sale {
    Sale::on_sale().then(place(1, 1, &[(1, 2)]))
}

fn ends(sale: &Sale) -> i64 {
    sale.inventory.hold(hold_id(1)).unwrap().expires_at.0
}

#[test]
fn a_hold_under_payment_does_not_end_while_the_provider_decides() {
    let sale = held().later(HOLD_DURATION - 1);
    let sale = check(&sale, &start(1, 1), STARTED);
    assert_eq!(ends(&sale), sale.now + PAYMENT_WINDOW);
    check(
        &sale.clone().later(PAYMENT_WINDOW - 1),
        &Command::Advance,
        Unchanged,
    );
    let expired = check(
        &sale.clone().later(PAYMENT_WINDOW),
        &Command::Advance,
        Records(&["HoldsExpired"]),
    );
    assert_eq!(expired.inventory.pending_payment(hold_id(1)), None);
    let Record::HoldsExpired { holds, .. } = record_of(&sale.later(PAYMENT_WINDOW), &Command::Advance) else {
        panic!("an expiry was expected")
    };
    assert_eq!(
        holds[0].payment,
        Some(Gateway::Simulated),
        "somebody must look after its payment"
    );
}

#[test]
fn a_payment_never_shortens_its_hold() {
    let patient = EventDetails {
        hold_duration_ms: HOUR,
        hold_lifetime_ms_max: 2 * HOUR,
        ..details()
    };
    let sale = Sale::on_sale_with(patient).then(place(1, 1, &[(1, 1)]));
    let sale = check(&sale, &start(1, 1), STARTED);
    assert_eq!(ends(&sale), OPENS + HOUR);
}

#[test]
fn a_purchase_in_one_call_begins_its_payment_with_its_hold() {
    let sale = check(
        &Sale::on_sale(),
        &paying(place(1, 1, &[(1, 1)])),
        Records(&["HoldPlaced"]),
    );
    assert_eq!(ends(&sale), OPENS + PAYMENT_WINDOW);
    let pending = sale.inventory.pending_payment(hold_id(1)).unwrap();
    assert_eq!(
        (pending.gateway, pending.started_at),
        (Gateway::Simulated, UnixMillis(OPENS))
    );
    check(
        &sale,
        &start(1, 1),
        Refused(Refusal::PaymentInProgress, "payment_in_progress"),
    );
    check(&sale, &confirm(1, 1, 2_500, 1), Records(&["HoldConfirmed"]));
}

#[test]
fn a_free_purchase_in_one_call_has_no_payment() {
    let sale = check(
        &Sale::on_sale(),
        &paying(place(1, 1, &[(3, 1)])),
        Records(&["HoldPlaced"]),
    );
    assert_eq!(sale.inventory.pending_payment(hold_id(1)), None);
    assert_eq!(ends(&sale), OPENS + HOLD_DURATION);
    check(
        &sale,
        &start(1, 1),
        Refused(Refusal::NothingToPay, "nothing_to_pay"),
    );
    check(&sale, &confirm(1, 1, 0, 1), Records(&["HoldConfirmed"]));
}

#[test]
fn a_hold_is_paid_once_at_a_time() {
    let sale = held().then(keyed(start(1, 1), key(1, 0)));
    let under_way = || Refused(Refusal::PaymentInProgress, "payment_in_progress");
    check(&sale, &start(1, 1), under_way());
    check(&sale, &keyed(start(1, 1), key(2, 0)), under_way());
}

#[test]
fn only_the_buyers_own_live_hold_can_be_paid() {
    check(&held(), &start(1, 2), Refused(Refusal::HoldNotFound, "not_found"));
    check(&held(), &start(2, 1), Refused(Refusal::HoldNotFound, "not_found"));
    let released = held().then(release(1, 1, Buyer));
    check(
        &released,
        &start(1, 1),
        Refused(Refusal::HoldReleased, "already_released"),
    );
    let overdue = held().later(HOLD_DURATION + HOLD_OVERDUE_MS + 1);
    check(
        &overdue,
        &start(1, 1),
        Refused(Refusal::HoldExpired, "hold_expired"),
    );
    let expired = overdue.then(Command::Advance);
    check(
        &expired,
        &start(1, 1),
        Refused(Refusal::HoldExpired, "hold_expired"),
    );
    let confirmed = held().then(confirm(1, 1, 5_000, 2));
    let order_id = order_id(1);
    check(
        &confirmed,
        &start(1, 1),
        Refused(Refusal::HoldConfirmed { order_id }, "already_confirmed"),
    );
}

#[test]
fn a_payment_can_begin_while_the_sale_is_paused_or_closed_but_not_cancelled() {
    for status in [EventStatus::Paused, EventStatus::Closed] {
        check(&held().then(change_status(status)), &start(1, 1), STARTED);
    }
    let cancelled = held()
        .then(start(1, 1))
        .then(change_status(EventStatus::Cancelled));
    let refused = || Refused(Refusal::EventCancelled, "event_cancelled");
    check(&cancelled, &confirm(1, 1, 5_000, 2), refused());
    check(
        &cancelled,
        &release(1, 1, PaymentUnavailable),
        Records(&["HoldReleased"]),
    );
    let cancelled = held().then(change_status(EventStatus::Cancelled));
    check(&cancelled, &start(1, 1), refused());
}

#[test]
fn an_order_says_since_when_it_was_pending() {
    let sale = held().later(MINUTE).then(start(1, 1)).later(MINUTE);
    let Record::HoldConfirmed(order) = record_of(&sale, &confirm(1, 1, 5_000, 2)) else {
        panic!("an order was expected")
    };
    assert_eq!(order.pending_since, Some(UnixMillis(OPENS + MINUTE)));
    let Record::HoldConfirmed(order) = record_of(&held(), &confirm(1, 1, 5_000, 2)) else {
        panic!("an order was expected")
    };
    assert_eq!(order.pending_since, None);
}

#[test]
fn the_outcome_answers_the_key_that_the_payment_began_under() {
    let began = key(1, 0);
    let sale = held().then(keyed(start(1, 1), began));
    let started_at = sale.inventory.seq();
    check(&sale, &keyed(start(1, 1), began), Replayed(started_at));
    let outcomes = [
        // Whoever hears from the provider has no key, and a second caller has another.
        (confirm(1, 1, 5_000, 2), "HoldConfirmed"),
        (keyed(confirm(1, 1, 5_000, 2), key(2, 0)), "HoldConfirmed"),
        (keyed(confirm(1, 1, 5_000, 2), began), "HoldConfirmed"),
        (release(1, 1, PaymentDeclined), "HoldReleased"),
        (release(1, 1, Buyer), "HoldReleased"),
    ];
    for (outcome, kind) in outcomes {
        assert_eq!(record_of(&sale, &outcome).key(), Some(began));
        let decided = check(&sale, &outcome, Records(&[kind]));
        let seq = decided.inventory.seq();
        check(&decided, &keyed(start(1, 1), began), Replayed(seq));
        check(&decided, &keyed(confirm(1, 1, 5_000, 2), began), Replayed(seq));
    }
}

#[test]
fn a_payment_without_a_key_is_answered_under_the_key_of_its_outcome() {
    let sale = held().then(start(1, 1));
    let confirm = keyed(confirm(1, 1, 5_000, 2), key(2, 0));
    assert_eq!(record_of(&sale, &confirm).key(), Some(key(2, 0)));
}

#[test]
fn a_payment_that_the_provider_cut_off_frees_its_key() {
    let began = key(1, 0);
    for cut_off in [
        release(1, 1, PaymentUnavailable),
        keyed(release(1, 1, PaymentUnavailable), key(2, 0)),
    ] {
        let sale = held().then(keyed(start(1, 1), began)).then(cut_off);
        let sale = sale.then(place(2, 1, &[(1, 1)]));
        check(&sale, &keyed(start(2, 1), began), STARTED);
    }
}

#[test]
fn a_key_of_one_holds_payment_is_no_other_holds() {
    let sale = held()
        .then(place(2, 1, &[(1, 1)]))
        .then(keyed(start(1, 1), key(1, 0)));
    let reused = || Refused(Refusal::KeyReused, "idempotency_key_reused");
    check(&sale, &keyed(start(2, 1), key(1, 0)), reused());
    check(&sale, &keyed(start(1, 1), key(1, 1)), reused());
    check(&sale, &keyed(confirm(2, 1, 2_500, 1), key(1, 0)), reused());
}

#[test]
fn the_end_of_a_hold_names_the_gateway_that_must_hear_of_it() {
    let Record::HoldReleased(released) = record_of(&held().then(start(1, 1)), &release(1, 1, Buyer)) else {
        panic!("a release was expected")
    };
    assert_eq!(released.payment, Some(Gateway::Simulated));
    let Record::HoldReleased(released) = record_of(&held(), &release(1, 1, Buyer)) else {
        panic!("a release was expected")
    };
    assert_eq!(released.payment, None);
}
