//! Gathers the verdict's evidence from Postgres, after the serving process has stopped.

use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::verdict::{Evidence, TicketEvidence};

/// Reads everything about the event over a connection of its own.
pub(crate) async fn gather(url: &str, event_id: Uuid) -> anyhow::Result<Evidence> {
    let mut database = PgConnection::connect(url)
        .await
        .context("cannot reach Postgres for the verdict")?;
    let evidence = read(&mut database, event_id).await.context("cannot read the verdict's evidence")?;
    database.close().await.context("cannot close the connection")?;
    Ok(evidence)
}

async fn read(database: &mut PgConnection, event_id: Uuid) -> Result<Evidence, sqlx::Error> {
    let quotas: Vec<(Uuid, i64)> =
        sqlx::query_as("SELECT quota_id, capacity FROM quotas WHERE event_id = $1")
            .bind(event_id)
            .fetch_all(&mut *database)
            .await?;
    let tickets: Vec<(Uuid, Uuid, Uuid, String)> = sqlx::query_as(
        "SELECT tickets.ticket_id, tickets.order_id, ticket_types.quota_id, tickets.code
         FROM tickets
         JOIN ticket_types
           ON ticket_types.event_id = tickets.event_id
          AND ticket_types.ticket_type_id = tickets.ticket_type_id
         WHERE tickets.event_id = $1 AND tickets.status IN ('valid', 'used')",
    )
    .bind(event_id)
    .fetch_all(&mut *database)
    .await?;
    let orders: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT order_id, total_minor FROM ticket_orders WHERE event_id = $1 AND status = 'confirmed'",
    )
    .bind(event_id)
    .fetch_all(&mut *database)
    .await?;
    let (captured_minor, payments_pending): (i64, i64) = sqlx::query_as(
        "SELECT coalesce(sum(amount_minor) FILTER (WHERE status = 'captured'), 0)::bigint,
                count(*) FILTER (WHERE status IN ('authorized', 'voiding', 'refunding'))
         FROM payments WHERE event_id = $1",
    )
    .bind(event_id)
    .fetch_one(&mut *database)
    .await?;
    Ok(Evidence {
        quotas: quotas
            .into_iter()
            .map(|(quota_id, capacity)| (quota_id, capacity.unsigned_abs()))
            .collect(),
        tickets: tickets
            .into_iter()
            .map(|(ticket_id, order_id, quota_id, code)| TicketEvidence {
                ticket_id,
                order_id,
                quota_id,
                code,
            })
            .collect(),
        orders: orders.into_iter().collect(),
        captured_minor,
        payments_pending: payments_pending.unsigned_abs(),
    })
}
