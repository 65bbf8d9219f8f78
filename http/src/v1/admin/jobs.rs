//! `/v1/admin/jobs`: work in the background.

use axum::extract::State;
use onsale_services::{JobKind, JobRow, JobState, Services};
use serde::Deserialize;
use uuid::Uuid;

use crate::answer::{Answer, ok};
use crate::auth::{Staff, right};
use crate::codes::Code;
use crate::extract::{Id, PageQuery, Search};
use crate::problem::{Problem, ProblemSchema};
use crate::views::{JobView, PageView, job_cursor, parse_job_cursor};

/// Which jobs to list.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct JobsQuery {
    /// `dead` or `waiting`; dead ones where nothing is said.
    state: Option<String>,
    /// Of this kind.
    kind: Option<String>,
}

impl JobsQuery {
    /// Errors: a state or a kind that there is not.
    fn read(&self) -> Result<(JobState, Option<JobKind>), Problem> {
        let state = self
            .state
            .as_deref()
            .map_or(Some(JobState::Dead), JobState::of_name);
        let state = state.ok_or_else(|| Problem::invalid("", "there is no such state"))?;
        let kind = self
            .kind
            .as_deref()
            .map(|name| JobKind::of_name(name).ok_or_else(|| Problem::invalid("", "there is no such kind")))
            .transpose()?;
        Ok((state, kind))
    }
}

/// List background jobs
///
/// Dead ones, the latest first, or waiting ones, the first due first.
#[utoipa::path(
    get, path = "/v1/admin/jobs", tag = "jobs", operation_id = "listJobs",
    params(JobsQuery, PageQuery), security(("token" = [])),
    responses((status = 200, body = PageView<JobView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    _staff: Staff<right::JobsRead>,
    Search(query): Search<JobsQuery>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let (state, kind) = query.read()?;
    let cursor = page.cursor(parse_job_cursor)?;
    let jobs = services.list_jobs(state, kind, cursor, page.limit()?).await?;
    ok(&PageView::of(jobs, cursor_of, JobView::from))
}

/// Try a dead job again
///
/// Now, and from the first try. Of one that waits or is at work it changes nothing.
#[utoipa::path(
    post, path = "/v1/admin/jobs/{kind}/{subject_id}/retry", tag = "jobs", operation_id = "retryJob",
    params(("kind" = String, Path), ("subject_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = JobView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn retry(
    State(services): State<Services>,
    staff: Staff<right::JobsRetry>,
    Id((kind, subject_id)): Id<(String, Uuid)>,
) -> Answer {
    let kind = JobKind::of_name(&kind).ok_or_else(|| Problem::new(Code::NotFound))?;
    ok(&JobView::from(
        services.retry_job(&staff, kind, subject_id).await?,
    ))
}

fn cursor_of(job: &JobRow) -> String {
    job_cursor(&job.cursor())
}
