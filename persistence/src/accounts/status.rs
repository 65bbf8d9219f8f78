//! Shutting and opening accounts.

use onsale_domain::{UnixMillis, UserId};

use super::sessions::revoke_sessions;
use crate::access::{AccountStatus, an_admin_is_left, lock_admin_role};
use crate::audit_log::{self, AuditEntry};
use crate::convert::{seq_in, timestamp};
use crate::{Database, DatabaseError};

/// What became of an account whose status should change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusChange {
    /// It changed.
    Changed {
        /// What new tokens carry.
        generation: u64,
    },
    /// It was so already.
    Unchanged,
    /// There is no such person.
    NotFound,
    /// It is the only active account that may do everything.
    LastAdmin,
}

impl Database {
    /// Shuts or opens a person's account. Either ends all its sessions and tokens.
    pub async fn set_user_status(
        &self,
        user_id: UserId,
        to: AccountStatus,
        at: UnixMillis,
        audit: &AuditEntry,
    ) -> Result<StatusChange, DatabaseError> {
        let mut transaction = self.begin().await?;
        if to == AccountStatus::Deactivated {
            lock_admin_role(&mut transaction).await?;
        }
        let changed = sqlx::query_scalar!(
            "UPDATE users SET status = $2, generation = generation + 1, generation_at = $3
             WHERE user_id = $1 AND kind = 'person' AND status <> $2 RETURNING generation",
            user_id.0,
            to.as_str(),
            timestamp(at) as _
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(generation) = changed else {
            let there = super::users::account(&mut transaction, user_id).await?;
            return Ok(if there.is_some() {
                StatusChange::Unchanged
            } else {
                StatusChange::NotFound
            });
        };
        if to == AccountStatus::Deactivated && !an_admin_is_left(&mut transaction).await? {
            return Ok(StatusChange::LastAdmin);
        }
        revoke_sessions(&mut transaction, user_id, None, at, "deactivated").await?;
        sqlx::query!("DELETE FROM password_resets WHERE user_id = $1", user_id.0)
            .execute(&mut *transaction)
            .await?;
        audit_log::append(&mut transaction, std::slice::from_ref(audit)).await?;
        transaction.commit().await?;
        Ok(StatusChange::Changed {
            generation: seq_in(generation),
        })
    }
}
