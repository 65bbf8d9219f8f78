//! Making an account.

use onsale_domain::account::NAME_CHARACTERS_MAX;
use onsale_domain::{EmailAddress, Refusal, UnixMillis, UserId};
use onsale_persistence::{AuditEntry, Database, DatabaseError, NewPerson};
use secrecy::SecretString;

use super::Session;
use super::hashing::Hashing;
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
        let now = self.now();
        let user_id = self.ids().user_id(now)?;
        let hashing = &self.accounts().hashing;
        let person = Person {
            user_id,
            role: BUYER,
            at: now,
        };
        make_person(self.database(), hashing, registration, &person, None).await?;
        let account = self.database().account(user_id).await?;
        let account = account.ok_or(ServiceError::Internal("a new account is not there"))?;
        let session = self.start_session(account).await?;
        session.ok_or(ServiceError::InvalidCredentials)
    }
}

/// What a new person becomes.
pub(super) struct Person<'a> {
    pub(super) user_id: UserId,
    /// A role that it has everywhere.
    pub(super) role: &'a str,
    pub(super) at: UnixMillis,
}

/// Makes a person's account with one role that it has everywhere.
pub(super) async fn make_person(
    database: &Database,
    hashing: &Hashing,
    registration: Registration,
    person: &Person<'_>,
    audit: Option<&AuditEntry>,
) -> Result<(), ServiceError> {
    let Registration {
        email,
        password,
        name,
    } = registration;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARACTERS_MAX || name.chars().any(char::is_control) {
        return Err(Refusal::InvalidField { field: "name" }.into());
    }
    let password_hash = hashing.hash_new(password, email.clone(), name.to_owned()).await?;
    let person = NewPerson {
        user_id: person.user_id,
        email: &email,
        name,
        password_hash: &password_hash,
        roles: &[person.role],
        at: person.at,
    };
    match database.insert_person(&person, audit).await {
        Err(DatabaseError::Conflict { constraint }) if constraint == EMAIL_TAKEN => {
            Err(ServiceError::EmailTaken)
        }
        inserted => Ok(inserted?),
    }
}
