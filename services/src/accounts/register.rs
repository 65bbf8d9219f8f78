//! Making an account.

use onsale_domain::account::NAME_CHARACTERS_MAX;
use onsale_domain::{EmailAddress, Refusal};
use onsale_persistence::{AccountRow, DatabaseError, NewPerson};
use secrecy::SecretString;

use super::Session;
use crate::{ServiceError, Services};

/// The role that everybody gets.
const BUYER: &str = "buyer";
/// What the database says when an address has an account.
const EMAIL_TAKEN: &str = "users_email_key";

/// What somebody writes to get an account.
#[derive(Debug)]
pub struct Registration {
    /// Where mail goes, and what the person logs in with.
    pub email: EmailAddress,
    /// Kept as a hash only.
    pub password: SecretString,
    /// As the person wants to be called.
    pub name: String,
}

impl Services {
    /// Makes an account that may buy, and starts its first session.
    ///
    /// Errors: [`ServiceError::WeakPassword`], [`ServiceError::EmailTaken`], [`ServiceError::Overloaded`].
    pub async fn register(&self, registration: Registration) -> Result<Session, ServiceError> {
        let account = self.make_person(registration, BUYER).await?;
        let session = self.start_session(account).await?;
        session.ok_or(ServiceError::InvalidCredentials)
    }

    /// Makes a person's account with one role that it has everywhere.
    async fn make_person(&self, registration: Registration, role: &str) -> Result<AccountRow, ServiceError> {
        let Registration {
            email,
            password,
            name,
        } = registration;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARACTERS_MAX || name.chars().any(char::is_control)
        {
            return Err(Refusal::InvalidField { field: "name" }.into());
        }
        let hashing = &self.accounts().hashing;
        let password_hash = hashing.hash_new(password, email.clone(), name.to_owned()).await?;
        let now = self.now();
        let user_id = self.ids().user_id(now)?;
        let person = NewPerson {
            user_id,
            email: &email,
            name,
            password_hash: &password_hash,
            roles: &[role],
            at: now,
        };
        match self.database().insert_person(&person, None).await {
            Ok(()) => {}
            Err(DatabaseError::Conflict { constraint }) if constraint == EMAIL_TAKEN => {
                return Err(ServiceError::EmailTaken);
            }
            Err(error) => return Err(error.into()),
        }
        let account = self.database().account(user_id).await?;
        account.ok_or(ServiceError::Internal("a new account is not there"))
    }
}
