//! Mail as jobs: what a message is about, without what only its recipient may read.

use onsale_domain::money::Money;
use onsale_domain::{EventId, MailId, OrderId, TicketId, UnixMillis, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::{Builder, Uuid};

use super::{JobKind, NewJob, enqueue};
use crate::convert::limit_out;
use crate::{Database, DatabaseError};

/// How long it is worth telling somebody what happened to what they bought.
const NEWS_LIFETIME_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// What a message tells, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum MailMessage {
    /// How to set another password.
    PasswordReset {
        /// Whose.
        user_id: UserId,
    },
    /// That another password was set.
    PasswordChanged {
        /// Whose.
        user_id: UserId,
    },
    /// That an order is confirmed, with its tickets; to the buyer.
    OrderConfirmation {
        /// The order's event.
        event_id: EventId,
        /// Which.
        order_id: OrderId,
    },
    /// That money was given back; to the buyer.
    Refund {
        /// The order's event.
        event_id: EventId,
        /// Of which order.
        order_id: OrderId,
        /// The refund's identity: each is told of once.
        refund_id: Uuid,
        /// How much.
        amount: Money,
    },
    /// That a ticket belongs to another account now; to the one before.
    TicketGivenAway {
        /// The ticket's event.
        event_id: EventId,
        /// Which.
        ticket_id: TicketId,
        /// The ticket's version since.
        version: u32,
        /// Whose it was.
        user_id: UserId,
    },
    /// That a ticket was received; to its new owner.
    TicketReceived {
        /// The ticket's event.
        event_id: EventId,
        /// Which.
        ticket_id: TicketId,
        /// The ticket's version since.
        version: u32,
        /// Whose it is.
        user_id: UserId,
    },
}

/// A message to be sent, as it stands in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedMail {
    /// What it tells.
    #[serde(flatten)]
    pub message: MailMessage,
    /// Not sent after this.
    pub expires_at: UnixMillis,
}

/// A message to be put in that has an id of its own.
#[derive(Clone, Copy, Debug)]
pub struct NewMail {
    /// Identity.
    pub mail_id: MailId,
    /// Not sent after this.
    pub expires_at: UnixMillis,
}

impl MailMessage {
    /// The job of sending it within a week. Its id is made of what it tells, so that the same news is the same message,
    /// however often somebody asks for it.
    pub fn job(self, now: UnixMillis) -> Result<NewJob, DatabaseError> {
        let told = serde_json::to_vec(&self).map_err(|error| unwritable(&error))?;
        let mut id = [0; 16];
        id.copy_from_slice(&blake3::hash(&told).as_bytes()[..16]);
        let mail = NewMail {
            mail_id: MailId(Builder::from_custom_bytes(id).into_uuid()),
            expires_at: now.plus_ms(NEWS_LIFETIME_MS),
        };
        mail.job(self, now)
    }
}

impl NewMail {
    /// The job of sending it.
    pub fn job(&self, message: MailMessage, now: UnixMillis) -> Result<NewJob, DatabaseError> {
        let queued = QueuedMail {
            message,
            expires_at: self.expires_at,
        };
        Ok(NewJob {
            kind: JobKind::Mail,
            subject_id: self.mail_id.0,
            event_id: None,
            payload: Some(serde_json::to_value(queued).map_err(|error| unwritable(&error))?),
            due_at: now,
        })
    }
}

impl QueuedMail {
    /// Reads a job's payload; `None`: it is none of ours, or of another release.
    pub fn of_payload(payload: Option<Value>) -> Option<Self> {
        serde_json::from_value(payload?).ok()
    }
}

impl Database {
    /// Deletes messages that were too late to be sent before `ended`, given up or not: at most `limit`. Gives how many.
    pub async fn delete_expired_mail(&self, ended: UnixMillis, limit: usize) -> Result<u64, DatabaseError> {
        let deleted = sqlx::query!(
            "DELETE FROM jobs WHERE kind = 'mail' AND subject_id IN (
                 SELECT subject_id FROM jobs WHERE kind = 'mail' AND (payload ->> 'expires_at')::bigint < $1
                 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            ended.0,
            limit_out(limit)
        )
        .execute(self.pool())
        .await?;
        Ok(deleted.rows_affected())
    }
}

/// Puts in a message within somebody's transaction.
pub(crate) async fn enqueue_mail(
    connection: &mut PgConnection,
    mail: &NewMail,
    message: MailMessage,
    now: UnixMillis,
) -> Result<(), DatabaseError> {
    enqueue(connection, &[mail.job(message, now)?], now).await
}

fn unwritable(error: &serde_json::Error) -> DatabaseError {
    DatabaseError::Damaged(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

    fn received(version: u32) -> MailMessage {
        MailMessage::TicketReceived {
            event_id: EventId(Uuid::from_u128(1)),
            ticket_id: TicketId(Uuid::from_u128(2)),
            version,
            user_id: UserId(Uuid::from_u128(3)),
        }
    }

    #[test]
    fn the_same_news_is_the_same_message() {
        let job = received(2).job(NOW).unwrap();
        assert_eq!(
            job.subject_id,
            received(2).job(NOW.plus_ms(5)).unwrap().subject_id
        );
        assert_ne!(job.subject_id, received(3).job(NOW).unwrap().subject_id);
    }

    #[test]
    fn payloads_come_back_and_what_is_not_ours_is_not_read() {
        let job = received(2).job(NOW).unwrap();
        let queued = QueuedMail::of_payload(job.payload).unwrap();
        assert_eq!(queued.message, received(2));
        assert_eq!(queued.expires_at, NOW.plus_ms(NEWS_LIFETIME_MS));
        // As the statement of `request_password_reset` and the migration write it.
        let user_id = UserId(Uuid::from_u128(3));
        let payload = json!({"message": "password_reset", "user_id": user_id.0, "expires_at": 7});
        let expected = QueuedMail {
            message: MailMessage::PasswordReset { user_id },
            expires_at: UnixMillis(7),
        };
        assert_eq!(QueuedMail::of_payload(Some(payload)), Some(expected));
        for payload in [
            None,
            Some(json!({})),
            Some(json!({"message": "unheard of", "expires_at": 7})),
        ] {
            assert_eq!(QueuedMail::of_payload(payload), None);
        }
    }
}
