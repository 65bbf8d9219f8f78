//! The lane of a kind: claims as many jobs as there is room for, has each run in a task of its own, and settles what
//! became of them.
//!
//! A claim is longer than a run, so it is lost only by a process that stands still. What cannot be settled because
//! Postgres is away keeps its room until it is settled: an outage stops the lane instead of repeating the work.

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::UnixMillis;
use onsale_persistence::{DatabaseError, Job};
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backoff::wait_ms;
use super::{JobError, JobHandler, JobLimits, JobOutcome};
use crate::metrics::JobMetrics;
use crate::{ServiceError, Services};

/// Wait after a look that found nothing.
const IDLE: Duration = Duration::from_millis(200);
/// Longest wait while Postgres is away.
const AWAY_MAX: Duration = Duration::from_secs(5);
/// A claim is longer than a run by this: time to settle it.
const LEASE_MARGIN: Duration = Duration::from_secs(10);
/// Tries to settle what is done when the process ends; what is left is done again by another.
const LAST_TRIES: usize = 3;

type Ended = (Job, Duration, Result<JobOutcome, JobError>);

/// What becomes of a job that is not done.
enum Verdict {
    Later(UnixMillis),
    Again(String),
    Dead(String),
}

pub(super) struct Lane {
    services: Services,
    handler: Arc<dyn JobHandler>,
    limits: JobLimits,
    metrics: JobMetrics,
    running: JoinSet<Ended>,
    /// What runs, to tell which job it was whose handler panicked.
    under_way: Vec<(Id, Job)>,
    /// Ended, but not settled.
    done: Vec<Job>,
    others: Vec<(Job, Verdict)>,
}

impl Lane {
    pub(super) fn new(services: Services, handler: Arc<dyn JobHandler>) -> Self {
        Self {
            services,
            limits: handler.limits(),
            metrics: JobMetrics::of(handler.kind()),
            handler,
            running: JoinSet::new(),
            under_way: Vec::new(),
            done: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Works until told to stop, and then until what is under way has ended.
    pub(super) async fn run(mut self, shutdown: &CancellationToken) {
        let mut wait = Duration::ZERO;
        while !shutdown.is_cancelled() {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(ended) = self.running.join_next_with_id() => self.ended(ended),
                () = tokio::time::sleep(wait) => {}
            }
            self.take_ended();
            wait = match self.settle_and_claim().await {
                Ok(_) => IDLE,
                Err(error) => {
                    let next = (wait * 2).clamp(IDLE, AWAY_MAX);
                    let kind = self.handler.kind().as_str();
                    tracing::warn!(kind, %error, retry_in_ms = next.as_millis(), "the queue cannot be worked on");
                    next
                }
            };
        }
        while let Some(ended) = self.running.join_next_with_id().await {
            self.ended(ended);
        }
        for _ in 0..LAST_TRIES {
            if self.settle().await.is_ok() {
                return;
            }
        }
        let left = self.done.len() + self.others.len();
        tracing::warn!(
            left,
            "jobs that have ended could not be settled: they are run again"
        );
    }

    /// Works until nothing is due. Gives how many runs that took; stops at an error.
    pub(super) async fn run_due(mut self) -> usize {
        let mut runs = 0;
        while let Ok(claimed) = self.settle_and_claim().await {
            runs += claimed;
            match self.running.join_next_with_id().await {
                Some(ended) => self.ended(ended),
                None => break,
            }
        }
        runs
    }

    fn room(&self) -> usize {
        let taken = self.running.len() + self.done.len() + self.others.len();
        self.limits.at_once.saturating_sub(taken)
    }

    /// Gives how many jobs it claimed.
    async fn settle_and_claim(&mut self) -> Result<usize, ServiceError> {
        self.settle().await?;
        let room = self.room();
        if room == 0 {
            return Ok(0);
        }
        let lease = self.limits.run + LEASE_MARGIN;
        let lease_ms = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
        let (kind, now) = (self.handler.kind(), self.services.now());
        let claimed = self
            .services
            .database()
            .claim_jobs(kind, now, lease_ms, room)
            .await?;
        let count = claimed.len();
        for job in claimed {
            self.start(job);
        }
        Ok(count)
    }

    fn start(&mut self, job: Job) {
        let (handler, limit) = (Arc::clone(&self.handler), self.limits.run);
        let started = job.clone();
        let task = self.running.spawn(async move {
            let since = Instant::now();
            let outcome = tokio::time::timeout(limit, handler.run(job.clone())).await;
            let outcome = outcome.unwrap_or_else(|_| Err(JobError("it took too long".to_owned())));
            (job, since.elapsed(), outcome)
        });
        self.under_way.push((task.id(), started));
    }

    fn take_ended(&mut self) {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.ended(ended);
        }
    }

    fn ended(&mut self, ended: Result<(Id, Ended), tokio::task::JoinError>) {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let place = self.under_way.iter().position(|(running, _)| *running == id);
        let started = place.map(|place| self.under_way.swap_remove(place).1);
        let (job, took, outcome) = match (ended, started) {
            (Ok((_, ended)), _) => ended,
            (Err(_), Some(job)) => (
                job,
                Duration::ZERO,
                Err(JobError("its handler panicked".to_owned())),
            ),
            (Err(_), None) => return,
        };
        let verdict = match outcome {
            Ok(JobOutcome::Done) => {
                self.metrics.done(took);
                self.done.push(job);
                return;
            }
            Ok(JobOutcome::Later(due_at)) => Verdict::Later(due_at),
            Ok(JobOutcome::GivenUp(reason)) => Verdict::Dead(reason),
            Err(JobError(reason)) if job.attempts >= self.limits.attempts => Verdict::Dead(reason),
            Err(JobError(reason)) => Verdict::Again(reason),
        };
        match verdict {
            Verdict::Later(_) => self.metrics.later(took),
            Verdict::Again(_) => self.metrics.failed(took),
            Verdict::Dead(_) => self.metrics.given_up(took),
        }
        self.others.push((job, verdict));
    }

    /// Writes down what became of what has ended. Stops at an error, with the rest still to be settled.
    async fn settle(&mut self) -> Result<(), DatabaseError> {
        if !self.done.is_empty() {
            self.services.database().finish_jobs(&self.done).await?;
            self.done.clear();
        }
        while let Some((job, verdict)) = self.others.last() {
            self.settle_other(job, verdict).await?;
            self.others.pop();
        }
        Ok(())
    }

    async fn settle_other(&self, job: &Job, verdict: &Verdict) -> Result<(), DatabaseError> {
        let (database, now) = (self.services.database(), self.services.now());
        let (kind, subject_id, tries) = (job.kind.as_str(), job.subject_id, job.attempts);
        match verdict {
            Verdict::Later(due_at) => database.postpone_job(job, *due_at).await,
            Verdict::Again(reason) => {
                let wait_ms = wait_ms(job);
                tracing::warn!(kind, %subject_id, reason, tries, wait_ms, "a job is tried again");
                database.fail_job(job, now.plus_ms(wait_ms), reason).await
            }
            Verdict::Dead(reason) => {
                tracing::error!(kind, %subject_id, reason, tries, "a job is given up");
                database.bury_job(job, now, reason).await
            }
        }
    }
}
