//! API keys. Only digests are stored: whoever reads this table cannot call with it.

use jiff_sqlx::Timestamp;
use onsale_domain::{ApiKeyId, OrganizationId, UnixMillis, UserId};
use serde_json::json;

use super::rows::{ApiKeyRow, KnownApiKey, NewApiKey, permissions_in, permissions_out};
use super::{API_KEYS_MAX, AccessError, log};
use crate::audit_log::AuditEntry;
use crate::convert::{limit_out, millis, timestamp};
use crate::{Database, DatabaseError};

impl Database {
    /// Makes a key of a service account.
    ///
    /// Errors: [`AccessError::NotFound`] for the account, [`AccessError::NotAServiceAccount`],
    /// [`AccessError::TooMany`].
    pub async fn create_api_key(&self, key: &NewApiKey, entry: AuditEntry) -> Result<ApiKeyRow, AccessError> {
        let mut transaction = self.begin().await?;
        // Held, so that nobody deactivates the account or makes a further key meanwhile.
        let account = sqlx::query!(
            "SELECT kind, status, organization_id FROM users WHERE user_id = $1 FOR NO KEY UPDATE",
            key.user_id.0
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(AccessError::NotFound)?;
        if account.kind != "service" || account.status != "active" {
            return Err(AccessError::NotAServiceAccount);
        }
        let row = sqlx::query!(
            r#"INSERT INTO api_keys (api_key_id, user_id, name, prefix, digest, created_by, expires_at)
               SELECT $1, $2, $3, $4, $5, $6, $7
               WHERE (SELECT count(*) FROM api_keys WHERE user_id = $2 AND revoked_at IS NULL) < $8
               RETURNING created_at AS "created_at: Timestamp""#,
            key.api_key_id.0,
            key.user_id.0,
            key.name,
            key.prefix,
            &key.digest[..],
            entry.actor.id.map(|id| id.0),
            key.expires_at.map(timestamp) as _,
            API_KEYS_MAX
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(AccessError::TooMany)?;
        sqlx::query!(
            "INSERT INTO api_key_scopes (api_key_id, permission) SELECT $1, unnest($2::text[])",
            key.api_key_id.0,
            &permissions_out(key.scopes)
        )
        .execute(&mut *transaction)
        .await?;
        let created_by = entry.actor.id;
        let entry = AuditEntry {
            organization_id: account.organization_id.map(OrganizationId),
            ..entry.on("api_key", key.api_key_id.to_string())
        };
        let after = json!({
            "user_id": key.user_id,
            "name": key.name,
            "prefix": key.prefix,
            "scopes": permissions_out(key.scopes),
            "expires_at": key.expires_at,
        });
        log(&mut transaction, entry, None, Some(after)).await?;
        transaction.commit().await?;
        Ok(ApiKeyRow {
            api_key_id: key.api_key_id,
            user_id: key.user_id,
            name: key.name.clone(),
            prefix: key.prefix.clone(),
            scopes: key.scopes,
            created_by,
            created_at: millis(row.created_at),
            expires_at: key.expires_at,
            last_used_at: None,
            revoked_at: None,
        })
    }

    /// Whom a key speaks for, by the SHA-256 of the whole key; `None`: unknown or revoked.
    pub async fn api_key_by_digest(&self, digest: &[u8; 32]) -> Result<Option<KnownApiKey>, DatabaseError> {
        let row = sqlx::query!(
            r#"SELECT api_key_id, user_id, expires_at AS "expires_at: Timestamp",
                      ARRAY(SELECT permission FROM api_key_scopes AS held
                            WHERE held.api_key_id = api_keys.api_key_id) AS "scopes!"
               FROM api_keys WHERE digest = $1 AND revoked_at IS NULL"#,
            &digest[..]
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| KnownApiKey {
            api_key_id: ApiKeyId(row.api_key_id),
            user_id: UserId(row.user_id),
            scopes: permissions_in(&row.scopes),
            expires_at: row.expires_at.map(millis),
        }))
    }

    /// A key, revoked or not, and the organization that its account works for.
    pub async fn api_key(
        &self,
        api_key_id: ApiKeyId,
    ) -> Result<Option<(KnownApiKey, Option<OrganizationId>)>, DatabaseError> {
        let row = sqlx::query!(
            r#"SELECT user_id, expires_at AS "expires_at: Timestamp", users.organization_id,
                      ARRAY(SELECT permission FROM api_key_scopes AS held
                            WHERE held.api_key_id = api_keys.api_key_id) AS "scopes!"
               FROM api_keys JOIN users USING (user_id) WHERE api_key_id = $1"#,
            api_key_id.0
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| {
            let key = KnownApiKey {
                api_key_id,
                user_id: UserId(row.user_id),
                scopes: permissions_in(&row.scopes),
                expires_at: row.expires_at.map(millis),
            };
            (key, row.organization_id.map(OrganizationId))
        }))
    }

