//! Deleting sessions, tokens and messages that have ended, now and then.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{ServiceError, Services};

/// How often.
const EVERY: Duration = Duration::from_mins(1);
/// How long what has ended is kept: longer than anybody may still ask whether it was revoked.
const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;
/// Rows of a kind that one statement deletes.
const ROWS_MAX: usize = 1_000;
/// Statements of each kind in a round, so that a heap of them does not keep the database busy.
const BATCHES_MAX: usize = 20;

/// The housekeeper. One runs in each process; two that meet do no harm.
#[derive(Clone)]
pub struct Housekeeping {
    services: Services,
}

impl Housekeeping {
    /// A housekeeper for these use cases' database.
    pub fn new(services: Services) -> Self {
        Self { services }
    }

    /// Works until told to stop.
    pub async fn run(self, shutdown: CancellationToken) {
        while shutdown
            .run_until_cancelled(tokio::time::sleep(EVERY))
            .await
            .is_some()
        {
            if let Err(error) = self.services.delete_ended_sessions().await {
                tracing::warn!(%error, "what has ended could not be deleted; trying again");
            }
        }
    }
}

impl Services {
    /// Deletes what ended more than a day ago, up to a bound. Gives how many rows.
    pub(crate) async fn delete_ended_sessions(&self) -> Result<u64, ServiceError> {
        let ended = self.now().plus_ms(-KEPT_MS);
        let mut deleted = 0;
        for _ in 0..BATCHES_MAX {
            let database = self.database();
            let batch = database.delete_expired_accounts_data(ended, ROWS_MAX).await?
                + database.delete_expired_mail(ended, ROWS_MAX).await?;
            deleted += batch;
            if batch < ROWS_MAX as u64 {
                break;
            }
        }
        Ok(deleted)
    }
}
