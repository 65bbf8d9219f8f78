//! Who has which role, and what that allows.

use jiff_sqlx::Timestamp;
use onsale_domain::{OrganizationId, RoleId, UserId};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::rows::{AssignmentRow, NewAssignment, RoleScope, TakenRole};
use super::{ADMIN_ROLE, ASSIGNMENTS_MAX, AccessError, log};
use crate::audit_log::AuditEntry;
use crate::convert::{count_in, millis};
use crate::{Database, DatabaseError};

impl Database {
    /// The roles that an account has, by name and place; only those within these organizations, where some are given.
    pub async fn assignments(
        &self,
        user_id: UserId,
        organizations: Option<&[OrganizationId]>,
    ) -> Result<Vec<AssignmentRow>, DatabaseError> {
        let organizations: Option<Vec<_>> = organizations.map(|ids| ids.iter().map(|id| id.0).collect());
        let rows = sqlx::query!(
            r#"SELECT role_id, roles.name, organization_id, assigned_by, assigned_at AS "assigned_at: Timestamp"
               FROM user_roles JOIN roles USING (role_id)
               WHERE user_id = $1 AND ($2::uuid[] IS NULL OR organization_id = ANY($2))
               ORDER BY roles.name, organization_id LIMIT $3"#,
            user_id.0,
            organizations.as_deref(),
            ASSIGNMENTS_MAX
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| AssignmentRow {
                role_id: RoleId(row.role_id),
                role: row.name,
                organization_id: row.organization_id.map(OrganizationId),
                assigned_by: row.assigned_by.map(UserId),
                assigned_at: millis(row.assigned_at),
            })
            .collect())
    }

    /// Gives an account a role; whether it had it already. The entry's actor is remembered as who gave it.
    ///
    /// Errors: [`AccessError::NotFound`] for the account, the role or the organization, [`AccessError::WrongPlace`],
    /// [`AccessError::TooMany`].
    pub async fn assign_role(
        &self,
        assignment: NewAssignment,
        entry: AuditEntry,
    ) -> Result<bool, AccessError> {
        let mut transaction = self.begin().await?;
        let works_for = sqlx::query_scalar!(
            "SELECT organization_id FROM users WHERE user_id = $1 FOR NO KEY UPDATE",
            assignment.user_id.0
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(AccessError::NotFound)?;
        if works_for.is_some() && works_for != assignment.organization_id.map(|id| id.0) {
            return Err(AccessError::WrongPlace);
        }
        let Some(role) = give(&mut transaction, assignment, entry.actor.id).await? else {
            return Ok(true);
        };
        let entry = AuditEntry {
            organization_id: assignment.organization_id,
            ..entry.on("user", assignment.user_id.to_string())
        };
        log(&mut transaction, entry, None, Some(state(&role, assignment))).await?;
        transaction.commit().await?;
        Ok(false)
    }

    /// Takes a role from an account. Access tokens name roles that are held everywhere: they are ended with it.
    ///
    /// Errors: [`AccessError::NotFound`] when the account does not have the role there, [`AccessError::LastAdmin`].
    pub async fn take_role(
        &self,
        assignment: NewAssignment,
        entry: AuditEntry,
    ) -> Result<TakenRole, AccessError> {
        let mut transaction = self.begin().await?;
        let role = sqlx::query!(
            "SELECT name, scope FROM roles WHERE role_id = $1 FOR NO KEY UPDATE",
            assignment.role_id.0
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(AccessError::NotFound)?;
        let taken = sqlx::query!(
            "DELETE FROM user_roles
             WHERE user_id = $1 AND role_id = $2 AND organization_id IS NOT DISTINCT FROM $3",
            assignment.user_id.0,
            assignment.role_id.0,
            assignment.organization_id.map(|id| id.0)
        )
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if taken == 0 {
            return Err(AccessError::NotFound);
        }
        if role.name == ADMIN_ROLE && !an_admin_is_left(&mut transaction).await? {
            return Err(AccessError::LastAdmin);
        }
        let generation = match RoleScope::of_name(&role.scope)? {
            RoleScope::Everywhere => Some(end_tokens(&mut transaction, assignment.user_id).await?),
            RoleScope::Organization => None,
        };
        let entry = AuditEntry {
            organization_id: assignment.organization_id,
            ..entry.on("user", assignment.user_id.to_string())
        };
        log(&mut transaction, entry, Some(state(&role.name, assignment)), None).await?;
        transaction.commit().await?;
        Ok(TakenRole { generation })
    }
}

/// Gives a role, in the caller's transaction. The role's name; `None`: the account has it there.
pub(super) async fn give(
    connection: &mut PgConnection,
    assignment: NewAssignment,
    assigned_by: Option<UserId>,
) -> Result<Option<String>, AccessError> {
    let role = sqlx::query!(
        "SELECT name, scope FROM roles WHERE role_id = $1 FOR KEY SHARE",
        assignment.role_id.0
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(AccessError::NotFound)?;
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM user_roles WHERE user_id = $1"#,
        assignment.user_id.0
    )
    .fetch_one(&mut *connection)
    .await?;
    if count >= ASSIGNMENTS_MAX {
        return Err(AccessError::TooMany);
    }
    let given = sqlx::query!(
        "INSERT INTO user_roles (user_id, role_id, scope, organization_id, assigned_by)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT ON CONSTRAINT user_roles_key DO NOTHING",
        assignment.user_id.0,
        assignment.role_id.0,
        role.scope,
        assignment.organization_id.map(|id| id.0),
        assigned_by.map(|id| id.0)
    )
    .execute(connection)
    .await?
    .rows_affected();
    Ok((given == 1).then_some(role.name))
}

/// Whether somebody is left to administer the deployment. Ask in the transaction after the change, in whatever takes
/// the role from a person or shuts their account: it holds the role's row, so that two such changes cannot each count
/// on the other's admin.
pub(crate) async fn an_admin_is_left(connection: &mut PgConnection) -> Result<bool, DatabaseError> {
    lock_admin_role(connection).await?;
    // In a statement of its own, so that it sees what was committed while this one waited.
    let is_left = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT 1 FROM user_roles JOIN roles USING (role_id) JOIN users USING (user_id)
               WHERE roles.name = $1 AND users.status = 'active' AND users.kind = 'person'
           ) AS "is_left!""#,
        ADMIN_ROLE
    )
    .fetch_one(connection)
    .await?;
    Ok(is_left)
}

/// Holds the admin role's row. Roles are locked before accounts, everywhere.
pub(crate) async fn lock_admin_role(connection: &mut PgConnection) -> Result<(), DatabaseError> {
    sqlx::query!(
        "SELECT role_id FROM roles WHERE name = $1 FOR NO KEY UPDATE",
        ADMIN_ROLE
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// Ends an account's access tokens; the first generation that is accepted.
pub(super) async fn end_tokens(connection: &mut PgConnection, user_id: UserId) -> Result<u64, AccessError> {
    let generation = sqlx::query_scalar!(
        "UPDATE users SET generation = generation + 1, generation_at = now() WHERE user_id = $1
         RETURNING generation",
        user_id.0
    )
    .fetch_one(connection)
    .await?;
    Ok(count_in(generation))
}

/// What the audit log tells of an assignment.
fn state(role: &str, assignment: NewAssignment) -> Value {
    json!({ "role": role, "organization_id": assignment.organization_id })
}
