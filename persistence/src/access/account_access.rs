//! What one account may do, and what each role allows: what processes remember.

use onsale_domain::{Access, OrganizationId, Permission, PermissionSet, UserId};

use crate::{Database, DatabaseError};

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// Somebody with a mail address and a password.
    Person,
    /// A program with API keys.
    Service,
}

impl AccountKind {
    /// Its name in the API and the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
        }
    }

    /// The kind of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Person, Self::Service]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// Whether an account may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountStatus {
    /// It may.
    Active,
    /// It may not; nothing of it is deleted.
    Deactivated,
}

impl AccountStatus {
    /// Its name in the API and the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deactivated => "deactivated",
        }
    }

    /// The status of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Deactivated]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// An account and all that its roles allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountAccess {
    /// What it is.
    pub kind: AccountKind,
    /// Whether it may come in.
    pub status: AccountStatus,
    /// Its generation of access tokens.
    pub generation: u64,
    /// The organization that a service account works for.
    pub organization_id: Option<OrganizationId>,
    /// What its roles allow.
    pub access: Access,
}

impl Database {
    /// What an account may do. Permissions that this release does not know are left out.
    pub async fn access_of(&self, user_id: UserId) -> Result<Option<AccountAccess>, DatabaseError> {
        let rows = sqlx::query!(
            r#"SELECT users.kind, users.status, users.generation, users.organization_id,
                   user_roles.organization_id AS "within?", role_permissions.permission AS "permission?"
               FROM users
               LEFT JOIN user_roles ON user_roles.user_id = users.user_id
               LEFT JOIN role_permissions ON role_permissions.role_id = user_roles.role_id
               WHERE users.user_id = $1"#,
            user_id.0
        )
        .fetch_all(self.pool())
        .await?;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let unreadable = |what: &str| DatabaseError::Damaged(format!("account {user_id}: {what}"));
        let mut account = AccountAccess {
            kind: AccountKind::of_name(&first.kind).ok_or_else(|| unreadable(&first.kind))?,
            status: AccountStatus::of_name(&first.status).ok_or_else(|| unreadable(&first.status))?,
            generation: u64::try_from(first.generation).map_err(|_| unreadable("negative generation"))?,
            organization_id: first.organization_id.map(OrganizationId),
            access: Access::default(),
        };
        for row in rows {
            if let Some(permission) = row.permission.as_deref().and_then(Permission::of_name) {
                let within = row.within.map(OrganizationId);
                account
                    .access
                    .grant(within, PermissionSet::EMPTY.with(permission));
            }
        }
        Ok(Some(account))
    }

    /// What each role allows that is held outside organizations, by name.
    pub async fn role_rights(&self) -> Result<Vec<(String, PermissionSet)>, DatabaseError> {
        let rows = sqlx::query!(
            r#"SELECT roles.name, array_remove(array_agg(role_permissions.permission), NULL) AS "permissions!"
               FROM roles LEFT JOIN role_permissions USING (role_id)
               WHERE roles.scope = 'everywhere'
               GROUP BY roles.name"#
        )
        .fetch_all(self.pool())
        .await?;
        let rights = |names: &[String]| {
            names
                .iter()
                .filter_map(|name| Permission::of_name(name))
                .collect()
        };
        Ok(rows
            .into_iter()
            .map(|row| (row.name, rights(&row.permissions)))
            .collect())
    }
}
