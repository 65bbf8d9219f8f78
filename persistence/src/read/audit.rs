//! Totals of an event, for a verdict on a whole sale.

use onsale_domain::{EventId, Sequence};

use crate::convert::{count_in, seq_in};
use crate::{Database, DatabaseError};

/// Sums over all rows of an event, read at one instant. Amounts are in the event's currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventTotals {
    /// The rows hold the records up to this one.
    pub watermark: Sequence,
    /// Units of all quotas.
    pub capacity: u64,
    /// Units that the quotas count as held.
    pub held: u64,
    /// Units that the quotas count as sold.
    pub sold: u64,
    /// Holds that are live.
    pub holds_held: u64,
    /// Orders that are not cancelled.
    pub orders: u64,
    /// Orders that are.
    pub orders_cancelled: u64,
    /// Tickets that the lines of orders that are not cancelled add up to.
    pub order_quantity: u64,
    /// Sum of the orders that are not cancelled.
    pub orders_minor: i64,
    /// Tickets of any status.
    pub tickets: u64,
    /// Tickets that admit or have admitted.
    pub tickets_valid: u64,
    /// Different codes of all tickets.
    pub ticket_codes: u64,
    /// Payments still to be captured.
    pub authorized_minor: i64,
    /// Payments captured and kept.
    pub captured_minor: i64,
    /// Payments of cancelled orders still to be voided or refunded.
    pub returning_minor: i64,
    /// Payments given up before they were captured.
    pub voided_minor: i64,
    /// Payments captured and given back.
    pub refunded_minor: i64,
}

impl Database {
    /// Totals of an event; all zero for an event that was never projected.
    pub async fn event_totals(&self, event_id: EventId) -> Result<EventTotals, DatabaseError> {
        let row = sqlx::query!(
            r#"SELECT
                   COALESCE((SELECT seq FROM watermarks WHERE event_id = $1), 0) AS "watermark!",
                   quota.capacity AS "capacity!", quota.held AS "held!", quota.sold AS "sold!",
                   (SELECT count(*) FROM holds WHERE event_id = $1 AND status = 'held') AS "holds_held!",
                   sale.orders AS "orders!", sale.cancelled AS "orders_cancelled!", sale.minor AS "orders_minor!",
                   (SELECT COALESCE(sum(line.quantity), 0)::bigint FROM order_lines AS line
                    JOIN ticket_orders AS o ON o.event_id = line.event_id AND o.order_id = line.order_id
                    WHERE line.event_id = $1 AND o.status <> 'cancelled') AS "order_quantity!",
                   ticket.tickets AS "tickets!", ticket.valid AS "tickets_valid!", ticket.codes AS "ticket_codes!",
                   payment.authorized AS "authorized!", payment.captured AS "captured!",
                   payment.returning_ AS "returning!", payment.voided AS "voided!", payment.refunded AS "refunded!"
               FROM (SELECT COALESCE(sum(capacity), 0)::bigint AS capacity, COALESCE(sum(held), 0)::bigint AS held,
                         COALESCE(sum(sold), 0)::bigint AS sold
                     FROM quotas WHERE event_id = $1) AS quota,
                    (SELECT count(*) FILTER (WHERE status <> 'cancelled') AS orders,
                         count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
                         COALESCE(sum(total_minor) FILTER (WHERE status <> 'cancelled'), 0)::bigint AS minor
                     FROM ticket_orders WHERE event_id = $1) AS sale,
                    (SELECT count(*) AS tickets, count(*) FILTER (WHERE status IN ('valid', 'used')) AS valid,
                         count(DISTINCT code) AS codes
                     FROM tickets WHERE event_id = $1) AS ticket,
                    (SELECT
                         COALESCE(sum(amount_minor) FILTER (WHERE status = 'authorized'), 0)::bigint AS authorized,
                         COALESCE(sum(amount_minor) FILTER (WHERE status = 'captured'), 0)::bigint AS captured,
                         COALESCE(sum(amount_minor) FILTER (WHERE status IN ('voiding', 'refunding')), 0)::bigint
                             AS returning_,
                         COALESCE(sum(amount_minor) FILTER (WHERE status = 'voided'), 0)::bigint AS voided,
                         COALESCE(sum(amount_minor) FILTER (WHERE status = 'refunded'), 0)::bigint AS refunded
                     FROM payments WHERE event_id = $1) AS payment"#,
            event_id.0
        )
        .fetch_one(self.pool())
        .await?;
        Ok(EventTotals {
            watermark: seq_in(row.watermark),
            capacity: count_in(row.capacity),
            held: count_in(row.held),
            sold: count_in(row.sold),
            holds_held: count_in(row.holds_held),
            orders: count_in(row.orders),
            orders_cancelled: count_in(row.orders_cancelled),
            order_quantity: count_in(row.order_quantity),
            orders_minor: row.orders_minor,
            tickets: count_in(row.tickets),
            tickets_valid: count_in(row.tickets_valid),
            ticket_codes: count_in(row.ticket_codes),
            authorized_minor: row.authorized,
            captured_minor: row.captured,
            returning_minor: row.returning,
            voided_minor: row.voided,
            refunded_minor: row.refunded,
        })
    }
}
