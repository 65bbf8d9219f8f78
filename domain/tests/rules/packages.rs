//! Holds and orders that are legs of a package.

use onsale_domain::command::CancelledBy;
use onsale_domain::limits::UNIT_PRICE_MINOR_MAX;
use onsale_domain::record::ReleaseReason::{Buyer, Package, PaymentDeclined};
use onsale_domain::{Command, Record, Refusal, Tax, TicketType};

use super::common::*;
use super::{Expected, Records, Refused, Sale, Unchanged, check, record_of};

/// Package order 7: two tickets of type 1 at 20.00 and a free one for nothing.
fn leg_of_seven() -> Command {
    leg(place(1, 1, &[(1, 2), (3, 1)]), 7, &[2_000, 0])
}

fn held() -> Sale {
    Sale::on_sale().then(leg_of_seven())
}

fn confirm_leg(package_order: Option<u32>) -> Command {
    let mut command = confirm(1, 1, 4_000, 3);
    if let Command::ConfirmHold(confirm) = &mut command {
        confirm.package_order_id = package_order.map(package_order_id);
    }
    command
}

fn cancel_leg(package_order: u32) -> Command {
    Command::CancelOrder {
        order_id: order_id(1),
        by: CancelledBy::Package(package_order_id(package_order)),
    }
}

fn part() -> Expected<'static> {
    Refused(Refusal::PartOfPackage, "part_of_package")
}

#[test]
fn a_leg_costs_what_its_package_says_with_fee_and_tax_in_it() {
    let on_top = Tax {
        basis_points: 1_900,
        inclusive: false,
    };
    let taxed = TicketType {
        unit_fee_minor: 150,
        tax: on_top,
        ..ticket_type(1, 1, 2_500)
    };
    let sale = Sale::on_sale().then_at_version(|version| set_ticket_type(taxed, version));
    let Record::HoldPlaced(placed) = record_of(&sale, &leg_of_seven()) else {
        panic!("a hold was expected")
    };
    assert_eq!(placed.total(), Some(euros(4_000)));
    assert_eq!(placed.package_order_id, Some(package_order_id(7)));
    let tax = Tax {
        inclusive: true,
        ..on_top
    };
    assert_eq!((placed.lines[0].unit_fee_minor, placed.lines[0].tax), (0, tax));
}

#[test]
fn each_line_of_a_leg_has_a_price_within_its_bounds() {
    let sale = Sale::on_sale();
    let short = Refused(
        Refusal::BadLines {
            reason: "a line of the package has no price",
        },
        "validation_failed",
    );
    check(&sale, &leg(place(1, 1, &[(1, 1), (3, 1)]), 7, &[2_000]), short);
    for price in [-1, UNIT_PRICE_MINOR_MAX + 1, i64::MIN, i64::MAX] {
        let invalid = Refused(Refusal::InvalidField { field: "price" }, "validation_failed");
        check(&sale, &leg(place(1, 1, &[(1, 1)]), 7, &[price]), invalid);
    }
}

#[test]
fn a_leg_is_extended_paid_and_released_only_with_its_package() {
    let sale = held().later(MINUTE);
    check(&sale, &extend(1, 1), part());
    check(&sale, &start(1, 1), part());
    check(&sale, &release(1, 1, Buyer), part());
    check(&sale, &release(1, 1, PaymentDeclined), part());
    let released = check(&sale, &release(1, 1, Package), Records(&["HoldReleased"]));
    assert_eq!(released.counts(0), (0, 0));
    check(&released, &release(1, 1, Package), Unchanged);
}

#[test]
fn a_leg_is_confirmed_by_its_own_package_only() {
    let sale = held();
    check(&sale, &confirm_leg(None), part());
    check(&sale, &confirm_leg(Some(8)), part());
    let sold = check(&sale, &confirm_leg(Some(7)), Records(&["HoldConfirmed"]));
    assert_eq!(sold.inventory.package_of(hold_id(1)), Some(package_order_id(7)));
    let alone = Sale::on_sale().then(place(1, 1, &[(1, 1)]));
    let mut command = confirm(1, 1, 2_500, 1);
    if let Command::ConfirmHold(confirm) = &mut command {
        confirm.package_order_id = Some(package_order_id(7));
    }
    check(&alone, &command, part());
}

#[test]
fn an_order_of_a_package_is_cancelled_with_it() {
    let sold = held().then(confirm_leg(Some(7)));
    check(&sold, &cancel(1, Some(1)), part());
    check(&sold, &cancel(1, None), part());
    check(
        &sold,
        &cancel_leg(8),
        Refused(Refusal::OrderNotFound, "not_found"),
    );
    let cancelled = check(&sold, &cancel_leg(7), Records(&["OrderCancelled"]));
    assert_eq!((cancelled.counts(0), cancelled.counts(1)), ((0, 0), (0, 0)));
    check(&cancelled, &cancel_leg(7), Unchanged);
    let alone = Sale::on_sale()
        .then(place(1, 1, &[(1, 1)]))
        .then(confirm(1, 1, 2_500, 1));
    check(
        &alone,
        &cancel_leg(7),
        Refused(Refusal::OrderNotFound, "not_found"),
    );
}

#[test]
fn a_leg_that_expired_is_reclaimed_by_its_own_package_only() {
    let expired = held().later(HOLD_DURATION).then(Command::Advance);
    let lines = [line(1, 2, 2_000), line(3, 1, 0)];
    check(&expired, &reclaim(confirm_leg(None), &lines), part());
    check(&expired, &reclaim(confirm_leg(Some(8)), &lines), part());
    let late = reclaim(confirm_leg(Some(7)), &lines);
    let sold = check(&expired, &late, Records(&["HoldReclaimed"]));
    check(&sold, &cancel(1, None), part());
    check(&sold, &cancel_leg(7), Records(&["OrderCancelled"]));
}
