//! Roles, who has them, service accounts and API keys.

use jiff::Timestamp;
use onsale_domain::{OrganizationId, Permission, PermissionSet, RoleId};
use onsale_services::{
    ApiKeyRow, AssignmentRow, CreatedApiKey, PermissionRow, RoleRow, RoleScope, ServiceAccountRow,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::Problem;

/// Everything of a kind: there are too few for pages.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListView<T: ToSchema> {
    data: Vec<T>,
}

impl<T: ToSchema> ListView<T> {
    pub(crate) fn of<Row: Into<T>>(rows: Vec<Row>) -> Self {
        Self {
            data: rows.into_iter().map(Into::into).collect(),
        }
    }
}

/// Something that an account may be allowed.
#[derive(Serialize, ToSchema)]
#[schema(as = Permission)]
pub(crate) struct PermissionView {
    /// `resource.action`.
    name: String,
    meaning: String,
}

impl From<PermissionRow> for PermissionView {
    fn from(row: PermissionRow) -> Self {
        Self {
            name: row.permission.as_str().to_owned(),
            meaning: row.meaning,
        }
    }
}

/// Where a role can be held.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RoleScope)]
pub(crate) enum RoleScopeView {
    /// In every organization and outside them.
    Everywhere,
    /// Within one organization for each time that it is given.
    Organization,
}

impl From<RoleScopeView> for RoleScope {
    fn from(scope: RoleScopeView) -> Self {
        match scope {
            RoleScopeView::Everywhere => Self::Everywhere,
            RoleScopeView::Organization => Self::Organization,
        }
    }
}

/// A role to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleInput)]
pub(crate) struct RoleBody {
    /// Lower case letters, digits and underscores, at most 50.
    pub(crate) name: String,
    pub(crate) scope: RoleScopeView,
    /// Names of permissions.
    pub(crate) permissions: Vec<String>,
}

/// What a role shall be. Where it can be held never changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleChange)]
pub(crate) struct RoleChangeBody {
    /// Lower case letters, digits and underscores, at most 50.
    pub(crate) name: String,
    /// Names of permissions.
    pub(crate) permissions: Vec<String>,
}

/// A role.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
pub(crate) struct RoleView {
    id: Uuid,
    name: String,
    scope: RoleScopeView,
    /// Whether it came with the software: it keeps its name and stays.
    is_seeded: bool,
    permissions: Vec<&'static str>,
    created_at: Timestamp,
}

impl From<RoleRow> for RoleView {
    fn from(role: RoleRow) -> Self {
        Self {
            id: role.role_id.0,
            name: role.name,
            scope: match role.scope {
                RoleScope::Everywhere => RoleScopeView::Everywhere,
                RoleScope::Organization => RoleScopeView::Organization,
            },
            is_seeded: role.is_seeded,
            permissions: names(role.permissions),
            created_at: role.created_at.to_timestamp(),
        }
    }
}

/// A role to give.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AssignmentInput)]
pub(crate) struct AssignmentBody {
    #[schema(value_type = Uuid)]
    pub(crate) role_id: RoleId,
    /// Within which organization, of a role for organizations.
    #[schema(value_type = Option<Uuid>)]
    pub(crate) organization_id: Option<OrganizationId>,
}

/// A role that an account has.
#[derive(Serialize, ToSchema)]
#[schema(as = Assignment)]
pub(crate) struct AssignmentView {
    role_id: Uuid,
    role: String,
    /// Where it is held; nothing: everywhere.
    organization_id: Option<Uuid>,
    /// The account that gave it; nothing: the system, or one that is gone.
    assigned_by: Option<Uuid>,
    assigned_at: Timestamp,
}

impl From<AssignmentRow> for AssignmentView {
    fn from(assignment: AssignmentRow) -> Self {
        Self {
            role_id: assignment.role_id.0,
            role: assignment.role,
            organization_id: assignment.organization_id.map(|id| id.0),
            assigned_by: assignment.assigned_by.map(|id| id.0),
            assigned_at: assignment.assigned_at.to_timestamp(),
        }
    }
}

/// A service account to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ServiceAccountInput)]
pub(crate) struct ServiceAccountBody {
    /// Name shown to people, at most 200 bytes.
    pub(crate) name: String,
    /// The organization that it works for; nothing: the deployment.
    #[schema(value_type = Option<Uuid>)]
    pub(crate) organization_id: Option<OrganizationId>,
    /// Ids of its roles, at most 20: for organizations where it works for one.
    #[schema(value_type = Vec<Uuid>)]
    pub(crate) roles: Vec<RoleId>,
}

/// A program's account.
#[derive(Serialize, ToSchema)]
#[schema(as = ServiceAccount)]
pub(crate) struct ServiceAccountView {
    id: Uuid,
    name: String,
    organization_id: Option<Uuid>,
    is_active: bool,
    created_at: Timestamp,
}

impl From<ServiceAccountRow> for ServiceAccountView {
    fn from(account: ServiceAccountRow) -> Self {
        Self {
            id: account.user_id.0,
            name: account.name,
            organization_id: account.organization_id.map(|id| id.0),
            is_active: account.is_active,
            created_at: account.created_at.to_timestamp(),
        }
    }
}

/// An API key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyInput)]
pub(crate) struct ApiKeyBody {
    /// Name shown to people, at most 200 bytes.
    pub(crate) name: String,
    /// Names of the permissions that it may use at most.
    pub(crate) scopes: Vec<String>,
    /// First instant at which it is refused; nothing: it lasts until it is revoked.
    pub(crate) expires_at: Option<Timestamp>,
}

/// An API key.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct ApiKeyView {
    id: Uuid,
    service_account_id: Uuid,
    name: String,
    /// The beginning of the key, to tell keys apart.
    prefix: String,
    scopes: Vec<&'static str>,
    created_by: Option<Uuid>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    /// To the minute.
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl From<ApiKeyRow> for ApiKeyView {
    fn from(key: ApiKeyRow) -> Self {
        Self {
            id: key.api_key_id.0,
            service_account_id: key.user_id.0,
            name: key.name,
            prefix: key.prefix,
            scopes: names(key.scopes),
            created_by: key.created_by.map(|id| id.0),
            created_at: key.created_at.to_timestamp(),
            expires_at: key.expires_at.map(onsale_domain::UnixMillis::to_timestamp),
            last_used_at: key.last_used_at.map(onsale_domain::UnixMillis::to_timestamp),
            revoked_at: key.revoked_at.map(onsale_domain::UnixMillis::to_timestamp),
        }
    }
}

/// A new API key, with the secret that is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedApiKey)]
pub(crate) struct CreatedApiKeyView {
    #[serde(flatten)]
    key: ApiKeyView,
    /// The whole key: `Authorization: Bearer osk_…`. It is not to be had again.
    secret: String,
}

impl From<CreatedApiKey> for CreatedApiKeyView {
    fn from(created: CreatedApiKey) -> Self {
        Self {
            key: created.key.into(),
            secret: created.text,
        }
    }
}

/// The permissions of names. Errors: a name that is none, at its place in the field.
pub(crate) fn permissions_of(field: &str, names: &[String]) -> Result<PermissionSet, Problem> {
    let permission = |(index, name): (usize, &String)| {
        Permission::of_name(name)
            .ok_or_else(|| Problem::invalid(format!("/{field}/{index}"), "there is no such permission"))
    };
    names.iter().enumerate().map(permission).collect()
}

fn names(permissions: PermissionSet) -> Vec<&'static str> {
    permissions.iter().map(Permission::as_str).collect()
}
