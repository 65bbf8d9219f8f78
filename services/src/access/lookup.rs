//! What accounts may do: from this process, from Redis, or from Postgres.
//!
//! A process that may have missed a revocation asks Postgres at each request of staff and of API keys, until it has
//! heard everything again: who lost a right must not keep it because a cache is cut off.

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::{Access, UserId};
use onsale_persistence::{AccountAccess, AccountStatus};
use tokio::time::timeout;

use super::{Caller, Credential};
use crate::{ServiceError, Services, metrics};

/// Longest read of Postgres whose answer may be kept (see `AccessCache::fill`).
const READ_MAX: Duration = Duration::from_mins(1);

impl Services {
    /// What a caller may do now; nothing when the account is deactivated or not there.
    ///
    /// Errors: [`ServiceError::Unauthenticated`] for a token that was revoked.
    pub(crate) async fn access_of(&self, caller: &Caller) -> Result<Arc<Access>, ServiceError> {
        if let Credential::Token {
            session_id,
            generation,
        } = caller.credential
            && !self.access_control().is_synced()
        {
            let is_current = self.database().is_current(caller.user_id, session_id, generation);
            if !is_current.await? {
                return Err(ServiceError::Unauthenticated);
            }
        }
        let Some(account) = self.active_account(caller.user_id).await? else {
            return Ok(Arc::default());
        };
        Ok(Arc::new(match caller.limit {
            Some(limit) => account.access.limited_to(limit.organization_id, limit.scopes),
            None => account.access.clone(),
        }))
    }

    /// An account that is active, as it is now.
    pub(super) async fn active_account(
        &self,
        user_id: UserId,
    ) -> Result<Option<Arc<AccountAccess>>, ServiceError> {
        let access = self.access_control();
        let account = if access.is_synced() {
            let now = self.now();
            if let Some(account) = access.accounts.get(&user_id, now) {
                metrics::access_found("process");
                Some(account)
            } else {
                let load = self.load_account(user_id);
                access.accounts.get_or_load(user_id, now, load).await?
            }
        } else {
            metrics::access_found("unsynced");
            self.database().access_of(user_id).await?.map(Arc::new)
        };
        Ok(account.filter(|account| account.status == AccountStatus::Active))
    }

    async fn load_account(&self, user_id: UserId) -> Result<Option<Arc<AccountAccess>>, ServiceError> {
        let Some(shared) = &self.access_control().shared else {
            metrics::access_found("postgres");
            return Ok(self.database().access_of(user_id).await?.map(Arc::new));
        };
        // Without an answer of Redis, Postgres has it.
        let lookup = shared.accounts.read(user_id).await.ok();
        if let Some(account) = lookup.as_ref().and_then(|lookup| lookup.account.clone()) {
            metrics::access_found("redis");
            return Ok(Some(Arc::new(account)));
        }
        metrics::access_found("postgres");
        let account = timeout(READ_MAX, self.database().access_of(user_id))
            .await
            .map_err(|_| ServiceError::Internal("Postgres outlasted its own timeouts"))??;
        if let (Some(account), Some(lookup)) = (&account, &lookup)
            && let Err(error) = shared.accounts.fill(user_id, account, &lookup.marks).await
        {
            tracing::debug!(%error, "an account's access was not kept in Redis");
        }
        Ok(account.map(Arc::new))
    }
}
