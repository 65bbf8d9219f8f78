//! Writing committed records behind, into the relational tables.
//!
//! `fold` turns records into row changes without any I/O; `write` puts them into Postgres in a few statements of
//! many rows. The rows and the events' watermarks move in one transaction that compares the watermarks first, so
//! every record is projected exactly once, whoever tries how often. New rows are plain inserts: a conflict would
//! mean that the projection is wrong, and must show.

mod changes;
mod fold;
mod orders;
mod tickets;
mod write;

use futures::future::BoxFuture;
use jiff_sqlx::Timestamp;
use onsale_domain::{EventId, Sequence, UnixMillis};
use onsale_engine::port::{JournalEntry, ProjectionError, ProjectionSink};
use uuid::Uuid;

use crate::convert::{seq_in, timestamp};
use crate::{Database, DatabaseError};

/// The projection into Postgres.
#[derive(Clone, Debug)]
pub struct PostgresProjection {
    database: Database,
}

impl PostgresProjection {
    /// Projects into this database.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    async fn project_all(&self, entries: &[JournalEntry]) -> Result<(), ProjectionError> {
        let changes = fold::fold(entries)?;
        let mut transaction = self.database.begin().await.map_err(DatabaseError::from)?;
        let connection = &mut *transaction;
        write::relax_commit(connection).await?;
        write::advance_watermarks(connection, &changes.watermarks).await?;
        write::definitions(connection, &changes).await?;
        write::holds(connection, &changes).await?;
        write::orders(connection, &changes).await?;
        write::tickets(connection, &changes).await?;
        write::jobs(connection, &changes).await?;
        // An error here leaves the outcome open. The watermark knows it: the next attempt is told by it.
        transaction.commit().await.map_err(DatabaseError::from)?;
        Ok(())
    }

    async fn read_watermarks(
        &self,
        event_ids: &[EventId],
    ) -> Result<Vec<(EventId, Sequence)>, ProjectionError> {
        let rows = sqlx::query!(
            "SELECT event_id, seq FROM watermarks WHERE event_id = ANY($1)",
            &uuids(event_ids)
        )
        .fetch_all(self.database.pool())
        .await
        .map_err(DatabaseError::from)?;
        Ok(rows
            .into_iter()
            .map(|row| (EventId(row.event_id), seq_in(row.seq)))
            .collect())
    }

    /// The counters know of live holds without a look at them.
    /// What a killed process had not projected is due too: its successors would learn of it with the next request only.
    /// Of a local journal, `last_seq` stays at 0 there, and nobody else can project it.
    async fn due(&self, now: UnixMillis) -> Result<Vec<EventId>, ProjectionError> {
        let rows = sqlx::query_scalar!(
            r#"SELECT event_id AS "event_id!" FROM quotas WHERE held > 0
               UNION
               SELECT event_id FROM events
               WHERE (status = 'published' AND sales_open_at <= $1)
                  OR (status IN ('published', 'on_sale', 'paused') AND sales_close_at <= $1)
               UNION
               SELECT owner.event_id
               FROM event_owner AS owner
               LEFT JOIN watermarks AS watermark ON watermark.event_id = owner.event_id
               LEFT JOIN nodes AS node ON node.node_id = owner.node_id
               WHERE owner.last_seq > COALESCE(watermark.seq, 0)
                 AND (node.node_id IS NULL OR node.lease_until <= clock_timestamp())"#,
            timestamp(now) as Timestamp
        )
        .fetch_all(self.database.pool())
        .await
        .map_err(DatabaseError::from)?;
        Ok(rows.into_iter().map(EventId).collect())
    }
}

fn uuids(event_ids: &[EventId]) -> Vec<Uuid> {
    event_ids.iter().map(|event_id| event_id.0).collect()
}

impl ProjectionSink for PostgresProjection {
    fn project<'a>(&'a self, entries: &'a [JournalEntry]) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(self.project_all(entries))
    }

    fn watermarks<'a>(
        &'a self,
        event_ids: &'a [EventId],
    ) -> BoxFuture<'a, Result<Vec<(EventId, Sequence)>, ProjectionError>> {
        Box::pin(self.read_watermarks(event_ids))
    }

    fn events_due(&self, now: UnixMillis) -> BoxFuture<'_, Result<Vec<EventId>, ProjectionError>> {
        Box::pin(self.due(now))
    }
}
