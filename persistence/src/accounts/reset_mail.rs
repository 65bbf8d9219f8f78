//! Asking for another password by mail.

use onsale_domain::{EmailAddress, UnixMillis};

use crate::convert::timestamp;
use crate::jobs::NewMail;
use crate::{Database, DatabaseError};

/// Links to another password that are good at once: whoever asks for more fills somebody's mailbox.
const LINKS_MAX: i64 = 3;

impl Database {
    /// Puts in a message with a link to another password, if an active account has this address, none waits
    /// for it, and it has not been sent as many links as may be good at once.
    pub async fn request_password_reset(
        &self,
        email: &EmailAddress,
        mail: &NewMail,
        at: UnixMillis,
    ) -> Result<(), DatabaseError> {
        // The payload is one of `MailMessage::PasswordReset`. One statement, so that it does not tell by the time that
        // it takes whether the address has an account.
        sqlx::query!(
            "INSERT INTO jobs (kind, subject_id, payload, created_at, due_at)
             SELECT 'mail', $2, jsonb_build_object('message', 'password_reset', 'user_id', user_id,
                 'expires_at', $3::bigint), $4, $4
             FROM users
             WHERE email = $1 AND users.kind = 'person' AND status = 'active'
                 AND NOT EXISTS (SELECT FROM jobs
                     WHERE jobs.kind = 'mail' AND jobs.payload ->> 'message' = 'password_reset'
                         AND jobs.payload ->> 'user_id' = users.user_id::text AND dead_at IS NULL
                         AND (jobs.payload ->> 'expires_at')::bigint > $5)
                 AND (SELECT count(*) FROM password_resets
                     WHERE password_resets.user_id = users.user_id AND password_resets.expires_at > $4) < $6",
            email.as_str(),
            mail.mail_id.0,
            mail.expires_at.0,
            timestamp(at) as _,
            at.0,
            LINKS_MAX
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}
