//! Compares rows that must be with rows that are (I8, I12, I15).

use std::collections::BTreeMap;
use std::fmt::Debug;

use uuid::Uuid;

use onsale_persistence::audit::{PaymentRow, Rows, TicketRow};

/// The first thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) invariant: &'static str,
    pub(super) what: String,
}

/// Compares table by table, in the order in which people want to know.
pub(super) fn first_difference(expected: &Rows, stored: &Rows) -> Option<Difference> {
    if expected.watermark != stored.watermark {
        return difference(
            "I8",
            format!("no entry ends at the tables' watermark {}", stored.watermark),
        );
    }
    if expected.event_status != stored.event_status {
        return difference(
            "I13",
            format!(
                "events: status is {:?}, must be {:?}",
                stored.event_status, expected.event_status
            ),
        );
    }
    table("I8", "quotas", &expected.quotas, &stored.quotas, PartialEq::eq)
        .or_else(|| {
            table(
                "I8",
                "ticket_types",
                &expected.ticket_types,
                &stored.ticket_types,
                PartialEq::eq,
            )
        })
        .or_else(|| {
            table(
                "I8",
                "ticket_types.quota_id",
                &expected.quota_ids,
                &stored.quota_ids,
                PartialEq::eq,
            )
        })
        .or_else(|| {
            table(
                "I8",
                "ticket_orders",
                &expected.orders,
                &stored.orders,
                PartialEq::eq,
            )
        })
        .or_else(|| {
            table(
                "I15",
                "tickets",
                &expected.tickets,
                &stored.tickets,
                tickets_agree,
            )
        })
        .or_else(|| {
            table(
                "I12",
                "payments",
                &expected.payments,
                &stored.payments,
                payments_agree,
            )
        })
        .or_else(|| table("I8", "holds", &expected.holds, &stored.holds, PartialEq::eq))
}

/// A valid ticket may have been used or passed on since.
fn tickets_agree(expected: &TicketRow, stored: &TicketRow) -> bool {
    let status_fits = match expected.status.as_str() {
        "valid" => matches!(stored.status.as_str(), "valid" | "used" | "transferred"),
        other => stored.status == other,
    };
    status_fits
        && *expected
            == TicketRow {
                status: expected.status.clone(),
                ..stored.clone()
            }
}

/// The payment worker moves a payment on from where the projection put it.
fn payments_agree(expected: &PaymentRow, stored: &PaymentRow) -> bool {
    let statuses: &[&str] = match expected.status.as_str() {
        "authorized" => &["authorized", "captured"],
        _ => &["voiding", "voided", "refunding", "refunded"],
    };
    statuses.contains(&stored.status.as_str())
        && *expected
            == PaymentRow {
                status: expected.status.clone(),
                ..stored.clone()
            }
}

fn table<T: Debug>(
    invariant: &'static str,
    name: &str,
    expected: &BTreeMap<Uuid, T>,
    stored: &BTreeMap<Uuid, T>,
    agree: impl Fn(&T, &T) -> bool,
) -> Option<Difference> {
    for (id, wanted) in expected {
        match stored.get(id) {
            None => return difference(invariant, format!("{name}: {id} is missing")),
            Some(found) if !agree(wanted, found) => {
                return difference(
                    invariant,
                    format!("{name}: {id} is {found:?}, must be {wanted:?}"),
                );
            }
            Some(_) => {}
        }
    }
    let id = stored.keys().find(|id| !expected.contains_key(id))?;
    difference(invariant, format!("{name}: {id} follows from no record"))
}

#[expect(clippy::unnecessary_wraps, reason = "every caller answers it as is")]
const fn difference(invariant: &'static str, what: String) -> Option<Difference> {
    Some(Difference { invariant, what })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use onsale_persistence::audit::{Counters, OrderRow};

    const ID: Uuid = Uuid::from_u128(7);

    fn rows() -> Rows {
        let counters = Counters {
            capacity: 10,
            held: 1,
            sold: 2,
        };
        Rows {
            watermark: 5,
            event_status: Some("on_sale".to_owned()),
            quotas: BTreeMap::from([(ID, counters)]),
            orders: BTreeMap::from([(
                ID,
                OrderRow {
                    buyer_id: ID,
                    status: "confirmed".to_owned(),
                    currency: "EUR".to_owned(),
                    total_minor: 500,
                },
            )]),
            tickets: BTreeMap::from([(
                ID,
                TicketRow {
                    order_id: ID,
                    ticket_type_id: ID,
                    code: "CODE".to_owned(),
                    status: "valid".to_owned(),
                },
            )]),
            payments: BTreeMap::from([(
                ID,
                PaymentRow {
                    gateway: "simulated".to_owned(),
                    reference: Some("sim".to_owned()),
                    amount_minor: 500,
                    currency: "EUR".to_owned(),
                    status: "authorized".to_owned(),
                },
            )]),
            ..Rows::default()
        }
    }

    fn check(spoil: impl FnOnce(&mut Rows), invariant: Option<&str>) {
        let mut stored = rows();
        spoil(&mut stored);
        let found = first_difference(&rows(), &stored);
        assert_eq!(
            found.as_ref().map(|found| found.invariant),
            invariant,
            "{found:?}"
        );
    }

    #[test]
    fn rows_that_follow_from_the_records_agree() {
        check(|_| {}, None);
        check(
            |rows| rows.payments.get_mut(&ID).unwrap().status = "captured".to_owned(),
            None,
        );
        check(
            |rows| rows.tickets.get_mut(&ID).unwrap().status = "used".to_owned(),
            None,
        );
    }

    #[test]
    fn every_difference_is_named_by_its_invariant() {
        check(|rows| rows.watermark = 4, Some("I8"));
        check(|rows| rows.event_status = None, Some("I13"));
        check(|rows| rows.quotas.get_mut(&ID).unwrap().sold = 3, Some("I8"));
        check(|rows| rows.orders.clear(), Some("I8"));
        check(
            |rows| rows.tickets.get_mut(&ID).unwrap().code = "OTHER".to_owned(),
            Some("I15"),
        );
        check(
            |rows| rows.tickets.get_mut(&ID).unwrap().status = "cancelled".to_owned(),
            Some("I15"),
        );
        check(
            |rows| rows.payments.get_mut(&ID).unwrap().amount_minor = 1,
            Some("I12"),
        );
        check(
            |rows| rows.payments.get_mut(&ID).unwrap().status = "voided".to_owned(),
            Some("I12"),
        );
        let stray = |rows: &mut Rows| {
            let order = rows.orders[&ID].clone();
            rows.orders.insert(Uuid::from_u128(8), order);
        };
        check(stray, Some("I8"));
    }
}
