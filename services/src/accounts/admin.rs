//! The first admin, made from the command line: the API needs somebody who may.

use std::sync::Arc;

use onsale_domain::{UnixMillis, UserId};
use onsale_persistence::{ADMIN_ROLE, Actor, AuditEntry, AuditOutcome, Database};
use serde_json::json;

use super::hashing::Hashing;
use super::register::{Person, Registration, make_person};
use crate::{Ids, ServiceError};

/// Makes an account that may do everything but buy. Needs the database alone.
///
/// Errors: [`ServiceError::WeakPassword`], [`ServiceError::EmailTaken`].
pub async fn create_admin(
    database: &Database,
    registration: Registration,
    now: UnixMillis,
) -> Result<UserId, ServiceError> {
    let user_id = Ids::new()?.user_id(now)?;
    let mut entry =
        AuditEntry::new(now, Actor::SYSTEM, "users.create_admin", AuditOutcome::Done).on("user", user_id.0);
    entry.after = Some(json!({ "roles": [ADMIN_ROLE] }));
    let person = Person {
        user_id,
        role: ADMIN_ROLE,
        at: now,
    };
    let hashing = Hashing::new(Arc::default());
    make_person(database, &hashing, registration, &person, Some(&entry)).await?;
    Ok(user_id)
}
