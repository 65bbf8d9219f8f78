//! Placing, extending, releasing and ending holds.

use onsale_domain::command::{PackageLeg, PlaceHold};
use onsale_domain::limits::{EXPIRED_HOLDS_PER_RECORD_MAX, PAYMENT_WINDOW_MS};
use onsale_domain::record::ReleaseReason::Buyer;
use onsale_domain::{Command, EventDetails, EventStatus, Gateway, Record, Refusal, UnixMillis};

use super::common::*;
use super::{Records, Refused, Sale, Unchanged, check};

const PLACED: super::Expected<'static> = Records(&["HoldPlaced"]);

#[test]
fn a_hold_takes_units_from_its_quota() {
    let sale = check(&Sale::on_sale(), &place(1, 1, &[(1, 2), (2, 1)]), PLACED);
    assert_eq!(sale.counts(0), (3, 0));
    let hold = sale.inventory.hold(hold_id(1)).unwrap();
    assert_eq!(hold.quantity(), 3);
    assert_eq!(hold.expires_at, UnixMillis(OPENS + HOLD_DURATION));
}

#[test]
fn an_event_that_does_not_exist_sells_nothing() {
    let refused = || Refused(Refusal::EventNotFound, "not_found");
    check(&Sale::nothing(), &place(1, 1, &[(1, 1)]), refused());
    check(&Sale::nothing(), &Command::Advance, refused());
    check(
        &Sale::nothing(),
        &change_status(EventStatus::Published),
        refused(),
    );
}

#[test]
fn nothing_is_sold_outside_the_sale() {
    let hold = place(1, 1, &[(1, 1)]);
    let draft = Sale::draft(details());
    check(
        &draft,
        &hold,
        Refused(Refusal::SaleNotStarted { opens_at: None }, "sale_not_started"),
    );
    let published = Sale::published();
    let opens_at = Some(UnixMillis(OPENS));
    check(
        &published,
        &hold,
        Refused(Refusal::SaleNotStarted { opens_at }, "sale_not_started"),
    );
    check(
        &published.clone().at(OPENS - 1),
        &hold,
        Refused(Refusal::SaleNotStarted { opens_at }, "sale_not_started"),
    );
    check(
        &published.at(OPENS),
        &hold,
        Records(&["StatusChanged", "HoldPlaced"]),
    );

    let selling = Sale::on_sale();
    check(&selling.clone().at(CLOSES - 1), &hold, PLACED);
    check(
        &selling.clone().at(CLOSES),
        &hold,
        Refused(Refusal::SaleEnded, "sale_ended"),
    );
    let paused = selling.clone().then(change_status(EventStatus::Paused));
    check(&paused, &hold, Refused(Refusal::SalePaused, "sale_paused"));
    let closed = selling.clone().then(change_status(EventStatus::Closed));
    check(&closed, &hold, Refused(Refusal::SaleEnded, "sale_ended"));
    let cancelled = selling.then(change_status(EventStatus::Cancelled));
    check(
        &cancelled,
        &hold,
        Refused(Refusal::EventCancelled, "event_cancelled"),
    );
}

#[test]
fn a_hold_id_is_used_once() {
    let again = place(1, 2, &[(1, 1)]);
    let exists = || Refused(Refusal::HoldExists, "already_exists");
    let held = Sale::on_sale().then(place(1, 1, &[(1, 1)]));
    check(&held, &again, exists());
    check(&held.clone().then(release(1, 1, Buyer)), &again, exists());
    check(&held.clone().then(confirm(1, 1, 2_500, 1)), &again, exists());
    check(
        &held.later(HOLD_DURATION).then(Command::Advance),
        &again,
        exists(),
    );
}

