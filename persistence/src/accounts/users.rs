//! People: making, finding and listing their accounts.

use jiff_sqlx::Timestamp;
use onsale_domain::{EmailAddress, UnixMillis, UserId};
use uuid::Uuid;

use crate::access::AccountStatus;
use crate::audit_log::{self, AuditEntry};
use crate::convert::{limit_out, millis, seq_in, timestamp};
use crate::{Database, DatabaseError};

/// A person's account as staff and the person may see it.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Identity.
    pub user_id: UserId,
    /// Lower case.
    pub email: String,
    /// As the person wants to be called.
    pub name: String,
    /// Whether it may be used.
    pub status: AccountStatus,
    /// When it was made.
    pub created_at: UnixMillis,
}

impl std::fmt::Debug for UserRow {
    /// Without address and name: they are nobody's business in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRow")
            .field("user_id", &self.user_id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// What letting a person in needs to know of the account.
#[derive(Clone)]
pub struct AccountRow {
    /// The account.
    pub user: UserRow,
    /// What access tokens must carry at least.
    pub generation: u64,
    /// Names of the roles that it has everywhere, in order.
    pub roles: Vec<String>,
    /// In PHC format; `None`: it has no password.
    pub password_hash: Option<String>,
}

impl std::fmt::Debug for AccountRow {
    /// Without the password's hash.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountRow")
            .field("user", &self.user)
            .field("generation", &self.generation)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// An account to be made.
#[derive(Clone, Copy)]
pub struct NewPerson<'a> {
    /// Identity.
    pub user_id: UserId,
    /// Where mail goes, and what the person logs in with.
    pub email: &'a EmailAddress,
    /// As the person wants to be called; not empty.
    pub name: &'a str,
    /// In PHC format.
    pub password_hash: &'a str,
    /// Roles that it has everywhere, by their names.
    pub roles: &'a [&'a str],
    /// Now.
    pub at: UnixMillis,
}

/// Which accounts to list.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Only those whose address or name begins so, whatever the case.
    pub prefix: Option<String>,
    /// Only those of this status.
    pub status: Option<AccountStatus>,
}

struct AccountRecord {
    user_id: Uuid,
    email: String,
    name: String,
    status: String,
    created_at: Timestamp,
    generation: i64,
    password_hash: Option<String>,
    roles: Vec<String>,
}

impl AccountRecord {
    fn into_row(self) -> Result<AccountRow, DatabaseError> {
        Ok(AccountRow {
            user: user(self.user_id, self.email, self.name, &self.status, self.created_at)?,
            generation: seq_in(self.generation),
            roles: self.roles,
            password_hash: self.password_hash,
        })
    }
}

fn user(
    user_id: Uuid,
    email: String,
    name: String,
    status: &str,
    created_at: Timestamp,
) -> Result<UserRow, DatabaseError> {
    let status = AccountStatus::of_name(status)
        .ok_or_else(|| DatabaseError::Damaged(format!("user status {status:?}")))?;
    Ok(UserRow {
        user_id: UserId(user_id),
        email,
        name,
        status,
        created_at: millis(created_at),
    })
}

impl Database {
    /// Makes a person's account with its roles. Nothing is logged when nobody but the person had a hand in it.
    ///
    /// Errors: [`DatabaseError::Conflict`] when the address or the id has one, [`DatabaseError::Damaged`] when a role
    /// is not there.
    pub async fn insert_person(
        &self,
        person: &NewPerson<'_>,
        audit: Option<&AuditEntry>,
    ) -> Result<(), DatabaseError> {
        let roles: Vec<String> = person.roles.iter().map(|role| (*role).to_owned()).collect();
        let mut transaction = self.begin().await?;
        sqlx::query!(
            "INSERT INTO users (user_id, kind, email, name, password_hash, created_at, generation_at)
             VALUES ($1, 'person', $2, $3, $4, $5, $5)",
            person.user_id.0,
            person.email.as_str(),
            person.name,
            person.password_hash,
            timestamp(person.at) as _
        )
        .execute(&mut *transaction)
        .await?;
        let assigned = sqlx::query!(
            "INSERT INTO user_roles (user_id, role_id, scope, assigned_at)
             SELECT $1, role_id, scope, $3 FROM roles WHERE name = ANY($2) AND scope = 'everywhere'",
            person.user_id.0,
            &roles,
            timestamp(person.at) as _
        )
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if assigned != roles.len() as u64 {
            return Err(DatabaseError::Damaged(format!(
                "{assigned} of {} roles for a new account",
                roles.len()
            )));
        }
        audit_log::append(&mut transaction, audit.map_or(&[], std::slice::from_ref)).await?;
        Ok(transaction.commit().await?)
    }

