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

/// The refunds of each order.
struct Refunds<'a>(BTreeMap<Uuid, Vec<&'a RefundRow>>);

impl<'a> Refunds<'a> {
    fn new(rows: &'a Rows) -> Self {
        let mut refunds: BTreeMap<Uuid, Vec<&RefundRow>> = BTreeMap::new();
        for refund in rows.refunds.values() {
            refunds.entry(refund.order_id).or_default().push(refund);
        }
        Self(refunds)
    }

    /// What the refunds of an order make in which `count` says so of their status.
    fn sum(&self, order_id: Uuid, count: impl Fn(&str) -> bool) -> i128 {
        let refunds = self.0.get(&order_id).map_or(&[][..], Vec::as_slice);
        let counted = refunds.iter().filter(|refund| count(&refund.status));
        counted.map(|refund| i128::from(refund.amount_minor)).sum()
    }
}

pub(super) fn check(rows: &Rows) -> Result<(), Difference> {
    let refunds = Refunds::new(rows);
    for (order_id, order) in &rows.orders {
        let lines = rows.order_lines.get(order_id).map_or(&[][..], Vec::as_slice);
        adds_up(*order_id, order, lines)?;
        let back = refunds.sum(*order_id, |_| true);
        if back != i128::from(order.refunded_minor) {
            let stated = order.refunded_minor;
            return Err(Difference::money(format!(
                "order {order_id}: its refunds make {back}, refunded are {stated}"
            )));
        }
    }
    for (order_id, payment) in &rows.payments {
        let order = rows.orders.get(order_id);
        let order = order.ok_or_else(|| Difference::money(format!("payment {order_id} is for no order")))?;
        fits(&refunds, *order_id, order, payment)?;
        is_moved(rows, &refunds, *order_id, payment)?;
    }
    is_conserved(rows, &refunds)
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

/// A payment is for its order's total and gave back what its refunds say.
fn fits(
    refunds: &Refunds<'_>,
    order_id: Uuid,
    order: &OrderRow,
    payment: &PaymentRow,
) -> Result<(), Difference> {
    let wrong = |what: &str| {
        Err(Difference::money(format!(
            "payment of {} order {order_id} {what}: {payment:?}",
            order.status
        )))
    };
    if (payment.amount_minor, &payment.currency) != (order.total_minor, &order.currency) {
        return wrong("has another amount than the order");
    }
    let given_back = match payment.status.as_str() {
        "captured" | "refunding" => refunds.sum(order_id, |status| status == "succeeded"),
        "refunded" => payment.amount_minor.into(),
        _ => 0,
    };
    if given_back != i128::from(payment.refunded_minor) {
        return wrong("gave back another amount than its refunds");
    }
    Ok(())
}

/// A job will move what waits for its provider.
fn is_moved(
    rows: &Rows,
    refunds: &Refunds<'_>,
    order_id: Uuid,
    payment: &PaymentRow,
) -> Result<(), Difference> {
    let waits = match payment.status.as_str() {
        "pending" | "authorized" | "voiding" | "refunding" => true,
        "captured" => refunds.sum(order_id, |status| status == "pending") > 0,
        _ => false,
    };
    if waits && !rows.payment_jobs.contains(&order_id) {
        return Err(Difference::money(format!(
            "payment of order {order_id} waits, and no job will move it: {payment:?}"
        )));
    }
    Ok(())
}

fn is_conserved(rows: &Rows, refunds: &Refunds<'_>) -> Result<(), Difference> {
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
            sums.pending += refunds.sum(*order_id, |status| status != "succeeded");
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
