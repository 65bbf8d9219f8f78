//! Organizations: the tenants. They are written here directly; no event's journal holds them.

use jiff_sqlx::Timestamp;
use onsale_domain::{OrganizationId, UnixMillis};

use crate::audit_log::{AuditEntry, append};
use crate::convert::{limit_out, millis, uuids};
use crate::{Database, DatabaseError};

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationRow {
    /// Identity.
    pub organization_id: OrganizationId,
    /// Name shown to people.
    pub name: String,
    /// When it was added, by the database's clock.
    pub created_at: UnixMillis,
}

impl Database {
    /// Adds an organization, with its entry in the audit log.
    ///
    /// Errors: [`DatabaseError::Conflict`] when the id exists, [`DatabaseError::Refused`] for an empty name.
    pub async fn insert_organization(
        &self,
        organization_id: OrganizationId,
        name: &str,
        entry: AuditEntry,
    ) -> Result<OrganizationRow, DatabaseError> {
        let mut transaction = self.begin().await?;
        let created_at = sqlx::query_scalar!(
            r#"INSERT INTO organizations (organization_id, name) VALUES ($1, $2)
               RETURNING created_at AS "created_at: Timestamp""#,
            organization_id.0,
            name
        )
        .fetch_one(&mut *transaction)
        .await?;
        append(&mut transaction, &[entry]).await?;
        transaction.commit().await?;
        Ok(OrganizationRow {
            organization_id,
            name: name.to_owned(),
            created_at: millis(created_at),
        })
    }

    /// One organization.
    pub async fn organization(
        &self,
        organization_id: OrganizationId,
    ) -> Result<Option<OrganizationRow>, DatabaseError> {
        let row = sqlx::query!(
            r#"SELECT name, created_at AS "created_at: Timestamp"
               FROM organizations WHERE organization_id = $1"#,
            organization_id.0
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| OrganizationRow {
            organization_id,
            name: row.name,
            created_at: millis(row.created_at),
        }))
    }

    /// Organizations in the order of their ids, from the one after `after`; all, or among these.
    pub async fn organizations(
        &self,
        within: Option<&[OrganizationId]>,
        after: Option<OrganizationId>,
        limit: usize,
    ) -> Result<Vec<OrganizationRow>, DatabaseError> {
        let rows = sqlx::query!(
            r#"SELECT organization_id, name, created_at AS "created_at: Timestamp"
               FROM organizations
               WHERE ($1::uuid IS NULL OR organization_id > $1)
                 AND ($3::uuid[] IS NULL OR organization_id = ANY($3))
               ORDER BY organization_id LIMIT $2"#,
            after.map(|id| id.0),
            limit_out(limit),
            uuids(within) as _
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| OrganizationRow {
                organization_id: OrganizationId(row.organization_id),
                name: row.name,
                created_at: millis(row.created_at),
            })
            .collect())
    }
}
