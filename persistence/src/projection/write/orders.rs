//! Orders, with their lines and payments: inserts for those of this batch, updates for earlier ones.

use jiff_sqlx::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::DatabaseError;
use crate::convert::{seq_out, timestamp};
use crate::projection::changes::RowChanges;
use crate::projection::orders::{NewOrder, NewPayment, OrderChange, PaymentStep};
use crate::read::{OrderStatus, PaymentStatus};

pub(in crate::projection) async fn orders(
    connection: &mut PgConnection,
    changes: &RowChanges,
) -> Result<(), DatabaseError> {
    let orders = &changes.orders;
    let new: Vec<(&OrderChange, &NewOrder)> = orders
        .iter()
        .filter_map(|order| Some((order, order.new.as_ref()?)))
        .collect();
    if !new.is_empty() {
        insert_orders(connection, &new).await?;
        insert_lines(connection, &new).await?;
    }
    let earlier: Vec<&OrderChange> = orders.iter().filter(|order| order.new.is_none()).collect();
    if !earlier.is_empty() {
        update_orders(connection, &earlier).await?;
        cancel_tickets(connection, &earlier).await?;
    }
    insert_payments(connection, orders).await?;
    step_payments(connection, orders).await
}

async fn insert_orders(
    connection: &mut PgConnection,
    orders: &[(&OrderChange, &NewOrder)],
) -> Result<(), DatabaseError> {
    let event_ids: Vec<Uuid> = orders.iter().map(|(order, _)| order.event_id.0).collect();
    let order_ids: Vec<Uuid> = orders.iter().map(|(order, _)| order.order_id.0).collect();
    let buyer_ids: Vec<Uuid> = orders.iter().map(|(_, new)| new.buyer_id.0).collect();
    let statuses: Vec<&str> = orders
        .iter()
        .map(|(order, _)| order.status.unwrap_or(OrderStatus::Pending).as_str())
        .collect();
    let currencies: Vec<&str> = orders.iter().map(|(_, new)| new.currency.code()).collect();
    let totals: Vec<i64> = orders.iter().map(|(_, new)| new.totals.total_minor).collect();
    let fees: Vec<i64> = orders.iter().map(|(_, new)| new.totals.fees_minor).collect();
    let taxes: Vec<i64> = orders.iter().map(|(_, new)| new.totals.tax_minor).collect();
    let refunded: Vec<i64> = orders.iter().map(|(order, _)| order.refunded_minor).collect();
    let packages: Vec<Option<Uuid>> = orders
        .iter()
        .map(|(_, new)| new.package_order_id.map(|id| id.0))
        .collect();
    let placed_at: Vec<Timestamp> = orders.iter().map(|(_, new)| timestamp(new.placed_at)).collect();
    let instants = |instant: fn(&OrderChange) -> Option<onsale_domain::UnixMillis>| {
        let of_order = |(order, _): &(&OrderChange, &NewOrder)| instant(order).map(timestamp);
        orders.iter().map(of_order).collect::<Vec<Option<Timestamp>>>()
    };
    let confirmed_at = instants(|order| order.confirmed_at);
    let cancelled_at = instants(|order| order.cancelled_at);
    let ended_at = instants(|order| order.ended_at);
    let seqs: Vec<i64> = orders.iter().map(|(order, _)| seq_out(order.seq)).collect();
    sqlx::query!(
        r#"INSERT INTO ticket_orders (event_id, order_id, buyer_id, status, currency, total_minor, fees_minor,
               tax_minor, refunded_minor, package_order_id, placed_at, confirmed_at, cancelled_at, ended_at, seq)
           SELECT event_id, order_id, buyer_id, status, currency, total_minor, fees_minor,
               tax_minor, refunded_minor, package_order_id, placed_at, confirmed_at, cancelled_at, ended_at, seq
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
               $8::bigint[], $9::bigint[], $10::uuid[], $11::timestamptz[], $12::timestamptz[],
               $13::timestamptz[], $14::timestamptz[], $15::bigint[])
               AS new (event_id, order_id, buyer_id, status, currency, total_minor, fees_minor,
                   tax_minor, refunded_minor, package_order_id, placed_at, confirmed_at, cancelled_at, ended_at,
                   seq)"#,
        &event_ids,
        &order_ids,
        &buyer_ids,
        &statuses as _,
        &currencies as _,
        &totals,
        &fees,
        &taxes,
        &refunded,
        &packages as _,
        &placed_at as _,
        &confirmed_at as _,
        &cancelled_at as _,
        &ended_at as _,
        &seqs
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_lines(
    connection: &mut PgConnection,
    orders: &[(&OrderChange, &NewOrder)],
) -> Result<(), DatabaseError> {
    let rows = || {
        orders
            .iter()
            .flat_map(|(order, new)| (0..).zip(&new.lines).map(move |line| (order, line)))
    };
    let event_ids: Vec<Uuid> = rows().map(|(order, _)| order.event_id.0).collect();
    let order_ids: Vec<Uuid> = rows().map(|(order, _)| order.order_id.0).collect();
    let positions: Vec<i32> = rows().map(|(_, (position, _))| position).collect();
    let ticket_type_ids: Vec<Uuid> = rows().map(|(_, (_, l))| l.ticket_type_id.0).collect();
    let quantities: Vec<i64> = rows().map(|(_, (_, l))| i64::from(l.quantity)).collect();
    let prices: Vec<i64> = rows().map(|(_, (_, l))| l.unit_price_minor).collect();
    let fees: Vec<i64> = rows().map(|(_, (_, l))| l.unit_fee_minor).collect();
    let taxes: Vec<i32> = rows().map(|(_, (_, l))| i32::from(l.tax.basis_points)).collect();
    let inclusive: Vec<bool> = rows().map(|(_, (_, l))| l.tax.inclusive).collect();
    sqlx::query!(
        r#"INSERT INTO order_lines (event_id, order_id, position, ticket_type_id, quantity, unit_price_minor,
               unit_fee_minor, tax_basis_points, tax_inclusive)
           SELECT event_id, order_id, position, ticket_type_id, quantity, unit_price_minor,
               unit_fee_minor, tax_basis_points, tax_inclusive
           FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[],
               $8::int[], $9::boolean[])
               AS line (event_id, order_id, position, ticket_type_id, quantity, unit_price_minor,
                   unit_fee_minor, tax_basis_points, tax_inclusive)"#,
        &event_ids,
        &order_ids,
        &positions,
        &ticket_type_ids,
        &quantities,
        &prices,
        &fees,
        &taxes,
        &inclusive
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A status that the payment worker gave (`paid`) stays until a record says otherwise.
async fn update_orders(connection: &mut PgConnection, orders: &[&OrderChange]) -> Result<(), DatabaseError> {
    let event_ids: Vec<Uuid> = orders.iter().map(|order| order.event_id.0).collect();
    let order_ids: Vec<Uuid> = orders.iter().map(|order| order.order_id.0).collect();
    let statuses: Vec<Option<&str>> = orders
        .iter()
        .map(|order| order.status.map(OrderStatus::as_str))
        .collect();
    let refunded: Vec<i64> = orders.iter().map(|order| order.refunded_minor).collect();
    let confirmed_at: Vec<Option<Timestamp>> = orders
        .iter()
        .map(|order| order.confirmed_at.map(timestamp))
        .collect();
    let cancelled_at: Vec<Option<Timestamp>> = orders
        .iter()
        .map(|order| order.cancelled_at.map(timestamp))
        .collect();
    let ended_at: Vec<Option<Timestamp>> = orders.iter().map(|order| order.ended_at.map(timestamp)).collect();
    let seqs: Vec<i64> = orders.iter().map(|order| seq_out(order.seq)).collect();
    let updated = sqlx::query!(
        r#"UPDATE ticket_orders AS ticket_order
           SET status = coalesce(change.status, ticket_order.status),
               refunded_minor = ticket_order.refunded_minor + change.refunded_minor,
               confirmed_at = coalesce(change.confirmed_at, ticket_order.confirmed_at),
               cancelled_at = coalesce(change.cancelled_at, ticket_order.cancelled_at),
               -- An order that was reclaimed has not ended.
               ended_at = CASE WHEN change.confirmed_at IS NULL
                   THEN coalesce(change.ended_at, ticket_order.ended_at) END,
               seq = change.seq
           FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[],
               $7::timestamptz[], $8::bigint[])
               AS change (event_id, order_id, status, refunded_minor, confirmed_at, cancelled_at, ended_at, seq)
           WHERE ticket_order.event_id = change.event_id AND ticket_order.order_id = change.order_id"#,
        &event_ids,
        &order_ids,
        &statuses as _,
        &refunded,
        &confirmed_at as _,
        &cancelled_at as _,
        &ended_at as _,
        &seqs
    )
    .execute(connection)
    .await?;
    super::all_rows("ticket_orders", updated.rows_affected(), orders.len())
}

