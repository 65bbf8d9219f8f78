//! Orders, with their lines, payments and tickets.

use jiff_sqlx::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::DatabaseError;
use crate::convert::{seq_out, timestamp};
use crate::projection::changes::{CancelledOrder, NewOrder, RowChanges};
use crate::read::{OrderStatus, PaymentStatus, TicketStatus};

pub(in crate::projection) async fn orders(
    connection: &mut PgConnection,
    changes: &RowChanges,
) -> Result<(), DatabaseError> {
    if !changes.new_orders.is_empty() {
        insert_orders(connection, &changes.new_orders).await?;
        insert_lines(connection, &changes.new_orders).await?;
        insert_payments(connection, &changes.new_orders).await?;
        insert_tickets(connection, &changes.new_orders).await?;
    }
    if !changes.cancelled_orders.is_empty() {
        cancel(connection, &changes.cancelled_orders).await?;
    }
    Ok(())
}

async fn insert_orders(connection: &mut PgConnection, orders: &[NewOrder]) -> Result<(), DatabaseError> {
    let event_ids: Vec<Uuid> = orders.iter().map(|order| order.event_id.0).collect();
    let order_ids: Vec<Uuid> = orders.iter().map(|order| order.order_id.0).collect();
    let buyer_ids: Vec<Uuid> = orders.iter().map(|o| o.confirmed.buyer_id.0).collect();
    let statuses: Vec<&str> = orders
        .iter()
        .map(|order| match order.cancelled_at {
            Some(_) => OrderStatus::Cancelled.as_str(),
            None => OrderStatus::Confirmed.as_str(),
        })
        .collect();
    let currencies: Vec<&str> = orders
        .iter()
        .map(|order| order.confirmed.total.currency.code())
        .collect();
    let totals: Vec<i64> = orders
        .iter()
        .map(|order| order.confirmed.total.amount_minor)
        .collect();
    let confirmed_at: Vec<Timestamp> = orders.iter().map(|o| timestamp(o.confirmed.at)).collect();
    let cancelled_at: Vec<Option<Timestamp>> = orders
        .iter()
        .map(|order| order.cancelled_at.map(timestamp))
        .collect();
    let seqs: Vec<i64> = orders.iter().map(|order| seq_out(order.seq)).collect();
    sqlx::query!(
        r#"INSERT INTO ticket_orders (event_id, order_id, buyer_id, status, currency, total_minor,
               confirmed_at, cancelled_at, seq)
           SELECT event_id, order_id, buyer_id, status, currency, total_minor,
               confirmed_at, cancelled_at, seq
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[],
               $7::timestamptz[], $8::timestamptz[], $9::bigint[])
               AS ticket_order (event_id, order_id, buyer_id, status, currency, total_minor,
                   confirmed_at, cancelled_at, seq)"#,
        &event_ids,
        &order_ids,
        &buyer_ids,
        &statuses as _,
        &currencies as _,
        &totals,
        &confirmed_at as _,
        &cancelled_at as _,
        &seqs
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_lines(connection: &mut PgConnection, orders: &[NewOrder]) -> Result<(), DatabaseError> {
    let rows = || {
        orders
            .iter()
            .flat_map(|order| (0..).zip(&order.confirmed.lines).map(move |line| (order, line)))
    };
    let event_ids: Vec<Uuid> = rows().map(|(order, _)| order.event_id.0).collect();
    let order_ids: Vec<Uuid> = rows().map(|(order, _)| order.order_id.0).collect();
    let positions: Vec<i32> = rows().map(|(_, (position, _))| position).collect();
    let ticket_type_ids: Vec<Uuid> = rows().map(|(_, (_, l))| l.ticket_type_id.0).collect();
    let quantities: Vec<i64> = rows().map(|(_, (_, l))| i64::from(l.quantity)).collect();
    let prices: Vec<i64> = rows().map(|(_, (_, l))| l.unit_price_minor).collect();
    sqlx::query!(
        r#"INSERT INTO order_lines (event_id, order_id, position, ticket_type_id, quantity, unit_price_minor)
           SELECT event_id, order_id, position, ticket_type_id, quantity, unit_price_minor
           FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::bigint[], $6::bigint[])
               AS line (event_id, order_id, position, ticket_type_id, quantity, unit_price_minor)"#,
        &event_ids,
        &order_ids,
        &positions,
        &ticket_type_ids,
        &quantities,
        &prices
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_payments(connection: &mut PgConnection, orders: &[NewOrder]) -> Result<(), DatabaseError> {
    let rows = || {
        orders
            .iter()
            .filter_map(|order| Some((order, order.confirmed.payment.as_ref()?)))
    };
    let event_ids: Vec<Uuid> = rows().map(|(order, _)| order.event_id.0).collect();
    if event_ids.is_empty() {
        return Ok(());
    }
    let order_ids: Vec<Uuid> = rows().map(|(order, _)| order.order_id.0).collect();
    let gateways: Vec<String> = rows().map(|(_, p)| storable(&p.gateway)).collect();
    let references: Vec<String> = rows().map(|(_, p)| storable(&p.reference)).collect();
    let amounts: Vec<i64> = rows().map(|(_, p)| p.amount.amount_minor).collect();
    let currencies: Vec<&str> = rows().map(|(_, p)| p.amount.currency.code()).collect();
    let statuses: Vec<&str> = rows()
        .map(|(order, _)| match order.cancelled_at {
            Some(_) => PaymentStatus::Voiding.as_str(),
            None => PaymentStatus::Authorized.as_str(),
        })
        .collect();
    sqlx::query!(
        r#"INSERT INTO payments (event_id, order_id, gateway, reference, amount_minor, currency, status)
           SELECT event_id, order_id, gateway, reference, amount_minor, currency, status
           FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[])
               AS payment (event_id, order_id, gateway, reference, amount_minor, currency, status)"#,
        &event_ids,
        &order_ids,
        &gateways,
        &references,
        &amounts,
        &currencies as _,
        &statuses as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_tickets(connection: &mut PgConnection, orders: &[NewOrder]) -> Result<(), DatabaseError> {
    let rows = || {
        orders
            .iter()
            .flat_map(|order| order.confirmed.tickets.iter().map(move |t| (order, t)))
    };
    let event_ids: Vec<Uuid> = rows().map(|(order, _)| order.event_id.0).collect();
    let ticket_ids: Vec<Uuid> = rows().map(|(_, ticket)| ticket.id.0).collect();
    let order_ids: Vec<Uuid> = rows().map(|(order, _)| order.order_id.0).collect();
    let ticket_type_ids: Vec<Uuid> = rows().map(|(_, t)| t.ticket_type_id.0).collect();
    let codes: Vec<String> = rows().map(|(_, ticket)| ticket.code.to_string()).collect();
    let statuses: Vec<&str> = rows()
        .map(|(order, _)| match order.cancelled_at {
            Some(_) => TicketStatus::Cancelled.as_str(),
            None => TicketStatus::Valid.as_str(),
        })
        .collect();
    sqlx::query!(
        r#"INSERT INTO tickets (event_id, ticket_id, order_id, ticket_type_id, code, status)
           SELECT event_id, ticket_id, order_id, ticket_type_id, code, status
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
               AS ticket (event_id, ticket_id, order_id, ticket_type_id, code, status)"#,
        &event_ids,
        &ticket_ids,
        &order_ids,
        &ticket_type_ids,
        &codes,
        &statuses as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Also redirects the payments: what was only authorized is to be voided, what was captured to be refunded.
async fn cancel(connection: &mut PgConnection, orders: &[CancelledOrder]) -> Result<(), DatabaseError> {
    let event_ids: Vec<Uuid> = orders.iter().map(|order| order.event_id.0).collect();
    let order_ids: Vec<Uuid> = orders.iter().map(|order| order.order_id.0).collect();
    let cancelled_at: Vec<Timestamp> = orders.iter().map(|o| timestamp(o.cancelled_at)).collect();
    let seqs: Vec<i64> = orders.iter().map(|order| seq_out(order.seq)).collect();
    let updated = sqlx::query!(
        r#"WITH change AS (
               SELECT event_id, order_id, cancelled_at, seq
               FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[])
                   AS change (event_id, order_id, cancelled_at, seq)
           ), redirected AS (
               UPDATE payments AS payment
               SET status = CASE payment.status WHEN 'authorized' THEN 'voiding' ELSE 'refunding' END
               FROM change
               WHERE payment.event_id = change.event_id AND payment.order_id = change.order_id
                 AND payment.status IN ('authorized', 'captured')
           ), withdrawn AS (
               UPDATE tickets AS ticket SET status = 'cancelled'
               FROM change
               WHERE ticket.event_id = change.event_id AND ticket.order_id = change.order_id
           )
           UPDATE ticket_orders AS ticket_order
           SET status = 'cancelled', cancelled_at = change.cancelled_at, seq = change.seq
           FROM change
           WHERE ticket_order.event_id = change.event_id AND ticket_order.order_id = change.order_id"#,
        &event_ids,
        &order_ids,
        &cancelled_at as _,
        &seqs
    )
    .execute(connection)
    .await?;
    super::all_rows("ticket_orders", updated.rows_affected(), orders.len())
}

/// Postgres stores every text but one with a NUL, which no gateway should have sent.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
