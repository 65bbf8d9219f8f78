//! Another password, by who knows the present one.

use onsale_domain::EmailAddress;
use onsale_persistence::{AccountRow, AccountStatus, AuditOutcome, KeptSession, NewMail, PasswordChange};
use secrecy::SecretString;

use super::Session;
use super::hashing::Compared;
use super::logout::session_of;
use super::opaque_token::{OpaqueToken, Purpose};
use super::session::REFRESH_LIFETIME_MS;
use crate::{Caller, Change, Origin, ServiceError, Services};

/// Until when a message about a new password is worth sending.
const NEWS_LIFETIME_MS: i64 = 24 * 60 * 60 * 1_000;

/// A password and the one that shall replace it.
#[derive(Debug)]
pub struct NewPassword {
    /// The present one.
    pub current: SecretString,
    /// The next one.
    pub new: SecretString,
}

impl Services {
    /// Changes the caller's password, ends their other sessions, and gives new tokens for this one.
    ///
    /// Errors: [`ServiceError::InvalidCredentials`] when the present password is another,
    /// [`ServiceError::WeakPassword`], [`ServiceError::Overloaded`], [`ServiceError::Forbidden`] for who came with an
    /// API key.
    pub async fn change_password(
        &self,
        caller: &Caller,
        passwords: NewPassword,
        origin: &Origin,
    ) -> Result<Session, ServiceError> {
        let session_id = session_of(caller)?;
        let user_id = caller.user_id;
        let account = self
            .database()
            .account(user_id)
            .await?
            .filter(|account| account.user.status == AccountStatus::Active)
            .ok_or(ServiceError::Unauthenticated)?;
        let hashing = &self.accounts().hashing;
        let compared = hashing
            .compare(passwords.current, account.password_hash.clone())
            .await?;
        let from = account
            .password_hash
            .clone()
            .filter(|_| compared != Compared::Different);
        let from = from.ok_or(ServiceError::InvalidCredentials)?;
        let email = EmailAddress::parse(&account.user.email)
            .map_err(|_| ServiceError::Internal("a stored mail address cannot be read"))?;
        let to = hashing
            .hash_new(passwords.new, email, account.user.name.clone())
            .await?;
        let now = self.now();
        let token = OpaqueToken::random(Purpose::Refresh)?;
        let token_expires_at = now.plus_ms(REFRESH_LIFETIME_MS);
        let kept = KeptSession {
            session_id,
            token: token.digest(),
            token_expires_at,
        };
        let mail = self.news()?;
        let entry = origin
            .entry(now, caller.actor(), "passwords.change", AuditOutcome::Done)
            .on("user", user_id.0);
        let services = self.clone();
        let changing = async move {
            let change = PasswordChange {
                user_id,
                from: &from,
                to: &to,
                kept,
                mail,
                at: now,
            };
            let changed = services.database().change_password(&change, &entry).await?;
            let generation = changed.ok_or(ServiceError::Unauthenticated)?;
            services
                .announce(Change::GenerationRaised { user_id, generation })
                .await;
            Ok(generation)
        };
        let generation = self.to_its_end(changing).await?;
        // The roles of before may have been taken while the passwords were hashed.
        let account = AccountRow {
            generation,
            ..self.user(user_id).await?
        };
        self.hand_out(account, session_id, &token, token_expires_at)
    }

    /// A message that tells of a new password.
    pub(super) fn news(&self) -> Result<NewMail, ServiceError> {
        let now = self.now();
        Ok(NewMail {
            mail_id: self.ids().mail_id(now)?,
            expires_at: now.plus_ms(NEWS_LIFETIME_MS),
        })
    }
}
