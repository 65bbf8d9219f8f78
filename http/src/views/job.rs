//! Background jobs.

use jiff::Timestamp;
use onsale_domain::UnixMillis;
use onsale_services::{JobCursor, JobKind, JobRow, JobState};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Work in the background.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    /// What it does: `payment`, `ticket_files`, `mail` or `package`.
    kind: &'static str,
    /// What it is about: an order or a message.
    subject_id: Uuid,
    event_id: Option<Uuid>,
    /// `waiting` (also while it is at work) or `dead`.
    state: &'static str,
    /// When it was first asked for.
    created_at: Timestamp,
    /// Not begun before this; while it is at work, when it is taken for lost.
    due_at: Timestamp,
    /// Tries since it was last asked for or put off.
    attempts: u32,
    /// When it was given up.
    dead_at: Option<Timestamp>,
    /// Why the last try that failed did so.
    last_error: Option<String>,
}

impl From<JobRow> for JobView {
    fn from(job: JobRow) -> Self {
        let state = match job.dead_at {
            Some(_) => JobState::Dead,
            None => JobState::Waiting,
        };
        Self {
            kind: job.kind.as_str(),
            subject_id: job.subject_id,
            event_id: job.event_id.map(|id| id.0),
            state: state.as_str(),
            created_at: job.created_at.to_timestamp(),
            due_at: job.due_at.to_timestamp(),
            attempts: job.attempts,
            dead_at: job.dead_at.map(UnixMillis::to_timestamp),
            last_error: job.last_error,
        }
    }
}

/// The cursor after a job.
pub(crate) fn job_cursor(cursor: &JobCursor) -> String {
    let (at, subject_id) = (cursor.at.0, cursor.subject_id.simple());
    format!("{at:016x}{subject_id}{}", cursor.kind.as_str())
}

/// Reads [`job_cursor`].
pub(crate) fn parse_job_cursor(cursor: &str) -> Option<JobCursor> {
    let (at, rest) = cursor.split_at_checked(16)?;
    let (subject_id, kind) = rest.split_at_checked(32)?;
    let at = u64::from_str_radix(at, 16).ok()?;
    Some(JobCursor {
        at: UnixMillis(at.cast_signed()),
        subject_id: Uuid::try_parse(subject_id).ok()?,
        kind: JobKind::of_name(kind)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back() {
        for kind in JobKind::ALL {
            let cursor = JobCursor {
                at: UnixMillis(1_795_000_000_000),
                subject_id: Uuid::from_u128(7),
                kind,
            };
            assert_eq!(parse_job_cursor(&job_cursor(&cursor)), Some(cursor));
        }
        for bad in ["", "x", "é000000000000000é", &"0".repeat(48), &"0".repeat(60)] {
            assert_eq!(parse_job_cursor(bad), None, "{bad}");
        }
    }
}