/// Before the tickets that this batch changes one by one. These leave a cancelled one cancelled, unless it was
/// refunded before.
async fn cancel_tickets(connection: &mut PgConnection, orders: &[&OrderChange]) -> Result<(), DatabaseError> {
    let cancelled = || orders.iter().filter(|order| order.cancelled_at.is_some());
    let event_ids: Vec<Uuid> = cancelled().map(|order| order.event_id.0).collect();
    if event_ids.is_empty() {
        return Ok(());
    }
    let order_ids: Vec<Uuid> = cancelled().map(|order| order.order_id.0).collect();
    sqlx::query!(
        r#"UPDATE tickets AS ticket SET status = 'cancelled'
           FROM unnest($1::uuid[], $2::uuid[]) AS cancelled (event_id, order_id)
           WHERE ticket.event_id = cancelled.event_id AND ticket.order_id = cancelled.order_id
             AND ticket.status <> 'refunded'"#,
        &event_ids,
        &order_ids
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_payments(connection: &mut PgConnection, orders: &[OrderChange]) -> Result<(), DatabaseError> {
    let rows: Vec<(&OrderChange, &NewPayment)> = orders
        .iter()
        .filter_map(|order| Some((order, order.payment.new.as_ref()?)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let event_ids: Vec<Uuid> = rows.iter().map(|(order, _)| order.event_id.0).collect();
    let order_ids: Vec<Uuid> = rows.iter().map(|(order, _)| order.order_id.0).collect();
    let gateways: Vec<&str> = rows.iter().map(|(_, new)| new.gateway.as_str()).collect();
    let references: Vec<Option<String>> = rows
        .iter()
        .map(|(order, _)| order.payment.reference.as_deref().map(storable))
        .collect();
    let amounts: Vec<i64> = rows.iter().map(|(_, new)| new.amount_minor).collect();
    let currencies: Vec<Option<&str>> = rows
        .iter()
        .map(|(order, _)| order.new.as_ref().map(|new| new.currency.code()))
        .collect();
    let statuses: Vec<&str> = rows
        .iter()
        .map(|(order, _)| first_status(order.payment.step).as_str())
        .collect();
    let started_at: Vec<Timestamp> = rows.iter().map(|(_, new)| timestamp(new.started_at)).collect();
    sqlx::query!(
        r#"INSERT INTO payments (event_id, order_id, gateway, reference, amount_minor, currency, status, started_at)
           SELECT event_id, order_id, gateway, reference, amount_minor, currency, status, started_at
           FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
               $8::timestamptz[])
               AS payment (event_id, order_id, gateway, reference, amount_minor, currency, status, started_at)"#,
        &event_ids,
        &order_ids,
        &gateways as _,
        &references as _,
        &amounts,
        &currencies as _,
        &statuses as _,
        &started_at as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

const fn first_status(step: Option<PaymentStep>) -> PaymentStatus {
    match step {
        None => PaymentStatus::Pending,
        Some(PaymentStep::Authorize) => PaymentStatus::Authorized,
        Some(PaymentStep::LetGo) => PaymentStatus::Voiding,
        Some(PaymentStep::Decline) => PaymentStatus::Declined,
    }
}

/// Payments of earlier batches. A leg and a free order have none. The worker may have moved one on meanwhile: what was
/// captured is given back and not let go, what is settled stays so, and what is quarantined waits for staff.
async fn step_payments(connection: &mut PgConnection, orders: &[OrderChange]) -> Result<(), DatabaseError> {
    let stepped = || {
        orders
            .iter()
            .filter(|order| order.payment.new.is_none())
            .filter_map(|order| Some((order, order.payment.step?)))
    };
    let event_ids: Vec<Uuid> = stepped().map(|(order, _)| order.event_id.0).collect();
    if event_ids.is_empty() {
        return Ok(());
    }
    let order_ids: Vec<Uuid> = stepped().map(|(order, _)| order.order_id.0).collect();
    let steps: Vec<&str> = stepped().map(|(_, step)| step.as_str()).collect();
    let references: Vec<Option<String>> = stepped()
        .map(|(order, _)| order.payment.reference.as_deref().map(storable))
        .collect();
    sqlx::query!(
        r#"UPDATE payments AS payment
           SET status = CASE
                   WHEN change.step = 'authorize' AND payment.status NOT IN ('captured', 'quarantined')
                       THEN 'authorized'
                   WHEN change.step = 'decline' AND payment.status = 'pending' THEN 'declined'
                   WHEN change.step = 'let_go' AND payment.status IN ('pending', 'authorized') THEN 'voiding'
                   WHEN change.step = 'let_go' AND payment.status = 'captured' THEN 'refunding'
                   ELSE payment.status END,
               reference = coalesce(change.reference, payment.reference)
           FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
               AS change (event_id, order_id, step, reference)
           WHERE payment.event_id = change.event_id AND payment.order_id = change.order_id"#,
        &event_ids,
        &order_ids,
        &steps as _,
        &references as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Postgres stores every text but one with a NUL, which no gateway should have sent.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
