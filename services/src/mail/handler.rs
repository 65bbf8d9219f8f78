//! Takes messages from the queue to the mailer.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use onsale_domain::MailId;
use onsale_persistence::{Job, JobKind, QueuedMail};
use tokio::time::timeout;

use super::compose::compose;
use super::templates::Templates;
use super::{MailError, Mailer};
use crate::{JobError, JobHandler, JobLimits, JobOutcome, ServiceError, Services};

/// Longest wait for the mailer: less than a run may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(40);

/// Sends mail.
pub struct MailHandler {
    services: Services,
    mailer: Arc<dyn Mailer>,
    templates: Templates,
}

impl MailHandler {
    /// Sends these use cases' messages through a mailer.
    pub fn new(services: Services, mailer: Arc<dyn Mailer>) -> Result<Self, ServiceError> {
        Ok(Self {
            services,
            mailer,
            templates: Templates::compile()?,
        })
    }

    async fn send(&self, job: Job) -> Result<JobOutcome, JobError> {
        let Some(queued) = QueuedMail::of_payload(job.payload) else {
            return Ok(JobOutcome::GivenUp(
                "nobody knows what this message tells".to_owned(),
            ));
        };
        if queued.expires_at <= self.services.now() {
            tracing::warn!(mail_id = %job.subject_id, "a message was not sent in time");
            return Ok(JobOutcome::Done);
        }
        let identity = (MailId(job.subject_id), job.created_at);
        let composed = compose(&self.services, &self.templates, identity, queued.message).await?;
        let Some(mail) = composed else {
            return Ok(JobOutcome::Done);
        };
        match timeout(SEND_TIMEOUT, self.mailer.send(mail)).await {
            Ok(Ok(())) => Ok(JobOutcome::Done),
            Ok(Err(error @ MailError::Refused(_))) => Ok(JobOutcome::GivenUp(error.to_string())),
            Ok(Err(error @ MailError::Failed(_))) => Err(error.into()),
            Err(_) => Err(JobError("the mailer gave no answer".to_owned())),
        }
    }
}

impl JobHandler for MailHandler {
    fn kind(&self) -> JobKind {
        JobKind::Mail
    }

    fn limits(&self) -> JobLimits {
        JobLimits::default()
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Result<JobOutcome, JobError>> {
        self.send(job).boxed()
    }
}
