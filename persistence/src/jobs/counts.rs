//! How many jobs there are.

use jiff_sqlx::Timestamp;
use onsale_domain::UnixMillis;

use super::JobKind;
use crate::convert::{count_in, limit_out, millis};
use crate::{Database, DatabaseError};

/// How many jobs of a kind there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobCount {
    /// Of this kind.
    pub kind: JobKind,
    /// Waiting or at work.
    pub waiting: u64,
    /// Given up.
    pub dead: u64,
    /// When the first of those that wait is due; of those at work, when their claim ends.
    pub due_at: Option<UnixMillis>,
}

impl Database {
    /// Counts the jobs of each kind, up to a bound: what is more than it is that many.
    pub async fn job_counts(&self, counted_max: usize) -> Result<Vec<JobCount>, DatabaseError> {
        let kinds = JobKind::ALL.map(JobKind::as_str);
        sqlx::query!(
            r#"SELECT kind AS "kind!",
                   (SELECT count(*) FROM (SELECT FROM jobs
                       WHERE jobs.kind = counted.kind AND dead_at IS NULL LIMIT $2) AS waiting) AS "waiting!",
                   (SELECT count(*) FROM (SELECT FROM jobs
                       WHERE jobs.kind = counted.kind AND dead_at IS NOT NULL LIMIT $2) AS dead) AS "dead!",
                   (SELECT min(due_at) FROM jobs
                       WHERE jobs.kind = counted.kind AND dead_at IS NULL) AS "due_at: Timestamp"
               FROM unnest($1::text[]) AS counted (kind)"#,
            &kinds as _,
            limit_out(counted_max)
        )
        .fetch_all(self.pool())
        .await?
        .into_iter()
        .map(|row| {
            Ok(JobCount {
                kind: JobKind::parse(&row.kind)?,
                waiting: count_in(row.waiting),
                dead: count_in(row.dead),
                due_at: row.due_at.map(millis),
            })
        })
        .collect()
    }
}
