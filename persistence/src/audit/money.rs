//! Orders and the money for them.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::{OrderLineRow, OrderRow, PaymentRow, RefundRow};

pub(super) async fn orders(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<BTreeMap<Uuid, OrderRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT order_id, buyer_id, status, currency, total_minor, fees_minor, tax_minor, refunded_minor,
               package_order_id,
               (extract(epoch FROM placed_at) * 1000)::bigint AS "placed_at_ms!",
               (extract(epoch FROM confirmed_at) * 1000)::bigint AS confirmed_at_ms,
               (extract(epoch FROM cancelled_at) * 1000)::bigint AS cancelled_at_ms,
               (extract(epoch FROM ended_at) * 1000)::bigint AS ended_at_ms
           FROM ticket_orders WHERE event_id = $1"#,
        event_id
    )
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let stored = OrderRow {
                buyer_id: row.buyer_id,
                status: row.status,
                currency: row.currency,
                total_minor: row.total_minor,
                fees_minor: row.fees_minor,
                tax_minor: row.tax_minor,
                refunded_minor: row.refunded_minor,
                package_order_id: row.package_order_id,
                placed_at_ms: row.placed_at_ms,
                confirmed_at_ms: row.confirmed_at_ms,
                cancelled_at_ms: row.cancelled_at_ms,
                ended_at_ms: row.ended_at_ms,
            };
            (row.order_id, stored)
        })
        .collect())
}

pub(super) async fn order_lines(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<BTreeMap<Uuid, Vec<OrderLineRow>>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT order_id, ticket_type_id, quantity, unit_price_minor, unit_fee_minor, tax_basis_points, tax_inclusive
         FROM order_lines WHERE event_id = $1 ORDER BY order_id, position",
        event_id
    )
    .fetch_all(database)
    .await?;
    let mut lines: BTreeMap<Uuid, Vec<OrderLineRow>> = BTreeMap::new();
    for row in rows {
        lines.entry(row.order_id).or_default().push(OrderLineRow {
            ticket_type_id: row.ticket_type_id,
            quantity: row.quantity,
            unit_price_minor: row.unit_price_minor,
            unit_fee_minor: row.unit_fee_minor,
            tax_basis_points: row.tax_basis_points,
            tax_inclusive: row.tax_inclusive,
        });
    }
    Ok(lines)
}

pub(super) async fn payments(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<BTreeMap<Uuid, PaymentRow>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT order_id, gateway, reference, amount_minor, currency, status, refunded_minor
         FROM payments WHERE event_id = $1",
        event_id
    )
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let stored = PaymentRow {
                gateway: row.gateway,
                reference: row.reference,
                amount_minor: row.amount_minor,
                currency: row.currency,
                status: row.status,
                refunded_minor: row.refunded_minor,
            };
            (row.order_id, stored)
        })
        .collect())
}

pub(super) async fn payment_jobs(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<BTreeSet<Uuid>, sqlx::Error> {
    let subjects = sqlx::query_scalar!(
        "SELECT subject_id FROM jobs WHERE kind = 'payment' AND event_id = $1",
        event_id
    )
    .fetch_all(database)
    .await?;
    Ok(subjects.into_iter().collect())
}

pub(super) async fn refunds(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<BTreeMap<Uuid, RefundRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT refund_id, order_id, buyer_id, amount_minor, currency, status,
               (extract(epoch FROM requested_at) * 1000)::bigint AS "requested_at_ms!",
               settled_at IS NOT NULL AS "is_settled!"
           FROM refunds WHERE event_id = $1"#,
        event_id
    )
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let stored = RefundRow {
                order_id: row.order_id,
                buyer_id: row.buyer_id,
                amount_minor: row.amount_minor,
                currency: row.currency,
                status: row.status,
                requested_at_ms: row.requested_at_ms,
                is_settled: row.is_settled,
            };
            (row.refund_id, stored)
        })
        .collect())
}
