//! Asking for jobs.

use jiff_sqlx::Timestamp;
use onsale_domain::UnixMillis;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::NewJob;
use crate::convert::timestamp;
use crate::{Database, DatabaseError};

impl Database {
    /// Asks for jobs. One that waits already is due at the earlier of both times, with the new payload if there is one,
    /// and starts counting its tries again; one that was given up is tried again; one that is at work runs once more.
    pub async fn enqueue(&self, jobs: &[NewJob], now: UnixMillis) -> Result<(), DatabaseError> {
        let mut connection = self.pool().acquire().await?;
        enqueue(&mut connection, jobs, now).await
    }
}

/// [`Database::enqueue`] within somebody's transaction: one statement, however many jobs.
pub(crate) async fn enqueue(
    connection: &mut PgConnection,
    jobs: &[NewJob],
    now: UnixMillis,
) -> Result<(), DatabaseError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let kinds: Vec<&str> = jobs.iter().map(|job| job.kind.as_str()).collect();
    let subjects: Vec<Uuid> = jobs.iter().map(|job| job.subject_id).collect();
    let events: Vec<Option<Uuid>> = jobs.iter().map(|job| job.event_id.map(|id| id.0)).collect();
    let payloads: Vec<Option<Value>> = jobs.iter().map(|job| job.payload.clone()).collect();
    let due: Vec<Timestamp> = jobs.iter().map(|job| timestamp(job.due_at)).collect();
    // A row can be changed once in a statement, and rows that are locked in one order do not deadlock.
    sqlx::query!(
        "INSERT INTO jobs (kind, subject_id, event_id, payload, created_at, due_at)
         SELECT DISTINCT ON (kind, subject_id) kind, subject_id, event_id, payload, $6, due_at
         FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::jsonb[], $5::timestamptz[])
             AS job (kind, subject_id, event_id, payload, due_at)
         ORDER BY kind, subject_id, due_at
         ON CONFLICT (kind, subject_id) DO UPDATE SET
             event_id = coalesce(excluded.event_id, jobs.event_id),
             payload = coalesce(excluded.payload, jobs.payload),
             due_at = CASE WHEN jobs.dead_at IS NULL THEN least(jobs.due_at, excluded.due_at)
                 ELSE excluded.due_at END,
             attempts = 0, version = jobs.version + 1, dead_at = NULL",
        &kinds as _,
        &subjects,
        &events as _,
        &payloads as _,
        &due as _,
        timestamp(now) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
