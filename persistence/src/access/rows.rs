//! What comes in and goes out.

use onsale_domain::{
    ApiKeyId, OrganizationId, Permission, PermissionSet, RoleId, SessionId, UnixMillis, UserId,
};

use crate::DatabaseError;

/// Where a role can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleScope {
    /// In every organization and outside them.
    Everywhere,
    /// Within one organization for each time that it is given.
    Organization,
}

impl RoleScope {
    /// Its name in the API and the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Organization => "organization",
        }
    }

    pub(super) fn of_name(name: &str) -> Result<Self, DatabaseError> {
        match name {
            "everywhere" => Ok(Self::Everywhere),
            "organization" => Ok(Self::Organization),
            _ => Err(DatabaseError::Damaged(format!("scope {name} of a role"))),
        }
    }
}

/// Something that an account may be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionRow {
    /// What.
    pub permission: Permission,
    /// What it means, for people.
    pub meaning: String,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRow {
    /// Identity.
    pub role_id: RoleId,
    /// Unique.
    pub name: String,
    /// Where it can be held.
    pub scope: RoleScope,
    /// Whether it came with the schema.
    pub is_seeded: bool,
    /// What it allows. Permissions that only a later release knows are left out.
    pub permissions: PermissionSet,
    /// When it was made, by the database's clock.
    pub created_at: UnixMillis,
}

/// A role to make.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// Identity.
    pub role_id: RoleId,
    /// Lower case letters, digits and underscores, at most 50.
    pub name: String,
    /// Where it can be held.
    pub scope: RoleScope,
    /// What it allows.
    pub permissions: PermissionSet,
}

/// A role to give.
#[derive(Clone, Copy, Debug)]
pub struct NewAssignment {
    /// To whom.
    pub user_id: UserId,
    /// Which role.
    pub role_id: RoleId,
    /// Within which organization, of a role for organizations.
    pub organization_id: Option<OrganizationId>,
}

/// A role that an account has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentRow {
    /// Which role.
    pub role_id: RoleId,
    /// Its name.
    pub role: String,
    /// Where; `None`: everywhere.
    pub organization_id: Option<OrganizationId>,
    /// By whom it was given; `None`: by the system, or by an account that is gone.
    pub assigned_by: Option<UserId>,
    /// When, by the database's clock.
    pub assigned_at: UnixMillis,
}

/// What became of an account from which a role was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenRole {
    /// The account's new generation of access tokens, where the old ones name the role.
    pub generation: Option<u64>,
}

/// A program's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountRow {
    /// Identity.
    pub user_id: UserId,
    /// Name shown to people.
    pub name: String,
    /// The organization that it works for; `None`: the deployment.
    pub organization_id: Option<OrganizationId>,
    /// Whether it is not deactivated.
    pub is_active: bool,
    /// When it was made, by the database's clock.
    pub created_at: UnixMillis,
}

/// A service account to make.
#[derive(Clone, Debug)]
pub struct NewServiceAccount {
    /// Identity.
    pub user_id: UserId,
    /// Name shown to people, not empty.
    pub name: String,
    /// The organization that it works for; `None`: the deployment.
    pub organization_id: Option<OrganizationId>,
    /// Its roles: for organizations where it works for one, for everywhere where it works for the deployment.
    pub roles: Vec<RoleId>,
}

/// An API key, without what one needs to use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Identity.
    pub api_key_id: ApiKeyId,
    /// The service account that it speaks for.
    pub user_id: UserId,
    /// Name shown to people.
    pub name: String,
    /// The visible part.
    pub prefix: String,
    /// What it may do at most.
    pub scopes: PermissionSet,
    /// Who made it; `None`: an account that is gone.
    pub created_by: Option<UserId>,
    /// When it was made, by the database's clock.
    pub created_at: UnixMillis,
    /// First instant at which it is refused.
    pub expires_at: Option<UnixMillis>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<UnixMillis>,
    /// When it was revoked.
    pub revoked_at: Option<UnixMillis>,
}

/// An API key to make.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// Identity.
    pub api_key_id: ApiKeyId,
    /// The service account that it speaks for.
    pub user_id: UserId,
    /// Name shown to people, not empty.
    pub name: String,
    /// The visible part.
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub digest: [u8; 32],
    /// What it may do at most.
    pub scopes: PermissionSet,
    /// First instant at which it is refused.
    pub expires_at: Option<UnixMillis>,
}

/// Whom an API key that is not revoked speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownApiKey {
    /// Which key.
    pub api_key_id: ApiKeyId,
    /// The service account that it speaks for.
    pub user_id: UserId,
    /// What it may do at most.
    pub scopes: PermissionSet,
    /// First instant at which it is refused.
    pub expires_at: Option<UnixMillis>,
}

/// What makes access tokens invalid before they expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// A login was ended.
    Session {
        /// Which.
        session_id: SessionId,
        /// When.
        at: UnixMillis,
    },
    /// An account's tokens of earlier generations were ended.
    Generation {
        /// Whose.
        user_id: UserId,
        /// The first generation that is accepted.
        generation: u64,
        /// When.
        at: UnixMillis,
    },
}

/// The permissions of these names that this release knows.
pub(super) fn permissions_in(names: &[String]) -> PermissionSet {
    names
        .iter()
        .filter_map(|name| Permission::of_name(name))
        .collect()
}

/// The names of permissions, for a column.
pub(super) fn permissions_out(permissions: PermissionSet) -> Vec<String> {
    permissions
        .iter()
        .map(|permission| permission.as_str().to_owned())
        .collect()
}