#[test]
fn sold_out_is_said_only_when_nothing_is_free_and_nothing_is_held() {
    let sale = Sale::unlimited();
    let one = place(9, 9, &[(3, 1)]);
    let held = sale.clone().then(place(1, 1, &[(3, 5)]));
    let next_expiry_at = Some(UnixMillis(OPENS + HOLD_DURATION));
    check(
        &held,
        &one,
        Refused(Refusal::AllHeld { next_expiry_at }, "all_held"),
    );
    let sold = held.then(confirm(1, 1, 0, 5));
    check(&sold, &one, Refused(Refusal::SoldOut, "sold_out"));
    let three = sale.then(place(1, 1, &[(3, 3)]));
    let available = 2;
    check(
        &three,
        &place(9, 9, &[(3, 3)]),
        Refused(
            Refusal::InsufficientAvailability { available },
            "insufficient_availability",
        ),
    );
    check(&three, &place(9, 9, &[(3, 2)]), PLACED);
}

#[test]
fn lines_of_one_request_share_their_quota() {
    let sale = Sale::unlimited();
    check(&sale, &place(1, 1, &[(1, 6), (2, 4)]), PLACED);
    check(
        &sale,
        &place(1, 1, &[(1, 6), (2, 5)]),
        Refused(
            Refusal::InsufficientAvailability { available: 4 },
            "insufficient_availability",
        ),
    );
}

#[test]
fn the_buyer_limit_counts_all_live_tickets_of_the_event() {
    let sale = Sale::on_sale()
        .then(place(1, 1, &[(1, 3)]))
        .then(confirm(1, 1, 7_500, 3))
        .then(place(2, 1, &[(3, 2)]));
    let over = |live| {
        Refused(
            Refusal::BuyerLimitExceeded { limit: 8, live },
            "buyer_limit_exceeded",
        )
    };
    check(&sale, &place(3, 1, &[(4, 4)]), over(5));
    check(&sale, &place(3, 1, &[(4, 3)]), PLACED);
    check(&sale, &place(3, 2, &[(4, 8)]), PLACED);
    check(&sale, &place(3, 2, &[(4, 9)]), over(0));
    let cancelled = sale.clone().then(cancel(1, None));
    check(&cancelled, &place(3, 1, &[(4, 6)]), PLACED);
    let released = sale.clone().then(release(2, 1, Buyer));
    check(&released, &place(3, 1, &[(4, 5)]), PLACED);
    let expired = sale.later(HOLD_DURATION).then(Command::Advance);
    check(&expired, &place(3, 1, &[(4, 5)]), PLACED);
    check(&expired, &place(3, 1, &[(4, 6)]), over(3));
}

#[test]
fn a_hold_is_extended_from_now_up_to_its_longest_life() {
    let extended = Records(&["HoldExtended"]);
    let sale = Sale::on_sale().then(place(1, 1, &[(1, 1)])).later(5 * MINUTE);
    let sale = check(&sale, &extend(1, 1), extended);
    let ends = |sale: &Sale| sale.inventory.hold(hold_id(1)).unwrap().expires_at;
    assert_eq!(ends(&sale), UnixMillis(OPENS + 15 * MINUTE));
    let sale = sale.later(9 * MINUTE).then(extend(1, 1)).later(9 * MINUTE);
    let sale = check(&sale, &extend(1, 1), Records(&["HoldExtended"]));
    assert_eq!(
        ends(&sale),
        UnixMillis(OPENS + HOLD_LIFETIME),
        "the cap counts from the placing"
    );
    let reached = Refused(Refusal::ExtensionLimitReached, "extension_limit_reached");
    check(&sale.later(MINUTE), &extend(1, 1), reached);
}

#[test]
fn extending_a_hold_that_is_not_live_names_what_became_of_it() {
    let held = Sale::on_sale().then(place(1, 1, &[(1, 1)]));
    check(&held, &extend(1, 2), Refused(Refusal::HoldNotFound, "not_found"));
    check(&held, &extend(2, 1), Refused(Refusal::HoldNotFound, "not_found"));
    let released = held.clone().then(release(1, 1, Buyer));
    check(
        &released,
        &extend(1, 1),
        Refused(Refusal::HoldReleased, "already_released"),
    );
    let confirmed = held.clone().then(confirm(1, 1, 2_500, 1));
    let order_id = order_id(1);
    check(
        &confirmed,
        &extend(1, 1),
        Refused(Refusal::HoldConfirmed { order_id }, "already_confirmed"),
    );
    let expired = held.later(HOLD_DURATION).then(Command::Advance);
    check(
        &expired,
        &extend(1, 1),
        Refused(Refusal::HoldExpired, "hold_expired"),
    );
}

