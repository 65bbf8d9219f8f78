//! Rotating refresh tokens: each is good for one child, and coming back with a parent too late ends the session.

use jiff_sqlx::Timestamp;
use onsale_domain::{SessionId, UnixMillis, UserId};
use sqlx::PgConnection;

use super::TokenDigest;
use super::users::{AccountRow, account};
use crate::access::AccountStatus;
use crate::audit_log::{self, Actor, AuditEntry};
use crate::convert::{millis, timestamp};
use crate::{Database, DatabaseError};

/// Somebody comes with a refresh token.
#[derive(Clone, Copy, Debug)]
pub struct RefreshAttempt {
    /// The token that came.
    pub token: TokenDigest,
    /// Salt for its child, if this is the first time that it comes.
    pub salt: [u8; 32],
    /// Now.
    pub at: UnixMillis,
    /// End of the child; never later than its session's.
    pub child_expires_at: UnixMillis,
    /// How long after the first time the same child is given again, in milliseconds.
    pub grace_ms: i64,
}

/// What became of an attempt.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// The child is the one of this salt.
    Child {
        /// The attempt's salt, or that of the first time.
        salt: [u8; 32],
        /// End of the child.
        expires_at: UnixMillis,
        /// The session.
        session_id: SessionId,
        /// Whose session, as it is now.
        account: Box<AccountRow>,
    },
    /// The token was used before: its session is ended now, because one of the two who came is a thief.
    Reused {
        /// The session.
        session_id: SessionId,
        /// Whose.
        user_id: UserId,
    },
    /// Not a token, or one that has ended.
    Refused,
}

/// A family of tokens: a live session whose row is locked.
struct Family {
    session_id: SessionId,
    user_id: UserId,
    expires_at: UnixMillis,
}

impl Database {
    /// Rotates a refresh token. `child_of` gives the digest of the child that a salt makes of this parent; the
    /// entry's actor and target are filled in where it is appended, which is only for [`Rotation::Reused`].
    pub async fn rotate_refresh_token(
        &self,
        attempt: &RefreshAttempt,
        child_of: impl Fn(&[u8; 32]) -> TokenDigest + Send + Sync,
        audit: &AuditEntry,
    ) -> Result<Rotation, DatabaseError> {
        let mut transaction = self.begin().await?;
        let Some(session) = lock_session(&mut transaction, attempt).await? else {
            return Ok(Rotation::Refused);
        };
        let Some(token) = token(&mut transaction, attempt.token).await? else {
            return Ok(Rotation::Refused);
        };
        if token.expires_at <= attempt.at {
            return Ok(Rotation::Refused);
        }
        let (salt, expires_at) = match token.rotated {
            None => {
                let expires_at = attempt.child_expires_at.min(session.expires_at);
                insert_child(
                    &mut transaction,
                    attempt,
                    &session,
                    child_of(&attempt.salt),
                    expires_at,
                )
                .await?;
                (attempt.salt, expires_at)
            }
            Some((rotated_at, salt)) => {
                let child = self::token(&mut transaction, child_of(&salt)).await?;
                match child {
                    Some(child)
                        if child.rotated.is_none() && attempt.at.ms_since(rotated_at) <= attempt.grace_ms =>
                    {
                        (salt, child.expires_at)
                    }
                    Some(_) | None => {
                        end_family(&mut transaction, &session, attempt.at, audit).await?;
                        transaction.commit().await?;
                        return Ok(Rotation::Reused {
                            session_id: session.session_id,
                            user_id: session.user_id,
                        });
                    }
                }
            }
        };
        let account = account(&mut transaction, session.user_id)
            .await?
            .filter(|account| account.user.status == AccountStatus::Active);
        let Some(account) = account else {
            return Ok(Rotation::Refused);
        };
        transaction.commit().await?;
        Ok(Rotation::Child {
            salt,
            expires_at,
            session_id: session.session_id,
            account: Box::new(account),
        })
    }
}

/// Locks the live session of a token: one rotation of a family at a time, and none beside a revocation.
async fn lock_session(
    connection: &mut PgConnection,
    attempt: &RefreshAttempt,
) -> Result<Option<Family>, DatabaseError> {
    let row = sqlx::query!(
        r#"SELECT sessions.session_id, sessions.user_id, sessions.expires_at AS "expires_at: Timestamp"
           FROM refresh_tokens JOIN sessions USING (session_id)
           WHERE digest = $1 AND sessions.revoked_at IS NULL AND sessions.expires_at > $2
           FOR UPDATE OF sessions"#,
        &attempt.token.0[..],
        timestamp(attempt.at) as _
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Family {
        session_id: SessionId(row.session_id),
        user_id: UserId(row.user_id),
        expires_at: millis(row.expires_at),
    }))
}

struct Token {
    expires_at: UnixMillis,
    /// When, and the salt of the child.
    rotated: Option<(UnixMillis, [u8; 32])>,
}

/// A token as it is now; its session is locked, so it stays so.
async fn token(connection: &mut PgConnection, digest: TokenDigest) -> Result<Option<Token>, DatabaseError> {
    let Some(row) = sqlx::query!(
        r#"SELECT expires_at AS "expires_at: Timestamp", rotated_at AS "rotated_at: Timestamp", child_salt
           FROM refresh_tokens WHERE digest = $1"#,
        &digest.0[..]
    )
    .fetch_optional(connection)
    .await?
    else {
        return Ok(None);
    };
    let rotated = row
        .rotated_at
        .zip(row.child_salt)
        .map(|(at, salt)| {
            <[u8; 32]>::try_from(salt)
                .map(|salt| (millis(at), salt))
                .map_err(|_| DatabaseError::Damaged("a salt is not of 32 bytes".to_owned()))
        })
        .transpose()?;
    Ok(Some(Token {
        expires_at: millis(row.expires_at),
        rotated,
    }))
}

async fn insert_child(
    connection: &mut PgConnection,
    attempt: &RefreshAttempt,
    session: &Family,
    child: TokenDigest,
    expires_at: UnixMillis,
) -> Result<(), DatabaseError> {
    let inserted = sqlx::query!(
        "WITH parent AS (
             UPDATE refresh_tokens SET rotated_at = $2, child_salt = $3 WHERE digest = $1 AND rotated_at IS NULL
             RETURNING session_id
         )
         INSERT INTO refresh_tokens (digest, session_id, expires_at)
         SELECT $4, session_id, $5 FROM parent WHERE session_id = $6",
        &attempt.token.0[..],
        timestamp(attempt.at) as _,
        &attempt.salt[..],
        &child.0[..],
        timestamp(expires_at) as _,
        session.session_id.0
    )
    .execute(connection)
    .await?;
    match inserted.rows_affected() {
        1 => Ok(()),
        rows => Err(DatabaseError::Damaged(format!(
            "{rows} children of a refresh token"
        ))),
    }
}

async fn end_family(
    connection: &mut PgConnection,
    session: &Family,
    at: UnixMillis,
    audit: &AuditEntry,
) -> Result<(), DatabaseError> {
    sqlx::query!(
        "UPDATE sessions SET revoked_at = $2, revoked_for = 'token_reused' WHERE session_id = $1",
        session.session_id.0,
        timestamp(at) as _
    )
    .execute(&mut *connection)
    .await?;
    let entry = AuditEntry {
        actor: Actor::person(Some(session.user_id)),
        ..audit.clone().on("session", session.session_id.0)
    };
    audit_log::append(connection, &[entry]).await
}
