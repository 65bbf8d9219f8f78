//! What does the work of a kind.

use std::time::Duration;

use futures::future::BoxFuture;
use onsale_domain::UnixMillis;
use onsale_persistence::{DatabaseError, Job, JobKind};
use thiserror::Error;

use crate::ServiceError;

/// How a run ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// There is nothing more to do.
    Done,
    /// It is to be looked at again then; that is no failure, and may happen as often as it takes.
    Later(UnixMillis),
    /// No further try would help. The text is for admins: no tokens, addresses or codes.
    GivenUp(String),
}

/// A run failed and is tried again later. The text is for admins: no tokens, addresses or codes.
#[derive(Clone, Debug, Error)]
#[error("{0}")]
pub struct JobError(pub String);

impl From<ServiceError> for JobError {
    fn from(error: ServiceError) -> Self {
        Self(error.to_string())
    }
}

impl From<DatabaseError> for JobError {
    fn from(error: DatabaseError) -> Self {
        Self(error.to_string())
    }
}

/// What the work of a kind may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLimits {
    /// Jobs at work at once in this process.
    pub at_once: usize,
    /// Longest run: it is dropped then, and counts as failed. Handlers bound their own calls below it.
    pub run: Duration,
    /// Tries that may fail in a row; the job is given up with the last.
    pub attempts: u32,
}

impl Default for JobLimits {
    /// 1,000 tries take about a week: who is away for long finds the work waiting.
    fn default() -> Self {
        Self {
            at_once: 16,
            run: Duration::from_mins(1),
            attempts: 1_000,
        }
    }
}

/// Does the work of one kind.
pub trait JobHandler: Send + Sync + 'static {
    /// Which.
    fn kind(&self) -> JobKind;

    /// What it may take.
    fn limits(&self) -> JobLimits {
        JobLimits::default()
    }

    /// Works on one job. It may have been worked on before, wholly or halfway, and in rare cases is at the same time.
    fn run(&self, job: Job) -> BoxFuture<'_, Result<JobOutcome, JobError>>;
}