#[test]
fn releasing_gives_the_units_back_and_repeating_it_needs_nothing() {
    let held = Sale::on_sale().then(place(1, 1, &[(1, 3)]));
    check(
        &held,
        &release(1, 2, Buyer),
        Refused(Refusal::HoldNotFound, "not_found"),
    );
    let released = check(&held, &release(1, 1, Buyer), Records(&["HoldReleased"]));
    assert_eq!(released.counts(0), (0, 0));
    check(&released, &release(1, 1, Buyer), Unchanged);
    let expired = held.clone().later(HOLD_DURATION).then(Command::Advance);
    check(&expired, &release(1, 1, Buyer), Unchanged);
    let confirmed = held.then(confirm(1, 1, 7_500, 3));
    let order_id = order_id(1);
    check(
        &confirmed,
        &release(1, 1, Buyer),
        Refused(Refusal::HoldConfirmed { order_id }, "already_confirmed"),
    );
}

#[test]
fn a_hold_expires_at_its_deadline_and_not_before() {
    let held = Sale::on_sale().then(place(1, 1, &[(1, 3)]));
    check(
        &held.clone().later(HOLD_DURATION - 1),
        &Command::Advance,
        Unchanged,
    );
    let expired = check(
        &held.clone().later(HOLD_DURATION),
        &Command::Advance,
        Records(&["HoldsExpired"]),
    );
    assert_eq!(expired.counts(0), (0, 0));
    let extended = held.later(5 * MINUTE).then(extend(1, 1)).later(5 * MINUTE);
    check(&extended, &Command::Advance, Unchanged);
    check(
        &extended.later(5 * MINUTE),
        &Command::Advance,
        Records(&["HoldsExpired"]),
    );
}

#[test]
fn the_first_of_payment_and_expiry_wins() {
    let due = Sale::on_sale().then(place(1, 1, &[(1, 1)])).later(HOLD_DURATION);
    let paid = check(&due, &confirm(1, 1, 2_500, 1), Records(&["HoldConfirmed"]));
    check(&paid, &Command::Advance, Unchanged);
    let expired = due.then(Command::Advance);
    check(
        &expired,
        &confirm(1, 1, 2_500, 1),
        Refused(Refusal::HoldExpired, "hold_expired"),
    );
}

#[test]
fn one_record_expires_a_bounded_number_of_holds() {
    let mut sale = Sale::unlimited();
    let count = EXPIRED_HOLDS_PER_RECORD_MAX + 1;
    for number in 1..=u32::try_from(count).unwrap() {
        sale = sale.then_unchecked(place(number, 1, &[(4, 1)]));
    }
    let sale = check(
        &sale.later(HOLD_DURATION),
        &Command::Advance,
        Records(&["HoldsExpired"]),
    );
    assert_eq!(sale.inventory.live_holds(), 1);
    let sale = check(&sale, &Command::Advance, Records(&["HoldsExpired"]));
    assert_eq!(sale.inventory.live_holds(), 0);
    check(&sale, &Command::Advance, Unchanged);
}

#[test]
fn a_price_is_locked_when_the_hold_is_placed() {
    let sale = Sale::on_sale()
        .then(place(1, 1, &[(1, 2)]))
        .then_at_version(|version| set_ticket_type(ticket_type(1, 1, 9_900), version));
    let wrong = Refused(Refusal::PaymentMismatch, "payment_mismatch");
    check(&sale, &confirm(1, 1, 19_800, 2), wrong);
    let sale = check(&sale, &confirm(1, 1, 5_000, 2), Records(&["HoldConfirmed"]));
    let sale = sale.then(place(2, 1, &[(1, 1)]));
    check(&sale, &confirm(2, 1, 9_900, 1), Records(&["HoldConfirmed"]));
}

