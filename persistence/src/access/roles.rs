//! The role table. It is small (`ROLES_MAX`), so it is always read whole.

use jiff_sqlx::Timestamp;
use onsale_domain::{Permission, PermissionSet, RoleId};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::rows::{NewRole, PermissionRow, RoleRow, RoleScope, permissions_in, permissions_out};
use super::{ADMIN_ROLE, AccessError, ROLES_MAX, log};
use crate::audit_log::AuditEntry;
use crate::convert::millis;
use crate::{Database, DatabaseError};

impl Database {
    /// The permissions that this release knows, by name.
    pub async fn permissions(&self) -> Result<Vec<PermissionRow>, DatabaseError> {
        let rows = sqlx::query!("SELECT name, meaning FROM permissions ORDER BY name")
            .fetch_all(self.pool())
            .await?;
        let known = |name: &str, meaning| {
            Permission::of_name(name).map(|permission| PermissionRow { permission, meaning })
        };
        Ok(rows
            .into_iter()
            .filter_map(|row| known(&row.name, row.meaning))
            .collect())
    }

    /// All roles, by name.
    pub async fn roles(&self) -> Result<Vec<RoleRow>, DatabaseError> {
        sqlx::query!(
            r#"SELECT role_id, name, scope, is_seeded, created_at AS "created_at: Timestamp",
                      ARRAY(SELECT permission FROM role_permissions AS held
                            WHERE held.role_id = roles.role_id) AS "permissions!"
               FROM roles ORDER BY name"#
        )
        .fetch_all(self.pool())
        .await?
        .into_iter()
        .map(|row| {
            Ok(RoleRow {
                role_id: RoleId(row.role_id),
                name: row.name,
                scope: RoleScope::of_name(&row.scope)?,
                is_seeded: row.is_seeded,
                permissions: permissions_in(&row.permissions),
                created_at: millis(row.created_at),
            })
        })
        .collect()
    }

    /// Makes a role.
    ///
    /// Errors: [`AccessError::NameTaken`], [`AccessError::TooMany`]; the database refuses a name that is none.
    pub async fn create_role(&self, role: &NewRole, entry: AuditEntry) -> Result<RoleRow, AccessError> {
        let mut transaction = self.begin().await?;
        let created_at = sqlx::query_scalar!(
            r#"INSERT INTO roles (role_id, name, scope)
               SELECT $1, $2, $3 WHERE (SELECT count(*) FROM roles) < $4
               RETURNING created_at AS "created_at: Timestamp""#,
            role.role_id.0,
            role.name,
            role.scope.as_str(),
            ROLES_MAX
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(AccessError::TooMany)?;
        allow(&mut transaction, role.role_id, role.permissions).await?;
        let row = RoleRow {
            role_id: role.role_id,
            name: role.name.clone(),
            scope: role.scope,
            is_seeded: false,
            permissions: role.permissions,
            created_at: millis(created_at),
        };
        let entry = entry.on("role", row.role_id.to_string());
        log(&mut transaction, entry, None, Some(state(&row))).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Gives a role another name or other permissions. Where it can be held never changes. Gives back what was there
    /// and what is there.
    ///
    /// `may_change` is asked about the permissions of before, which cannot change any more.
    ///
    /// Errors: [`AccessError::NotFound`], [`AccessError::NameTaken`], [`AccessError::RoleIsSeeded`],
    /// [`AccessError::NotAllowed`].
    pub async fn change_role(
        &self,
        role_id: RoleId,
        (name, permissions): (&str, PermissionSet),
        may_change: impl Fn(PermissionSet) -> bool + Send,
        entry: AuditEntry,
    ) -> Result<RoleRow, AccessError> {
        let mut transaction = self.begin().await?;
        let before = locked(&mut transaction, role_id).await?;
        if before.name == ADMIN_ROLE || (before.is_seeded && before.name != name) {
            return Err(AccessError::RoleIsSeeded);
        }
        if !may_change(before.permissions) {
            return Err(AccessError::NotAllowed);
        }
        sqlx::query!("UPDATE roles SET name = $2 WHERE role_id = $1", role_id.0, name)
            .execute(&mut *transaction)
            .await?;
        // Permissions that only a later release knows stay: this one could not have meant them.
        let known = permissions_out(Permission::ALL.iter().copied().collect());
        sqlx::query!(
            "DELETE FROM role_permissions WHERE role_id = $1 AND permission = ANY($2)",
            role_id.0,
            &known
        )
        .execute(&mut *transaction)
        .await?;
        allow(&mut transaction, role_id, permissions).await?;
        let after = RoleRow {
            name: name.to_owned(),
            permissions,
            ..before.clone()
        };
        let entry = entry.on("role", role_id.to_string());
        log(&mut transaction, entry, Some(state(&before)), Some(state(&after))).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Deletes a role that nobody has.
    ///
    /// Errors: [`AccessError::NotFound`], [`AccessError::RoleIsSeeded`], [`AccessError::RoleInUse`].
    pub async fn delete_role(&self, role_id: RoleId, entry: AuditEntry) -> Result<(), AccessError> {
        let mut transaction = self.begin().await?;
        let before = locked(&mut transaction, role_id).await?;
        if before.is_seeded {
            return Err(AccessError::RoleIsSeeded);
        }
        sqlx::query!("DELETE FROM roles WHERE role_id = $1", role_id.0)
            .execute(&mut *transaction)
            .await?;
        let entry = entry.on("role", role_id.to_string());
        log(&mut transaction, entry, Some(state(&before)), None).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// A role, which nobody else changes until the end of the transaction.
async fn locked(connection: &mut PgConnection, role_id: RoleId) -> Result<RoleRow, AccessError> {
    let row = sqlx::query!(
        r#"SELECT name, scope, is_seeded, created_at AS "created_at: Timestamp" FROM roles
           WHERE role_id = $1 FOR UPDATE"#,
        role_id.0
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(AccessError::NotFound)?;
    // In a statement of its own: one that waited for the lock would still see what was there before.
    let permissions = sqlx::query_scalar!(
        "SELECT permission FROM role_permissions WHERE role_id = $1",
        role_id.0
    )
    .fetch_all(connection)
    .await?;
    Ok(RoleRow {
        role_id,
        name: row.name,
        scope: RoleScope::of_name(&row.scope)?,
        is_seeded: row.is_seeded,
        permissions: permissions_in(&permissions),
        created_at: millis(row.created_at),
    })
}

async fn allow(
    connection: &mut PgConnection,
    role_id: RoleId,
    permissions: PermissionSet,
) -> Result<(), AccessError> {
    sqlx::query!(
        "INSERT INTO role_permissions (role_id, permission) SELECT $1, unnest($2::text[])",
        role_id.0,
        &permissions_out(permissions)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What the audit log tells of a role.
fn state(role: &RoleRow) -> Value {
    json!({
        "name": role.name,
        "scope": role.scope.as_str(),
        "permissions": permissions_out(role.permissions),
    })
}
