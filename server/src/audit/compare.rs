//! Compares rows that must be with rows that are (I8, I12, I13, I15).

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};

use onsale_persistence::audit::{OrderRow, PaymentRow, RefundRow, Rows};
use uuid::Uuid;

/// The first thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) invariant: &'static str,
    pub(super) what: String,
}

impl Difference {
    pub(super) const fn projection(what: String) -> Self {
        Self::of("I8", what)
    }

    pub(super) const fn money(what: String) -> Self {
        Self::of("I12", what)
    }

    pub(super) const fn state(what: String) -> Self {
        Self::of("I13", what)
    }

    pub(super) const fn ticket(what: String) -> Self {
        Self::of("I15", what)
    }

    const fn of(invariant: &'static str, what: String) -> Self {
        Self { invariant, what }
    }
}

/// Compares table by table, in the order in which people want to know.
pub(super) fn compare(expected: &Rows, stored: &Rows) -> Result<(), Difference> {
    if expected.watermark != stored.watermark {
        let what = format!("no entry ends at the tables' watermark {}", stored.watermark);
        return Err(Difference::projection(what));
    }
    if expected.event_status != stored.event_status {
        return Err(Difference::state(format!(
            "events: status is {:?}, must be {:?}",
            stored.event_status, expected.event_status
        )));
    }
    let (is, must) = (stored, expected);
    same("I8", "quotas", &must.quotas, &is.quotas)?;
    same("I8", "ticket_types", &must.ticket_types, &is.ticket_types)?;
    same("I8", "ticket_types.quota_id", &must.quota_ids, &is.quota_ids)?;
    orders(&must.orders, &is.orders)?;
    same("I12", "order_lines", &must.order_lines, &is.order_lines)?;
    same("I15", "tickets", &must.tickets, &is.tickets)?;
    table("I12", "payments", &must.payments, &is.payments, payments_agree)?;
    table("I12", "refunds", &must.refunds, &is.refunds, refunds_agree)?;
    same("I15", "check_ins", &must.check_ins, &is.check_ins)?;
    same("I8", "holds", &must.holds, &is.holds)
}

fn orders(expected: &BTreeMap<Uuid, OrderRow>, stored: &BTreeMap<Uuid, OrderRow>) -> Result<(), Difference> {
    let compare = |invariant, agree: fn(&OrderRow, &OrderRow) -> bool| {
        table(invariant, "ticket_orders", expected, stored, agree)
    };
    compare("I8", |_, _| true)?;
    compare("I13", order_statuses_agree)?;
    compare("I12", |expected, stored| money_of(expected) == money_of(stored))?;
    compare("I8", |expected, stored| {
        *expected
            == OrderRow {
                status: expected.status.clone(),
                ..stored.clone()
            }
    })
}

/// The payment worker marks a pending order as paid.
fn order_statuses_agree(expected: &OrderRow, stored: &OrderRow) -> bool {
    stored.status == expected.status || (expected.status == "pending" && stored.status == "paid")
}

fn money_of(order: &OrderRow) -> ([i64; 4], &str) {
    let amounts = [
        order.total_minor,
        order.fees_minor,
        order.tax_minor,
        order.refunded_minor,
    ];
    (amounts, &order.currency)
}

/// The payment worker moves a payment on from where records put it. Where money was taken without an order that stands,
/// it is only ever on its way back. Staff decide about what is quarantined.
fn payments_agree(expected: &PaymentRow, stored: &PaymentRow) -> bool {
    let statuses: &[&str] = match expected.status.as_str() {
        "authorized" => &["authorized", "captured", "refunded", "quarantined"],
        "declined" => &["declined", "voiding", "voided", "quarantined"],
        "pending" => &[
            "pending",
            "declined",
            "voiding",
            "voided",
            "refunding",
            "refunded",
            "quarantined",
        ],
        _ => &[
            "declined",
            "voiding",
            "voided",
            "refunding",
            "refunded",
            "quarantined",
        ],
    };
    statuses.contains(&stored.status.as_str())
        && (expected.reference.is_none() || expected.reference == stored.reference)
        && *expected
            == PaymentRow {
                status: expected.status.clone(),
                reference: expected.reference.clone(),
                // A rule of its own looks at it.
                refunded_minor: expected.refunded_minor,
                ..stored.clone()
            }
}

/// The payment worker settles a refund.
fn refunds_agree(expected: &RefundRow, stored: &RefundRow) -> bool {
    let status_fits = match (expected.status.as_str(), stored.status.as_str()) {
        ("pending", "succeeded" | "failed") => stored.is_settled,
        (expected, stored_status) => {
            expected == stored_status && stored.is_settled == (expected == "succeeded")
        }
    };
    status_fits
        && *expected
            == RefundRow {
                status: expected.status.clone(),
                is_settled: expected.is_settled,
                ..stored.clone()
            }
}

fn same<K: Ord + Display, T: Debug + PartialEq>(
    invariant: &'static str,
    name: &str,
    expected: &BTreeMap<K, T>,
    stored: &BTreeMap<K, T>,
) -> Result<(), Difference> {
    table(invariant, name, expected, stored, PartialEq::eq)
}

fn table<K: Ord + Display, T: Debug>(
    invariant: &'static str,
    name: &str,
    expected: &BTreeMap<K, T>,
    stored: &BTreeMap<K, T>,
    agree: impl Fn(&T, &T) -> bool,
) -> Result<(), Difference> {
    let found = |what| Err(Difference::of(invariant, what));
    for (id, wanted) in expected {
        match stored.get(id) {
            None => return found(format!("{name}: {id} is missing")),
            Some(stored) if !agree(wanted, stored) => {
                return found(format!("{name}: {id} is {stored:?}, must be {wanted:?}"));
            }
            Some(_) => {}
        }
    }
    match stored.keys().find(|id| !expected.contains_key(id)) {
        None => Ok(()),
        Some(id) => found(format!("{name}: {id} follows from no record")),
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
