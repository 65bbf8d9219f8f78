//! I12: every amount is the sum of its parts, and captured = paid orders + refunded + pending, for each currency.

use std::collections::BTreeMap;

use onsale_persistence::audit::{OrderLineRow, OrderRow, PaymentRow, RefundRow, Rows};
use uuid::Uuid;

use super::is_live;
use crate::audit::compare::Difference;

/// Sums of one currency.
#[derive(Default)]
struct Sums {
    captured: i128,
    paid: i128,
    refunded: i128,
    pending: i128,
}

pub(super) fn check(rows: &Rows) -> Result<(), Difference> {
    for (order_id, order) in &rows.orders {
        let lines = rows.order_lines.get(order_id).map_or(&[][..], Vec::as_slice);
        adds_up(*order_id, order, lines)?;
        let back: i128 = refunds_of(rows, *order_id)
            .map(|refund| refund.amount_minor.into())
            .sum();
        if back != order.refunded_minor.into() {
            let stated = order.refunded_minor;
            return Err(Difference::money(format!(
                "order {order_id}: its refunds make {back}, refunded are {stated}"
            )));
        }
    }
    for (order_id, payment) in &rows.payments {
        let order = rows.orders.get(order_id);
        let order = order.ok_or_else(|| Difference::money(format!("payment {order_id} is for no order")))?;
        fits(rows, *order_id, order, payment)?;
    }
    is_conserved(rows)
}

fn refunds_of(rows: &Rows, order_id: Uuid) -> impl Iterator<Item = &RefundRow> {
    rows.refunds
        .values()
        .filter(move |refund| refund.order_id == order_id)
}

/// Total, fees and tax are the sums of the lines.
fn adds_up(order_id: Uuid, order: &OrderRow, lines: &[OrderLineRow]) -> Result<(), Difference> {
    let (mut total, mut fees, mut taxes) = (0_i128, 0_i128, 0_i128);
    for line in lines {
        let (quantity, fee) = (i128::from(line.quantity), i128::from(line.unit_fee_minor));
        let asked = i128::from(line.unit_price_minor) + fee;
        let rate = i128::from(line.tax_basis_points);
        let whole = 10_000 + if line.tax_inclusive { rate } else { 0 };
        // Half up, for each ticket.
        let tax = (2 * asked * rate + whole).div_euclid(2 * whole);
        total += quantity * (asked + if line.tax_inclusive { 0 } else { tax });
        fees += quantity * fee;
        taxes += quantity * tax;
    }
    let stated = [order.total_minor, order.fees_minor, order.tax_minor].map(i128::from);
    if stated != [total, fees, taxes] {
        return Err(Difference::money(format!(
            "order {order_id}: total, fees and tax are {stated:?}, its lines make {:?}",
            [total, fees, taxes]
        )));
    }
    Ok(())
}

/// A payment is for its order's total, gave back what its refunds say, and stands where its order allows.
fn fits(rows: &Rows, order_id: Uuid, order: &OrderRow, payment: &PaymentRow) -> Result<(), Difference> {
    let wrong = |what: &str| {
        Err(Difference::money(format!(
            "payment of {} order {order_id} {what}: {payment:?}",
            order.status
        )))
    };
    if (payment.amount_minor, &payment.currency) != (order.total_minor, &order.currency) {
        return wrong("has another amount than the order");
    }
    let given_back: i128 = refunds_of(rows, order_id)
        .filter(|refund| refund.status == "succeeded")
        .map(|refund| i128::from(refund.amount_minor))
        .sum();
    let due_back = match payment.status.as_str() {
        "captured" | "refunding" => given_back,
        "refunded" => payment.amount_minor.into(),
        _ => 0,
    };
    if due_back != payment.refunded_minor.into() {
        return wrong("gave back another amount than its refunds");
    }
    let waits = matches!(
        payment.status.as_str(),
        "pending" | "authorized" | "voiding" | "refunding"
    ) || (payment.status == "captured"
        && refunds_of(rows, order_id).any(|refund| refund.status == "pending"));
    if waits && !rows.payment_jobs.contains(&order_id) {
        return wrong("waits, and no job will move it");
    }
    Ok(())
}

fn is_conserved(rows: &Rows) -> Result<(), Difference> {
    let mut currencies: BTreeMap<&str, Sums> = BTreeMap::new();
    for (order_id, payment) in &rows.payments {
        if !matches!(payment.status.as_str(), "captured" | "refunding" | "refunded") {
            continue;
        }
        let sums = currencies.entry(&payment.currency).or_default();
        let amount = i128::from(payment.amount_minor);
        sums.captured += amount;
        sums.refunded += i128::from(payment.refunded_minor);
        let Some(order) = rows.orders.get(order_id) else {
            continue;
        };
        if is_live(order) {
            sums.paid += i128::from(order.total_minor) - i128::from(order.refunded_minor);
            sums.pending += refunds_of(rows, *order_id)
                .filter(|refund| refund.status != "succeeded")
                .map(|refund| i128::from(refund.amount_minor))
                .sum::<i128>();
        } else if payment.status == "refunding" {
            sums.pending += amount - i128::from(payment.refunded_minor);
        }
    }
    for (currency, sums) in currencies {
        if sums.captured != sums.paid + sums.refunded + sums.pending {
            return Err(Difference::money(format!(
                "{currency}: captured are {}, paid orders {}, refunded {}, pending {}",
                sums.captured, sums.paid, sums.refunded, sums.pending
            )));
        }
    }
    Ok(())
}
