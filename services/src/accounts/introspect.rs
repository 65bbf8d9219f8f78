//! Telling other services whom a credential speaks for (RFC 7662).

use onsale_domain::{Permission, SessionId, UserId};
use onsale_persistence::AccountStatus;

use crate::access::Credential;
use crate::{ServiceError, Services};

/// Whom a credential speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// The account.
    pub user_id: UserId,
    /// The login; `None` for an API key.
    pub session_id: Option<SessionId>,
    /// What the account may do outside organizations, now.
    pub permissions: Vec<Permission>,
}

impl Services {
    /// Whom a credential speaks for; `None`: it is not good, or not any more. Unlike a request that comes with it,
    /// this asks the tables.
    pub async fn introspect(&self, credential: &str) -> Result<Option<Introspection>, ServiceError> {
        let caller = match self.authenticate(credential).await {
            Ok(caller) => caller,
            Err(ServiceError::Unauthenticated) => return Ok(None),
            Err(error) => return Err(error),
        };
        let account = self.database().access_of(caller.user_id).await?;
        let account = account.filter(|account| account.status == AccountStatus::Active);
        let Some(account) = account else {
            return Ok(None);
        };
        let session_id = match caller.credential {
            Credential::Token {
                session_id,
                generation,
            } => {
                let is_live = self
                    .database()
                    .session_is_live(session_id, caller.user_id)
                    .await?;
                if !is_live || generation < account.generation {
                    return Ok(None);
                }
                Some(session_id)
            }
            Credential::ApiKey { .. } => None,
        };
        Ok(Some(Introspection {
            user_id: caller.user_id,
            session_id,
            permissions: account.access.everywhere.iter().collect(),
        }))
    }
}
