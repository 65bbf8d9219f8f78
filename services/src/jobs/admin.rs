//! The queue as admins see it.

use onsale_persistence::{AuditOutcome, JobCursor, JobKind, JobRow, JobState};
use uuid::Uuid;

use crate::{Page, ServiceError, Services, StaffMember};

impl Services {
    /// Jobs that were given up, the latest first, or that wait or are at work, the first due first.
    pub async fn list_jobs(
        &self,
        state: JobState,
        kind: Option<JobKind>,
        cursor: Option<JobCursor>,
        limit: usize,
    ) -> Result<Page<JobRow>, ServiceError> {
        let database = self.database();
        let rows = match state {
            JobState::Dead => database.dead_jobs(kind, cursor, limit + 1).await?,
            JobState::Waiting => database.waiting_jobs(kind, cursor, limit + 1).await?,
        };
        Ok(Page::cut(rows, limit))
    }

    /// Has a job that was given up tried again. It waits already: nothing happens.
    ///
    /// Errors: not found, also when it has been done since.
    pub async fn retry_job(
        &self,
        staff: &StaffMember,
        kind: JobKind,
        subject_id: Uuid,
    ) -> Result<JobRow, ServiceError> {
        let now = self.now();
        let mut entry = staff
            .entry(now, "jobs.retry", AuditOutcome::Done)
            .on("job", subject_id);
        entry.after = Some(serde_json::json!({ "kind": kind.as_str() }));
        let services = self.clone();
        self.to_its_end(async move {
            let database = services.database();
            let job = match database.revive_job(kind, subject_id, now, &entry).await? {
                Some(revived) => Some(revived),
                None => database.job(kind, subject_id).await?,
            };
            job.ok_or(ServiceError::NotFound)
        })
        .await
    }
}
