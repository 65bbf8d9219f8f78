//! Sessions: their beginning, and their end by the person.

use onsale_domain::{SessionId, UnixMillis, UserId};

use super::TokenDigest;
use crate::audit_log::{self, AuditEntry};
use crate::convert::{seq_in, seq_out, timestamp};
use crate::{Database, DatabaseError};

/// A session to be started, with its first refresh token.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    /// Identity.
    pub session_id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// The account's generation when the password was checked.
    pub generation: u64,
    /// Now.
    pub at: UnixMillis,
    /// End of the whole family, however often it is refreshed.
    pub expires_at: UnixMillis,
    /// The first refresh token.
    pub token: TokenDigest,
    /// Its end.
    pub token_expires_at: UnixMillis,
}

impl Database {
    /// Starts a session. `false`: the account was shut, or its password or sessions were changed, since it was read.
    pub async fn start_session(&self, session: &NewSession) -> Result<bool, DatabaseError> {
        // The lock waits for a change under way, and then the conditions are looked at again.
        let started = sqlx::query!(
            "WITH account AS (
                 SELECT user_id FROM users
                 WHERE user_id = $2 AND status = 'active' AND generation = $3
                 FOR SHARE
             ), session AS (
                 INSERT INTO sessions (session_id, user_id, created_at, expires_at)
                 SELECT $1, user_id, $4, $5 FROM account
                 RETURNING session_id
             )
             INSERT INTO refresh_tokens (digest, session_id, expires_at)
             SELECT $6, session_id, $7 FROM session",
            session.session_id.0,
            session.user_id.0,
            seq_out(session.generation),
            timestamp(session.at) as _,
            timestamp(session.expires_at) as _,
            &session.token.0[..],
            timestamp(session.token_expires_at) as _
        )
        .execute(self.pool())
        .await?;
        Ok(started.rows_affected() == 1)
    }

    /// Ends a session because its owner asked for it. `false`: it has ended already, or is not there.
    pub async fn end_session(&self, session_id: SessionId, at: UnixMillis) -> Result<bool, DatabaseError> {
        let ended = sqlx::query!(
            "UPDATE sessions SET revoked_at = $2, revoked_for = 'logout'
             WHERE session_id = $1 AND revoked_at IS NULL",
            session_id.0,
            timestamp(at) as _
        )
        .execute(self.pool())
        .await?;
        Ok(ended.rows_affected() == 1)
    }

    /// Ends all of an account's sessions and access tokens because its owner asked for it. Gives the generation that
    /// new tokens carry; `None`: there is no such account.
    pub async fn end_all_sessions(
        &self,
        user_id: UserId,
        at: UnixMillis,
        audit: &AuditEntry,
    ) -> Result<Option<u64>, DatabaseError> {
        let mut transaction = self.begin().await?;
        let Some(generation) = sqlx::query_scalar!(
            "UPDATE users SET generation = generation + 1, generation_at = $2
             WHERE user_id = $1 AND kind = 'person' RETURNING generation",
            user_id.0,
            timestamp(at) as _
        )
        .fetch_optional(&mut *transaction)
        .await?
        else {
            return Ok(None);
        };
        revoke_sessions(&mut transaction, user_id, None, at, "logout").await?;
        audit_log::append(&mut transaction, std::slice::from_ref(audit)).await?;
        transaction.commit().await?;
        Ok(Some(seq_in(generation)))
    }
}

/// Ends an account's sessions but one. The caller has locked the account's row.
pub(super) async fn revoke_sessions(
    connection: &mut sqlx::PgConnection,
    user_id: UserId,
    except: Option<SessionId>,
    at: UnixMillis,
    reason: &str,
) -> Result<(), DatabaseError> {
    sqlx::query!(
        "UPDATE sessions SET revoked_at = $3, revoked_for = $4
         WHERE user_id = $1 AND revoked_at IS NULL AND session_id IS DISTINCT FROM $2",
        user_id.0,
        except.map(|id| id.0),
        timestamp(at) as _,
        reason
    )
    .execute(connection)
    .await?;
    Ok(())
}
