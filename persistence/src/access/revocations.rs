//! What was revoked while access tokens that name it may still live.

use jiff_sqlx::Timestamp;
use onsale_domain::{SessionId, UnixMillis, UserId};

use super::rows::Revocation;
use crate::convert::{count_in, limit_out, millis, timestamp};
use crate::{Database, DatabaseError};

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
