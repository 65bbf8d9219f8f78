//! Jobs as admins see them, and having them tried again.

use jiff_sqlx::Timestamp;
use onsale_domain::{EventId, UnixMillis};
use uuid::Uuid;

use super::JobKind;
use crate::audit_log::{self, AuditEntry};
use crate::convert::{limit_out, millis, timestamp};
use crate::{Database, DatabaseError};

/// Whether a job is still tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It waits for its time, or is at work.
    Waiting,
    /// It was given up.
    Dead,
}

impl JobState {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Dead => "dead",
        }
    }

    /// The state of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Dead]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// What it does.
    pub kind: JobKind,
    /// What it is about.
    pub subject_id: Uuid,
    /// The subject's event, where it has one.
    pub event_id: Option<EventId>,
    /// When it was first asked for.
    pub created_at: UnixMillis,
    /// Not begun before this; while it is at work, when its claim ends at the latest.
    pub due_at: UnixMillis,
    /// Tries since it was last asked for or postponed.
    pub attempts: u32,
    /// When it was given up.
    pub dead_at: Option<UnixMillis>,
    /// Why the last try that failed did so.
    pub last_error: Option<String>,
}

impl JobRow {
    /// Where a listing goes on after it.
    pub fn cursor(&self) -> JobCursor {
        JobCursor {
            at: self.dead_at.unwrap_or(self.due_at),
            subject_id: self.subject_id,
            kind: self.kind,
        }
    }
}

/// A place in a listing: when the job there was given up or is due, and the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobCursor {
    /// The instant that the listing is ordered by.
    pub at: UnixMillis,
    /// The job's subject.
    pub subject_id: Uuid,
    /// The job's kind.
    pub kind: JobKind,
}

/// As the columns come.
struct RawJob {
    kind: String,
    subject_id: Uuid,
    event_id: Option<Uuid>,
    created_at: Timestamp,
    due_at: Timestamp,
    attempts: i32,
    dead_at: Option<Timestamp>,
    last_error: Option<String>,
}

impl TryFrom<RawJob> for JobRow {
    type Error = DatabaseError;

    fn try_from(raw: RawJob) -> Result<Self, DatabaseError> {
        Ok(Self {
            kind: JobKind::parse(&raw.kind)?,
            subject_id: raw.subject_id,
            event_id: raw.event_id.map(EventId),
            created_at: millis(raw.created_at),
            due_at: millis(raw.due_at),
            attempts: u32::try_from(raw.attempts).unwrap_or_default(),
            dead_at: raw.dead_at.map(millis),
            last_error: raw.last_error,
        })
    }
}

impl Database {
    /// Jobs that were given up, the latest first.
    pub async fn dead_jobs(
        &self,
        kind: Option<JobKind>,
        before: Option<JobCursor>,
        limit: usize,
    ) -> Result<Vec<JobRow>, DatabaseError> {
        sqlx::query_as!(
            RawJob,
            r#"SELECT kind, subject_id, event_id, created_at AS "created_at: Timestamp", due_at AS "due_at: Timestamp",
                   attempts, dead_at AS "dead_at: Timestamp", last_error
               FROM jobs
               WHERE dead_at IS NOT NULL AND ($1::text IS NULL OR kind = $1)
                 AND ($2::timestamptz IS NULL OR (dead_at, subject_id, kind) < ($2, $3, $4))
               ORDER BY dead_at DESC, subject_id DESC, kind DESC LIMIT $5"#,
            kind.map(JobKind::as_str),
            before.map(|cursor| timestamp(cursor.at)) as _,
            before.map(|cursor| cursor.subject_id),
            before.map(|cursor| cursor.kind.as_str()),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?
        .into_iter()
        .map(JobRow::try_from)
        .collect()
    }

    /// Jobs that wait or are at work, the first due first.
    pub async fn waiting_jobs(
        &self,
        kind: Option<JobKind>,
        after: Option<JobCursor>,
        limit: usize,
    ) -> Result<Vec<JobRow>, DatabaseError> {
        let kinds = kind.map_or_else(|| JobKind::ALL.to_vec(), |kind| vec![kind]);
        let kinds: Vec<&str> = kinds.into_iter().map(JobKind::as_str).collect();
        // The index begins with the kind: each kind gives its first ones.
        sqlx::query_as!(
            RawJob,
            r#"SELECT job.kind AS "kind!", job.subject_id AS "subject_id!", job.event_id,
                   job.created_at AS "created_at!: Timestamp", job.due_at AS "due_at!: Timestamp",
                   job.attempts AS "attempts!", job.dead_at AS "dead_at: Timestamp", job.last_error
               FROM unnest($1::text[]) AS listed (kind)
               CROSS JOIN LATERAL (
                   SELECT kind, subject_id, event_id, created_at, due_at, attempts, dead_at, last_error
                   FROM jobs
                   WHERE jobs.kind = listed.kind AND dead_at IS NULL
                     AND ($2::timestamptz IS NULL OR (due_at, subject_id, kind) > ($2, $3, $4))
                   ORDER BY due_at, subject_id LIMIT $5
               ) AS job
               ORDER BY job.due_at, job.subject_id, job.kind LIMIT $5"#,
            &kinds as _,
            after.map(|cursor| timestamp(cursor.at)) as _,
            after.map(|cursor| cursor.subject_id),
            after.map(|cursor| cursor.kind.as_str()),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?
        .into_iter()
        .map(JobRow::try_from)
        .collect()
    }

    /// A job.
    pub async fn job(&self, kind: JobKind, subject_id: Uuid) -> Result<Option<JobRow>, DatabaseError> {
        sqlx::query_as!(
            RawJob,
            r#"SELECT kind, subject_id, event_id, created_at AS "created_at: Timestamp", due_at AS "due_at: Timestamp",
                   attempts, dead_at AS "dead_at: Timestamp", last_error
               FROM jobs WHERE kind = $1 AND subject_id = $2"#,
            kind.as_str(),
            subject_id
        )
        .fetch_optional(self.pool())
        .await?
        .map(JobRow::try_from)
        .transpose()
    }

    /// Has a job that was given up tried again, now and from the first try. `None`: there is none such, and nothing was
    /// done.
    pub async fn revive_job(
        &self,
        kind: JobKind,
        subject_id: Uuid,
        now: UnixMillis,
        audit: &AuditEntry,
    ) -> Result<Option<JobRow>, DatabaseError> {
        let mut transaction = self.begin().await?;
        let revived = sqlx::query_as!(
            RawJob,
            r#"UPDATE jobs SET dead_at = NULL, attempts = 0, due_at = $3, version = version + 1
               WHERE kind = $1 AND subject_id = $2 AND dead_at IS NOT NULL
               RETURNING kind, subject_id, event_id, created_at AS "created_at: Timestamp",
                   due_at AS "due_at: Timestamp", attempts, dead_at AS "dead_at: Timestamp", last_error"#,
            kind.as_str(),
            subject_id,
            timestamp(now) as _
        )
        .fetch_optional(&mut *transaction)
        .await?
        .map(JobRow::try_from)
        .transpose()?;
        if revived.is_some() {
            audit_log::append(&mut transaction, std::slice::from_ref(audit)).await?;
            transaction.commit().await?;
        }
        Ok(revived)
    }
}
