//! Idempotency keys: one effect and one answer for each, remembered for a day.

use onsale_domain::limits::KEY_RETENTION_MS;
use onsale_domain::record::ReleaseReason::{Buyer, PaymentDeclined, PaymentUnavailable};
use onsale_domain::{Command, Refusal, Sequence};

use super::common::*;
use super::{Records, Refused, Replayed, Sale, Unchanged, check};

/// Keys come in with the routes that they were used on: a purchase, and a hold with its own checkout.
const PURCHASE: u8 = 1;
const HOLD: u8 = 2;
const CHECKOUT: u8 = 3;

fn placed(key_used: u8) -> (Sale, Sequence) {
    let sale = Sale::on_sale().then(keyed(place(1, 1, &[(1, 1)]), key(key_used, 0)));
    let seq = sale.inventory.seq();
    (sale, seq)
}

fn paid(key_used: u8) -> Command {
    keyed(confirm(1, 1, 2_500, 1), key(key_used, 0))
}

#[test]
fn the_same_key_answers_the_first_answer_again() {
    let (sale, seq) = placed(HOLD);
    let again = keyed(place(1, 1, &[(1, 1)]), key(HOLD, 0));
    check(&sale, &again, Replayed(seq));
    let other_id = keyed(place(2, 1, &[(1, 1)]), key(HOLD, 0));
    check(&sale, &other_id, Replayed(seq));
    let later = sale.later(HOUR).then(Command::Advance);
    check(&later, &other_id, Replayed(seq));
}

#[test]
fn a_key_answers_even_where_the_rules_would_refuse_now() {
    let (sale, seq) = placed(HOLD);
    let again = keyed(place(2, 1, &[(1, 1)]), key(HOLD, 0));
    let closed = sale.then(change_status(onsale_domain::EventStatus::Closed));
    check(&closed, &again, Replayed(seq));
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    let reused = || Refused(Refusal::KeyReused, "idempotency_key_reused");
    let (sale, _) = placed(PURCHASE);
    check(&sale, &keyed(place(2, 1, &[(1, 2)]), key(PURCHASE, 1)), reused());
    check(&sale, &keyed(confirm(1, 1, 2_500, 1), key(PURCHASE, 1)), reused());
    check(&sale, &keyed(release(1, 1, Buyer), key(PURCHASE, 1)), reused());
}

#[test]
fn a_key_of_one_hold_cannot_confirm_or_release_another() {
    let reused = || Refused(Refusal::KeyReused, "idempotency_key_reused");
    let (sale, _) = placed(PURCHASE);
    let sale = sale.then(place(2, 1, &[(1, 1)]));
    check(&sale, &keyed(confirm(2, 1, 2_500, 1), key(PURCHASE, 0)), reused());
    check(&sale, &keyed(release(2, 1, Buyer), key(PURCHASE, 0)), reused());
}

#[test]
fn a_refused_request_does_not_use_up_its_key() {
    let sale = Sale::on_sale();
    let too_many = keyed(place(1, 1, &[(1, 9)]), key(HOLD, 0));
    check(
        &sale,
        &too_many,
        Refused(
            Refusal::BuyerLimitExceeded { limit: 8, live: 0 },
            "buyer_limit_exceeded",
        ),
    );
    check(
        &sale,
        &keyed(place(1, 1, &[(1, 1)]), key(HOLD, 1)),
        Records(&["HoldPlaced"]),
    );
}

#[test]
fn a_purchase_places_and_confirms_under_one_key() {
    let (sale, _) = placed(PURCHASE);
    let sale = check(&sale, &paid(PURCHASE), Records(&["HoldConfirmed"]));
    let seq = sale.inventory.seq();
    check(&sale, &paid(PURCHASE), Replayed(seq));
    check(
        &sale,
        &keyed(place(2, 1, &[(1, 1)]), key(PURCHASE, 0)),
        Replayed(seq),
    );
}

#[test]
fn a_declined_purchase_answers_its_key() {
    let (sale, _) = placed(PURCHASE);
    let declined = keyed(release(1, 1, PaymentDeclined), key(PURCHASE, 0));
    let sale = check(&sale, &declined, Records(&["HoldReleased"]));
    let seq = sale.inventory.seq();
    check(&sale, &declined, Replayed(seq));
    check(&sale, &paid(PURCHASE), Replayed(seq));
    check(
        &sale,
        &keyed(place(2, 1, &[(1, 1)]), key(PURCHASE, 0)),
        Replayed(seq),
    );
}

