//! What becomes of claimed jobs. Nothing, where the claim was lost; and a job that was asked for again meanwhile stays
//! due as it was asked for, whatever became of this run.

use jiff_sqlx::Timestamp;
use onsale_domain::UnixMillis;
use uuid::Uuid;

use super::Job;
use crate::convert::{seq_out, timestamp};
use crate::{Database, DatabaseError};

/// Longest text of an error that is kept, in characters.
const ERROR_CHARS_MAX: usize = 500;

impl Database {
    /// Takes away jobs that are done.
    pub async fn finish_jobs(&self, done: &[Job]) -> Result<(), DatabaseError> {
        let kinds: Vec<&str> = done.iter().map(|job| job.kind.as_str()).collect();
        let subjects: Vec<Uuid> = done.iter().map(|job| job.subject_id).collect();
        let versions: Vec<i64> = done.iter().map(|job| seq_out(job.version)).collect();
        let claims: Vec<Timestamp> = done.iter().map(|job| timestamp(job.claimed_until)).collect();
        // Rows are locked in the order in which `enqueue` locks them.
        let deleted = sqlx::query!(
            "WITH done AS MATERIALIZED (
                 SELECT jobs.kind, jobs.subject_id
                 FROM jobs JOIN unnest($1::text[], $2::uuid[], $3::bigint[], $4::timestamptz[])
                     AS run (kind, subject_id, version, claimed_until) USING (kind, subject_id)
                 WHERE jobs.version = run.version AND jobs.claimed_until = run.claimed_until
                 ORDER BY jobs.kind, jobs.subject_id
                 FOR UPDATE OF jobs
             )
             DELETE FROM jobs USING done WHERE jobs.kind = done.kind AND jobs.subject_id = done.subject_id",
            &kinds as _,
            &subjects,
            &versions,
            &claims as _
        )
        .execute(self.pool())
        .await?
        .rows_affected();
        if usize::try_from(deleted) == Ok(done.len()) {
            return Ok(());
        }
        // What is still claimed was asked for again.
        sqlx::query!(
            "WITH again AS MATERIALIZED (
                 SELECT jobs.kind, jobs.subject_id
                 FROM jobs JOIN unnest($1::text[], $2::uuid[], $3::timestamptz[])
                     AS run (kind, subject_id, claimed_until) USING (kind, subject_id)
                 WHERE jobs.claimed_until = run.claimed_until
                 ORDER BY jobs.kind, jobs.subject_id
                 FOR UPDATE OF jobs
             )
             UPDATE jobs SET claimed_until = NULL
             FROM again WHERE jobs.kind = again.kind AND jobs.subject_id = again.subject_id",
            &kinds as _,
            &subjects,
            &claims as _
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Has a job done later, as it turned out. That is no failure: tries count from 0.
    pub async fn postpone_job(&self, job: &Job, due_at: UnixMillis) -> Result<(), DatabaseError> {
        sqlx::query!(
            "UPDATE jobs SET claimed_until = NULL, attempts = 0,
                 due_at = CASE version WHEN $3 THEN $5 ELSE due_at END
             WHERE kind = $1 AND subject_id = $2 AND claimed_until = $4",
            job.kind.as_str(),
            job.subject_id,
            seq_out(job.version),
            timestamp(job.claimed_until) as _,
            timestamp(due_at) as _
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Has a job that failed tried again. The error is for admins: no tokens, addresses or codes.
    pub async fn fail_job(&self, job: &Job, due_at: UnixMillis, error: &str) -> Result<(), DatabaseError> {
        sqlx::query!(
            "UPDATE jobs SET claimed_until = NULL, last_error = $6,
                 due_at = CASE version WHEN $3 THEN $5 ELSE due_at END
             WHERE kind = $1 AND subject_id = $2 AND claimed_until = $4",
            job.kind.as_str(),
            job.subject_id,
            seq_out(job.version),
            timestamp(job.claimed_until) as _,
            timestamp(due_at) as _,
            storable(error)
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Gives a job up. The error is for admins: no tokens, addresses or codes.
    pub async fn bury_job(&self, job: &Job, now: UnixMillis, error: &str) -> Result<(), DatabaseError> {
        sqlx::query!(
            "UPDATE jobs SET claimed_until = NULL, last_error = $6,
                 dead_at = CASE version WHEN $3 THEN $5::timestamptz END
             WHERE kind = $1 AND subject_id = $2 AND claimed_until = $4",
            job.kind.as_str(),
            job.subject_id,
            seq_out(job.version),
            timestamp(job.claimed_until) as _,
            timestamp(now) as _,
            storable(error)
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}

fn storable(error: &str) -> String {
    error
        .chars()
        .take(ERROR_CHARS_MAX)
        .map(|char| if char == '\0' { '\u{fffd}' } else { char })
        .collect()
}
