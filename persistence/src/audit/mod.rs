//! One event's rows as Postgres has them: what the auditor compares and the demo's verdict is computed from.
//!
//! These queries are on purpose neither those of the projection, which wrote the rows, nor the read models: what checks
//! must not share the mistakes of what it checks. So states stay the text that is stored, amounts the numbers, and a
//! row that no release writes is shown and not refused. Do not merge a query here with one elsewhere.

mod money;
mod rows;
mod tickets;

use std::collections::BTreeMap;

use onsale_domain::{EventId, Sequence};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::convert::seq_in;
use crate::{Database, DatabaseError};

pub use rows::{
    CheckInRow, Counters, HoldRow, OrderLineRow, OrderRow, PaymentRow, RefundRow, Rows, TicketRow,
};

/// Everything that the projection wrote about an event, as it was at one instant.
pub async fn load(database: &Database, event_id: EventId) -> Result<Rows, DatabaseError> {
    let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    let mut transaction = database.pool().begin_with(snapshot).await?;
    let rows = read(&mut transaction, event_id.0).await?;
    transaction.rollback().await?;
    Ok(rows)
}

/// Every event of the Postgres journal and the sequence that its owner's row says it ends at; 0 for one without an
/// owner's row. The journal's own `heads` leaves out what is projected or owned by a living process, which is most of
/// what an auditor must see.
pub async fn postgres_heads(database: &Database) -> Result<Vec<(EventId, Sequence)>, DatabaseError> {
    let rows = sqlx::query!(
        r#"SELECT event_id AS "event_id!", last_seq AS "last_seq!"
           FROM event_owner WHERE journal = 'postgres'
           UNION
           SELECT journal.event_id, 0 FROM journal
           WHERE NOT EXISTS (SELECT 1 FROM event_owner WHERE event_owner.event_id = journal.event_id)
           ORDER BY 1"#
    )
    .fetch_all(database.pool())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (EventId(row.event_id), seq_in(row.last_seq)))
        .collect())
}

async fn read(database: &mut PgConnection, event_id: Uuid) -> Result<Rows, sqlx::Error> {
    let watermark = sqlx::query_scalar!("SELECT seq FROM watermarks WHERE event_id = $1", event_id)
        .fetch_optional(&mut *database)
        .await?;
    let event_status = sqlx::query_scalar!("SELECT status FROM events WHERE event_id = $1", event_id)
        .fetch_optional(&mut *database)
        .await?;
    let (ticket_types, quota_ids) = ticket_types(database, event_id).await?;
    Ok(Rows {
        watermark: watermark.map_or(0, seq_in),
        event_status,
        quotas: quotas(database, event_id).await?,
        ticket_types,
        quota_ids,
        holds: holds(database, event_id).await?,
        orders: money::orders(database, event_id).await?,
        order_lines: money::order_lines(database, event_id).await?,
        payments: money::payments(database, event_id).await?,
        payment_jobs: money::payment_jobs(database, event_id).await?,
        refunds: money::refunds(database, event_id).await?,
        tickets: tickets::tickets(database, event_id).await?,
        check_ins: tickets::check_ins(database, event_id).await?,
    })
}

async fn quotas(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<BTreeMap<Uuid, Counters>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT quota_id, capacity, held, sold FROM quotas WHERE event_id = $1",
        event_id
    )
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let counters = Counters {
                capacity: row.capacity,
                held: row.held,
                sold: row.sold,
            };
            (row.quota_id, counters)
        })
        .collect())
}

/// The counters of ticket types, and their quotas.
async fn ticket_types(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<(BTreeMap<Uuid, Counters>, BTreeMap<Uuid, Uuid>), sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT ticket_type_id, quota_id, held, sold FROM ticket_types WHERE event_id = $1",
        event_id
    )
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let counters = Counters {
                capacity: 0,
                held: row.held,
                sold: row.sold,
            };
            ((row.ticket_type_id, counters), (row.ticket_type_id, row.quota_id))
        })
        .unzip())
}

async fn holds(database: &mut PgConnection, event_id: Uuid) -> Result<BTreeMap<Uuid, HoldRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT hold_id, buyer_id, status, total_minor,
               (extract(epoch FROM expires_at) * 1000)::bigint AS "expires_at_ms!"
           FROM holds WHERE event_id = $1"#,
        event_id
    )
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let stored = HoldRow {
                buyer_id: row.buyer_id,
                status: row.status,
                total_minor: row.total_minor,
                expires_at_ms: row.expires_at_ms,
            };
            (row.hold_id, stored)
        })
        .collect())
}