#[test]
fn a_purchase_that_the_provider_cut_off_may_try_again_under_its_key() {
    let (sale, _) = placed(PURCHASE);
    let cut_off = keyed(release(1, 1, PaymentUnavailable), key(PURCHASE, 0));
    let sale = check(&sale, &cut_off, Records(&["HoldReleased"]));
    check(
        &sale,
        &keyed(place(2, 1, &[(1, 1)]), key(PURCHASE, 0)),
        Records(&["HoldPlaced"]),
    );
}

#[test]
fn a_checkout_has_a_key_of_its_own() {
    let (sale, placed_at) = placed(HOLD);
    let sale = check(&sale, &paid(CHECKOUT), Records(&["HoldConfirmed"]));
    let seq = sale.inventory.seq();
    check(&sale, &paid(CHECKOUT), Replayed(seq));
    check(
        &sale,
        &keyed(place(2, 1, &[(1, 1)]), key(HOLD, 0)),
        Replayed(placed_at),
    );
}

#[test]
fn a_declined_checkout_answers_its_key() {
    let (sale, _) = placed(HOLD);
    let declined = keyed(release(1, 1, PaymentDeclined), key(CHECKOUT, 0));
    let sale = sale.then(declined.clone());
    let seq = sale.inventory.seq();
    check(&sale, &paid(CHECKOUT), Replayed(seq));
    check(&sale, &declined, Replayed(seq));
}

#[test]
fn a_key_is_remembered_for_a_day() {
    let (sale, seq) = placed(HOLD);
    let again = keyed(place(2, 1, &[(1, 1)]), key(HOLD, 0));
    let other_body = keyed(place(2, 1, &[(1, 1)]), key(HOLD, 1));
    let almost = sale.later(KEY_RETENTION_MS - 1).then(Command::Advance);
    check(&almost, &again, Replayed(seq));
    let forgotten = almost.later(1);
    check(&forgotten, &again, Records(&["HoldPlaced"]));
    check(&forgotten, &other_body, Records(&["HoldPlaced"]));
}

#[test]
fn a_day_counts_from_the_latest_answer() {
    let (sale, _) = placed(PURCHASE);
    let sale = sale.later(5 * MINUTE).then(paid(PURCHASE));
    let seq = sale.inventory.seq();
    let again = keyed(place(2, 1, &[(1, 1)]), key(PURCHASE, 0));
    let almost = sale.later(KEY_RETENTION_MS - 1);
    check(&almost, &again, Replayed(seq));
    check(&almost.later(1), &again, Records(&["HoldPlaced"]));
}

#[test]
fn sweeping_forgets_only_what_was_forgotten_already() {
    let (mut sale, first) = placed(HOLD);
    sale = sale.then(release(1, 1, Buyer)).later(KEY_RETENTION_MS - 1);
    for number in 2..6_000_u32 {
        let digest = onsale_domain::record::KeyBinding {
            key: onsale_domain::id::KeyDigest(u128::from(number).to_be_bytes()),
            body: onsale_domain::id::BodyDigest([0; 8]),
        };
        sale = sale.then_unchecked(keyed(place(number, 1, &[(4, 1)]), digest));
        sale = sale.then_unchecked(release(number, 1, Buyer));
    }
    check(
        &sale,
        &keyed(place(1, 1, &[(1, 1)]), key(HOLD, 0)),
        Replayed(first),
    );
}

#[test]
fn a_purchase_whose_hold_expired_during_payment_is_told_so_and_not_that_it_holds_tickets() {
    let (sale, seq) = placed(PURCHASE);
    let expired = sale.later(HOLD_DURATION).then(Command::Advance);
    check(
        &expired,
        &paid(PURCHASE),
        Refused(Refusal::HoldExpired, "hold_expired"),
    );
    check(
        &expired,
        &keyed(release(1, 1, PaymentDeclined), key(PURCHASE, 0)),
        Unchanged,
    );
    check(
        &expired,
        &keyed(place(2, 1, &[(1, 1)]), key(PURCHASE, 0)),
        Replayed(seq),
    );
}

#[test]
fn a_purchase_whose_hold_was_ended_by_another_request_is_told_so() {
    let (sale, _) = placed(PURCHASE);
    let given_back = sale.clone().then(release(1, 1, Buyer));
    check(
        &given_back,
        &paid(PURCHASE),
        Refused(Refusal::HoldReleased, "already_released"),
    );
    let checked_out = sale.then(paid(CHECKOUT));
    let order_id = order_id(1);
    check(
        &checked_out,
        &paid(PURCHASE),
        Refused(Refusal::HoldConfirmed { order_id }, "already_confirmed"),
    );
}
