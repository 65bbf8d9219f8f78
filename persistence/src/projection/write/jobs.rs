//! The background work that a batch asks for, in the transaction of its rows.

use onsale_domain::UnixMillis;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::jobs::{JobKind, NewJob};
use crate::projection::changes::RowChanges;
use crate::projection::orders::{OrderChange, PaymentStep};
use crate::read::OrderStatus;
use crate::{DatabaseError, jobs};

/// A payment that is still pending after this is looked at: by then the request that began it has given up, or its
/// process died.
const PENDING_LOOK_MS: i64 = 15_000;

pub(in crate::projection) async fn jobs(
    connection: &mut PgConnection,
    changes: &RowChanges,
) -> Result<(), DatabaseError> {
    let Some(now) = changes.orders.iter().map(|order| order.at).max() else {
        return Ok(());
    };
    let mut wanted: Vec<NewJob> = changes
        .orders
        .iter()
        .flat_map(|order| [payment_job(order), files_job(order)])
        .flatten()
        .collect();
    let refunded: Vec<&OrderChange> = changes
        .orders
        .iter()
        .filter(|order| order.refunded_minor > 0)
        .collect();
    if !refunded.is_empty() {
        wanted.extend(package_jobs(connection, &refunded, now).await?);
    }
    for (message, at) in &changes.mail {
        wanted.push(message.clone().job(*at)?);
    }
    jobs::enqueue(connection, &wanted, now).await
}

/// What goes back for a leg's tickets goes back through the payment of its package.
async fn package_jobs(
    connection: &mut PgConnection,
    refunded: &[&OrderChange],
    now: UnixMillis,
) -> Result<Vec<NewJob>, DatabaseError> {
    let event_ids: Vec<Uuid> = refunded.iter().map(|order| order.event_id.0).collect();
    let order_ids: Vec<Uuid> = refunded.iter().map(|order| order.order_id.0).collect();
    let packages = sqlx::query_scalar!(
        r#"SELECT leg.package_order_id AS "package_order_id!"
           FROM unnest($1::uuid[], $2::uuid[]) AS refunded (event_id, order_id)
           JOIN ticket_orders AS leg USING (event_id, order_id)
           WHERE leg.package_order_id IS NOT NULL"#,
        &event_ids,
        &order_ids
    )
    .fetch_all(connection)
    .await?;
    let job = |subject_id| NewJob {
        kind: JobKind::Package,
        subject_id,
        event_id: None,
        payload: None,
        due_at: now,
    };
    Ok(packages.into_iter().map(job).collect())
}

/// The job finds out what there is to do; where there is no payment, that is nothing.
fn payment_job(order: &OrderChange) -> Option<NewJob> {
    let payment = &order.payment;
    let undecided = order.status == Some(OrderStatus::Pending) && payment.step.is_none();
    let due_at = if undecided {
        order.at.plus_ms(PENDING_LOOK_MS)
    } else {
        order.at
    };
    let settled = payment.step == Some(PaymentStep::Decline);
    let touched = payment.new.is_some()
        || payment.step.is_some()
        || order.refunded_minor > 0
        || order.status == Some(OrderStatus::Expired);
    (touched && !settled).then(|| job(JobKind::Payment, order, due_at))
}

fn files_job(order: &OrderChange) -> Option<NewJob> {
    order
        .makes_files
        .then(|| job(JobKind::TicketFiles, order, order.at))
}

fn job(kind: JobKind, order: &OrderChange, due_at: UnixMillis) -> NewJob {
    NewJob {
        kind,
        subject_id: order.order_id.0,
        event_id: Some(order.event_id),
        payload: None,
        due_at,
    }
}
