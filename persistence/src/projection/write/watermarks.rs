//! The compare-and-swap that makes every record count once.

use std::collections::{BTreeMap, HashSet};

use onsale_domain::EventId;
use onsale_engine::port::ProjectionError;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::DatabaseError;
use crate::convert::{seq_in, seq_out};
use crate::projection::changes::Advance;

/// Does not wait for the disk in this transaction's commit. Should the server lose it in a crash, then rows and
/// watermark are lost together, and the records are projected again.
pub(in crate::projection) async fn relax_commit(connection: &mut PgConnection) -> Result<(), DatabaseError> {
    sqlx::query!("SELECT set_config('synchronous_commit', 'off', true) AS setting")
        .fetch_one(connection)
        .await?;
    Ok(())
}

/// Moves the watermarks, and locks them until the transaction ends.
///
/// Errors: [`ProjectionError::WatermarkMoved`] when one is not where its event's batch starts.
pub(in crate::projection) async fn advance_watermarks(
    connection: &mut PgConnection,
    advances: &BTreeMap<EventId, Advance>,
) -> Result<(), ProjectionError> {
    let event_ids: Vec<Uuid> = advances.keys().map(|event_id| event_id.0).collect();
    let from: Vec<i64> = advances.values().map(|a| seq_out(a.from)).collect();
    let to: Vec<i64> = advances.values().map(|a| seq_out(a.to)).collect();
    let moved = sqlx::query_scalar!(
        r#"WITH batch AS (
               SELECT event_id, seq_from, seq_to
               FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS advance (event_id, seq_from, seq_to)
           ), moved AS (
               UPDATE watermarks AS watermark SET seq = batch.seq_to
               FROM batch
               WHERE watermark.event_id = batch.event_id AND watermark.seq = batch.seq_from
               RETURNING watermark.event_id
           ), begun AS (
               INSERT INTO watermarks (event_id, seq)
               SELECT event_id, seq_to FROM batch WHERE seq_from = 0
               ON CONFLICT DO NOTHING
               RETURNING event_id
           )
           SELECT event_id AS "event_id!" FROM moved UNION ALL SELECT event_id FROM begun"#,
        &event_ids,
        &from,
        &to
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(DatabaseError::from)?;
    let moved: HashSet<Uuid> = moved.into_iter().collect();
    let Some((event_id, advance)) = advances.iter().find(|(event_id, _)| !moved.contains(&event_id.0)) else {
        return Ok(());
    };
    let watermark = sqlx::query_scalar!("SELECT seq FROM watermarks WHERE event_id = $1", event_id.0)
        .fetch_optional(connection)
        .await
        .map_err(DatabaseError::from)?;
    Err(ProjectionError::WatermarkMoved {
        event_id: *event_id,
        watermark: seq_in(watermark.unwrap_or(0)),
        expected: advance.from,
    })
}
