//! Another password: it ends what the old one had opened.

use onsale_domain::{SessionId, UnixMillis, UserId};
use sqlx::PgConnection;

use super::TokenDigest;
use super::sessions::revoke_sessions;
use crate::audit_log::{self, AuditEntry};
use crate::convert::{seq_in, timestamp};
use crate::jobs::{MailMessage, NewMail, enqueue_mail};
use crate::{Database, DatabaseError};

/// The session that goes on with a new refresh token; its earlier ones are worth nothing any more.
#[derive(Clone, Copy, Debug)]
pub struct KeptSession {
    /// Which.
    pub session_id: SessionId,
    /// Its new refresh token.
    pub token: TokenDigest,
    /// The token's end; never later than the session's.
    pub token_expires_at: UnixMillis,
}

/// A password to be changed by whoever knows the present one.
#[derive(Clone, Copy)]
pub struct PasswordChange<'a> {
    /// Whose.
    pub user_id: UserId,
    /// The hash that the present password was checked against.
    pub from: &'a str,
    /// The new one, in PHC format.
    pub to: &'a str,
    /// The session that it is done in.
    pub kept: KeptSession,
    /// Tells the person.
    pub mail: NewMail,
    /// Now.
    pub at: UnixMillis,
}

impl Database {
    /// Changes a password, ends all other sessions and every access token, and takes back reset tokens. Gives the
    /// generation that new tokens carry; `None`: the password, the account or the session changed since they were
    /// looked at, and nothing was done.
    pub async fn change_password(
        &self,
        change: &PasswordChange<'_>,
        audit: &AuditEntry,
    ) -> Result<Option<u64>, DatabaseError> {
        let mut transaction = self.begin().await?;
        let Some(generation) = sqlx::query_scalar!(
            "UPDATE users SET password_hash = $3, generation = generation + 1, generation_at = $4
             WHERE user_id = $1 AND password_hash = $2 AND status = 'active' RETURNING generation",
            change.user_id.0,
            change.from,
            change.to,
            timestamp(change.at) as _
        )
        .fetch_optional(&mut *transaction)
        .await?
        else {
            return Ok(None);
        };
        if !renew_token(&mut transaction, change).await? {
            return Ok(None);
        }
        let kept = Some(change.kept.session_id);
        after_password(&mut transaction, change.user_id, kept, &change.mail, change.at).await?;
        audit_log::append(&mut transaction, std::slice::from_ref(audit)).await?;
        transaction.commit().await?;
        Ok(Some(seq_in(generation)))
    }
}

/// Gives the kept session a new refresh token in place of all that it has had. `false`: the session is over.
async fn renew_token(
    connection: &mut PgConnection,
    change: &PasswordChange<'_>,
) -> Result<bool, DatabaseError> {
    let live = sqlx::query_scalar!(
        "SELECT session_id FROM sessions
         WHERE session_id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3
         FOR UPDATE",
        change.kept.session_id.0,
        change.user_id.0,
        timestamp(change.at) as _
    )
    .fetch_optional(&mut *connection)
    .await?;
    if live.is_none() {
        return Ok(false);
    }
    sqlx::query!(
        "DELETE FROM refresh_tokens WHERE session_id = $1",
        change.kept.session_id.0
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "INSERT INTO refresh_tokens (digest, session_id, expires_at)
         SELECT $1, session_id, least($3, expires_at) FROM sessions WHERE session_id = $2",
        &change.kept.token.0[..],
        change.kept.session_id.0,
        timestamp(change.kept.token_expires_at) as _
    )
    .execute(connection)
    .await?;
    Ok(true)
}

/// What follows a new password. The caller has locked the account's row.
pub(super) async fn after_password(
    connection: &mut PgConnection,
    user_id: UserId,
    kept: Option<SessionId>,
    mail: &NewMail,
    at: UnixMillis,
) -> Result<(), DatabaseError> {
    revoke_sessions(connection, user_id, kept, at, "password_changed").await?;
    sqlx::query!("DELETE FROM password_resets WHERE user_id = $1", user_id.0)
        .execute(&mut *connection)
        .await?;
    enqueue_mail(connection, mail, MailMessage::PasswordChanged { user_id }, at).await
}