#[test]
fn a_shorter_hold_duration_does_not_cut_live_holds() {
    let sale = Sale::on_sale()
        .then(place(1, 1, &[(1, 1)]))
        .then_at_version(|version| {
            let hold_duration_ms = MINUTE;
            edit(
                EventDetails {
                    hold_duration_ms,
                    ..details()
                },
                version,
            )
        });
    check(&sale.clone().later(2 * MINUTE), &Command::Advance, Unchanged);
    let mut inventory = sale.inventory;
    let command = place(2, 1, &[(1, 1)]);
    inventory.apply(&command, UnixMillis(sale.now)).unwrap();
    let expires_at = inventory.hold(hold_id(2)).unwrap().expires_at;
    assert_eq!(expires_at, UnixMillis(sale.now + MINUTE));
}

#[test]
fn a_released_hold_is_forgotten_in_the_end() {
    let mut sale = Sale::unlimited()
        .then(place(1, 1, &[(1, 1)]))
        .then(release(1, 1, Buyer))
        .later(72 * HOUR);
    for number in 2..6_000 {
        sale = sale.then_unchecked(place(number, 1, &[(4, 1)]));
        sale = sale.then_unchecked(release(number, 1, Buyer));
    }
    check(&sale, &extend(1, 1), Refused(Refusal::HoldNotFound, "not_found"));
}

#[test]
fn a_record_that_no_rule_could_have_made_is_a_violation() {
    let sale = Sale::on_sale();
    let mut inventory = sale.inventory.clone();
    let released = Record::HoldExtended {
        at: UnixMillis(OPENS),
        hold_id: hold_id(1),
        expires_at: UnixMillis(OPENS),
    };
    let violation = inventory.replay(&released).unwrap_err();
    assert_eq!(violation.invariant, "I13");
    assert_eq!(Refusal::Violation(violation).code(), "internal");
}

#[test]
fn a_request_that_uses_up_its_own_quota_is_not_told_that_the_event_is_sold_out() {
    let too_many = place(9, 9, &[(1, 10), (2, 1)]);
    let none_left = || {
        Refused(
            Refusal::InsufficientAvailability { available: 0 },
            "insufficient_availability",
        )
    };
    let sale = Sale::unlimited();
    check(&sale, &too_many, none_left());
    let partly_held = sale.then(place(1, 1, &[(1, 4)]));
    check(&partly_held, &place(9, 9, &[(1, 6), (2, 1)]), none_left());
}

#[test]
fn an_ended_hold_of_somebody_else_is_as_good_as_none() {
    let held = Sale::on_sale().then(place(1, 1, &[(1, 1)]));
    let released = held.clone().then(release(1, 1, Buyer));
    let expired = held.clone().later(HOLD_DURATION).then(Command::Advance);
    let confirmed = held.then(confirm(1, 1, 2_500, 1));
    for ended in [released, expired, confirmed] {
        for command in [extend(1, 2), release(1, 2, Buyer), confirm(1, 2, 2_500, 1)] {
            check(&ended, &command, Refused(Refusal::HoldNotFound, "not_found"));
        }
    }
}

#[test]
fn a_leg_that_costs_nothing_waits_as_long_as_those_that_cost() {
    let Command::PlaceHold(leg) = place(1, 1, &[(1, 1)]) else {
        panic!("a hold is placed by another command")
    };
    let leg = Command::PlaceHold(PlaceHold {
        payment: Some(Gateway::Simulated),
        package: Some(PackageLeg {
            package_order_id: package_order_id(1),
            unit_prices_minor: [0].into_iter().collect(),
        }),
        ..leg
    });
    let sale = check(&Sale::on_sale(), &leg, PLACED);
    let hold = sale.inventory.hold(hold_id(1)).unwrap();
    assert_eq!(hold.expires_at, UnixMillis(OPENS + PAYMENT_WINDOW_MS));
    assert_eq!(sale.inventory.pending_payment(hold_id(1)), None);
}
