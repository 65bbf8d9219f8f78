//! Claiming jobs.

use jiff_sqlx::Timestamp;
use onsale_domain::{EventId, UnixMillis};

use super::{Job, JobKind};
use crate::convert::{count_in, limit_out, millis, timestamp};
use crate::{Database, DatabaseError};

impl Database {
    /// Claims jobs of a kind that are due, the longest due first, for so long. Nobody else gets them meanwhile; the
    /// claim must be longer than a run may take.
    pub async fn claim_jobs(
        &self,
        kind: JobKind,
        now: UnixMillis,
        lease_ms: i64,
        limit: usize,
    ) -> Result<Vec<Job>, DatabaseError> {
        let rows = sqlx::query!(
            r#"WITH due AS MATERIALIZED (
                   SELECT kind, subject_id FROM jobs
                   WHERE kind = $1 AND dead_at IS NULL AND due_at <= $2
                     AND (claimed_until IS NULL OR claimed_until <= $2)
                   ORDER BY due_at LIMIT $4
                   FOR UPDATE SKIP LOCKED
               )
               UPDATE jobs SET due_at = $3, claimed_until = $3, attempts = attempts + 1
               FROM due WHERE jobs.kind = due.kind AND jobs.subject_id = due.subject_id
               RETURNING jobs.subject_id, event_id, payload, created_at AS "created_at: Timestamp", attempts, version"#,
            kind.as_str(),
            timestamp(now) as _,
            timestamp(now.plus_ms(lease_ms)) as _,
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Job {
                kind,
                subject_id: row.subject_id,
                event_id: row.event_id.map(EventId),
                payload: row.payload,
                created_at: millis(row.created_at),
                attempts: u32::try_from(row.attempts).unwrap_or_default(),
                version: count_in(row.version),
                claimed_until: now.plus_ms(lease_ms),
            })
            .collect())
    }
}
