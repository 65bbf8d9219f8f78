//! One event's rows as Postgres has them: what the auditor compares and the demo's verdict is computed from.
//!
//! These queries are on purpose not those of the persistence crate, whose projection wrote the rows: what checks
//! must not share its mistakes. They are the only SQL of this crate.

use std::collections::BTreeMap;

use anyhow::Context as _;
use onsale_domain::EventId;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

/// Counters of a quota or ticket type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Units in all; for a ticket type 0, its quota has them.
    pub(crate) capacity: i64,
    pub(crate) held: i64,
    pub(crate) sold: i64,
}

/// A hold's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HoldRow {
    pub(crate) buyer_id: Uuid,
    pub(crate) status: String,
    pub(crate) total_minor: i64,
    pub(crate) expires_at_ms: i64,
}

/// An order's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderRow {
    pub(crate) buyer_id: Uuid,
    pub(crate) status: String,
    pub(crate) currency: String,
    pub(crate) total_minor: i64,
}

/// A ticket's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TicketRow {
    pub(crate) order_id: Uuid,
    pub(crate) ticket_type_id: Uuid,
    pub(crate) code: String,
    pub(crate) status: String,
}

/// A payment's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaymentRow {
    pub(crate) gateway: String,
    pub(crate) reference: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    /// As stored; among the expected rows `authorized` or `voiding`, from which the payment worker moves on.
    pub(crate) status: String,
}

/// One event's rows, by their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) watermark: u64,
    pub(crate) event_status: Option<String>,
    pub(crate) quotas: BTreeMap<Uuid, Counters>,
    pub(crate) ticket_types: BTreeMap<Uuid, Counters>,
    /// The quota that each ticket type draws from.
    pub(crate) quota_ids: BTreeMap<Uuid, Uuid>,
    pub(crate) holds: BTreeMap<Uuid, HoldRow>,
    pub(crate) orders: BTreeMap<Uuid, OrderRow>,
    pub(crate) tickets: BTreeMap<Uuid, TicketRow>,
    pub(crate) payments: BTreeMap<Uuid, PaymentRow>,
}

/// Everything that the projection wrote about an event.
pub(super) async fn load(database: &mut PgConnection, event_id: EventId) -> anyhow::Result<Rows> {
    let mut transaction = database
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .context("cannot read the tables")?;
    let rows = read(&mut transaction, event_id.0)
        .await
        .context("cannot read the tables");
    transaction.rollback().await.context("cannot read the tables")?;
    rows
}

/// Every event of the Postgres journal and the sequence that its owner's row says it ends at. The journal's own
/// `heads` leaves out what is projected or owned by a living process, which is most of what an auditor must see.
pub(crate) async fn postgres_heads(database: &mut PgConnection) -> anyhow::Result<Vec<(EventId, u64)>> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT event_id, last_seq FROM event_owner WHERE journal = 'postgres'
         UNION
         SELECT journal.event_id, 0 FROM journal
         WHERE NOT EXISTS (SELECT 1 FROM event_owner WHERE event_owner.event_id = journal.event_id)
         ORDER BY 1",
    )
    .fetch_all(database)
    .await
    .context("cannot read the owners of events")?;
    Ok(rows
        .into_iter()
        .map(|(event_id, last_seq)| (EventId(event_id), last_seq.unsigned_abs()))
        .collect())
}

async fn read(database: &mut PgConnection, event_id: Uuid) -> Result<Rows, sqlx::Error> {
    let watermark: Option<i64> = sqlx::query_scalar("SELECT seq FROM watermarks WHERE event_id = $1")
        .bind(event_id)
        .fetch_optional(&mut *database)
        .await?;
    let event_status = sqlx::query_scalar("SELECT status FROM events WHERE event_id = $1")
        .bind(event_id)
        .fetch_optional(&mut *database)
        .await?;
    Ok(Rows {
        watermark: watermark.map_or(0, i64::unsigned_abs),
        event_status,
        quotas: counters(
            database,
            "SELECT quota_id, capacity, held, sold FROM quotas WHERE event_id = $1",
            event_id,
        )
        .await?,
        ticket_types: counters(
            database,
            "SELECT ticket_type_id, 0::bigint, held, sold FROM ticket_types WHERE event_id = $1",
            event_id,
        )
        .await?,
        quota_ids: quota_ids(database, event_id).await?,
        holds: holds(database, event_id).await?,
        orders: orders(database, event_id).await?,
        tickets: tickets(database, event_id).await?,
        payments: payments(database, event_id).await?,
    })
}

async fn counters(
    database: &mut PgConnection,
    query: &'static str,
    event_id: Uuid,
) -> Result<BTreeMap<Uuid, Counters>, sqlx::Error> {
    let rows: Vec<(Uuid, i64, i64, i64)> = sqlx::query_as(query).bind(event_id).fetch_all(database).await?;
    Ok(rows
        .into_iter()
        .map(|(id, capacity, held, sold)| (id, Counters { capacity, held, sold }))
        .collect())
}

async fn quota_ids(database: &mut PgConnection, event_id: Uuid) -> Result<BTreeMap<Uuid, Uuid>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid)> =
        sqlx::query_as("SELECT ticket_type_id, quota_id FROM ticket_types WHERE event_id = $1")
            .bind(event_id)
            .fetch_all(database)
            .await?;
    Ok(rows.into_iter().collect())
}

async fn holds(database: &mut PgConnection, event_id: Uuid) -> Result<BTreeMap<Uuid, HoldRow>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid, String, i64, i64)> = sqlx::query_as(
        "SELECT hold_id, buyer_id, status, total_minor,
                (extract(epoch FROM expires_at) * 1000)::bigint
         FROM holds WHERE event_id = $1",
    )
    .bind(event_id)
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, buyer_id, status, total_minor, expires_at_ms)| {
            (
                id,
                HoldRow {
                    buyer_id,
                    status,
                    total_minor,
                    expires_at_ms,
                },
            )
        })
        .collect())
}

async fn orders(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<BTreeMap<Uuid, OrderRow>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid, String, String, i64)> = sqlx::query_as(
        "SELECT order_id, buyer_id, status, currency, total_minor
         FROM ticket_orders WHERE event_id = $1",
    )
    .bind(event_id)
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, buyer_id, status, currency, total_minor)| {
            (
                id,
                OrderRow {
                    buyer_id,
                    status,
                    currency,
                    total_minor,
                },
            )
        })
        .collect())
}

async fn tickets(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<BTreeMap<Uuid, TicketRow>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid, Uuid, String, String)> = sqlx::query_as(
        "SELECT ticket_id, order_id, ticket_type_id, code, status FROM tickets WHERE event_id = $1",
    )
    .bind(event_id)
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, order_id, ticket_type_id, code, status)| {
            (
                id,
                TicketRow {
                    order_id,
                    ticket_type_id,
                    code,
                    status,
                },
            )
        })
        .collect())
}

async fn payments(
    database: &mut PgConnection,
    event_id: Uuid,
) -> Result<BTreeMap<Uuid, PaymentRow>, sqlx::Error> {
    let rows: Vec<(Uuid, String, String, i64, String, String)> = sqlx::query_as(
        "SELECT order_id, gateway, reference, amount_minor, currency, status
         FROM payments WHERE event_id = $1",
    )
    .bind(event_id)
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, gateway, reference, amount_minor, currency, status)| {
            (
                id,
                PaymentRow {
                    gateway,
                    reference,
                    amount_minor,
                    currency,
                    status,
                },
            )
        })
        .collect())
}
