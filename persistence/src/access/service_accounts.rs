//! Service accounts: programs that call.

use jiff_sqlx::Timestamp;
use onsale_domain::{OrganizationId, UserId};
use serde_json::json;

use super::assignments::{end_tokens, give};
use super::rows::{NewAssignment, NewServiceAccount, ServiceAccountRow};
use super::{AccessError, log};
use crate::audit_log::AuditEntry;
use crate::convert::{limit_out, millis};
use crate::{Database, DatabaseError};

impl Database {
    /// Makes a service account with its roles.
    ///
    /// Errors: [`AccessError::NotFound`] for the organization or a role, [`AccessError::WrongPlace`] for a role.
    pub async fn create_service_account(
        &self,
        account: &NewServiceAccount,
        entry: AuditEntry,
    ) -> Result<ServiceAccountRow, AccessError> {
        let mut transaction = self.begin().await?;
        let created_at = sqlx::query_scalar!(
            r#"INSERT INTO users (user_id, kind, name, organization_id) VALUES ($1, 'service', $2, $3)
               RETURNING created_at AS "created_at: Timestamp""#,
            account.user_id.0,
            account.name,
            account.organization_id.map(|id| id.0)
        )
        .fetch_one(&mut *transaction)
        .await?;
        let mut roles = Vec::with_capacity(account.roles.len());
        for role_id in &account.roles {
            let assignment = NewAssignment {
                user_id: account.user_id,
                role_id: *role_id,
                organization_id: account.organization_id,
            };
            roles.extend(give(&mut transaction, assignment, entry.actor.id).await?);
        }
        let entry = AuditEntry {
            organization_id: account.organization_id,
            ..entry.on("user", account.user_id.to_string())
        };
        let after = json!({
            "name": account.name,
            "organization_id": account.organization_id,
            "roles": roles,
        });
        log(&mut transaction, entry, None, Some(after)).await?;
        transaction.commit().await?;
        Ok(ServiceAccountRow {
            user_id: account.user_id,
            name: account.name.clone(),
            organization_id: account.organization_id,
            is_active: true,
            created_at: millis(created_at),
        })
    }

    /// One service account.
    pub async fn service_account(&self, user_id: UserId) -> Result<Option<ServiceAccountRow>, DatabaseError> {
        let row = sqlx::query!(
            r#"SELECT name, organization_id, status, created_at AS "created_at: Timestamp"
               FROM users WHERE user_id = $1 AND kind = 'service'"#,
            user_id.0
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| ServiceAccountRow {
            user_id,
            name: row.name,
            organization_id: row.organization_id.map(OrganizationId),
            is_active: row.status == "active",
            created_at: millis(row.created_at),
        }))
    }

    /// Service accounts in the order of their ids, from the one after `after`; only those that work for these
    /// organizations, where some are given.
    pub async fn service_accounts(
        &self,
        organizations: Option<&[OrganizationId]>,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<ServiceAccountRow>, DatabaseError> {
        let organizations: Option<Vec<_>> = organizations.map(|ids| ids.iter().map(|id| id.0).collect());
        let rows = sqlx::query!(
            r#"SELECT user_id, name, organization_id, status, created_at AS "created_at: Timestamp"
               FROM users
               WHERE kind = 'service' AND ($1::uuid[] IS NULL OR organization_id = ANY($1))
                   AND ($2::uuid IS NULL OR user_id > $2)
               ORDER BY user_id LIMIT $3"#,
            organizations.as_deref(),
            after.map(|id| id.0),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| ServiceAccountRow {
                user_id: UserId(row.user_id),
                name: row.name,
                organization_id: row.organization_id.map(OrganizationId),
                is_active: row.status == "active",
                created_at: millis(row.created_at),
            })
            .collect())
    }

    /// Deactivates a service account and revokes its keys. Its rows stay, because others name it.
    ///
    /// Errors: [`AccessError::NotFound`] when there is none, or it is deactivated.
    pub async fn deactivate_service_account(
        &self,
        user_id: UserId,
        entry: AuditEntry,
    ) -> Result<(), AccessError> {
        let mut transaction = self.begin().await?;
        let deactivated = sqlx::query!(
            "UPDATE users SET status = 'deactivated'
             WHERE user_id = $1 AND kind = 'service' AND status = 'active'
             RETURNING name, organization_id",
            user_id.0
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(AccessError::NotFound)?;
        end_tokens(&mut transaction, user_id).await?;
        let keys_revoked = sqlx::query!(
            "UPDATE api_keys SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL",
            user_id.0
        )
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        let entry = AuditEntry {
            organization_id: deactivated.organization_id.map(OrganizationId),
            ..entry.on("user", user_id.to_string())
        };
        let before = json!({ "name": deactivated.name, "status": "active" });
        let after = json!({ "status": "deactivated", "keys_revoked": keys_revoked });
        log(&mut transaction, entry, Some(before), Some(after)).await?;
        transaction.commit().await?;
        Ok(())
    }
}
