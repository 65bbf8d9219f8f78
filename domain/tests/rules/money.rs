//! What things cost: price, fee and tax, and that the parts add up.

use onsale_domain::limits::{TAX_BASIS_POINTS_MAX, UNIT_FEE_MINOR_MAX};
use onsale_domain::price::{Totals, totals};
use onsale_domain::record::Line;
use onsale_domain::{Record, Refusal, Tax, TicketType};

use super::common::*;
use super::{Records, Refused, Sale, check, record_of};

/// Quantity, price and fee of a line, its tax in hundredths of a percent and whether the price contains it.
type Priced = (u32, i64, i64, u16, bool);

fn priced((quantity, price, fee, basis_points, inclusive): Priced) -> Line {
    Line {
        unit_fee_minor: fee,
        tax: Tax {
            basis_points,
            inclusive,
        },
        ..line(1, quantity, price)
    }
}

#[test]
fn a_total_is_price_and_fee_and_the_tax_that_they_do_not_contain() {
    let table: [(&[Priced], i64, i64, i64); 9] = [
        (&[], 0, 0, 0),
        (&[(2, 2_500, 0, 0, true)], 5_000, 0, 0),
        (&[(2, 2_500, 150, 0, true)], 5_300, 300, 0),
        (&[(1, 11_900, 0, 1_900, true)], 11_900, 0, 1_900),
        (&[(1, 10_000, 0, 1_900, false)], 11_900, 0, 1_900),
        // The fee is taxed as the price is.
        (&[(1, 10_000, 1_000, 1_000, false)], 12_100, 1_000, 1_100),
        // 0.19 on each ticket, and not 0.57 - 0.01 on the line.
        (&[(3, 99, 0, 1_900, false)], 354, 0, 57),
        // A tax of half a cent is rounded up for each ticket.
        (&[(100, 50, 0, 100, false)], 5_100, 0, 100),
        (
            &[(1, 2_500, 150, 700, true), (2, 1_000, 0, 700, false)],
            4_790,
            150,
            313,
        ),
    ];
    for (lines, total_minor, fees_minor, tax_minor) in table {
        let lines: Vec<Line> = lines.iter().copied().map(priced).collect();
        let expected = Totals {
            total_minor,
            fees_minor,
            tax_minor,
        };
        assert_eq!(totals(&lines), Some(expected), "{lines:?}");
    }
}

fn taxed(unit_price_minor: i64) -> TicketType {
    TicketType {
        unit_fee_minor: 150,
        tax: Tax {
            basis_points: 1_900,
            inclusive: false,
        },
        ..ticket_type(1, 1, unit_price_minor)
    }
}

#[test]
fn fee_and_tax_are_locked_with_the_price() {
    let sale = Sale::on_sale()
        .then_at_version(|version| set_ticket_type(taxed(2_500), version))
        .then(place(1, 1, &[(1, 2)]))
        .then_at_version(|version| set_ticket_type(ticket_type(1, 1, 9_900), version));
    let total = 2 * (2_650 + 504);
    let wrong = Refused(Refusal::PaymentMismatch, "payment_mismatch");
    check(&sale, &confirm(1, 1, 2 * 2_650, 2), wrong);
    check(&sale, &confirm(1, 1, total, 2), Records(&["HoldConfirmed"]));
    let Record::HoldConfirmed(order) = record_of(&sale, &confirm(1, 1, total, 2)) else {
        panic!("an order was expected")
    };
    assert_eq!(order.total, euros(total));
    assert_eq!(totals(&order.lines).unwrap().total_minor, total);
    assert_eq!(
        (order.lines[0].unit_fee_minor, order.lines[0].tax),
        (150, taxed(0).tax)
    );
}

#[test]
fn a_hold_that_costs_only_its_fee_is_not_free() {
    let sale = Sale::on_sale()
        .then_at_version(|version| set_ticket_type(taxed(0), version))
        .then(place(1, 1, &[(1, 1)]));
    let free = Refused(Refusal::PaymentMismatch, "payment_mismatch");
    check(&sale, &confirm(1, 1, 0, 1), free);
    check(&sale, &start(1, 1), Records(&["PaymentStarted"]));
    check(&sale, &confirm(1, 1, 179, 1), Records(&["HoldConfirmed"]));
}

#[test]
fn fees_and_taxes_have_their_bounds() {
    let draft = Sale::draft(details());
    let version = draft.version();
    let invalid = |field| Refused(Refusal::InvalidField { field }, "validation_failed");
    for unit_fee_minor in [-1, UNIT_FEE_MINOR_MAX + 1, i64::MAX, i64::MIN] {
        let spoiled = TicketType {
            unit_fee_minor,
            ..taxed(1)
        };
        check(&draft, &set_ticket_type(spoiled, version), invalid("fee"));
    }
    let with_tax = |basis_points| TicketType {
        tax: Tax {
            basis_points,
            inclusive: true,
        },
        ..taxed(1)
    };
    for basis_points in [TAX_BASIS_POINTS_MAX + 1, u16::MAX] {
        check(
            &draft,
            &set_ticket_type(with_tax(basis_points), version),
            invalid("tax"),
        );
    }
    check(
        &draft,
        &set_ticket_type(with_tax(TAX_BASIS_POINTS_MAX), version),
        Records(&["TicketTypeSet"]),
    );
}
