//! The outbox: messages wait here until somebody has sent them, or until it is too late.
//!
//! A message is claimed by moving its due time behind the next try. So no transaction is open while it is sent, a
//! sender that dies leaves it to be sent again, and of two senders only one has it. It may be sent twice; a promise
//! to send it exactly once would be a lie.

use jiff_sqlx::Timestamp;
use onsale_domain::{EmailAddress, MailId, UnixMillis, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::convert::{limit_out, millis, timestamp};
use crate::{Database, DatabaseError};

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// How to set another password.
    PasswordReset,
    /// That another password was set.
    PasswordChanged,
}

impl MailKind {
    /// Its name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
        }
    }

    fn parse(name: &str) -> Result<Self, DatabaseError> {
        match name {
            "password_reset" => Ok(Self::PasswordReset),
            "password_changed" => Ok(Self::PasswordChanged),
            unknown => Err(DatabaseError::Damaged(format!("mail kind {unknown:?}"))),
        }
    }
}

/// A message to be put in.
#[derive(Clone, Copy, Debug)]
pub struct NewMail {
    /// Identity.
    pub mail_id: MailId,
    /// Not sent after this.
    pub expires_at: UnixMillis,
}

/// A message that the caller has claimed, and to whom it goes.
#[derive(Clone)]
pub struct MailToSend {
    /// Identity.
    pub mail_id: MailId,
    /// What it is about.
    pub kind: MailKind,
    /// To whom.
    pub user_id: UserId,
    /// Address of the person.
    pub email: String,
    /// Name of the person.
    pub name: String,
    /// Tries, this one included.
    pub attempts: u32,
    /// Not sent after this.
    pub expires_at: UnixMillis,
}

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
        sqlx::query!(
            "INSERT INTO mail_outbox (mail_id, kind, user_id, created_at, expires_at, due_at)
             SELECT $2, $3, user_id, $4, $5, $4 FROM users
             WHERE email = $1 AND kind = 'person' AND status = 'active'
                 AND NOT EXISTS (SELECT FROM mail_outbox
                     WHERE mail_outbox.user_id = users.user_id AND mail_outbox.kind = $3
                         AND mail_outbox.expires_at > $4)
                 AND (SELECT count(*) FROM password_resets
                     WHERE password_resets.user_id = users.user_id AND password_resets.expires_at > $4) < $6",
            email.as_str(),
            mail.mail_id.0,
            MailKind::PasswordReset.as_str(),
            timestamp(at) as _,
            timestamp(mail.expires_at) as _,
            LINKS_MAX
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Claims messages that are due. Each is due again after 10 s, then 20 s, 40 s and so on up to ten minutes, unless
    /// [`Self::mail_sent`] takes it away. Those of accounts that were shut are not sent.
    pub async fn claim_mail(&self, at: UnixMillis, limit: usize) -> Result<Vec<MailToSend>, DatabaseError> {
        let rows = sqlx::query!(
            r#"WITH due AS (
                   SELECT mail_id FROM mail_outbox
                   WHERE due_at <= $1 AND expires_at > $1
                   ORDER BY due_at, mail_id LIMIT $2
                   FOR UPDATE SKIP LOCKED
               ), claimed AS (
                   UPDATE mail_outbox SET attempts = attempts + 1,
                       due_at = $1 + least(interval '10 seconds' * power(2, least(attempts, 10)), interval '10 minutes')
                   FROM due WHERE mail_outbox.mail_id = due.mail_id
                   RETURNING mail_outbox.mail_id, kind, user_id, attempts, expires_at
               )
               SELECT mail_id, claimed.kind, user_id, attempts, expires_at AS "expires_at: Timestamp",
                   users.email AS "email!", users.name
               FROM claimed JOIN users USING (user_id)
               WHERE users.status = 'active' AND users.email IS NOT NULL"#,
            timestamp(at) as _,
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(MailToSend {
                    mail_id: MailId(row.mail_id),
                    kind: MailKind::parse(&row.kind)?,
                    user_id: UserId(row.user_id),
                    email: row.email,
                    name: row.name,
                    attempts: u32::try_from(row.attempts).unwrap_or_default(),
                    expires_at: millis(row.expires_at),
                })
            })
            .collect()
    }

    /// Takes sent messages away.
    pub async fn mail_sent(&self, sent: &[MailId]) -> Result<(), DatabaseError> {
        let sent: Vec<Uuid> = sent.iter().map(|id| id.0).collect();
        sqlx::query!("DELETE FROM mail_outbox WHERE mail_id = ANY($1)", &sent)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

/// Puts in a message within somebody's transaction.
pub(super) async fn insert_mail(
    connection: &mut PgConnection,
    mail: &NewMail,
    kind: MailKind,
    user_id: UserId,
    at: UnixMillis,
) -> Result<(), DatabaseError> {
    sqlx::query!(
        "INSERT INTO mail_outbox (mail_id, kind, user_id, created_at, expires_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $4)",
        mail.mail_id.0,
        kind.as_str(),
        user_id.0,
        timestamp(at) as _,
        timestamp(mail.expires_at) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
