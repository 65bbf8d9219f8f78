//! The runner: one lane for each kind, and the gauges.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::JobHandler;
use super::lane::Lane;
use crate::{Services, metrics};

/// How often the gauges are read.
const GAUGES_EVERY: Duration = Duration::from_secs(5);
/// What is counted at most.
const COUNTED_MAX: usize = 100_000;

/// Works on the queue. One may run in each process: each job is claimed by one of them.
pub struct JobRunner {
    services: Services,
    handlers: Vec<Arc<dyn JobHandler>>,
}

impl JobRunner {
    /// A runner for these use cases' queue. Kinds without a handler wait.
    pub fn new(services: Services, handlers: Vec<Arc<dyn JobHandler>>) -> Self {
        Self { services, handlers }
    }

    /// Works until told to stop. What is under way is finished first.
    pub async fn run(self, shutdown: CancellationToken) {
        let lanes = join_all(
            self.handlers
                .iter()
                .map(|handler| Lane::new(self.services.clone(), Arc::clone(handler)).run(&shutdown)),
        );
        let gauges = shutdown.run_until_cancelled(self.keep_gauges());
        tokio::join!(lanes, gauges);
    }

    /// Works on what is due now, of each kind, until nothing is due any more. Gives how many runs that took.
    pub async fn run_due(&self) -> usize {
        let lanes = self
            .handlers
            .iter()
            .map(|handler| Lane::new(self.services.clone(), Arc::clone(handler)).run_due());
        join_all(lanes).await.into_iter().sum()
    }

    async fn keep_gauges(&self) {
        loop {
            self.services.gateways().observe();
            // A gauge that cannot be read keeps its value; the lanes tell that Postgres is away.
            let database = self.services.database();
            if let Ok(counts) = database.job_counts(COUNTED_MAX).await {
                metrics::jobs_counted(&counts, self.services.now());
            }
            if let Ok(counts) = database.open_payments(COUNTED_MAX).await {
                metrics::payments_counted(&counts);
            }
            tokio::time::sleep(GAUGES_EVERY).await;
        }
    }
}