    /// The account that a person logs in to with this address.
    pub async fn account_by_email(&self, email: &EmailAddress) -> Result<Option<AccountRow>, DatabaseError> {
        sqlx::query_as!(
            AccountRecord,
            r#"SELECT user_id, email AS "email!", name, status, generation, password_hash,
                   created_at AS "created_at: Timestamp",
                   ARRAY(SELECT roles.name FROM user_roles JOIN roles USING (role_id)
                         WHERE user_roles.user_id = users.user_id AND user_roles.organization_id IS NULL
                         ORDER BY roles.name) AS "roles!"
               FROM users WHERE email = $1 AND kind = 'person'"#,
            email.as_str()
        )
        .fetch_optional(self.pool())
        .await?
        .map(AccountRecord::into_row)
        .transpose()
    }

    /// A person's account.
    pub async fn account(&self, user_id: UserId) -> Result<Option<AccountRow>, DatabaseError> {
        let mut connection = self.pool().acquire().await?;
        account(&mut connection, user_id).await
    }

    /// People in the order of their ids, from the one after `after`.
    pub async fn users(
        &self,
        filter: &UserFilter,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<UserRow>, DatabaseError> {
        let rows = sqlx::query!(
            r#"SELECT user_id, email AS "email!", name, status, created_at AS "created_at: Timestamp"
               FROM users
               WHERE kind = 'person'
                   AND ($1::uuid IS NULL OR user_id > $1)
                   AND ($2::text IS NULL OR starts_with(email, lower($2)) OR starts_with(lower(name), lower($2)))
                   AND ($3::text IS NULL OR status = $3)
               ORDER BY user_id LIMIT $4"#,
            after.map(|id| id.0),
            filter.prefix,
            filter.status.map(AccountStatus::as_str),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|row| user(row.user_id, row.email, row.name, &row.status, row.created_at))
            .collect()
    }

    /// Replaces a password's hash by one of the same password under other parameters, unless the password changed
    /// meanwhile. Says whether it did.
    pub async fn rehash_password(
        &self,
        user_id: UserId,
        from: &str,
        to: &str,
    ) -> Result<bool, DatabaseError> {
        let updated = sqlx::query!(
            "UPDATE users SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2",
            user_id.0,
            from,
            to
        )
        .execute(self.pool())
        .await?;
        Ok(updated.rows_affected() == 1)
    }
}

/// A person's account, within somebody's transaction.
pub(super) async fn account(
    connection: &mut sqlx::PgConnection,
    user_id: UserId,
) -> Result<Option<AccountRow>, DatabaseError> {
    sqlx::query_as!(
        AccountRecord,
        r#"SELECT user_id, email AS "email!", name, status, generation, password_hash,
               created_at AS "created_at: Timestamp",
               ARRAY(SELECT roles.name FROM user_roles JOIN roles USING (role_id)
                     WHERE user_roles.user_id = users.user_id AND user_roles.organization_id IS NULL
                     ORDER BY roles.name) AS "roles!"
           FROM users WHERE user_id = $1 AND kind = 'person'"#,
        user_id.0
    )
    .fetch_optional(connection)
    .await?
    .map(AccountRecord::into_row)
    .transpose()
}