    /// A service account's keys in the order of their ids, from the one after `after`; revoked ones too.
    pub async fn api_keys(
        &self,
        user_id: UserId,
        after: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKeyRow>, DatabaseError> {
        let rows = sqlx::query!(
            r#"SELECT api_key_id, name, prefix, created_by,
                      created_at AS "created_at: Timestamp", expires_at AS "expires_at: Timestamp",
                      last_used_at AS "last_used_at: Timestamp", revoked_at AS "revoked_at: Timestamp",
                      ARRAY(SELECT permission FROM api_key_scopes AS held
                            WHERE held.api_key_id = api_keys.api_key_id) AS "scopes!"
               FROM api_keys WHERE user_id = $1 AND ($2::uuid IS NULL OR api_key_id > $2)
               ORDER BY api_key_id LIMIT $3"#,
            user_id.0,
            after.map(|id| id.0),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| ApiKeyRow {
                api_key_id: ApiKeyId(row.api_key_id),
                user_id,
                name: row.name,
                prefix: row.prefix,
                scopes: permissions_in(&row.scopes),
                created_by: row.created_by.map(UserId),
                created_at: millis(row.created_at),
                expires_at: row.expires_at.map(millis),
                last_used_at: row.last_used_at.map(millis),
                revoked_at: row.revoked_at.map(millis),
            })
            .collect())
    }

    /// Revokes a key.
    ///
    /// Errors: [`AccessError::NotFound`] when there is none, or it is revoked.
    pub async fn revoke_api_key(&self, api_key_id: ApiKeyId, entry: AuditEntry) -> Result<(), AccessError> {
        let mut transaction = self.begin().await?;
        let revoked = sqlx::query!(
            "UPDATE api_keys SET revoked_at = now() FROM users
             WHERE api_key_id = $1 AND revoked_at IS NULL AND users.user_id = api_keys.user_id
             RETURNING api_keys.user_id, prefix, organization_id",
            api_key_id.0
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(AccessError::NotFound)?;
        let entry = AuditEntry {
            organization_id: revoked.organization_id.map(OrganizationId),
            ..entry.on("api_key", api_key_id.to_string())
        };
        let before = json!({ "user_id": UserId(revoked.user_id), "prefix": revoked.prefix });
        log(&mut transaction, entry, Some(before), None).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Notes when keys were used last. Keys that somebody else writes at this moment are left out: their use is noted
    /// there, or the next time, and nobody waits for anybody.
    pub async fn touch_api_keys(&self, used: &[(ApiKeyId, UnixMillis)]) -> Result<(), DatabaseError> {
        let ids: Vec<_> = used.iter().map(|(id, _)| id.0).collect();
        let instants: Vec<Timestamp> = used.iter().map(|(_, at)| timestamp(*at)).collect();
        sqlx::query!(
            "UPDATE api_keys SET last_used_at = greatest(last_used_at, used.at)
             FROM unnest($1::uuid[], $2::timestamptz[]) AS used (api_key_id, at)
             WHERE api_keys.api_key_id = used.api_key_id AND api_keys.api_key_id IN (
                 SELECT api_key_id FROM api_keys WHERE api_key_id = ANY($1) FOR UPDATE SKIP LOCKED)",
            &ids,
            &instants as _
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}
