//! What was revoked while access tokens that name it may still live.

use jiff_sqlx::Timestamp;
use onsale_domain::{SessionId, UnixMillis, UserId};

use super::rows::Revocation;
use crate::convert::{count_in, limit_out, millis, seq_in, seq_out, timestamp};
use crate::{Database, DatabaseError};

/// What the audit log tells of what accounts may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessChanges {
    /// Number of the log's last entry.
    pub head: u64,
    /// Whether something was changed.
    pub found: bool,
}

impl Database {
    /// What was revoked since an instant, at most so many.
    pub async fn revocations_since(
        &self,
        since: UnixMillis,
        limit: usize,
    ) -> Result<Vec<Revocation>, DatabaseError> {
        let rows = sqlx::query!(
            r#"(SELECT session_id AS "id!", NULL::bigint AS generation, revoked_at AS "at!: Timestamp"
                FROM sessions WHERE revoked_at >= $1)
               UNION ALL
               (SELECT user_id, generation, generation_at FROM users WHERE generation_at >= $1 AND generation > 0)
               LIMIT $2"#,
            timestamp(since) as _,
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| match row.generation {
                None => Revocation::Session {
                    session_id: SessionId(row.id),
                    at: millis(row.at),
                },
                Some(generation) => Revocation::Generation {
                    user_id: UserId(row.id),
                    generation: count_in(generation),
                    at: millis(row.at),
                },
            })
            .collect())
    }

    /// Whether the audit log tells of a change of what accounts may do after an entry; `None`: nothing is looked at.
    pub async fn access_changes_since(&self, after: Option<u64>) -> Result<AccessChanges, DatabaseError> {
        let head = sqlx::query_scalar!("SELECT seq FROM audit_log_head WHERE one")
            .fetch_one(self.pool())
            .await?;
        let found = match after {
            None => false,
            Some(after) => {
                sqlx::query_scalar!(
                    r#"SELECT EXISTS (
                           SELECT 1 FROM audit_log
                           WHERE seq > $1 AND seq <= $2 AND outcome = 'done'
                               AND split_part(action, '.', 1) IN ('roles', 'users', 'service_accounts', 'api_keys')
                       ) AS "found!""#,
                    seq_out(after),
                    head
                )
                .fetch_one(self.pool())
                .await?
            }
        };
        Ok(AccessChanges {
            head: seq_in(head),
            found,
        })
    }

    /// Whether an access token that names these is good as far as the tables know: the account is active, the login
    /// was not ended and the generation is not an earlier one.
    pub async fn is_current(
        &self,
        user_id: UserId,
        session_id: SessionId,
        generation: u64,
    ) -> Result<bool, DatabaseError> {
        Ok(sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT 1 FROM users JOIN sessions USING (user_id)
                   WHERE user_id = $1 AND session_id = $2 AND generation <= $3 AND status = 'active'
                       AND revoked_at IS NULL
               ) AS "is_current!""#,
            user_id.0,
            session_id.0,
            i64::try_from(generation).unwrap_or(i64::MAX)
        )
        .fetch_one(self.pool())
        .await?)
    }
}
