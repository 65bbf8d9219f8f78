//! Resetting a password with a token that was mailed.

use onsale_domain::{UnixMillis, UserId};

use super::TokenDigest;
use super::passwords::after_password;
use crate::audit_log::{self, Actor, AuditEntry};
use crate::convert::{seq_in, timestamp};
use crate::jobs::NewMail;
use crate::{Database, DatabaseError};

/// Whose password a token resets.
#[derive(Clone)]
pub struct PasswordResetAccount {
    /// The account.
    pub user_id: UserId,
    /// Its address.
    pub email: String,
}

/// A password to be set by whoever received the mail.
#[derive(Clone, Copy)]
pub struct PasswordReset<'a> {
    /// The token of the mail.
    pub token: TokenDigest,
    /// The new hash, in PHC format.
    pub to: &'a str,
    /// Tells the person.
    pub mail: NewMail,
    /// Now.
    pub at: UnixMillis,
}

impl Database {
    /// Notes a token that is about to be mailed.
    pub async fn insert_password_reset(
        &self,
        token: TokenDigest,
        user_id: UserId,
        expires_at: UnixMillis,
    ) -> Result<(), DatabaseError> {
        sqlx::query!(
            "INSERT INTO password_resets (digest, user_id, expires_at) VALUES ($1, $2, $3)",
            &token.0[..],
            user_id.0,
            timestamp(expires_at) as _
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Whose password a token resets, without taking it.
    pub async fn password_reset_account(
        &self,
        token: TokenDigest,
        at: UnixMillis,
    ) -> Result<Option<PasswordResetAccount>, DatabaseError> {
        let row = sqlx::query!(
            r#"SELECT user_id, email AS "email!" FROM password_resets JOIN users USING (user_id)
               WHERE digest = $1 AND expires_at > $2 AND status = 'active' AND email IS NOT NULL"#,
            &token.0[..],
            timestamp(at) as _
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| PasswordResetAccount {
            user_id: UserId(row.user_id),
            email: row.email,
        }))
    }

    /// Takes a token and sets the password, ends all sessions and every access token. Gives the account and its new
    /// generation; `None`: the token is not one or was taken, and nothing was done. The entry's actor and target are
    /// filled in here.
    pub async fn reset_password(
        &self,
        reset: &PasswordReset<'_>,
        audit: &AuditEntry,
    ) -> Result<Option<(UserId, u64)>, DatabaseError> {
        let mut transaction = self.begin().await?;
        // The account first and the token after it: the order of locks of every change.
        let Some(account) = sqlx::query!(
            "UPDATE users SET password_hash = $2, generation = generation + 1, generation_at = $3
             FROM password_resets
             WHERE digest = $1 AND users.user_id = password_resets.user_id AND status = 'active'
             RETURNING users.user_id, generation",
            &reset.token.0[..],
            reset.to,
            timestamp(reset.at) as _
        )
        .fetch_optional(&mut *transaction)
        .await?
        else {
            return Ok(None);
        };
        let taken = sqlx::query!(
            "DELETE FROM password_resets WHERE digest = $1 AND expires_at > $2",
            &reset.token.0[..],
            timestamp(reset.at) as _
        )
        .execute(&mut *transaction)
        .await?;
        if taken.rows_affected() != 1 {
            return Ok(None);
        }
        let user_id = UserId(account.user_id);
        after_password(&mut transaction, user_id, None, &reset.mail, reset.at).await?;
        let entry = AuditEntry {
            actor: Actor::person(Some(user_id)),
            ..audit.clone().on("user", user_id.0)
        };
        audit_log::append(&mut transaction, &[entry]).await?;
        transaction.commit().await?;
        Ok(Some((user_id, seq_in(account.generation))))
    }
}
