//! The job of a package order: drives it on after a crash, polls its provider, and moves its money once it is sold.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use onsale_domain::{PackageOrderId, UnixMillis};
use onsale_persistence::{Job, JobKind, PackageOrderRow, PackageOrderState};

use super::money::Settled;
use super::saga::Driver;
use crate::{JobError, JobHandler, JobLimits, JobOutcome, ServiceError, Services};

/// Longest run. What is left of a longer one is for the next.
const RUN_MAX: Duration = Duration::from_secs(20);
/// Wait while a request is at it.
const BUSY_MS: i64 = 1_000;
/// Shortest and longest wait between two questions to the provider.
const POLL_MS_MIN: i64 = 2_000;
/// See [`POLL_MS_MIN`].
const POLL_MS_MAX: i64 = 60_000;

/// Does the jobs of kind `package`.
pub struct PackageJobs {
    services: Services,
}

impl PackageJobs {
    /// A handler for these use cases' package orders.
    pub const fn new(services: Services) -> Self {
        Self { services }
    }
}

impl JobHandler for PackageJobs {
    fn kind(&self) -> JobKind {
        JobKind::Package
    }

    /// A process that dies keeps its claim for as long as a run may take, and holds are waiting.
    fn limits(&self) -> JobLimits {
        JobLimits {
            run: RUN_MAX,
            ..JobLimits::default()
        }
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Result<JobOutcome, JobError>> {
        async move {
            let id = PackageOrderId(job.subject_id);
            match self.services.work_on_package_order(id).await {
                Ok(outcome) => Ok(outcome),
                Err(ServiceError::InFlight) => Ok(JobOutcome::Later(self.services.now().plus_ms(BUSY_MS))),
                // A notice about a package order that there is not.
                Err(ServiceError::NotFound) => Ok(JobOutcome::Done),
                Err(error) => Err(error.into()),
            }
        }
        .boxed()
    }
}

impl Services {
    async fn work_on_package_order(&self, id: PackageOrderId) -> Result<JobOutcome, ServiceError> {
        let _claim = self.claim_package_order(id)?;
        let order = self.drive_package_order(id, Driver::Job).await?.order;
        let settled = match order.state {
            PackageOrderState::Confirmed => {
                // What cannot be captured for hours is for staff to see: it is a failure, and no waiting.
                if self.capture_package(&order).await? == Settled::NotYet {
                    return Err(ServiceError::PaymentUnavailable);
                }
                let order = self.database().package_order(id).await?;
                self.refund_package_tickets(&order.ok_or(ServiceError::NotFound)?)
                    .await?
            }
            PackageOrderState::Cancelled => self.refund_package_tickets(&order).await?,
            // Its money is not back.
            PackageOrderState::Cancelling => return Err(ServiceError::PaymentUnavailable),
            PackageOrderState::Holding | PackageOrderState::Paying | PackageOrderState::Confirming => {
                Settled::NotYet
            }
        };
        Ok(match settled {
            Settled::Yes => JobOutcome::Done,
            Settled::NotYet => JobOutcome::Later(self.look_again_at(&order)),
        })
    }

    /// The older, the seldomer.
    fn look_again_at(&self, order: &PackageOrderRow) -> UnixMillis {
        let now = self.now();
        let age_ms = now.ms_since(order.created_at);
        now.plus_ms((age_ms / 4).clamp(POLL_MS_MIN, POLL_MS_MAX))
    }
}
