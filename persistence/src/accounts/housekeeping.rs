//! Deleting what has ended, a bounded number of rows at a time. Several processes may do it at once: each takes rows that
//! nobody else is at.

use onsale_domain::UnixMillis;

use crate::convert::{limit_out, timestamp};
use crate::{Database, DatabaseError};

impl Database {
    /// Deletes sessions that ended before `ended`, and tokens that expired before it: at most `limit` of each. Gives how many rows went; as long as that is not less than `limit`, there may be more.
    pub async fn delete_expired_accounts_data(
        &self,
        ended: UnixMillis,
        limit: usize,
    ) -> Result<u64, DatabaseError> {
        let (ended, limit) = (timestamp(ended), limit_out(limit));
        let mut deleted = sqlx::query!(
            "DELETE FROM sessions WHERE session_id IN (
                 SELECT session_id FROM sessions WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            ended as _,
            limit
        )
        .execute(self.pool())
        .await?
        .rows_affected();
        deleted += sqlx::query!(
            "DELETE FROM sessions WHERE session_id IN (
                 SELECT session_id FROM sessions WHERE revoked_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            ended as _,
            limit
        )
        .execute(self.pool())
        .await?
        .rows_affected();
        deleted += sqlx::query!(
            "DELETE FROM refresh_tokens WHERE digest IN (
                 SELECT digest FROM refresh_tokens WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            ended as _,
            limit
        )
        .execute(self.pool())
        .await?
        .rows_affected();
        deleted += sqlx::query!(
            "DELETE FROM password_resets WHERE digest IN (
                 SELECT digest FROM password_resets WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            ended as _,
            limit
        )
        .execute(self.pool())
        .await?
        .rows_affected();
        Ok(deleted)
    }
}
