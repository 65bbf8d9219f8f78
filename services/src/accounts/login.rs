//! Coming in with a password.

use onsale_domain::EmailAddress;
use onsale_persistence::{AccountRow, AccountStatus};
use secrecy::SecretString;

use super::Session;
use super::hashing::Compared;
use crate::{ServiceError, Services};

impl Services {
    /// Starts a session. `email` is as it was written.
    ///
    /// Errors: [`ServiceError::InvalidCredentials`] after the same work, whether there is no such account, the
    /// password is wrong or the account is deactivated; [`ServiceError::Overloaded`].
    pub async fn login(&self, email: &str, password: SecretString) -> Result<Session, ServiceError> {
        let account = match EmailAddress::parse(email) {
            Ok(email) => self.database().account_by_email(&email).await?,
            Err(_) => None,
        };
        let hash = account.as_ref().and_then(|account| account.password_hash.clone());
        let compared = self.accounts().hashing.compare(password.clone(), hash).await?;
        let account = account
            .filter(|account| account.user.status == AccountStatus::Active && compared != Compared::Different)
            .ok_or(ServiceError::InvalidCredentials)?;
        if compared == Compared::SameUnderOldParameters {
            self.renew_hash(&account, password).await;
        }
        let session = self.start_session(account).await?;
        session.ok_or(ServiceError::InvalidCredentials)
    }

    /// Hashes a password under today's parameters. The login does not depend on it.
    async fn renew_hash(&self, account: &AccountRow, password: SecretString) {
        let Some(old) = account.password_hash.as_deref() else {
            return;
        };
        let renewed = async {
            let new = self.accounts().hashing.hash_again(password).await?;
            let user_id = account.user.user_id;
            Ok::<_, ServiceError>(self.database().rehash_password(user_id, old, &new).await?)
        };
        if let Err(error) = renewed.await {
            tracing::warn!(%error, "a password hash under old parameters could not be renewed");
        }
    }
}
