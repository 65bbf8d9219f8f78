//! Another password, by who receives the account's mail.

use std::time::Duration;

use onsale_domain::EmailAddress;
use onsale_persistence::{Actor, AuditOutcome, NewMail, PasswordReset};
use secrecy::{ExposeSecret as _, SecretString};

use super::opaque_token::{OpaqueToken, Purpose};
use crate::{Change, Origin, ServiceError, Services};

/// How long a token works after its mail was sent, and how long a mail waits to be sent.
pub(crate) const RESET_LIFETIME_MS: i64 = 30 * 60 * 1_000;
/// How long the answer takes at least, so that it does not tell whether something was written.
const ANSWER_AFTER: Duration = Duration::from_millis(100);

impl Services {
    /// Has a message sent with a token for another password, if the address has an account. The answer is the same
    /// and takes as long if it has not.
    pub async fn request_password_reset(&self, email: &str) -> Result<(), ServiceError> {
        let now = self.now();
        let mail = NewMail {
            mail_id: self.ids().mail_id(now)?,
            expires_at: now.plus_ms(RESET_LIFETIME_MS),
        };
        let writing = async {
            match EmailAddress::parse(email) {
                Ok(email) => self.database().request_password_reset(&email, &mail, now).await,
                Err(_) => Ok(()),
            }
        };
        let (written, ()) = tokio::join!(writing, tokio::time::sleep(ANSWER_AFTER));
        Ok(written?)
    }

    /// Sets another password with a token from a mail, and ends all sessions of the account.
    ///
    /// Errors: [`ServiceError::ResetTokenInvalid`], [`ServiceError::WeakPassword`], [`ServiceError::Overloaded`].
    pub async fn confirm_password_reset(
        &self,
        token: &SecretString,
        password: SecretString,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        let token = OpaqueToken::parse(Purpose::PasswordReset, token.expose_secret());
        let token = token.ok_or(ServiceError::ResetTokenInvalid)?.digest();
        let account = self.database().password_reset_account(token, self.now()).await?;
        let account = account.ok_or(ServiceError::ResetTokenInvalid)?;
        let email = EmailAddress::parse(&account.email)
            .map_err(|_| ServiceError::Internal("a stored mail address cannot be read"))?;
        let to = self
            .accounts()
            .hashing
            .hash_new(password, email, String::new())
            .await?;
        let now = self.now();
        let mail = self.news()?;
        let entry = origin.entry(now, Actor::person(None), "passwords.reset", AuditOutcome::Done);
        let services = self.clone();
        self.to_its_end(async move {
            let reset = PasswordReset {
                token,
                to: &to,
                mail,
                at: now,
            };
            let done = services.database().reset_password(&reset, &entry).await?;
            let (user_id, generation) = done.ok_or(ServiceError::ResetTokenInvalid)?;
            services
                .announce(Change::GenerationRaised { user_id, generation })
                .await;
            Ok(())
        })
        .await
    }
}
