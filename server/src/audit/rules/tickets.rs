//! I15: an order has one ticket for each unit that it paid for, and each lets in once.

use std::collections::BTreeMap;

use onsale_persistence::audit::{CheckInRow, Rows, TicketRow};
use uuid::Uuid;

use super::is_live;
use crate::audit::compare::Difference;

/// Tickets of one type of one order.
#[derive(Default)]
struct Counts {
    living: i64,
    refunded: i64,
    cancelled: i64,
}

pub(super) fn check(rows: &Rows) -> Result<(), Difference> {
    let mut counts: BTreeMap<(Uuid, Uuid), Counts> = BTreeMap::new();
    for (ticket_id, ticket) in &rows.tickets {
        let count = counts
            .entry((ticket.order_id, ticket.ticket_type_id))
            .or_default();
        match ticket.status.as_str() {
            "valid" | "used" => count.living += 1,
            "refunded" => count.refunded += 1,
            "cancelled" => count.cancelled += 1,
            unknown => return Err(Difference::ticket(format!("ticket {ticket_id} is {unknown}"))),
        }
        refund_fits(rows, *ticket_id, ticket)?;
    }
    covers_the_lines(rows, counts)?;
    admits_once(rows)
}

/// What went back is named by a refund of the ticket's order, and only that.
fn refund_fits(rows: &Rows, ticket_id: Uuid, ticket: &TicketRow) -> Result<(), Difference> {
    let refund = ticket
        .refund_id
        .and_then(|refund_id| rows.refunds.get(&refund_id));
    let fits = match ticket.status.as_str() {
        "refunded" => refund.is_some_and(|refund| refund.order_id == ticket.order_id),
        _ => ticket.refund_id.is_none(),
    };
    if fits {
        return Ok(());
    }
    Err(Difference::ticket(format!(
        "ticket {ticket_id} is {} by refund {:?}",
        ticket.status, ticket.refund_id
    )))
}

/// Of each type, an order has as many tickets as its line says: living or refunded while it stands, none living once it
/// was cancelled, none at all before it was confirmed.
fn covers_the_lines(rows: &Rows, mut counts: BTreeMap<(Uuid, Uuid), Counts>) -> Result<(), Difference> {
    for (order_id, order) in &rows.orders {
        let is_issued = is_live(order) || order.confirmed_at_ms.is_some();
        for line in rows.order_lines.get(order_id).into_iter().flatten() {
            let count = counts
                .remove(&(*order_id, line.ticket_type_id))
                .unwrap_or_default();
            let quantity = if is_issued { line.quantity } else { 0 };
            let void = if is_live(order) {
                count.cancelled
            } else {
                count.living
            };
            if void != 0 || count.living + count.refunded + count.cancelled != quantity {
                return Err(Difference::ticket(format!(
                    "{} order {order_id} has {} tickets that let in, {} refunded and {} cancelled, of {quantity}",
                    order.status, count.living, count.refunded, count.cancelled
                )));
            }
        }
    }
    match counts.into_keys().next() {
        None => Ok(()),
        Some((order_id, ticket_type_id)) => Err(Difference::ticket(format!(
            "tickets of type {ticket_type_id} that order {order_id} did not buy"
        ))),
    }
}

/// The scans of a ticket go in and out by turns, and a ticket is used from the first of them on.
fn admits_once(rows: &Rows) -> Result<(), Difference> {
    let mut inside: BTreeMap<Uuid, bool> = BTreeMap::new();
    for (
        seq,
        CheckInRow {
            ticket_id, direction, ..
        },
    ) in &rows.check_ins
    {
        let was_inside = inside.get(ticket_id).copied().unwrap_or(false);
        let is_inside = direction == "in";
        if was_inside == is_inside {
            return Err(Difference::ticket(format!(
                "ticket {ticket_id} goes {direction} twice, at {seq}"
            )));
        }
        inside.insert(*ticket_id, is_inside);
    }
    for (ticket_id, ticket) in &rows.tickets {
        let is_scanned = inside.remove(ticket_id).is_some();
        let fits = match ticket.status.as_str() {
            "valid" => !is_scanned,
            "used" => is_scanned,
            _ => true,
        };
        if !fits {
            return Err(Difference::ticket(format!(
                "ticket {ticket_id} is {}, its scans say otherwise",
                ticket.status
            )));
        }
    }
    match inside.into_keys().next() {
        None => Ok(()),
        Some(ticket_id) => Err(Difference::ticket(format!(
            "scans of ticket {ticket_id}, which is none"
        ))),
    }
}
