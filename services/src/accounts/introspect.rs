//! Telling other services whom a credential speaks for (RFC 7662).

use onsale_domain::{Permission, SessionId, UnixMillis, UserId};
use onsale_persistence::AccountStatus;

use crate::{Caller, Identity, ServiceError, Services};

/// Whom a credential speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// The account.
    pub user_id: UserId,
    /// What the credential and the account allow outside organizations, now.
    pub permissions: Vec<Permission>,
    /// Of an access token; `None` for an API key.
    pub token: Option<IntrospectedToken>,
}

/// What only an access token has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntrospectedToken {
    /// The login.
    pub session_id: SessionId,
    /// First instant of its validity.
    pub issued_at: UnixMillis,
    /// First instant after its validity.
    pub expires_at: UnixMillis,
}

impl From<Identity> for IntrospectedToken {
    fn from(identity: Identity) -> Self {
        Self {
            session_id: identity.session_id,
            issued_at: identity.issued_at,
            expires_at: identity.expires_at,
        }
    }
}

impl Services {
    /// Whom a credential speaks for; `None`: it is not good, or not any more. Unlike a request that comes with it,
    /// this always asks the tables.
    pub async fn introspect(&self, credential: &str) -> Result<Option<Introspection>, ServiceError> {
        match self.introspected(credential).await {
            Ok(found) => Ok(Some(found)),
            Err(ServiceError::Unauthenticated) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Errors: [`ServiceError::Unauthenticated`] when the credential is not good.
    async fn introspected(&self, credential: &str) -> Result<Introspection, ServiceError> {
        let caller = self.authenticate(credential).await?;
        let token = if Self::is_api_key(credential) {
            None
        } else {
            Some(self.current_token(credential).await?)
        };
        Ok(Introspection {
            user_id: caller.user_id,
            permissions: self.permissions_of(&caller).await?,
            token,
        })
    }

    async fn current_token(&self, token: &str) -> Result<IntrospectedToken, ServiceError> {
        let identity = self.identity_of(token).ok_or(ServiceError::Unauthenticated)?;
        let Identity {
            user_id,
            session_id,
            generation,
            ..
        } = identity;
        if self
            .database()
            .is_current(user_id, session_id, generation)
            .await?
        {
            Ok(identity.into())
        } else {
            Err(ServiceError::Unauthenticated)
        }
    }

    /// Errors: [`ServiceError::Unauthenticated`] when the account is deactivated.
    async fn permissions_of(&self, caller: &Caller) -> Result<Vec<Permission>, ServiceError> {
        let account = self.database().access_of(caller.user_id).await?;
        if account.is_none_or(|account| account.status != AccountStatus::Active) {
            return Err(ServiceError::Unauthenticated);
        }
        Ok(self.access_of(caller).await?.everywhere.iter().collect())
    }
}
