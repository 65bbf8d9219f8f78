//! Why a change of roles, accounts or keys was not made.

use thiserror::Error;

use crate::DatabaseError;

/// Why nothing was changed.
#[derive(Debug, Error)]
pub enum AccessError {
    /// The database did not do it.
    #[error(transparent)]
    Database(DatabaseError),
    /// No such role, account, organization, assignment or key.
    #[error("not found")]
    NotFound,
    /// Another role has this name.
    #[error("the name of a role is taken")]
    NameTaken,
    /// A seeded role keeps its name and stays, and the admin role keeps its permissions too.
    #[error("a seeded role cannot be changed like this")]
    RoleIsSeeded,
    /// Somebody has the role.
    #[error("a role in use cannot be deleted")]
    RoleInUse,
    /// A role for organizations was given without one, or one for everywhere within one, or in an organization that
    /// the service account does not work for.
    #[error("the role is not for this place")]
    WrongPlace,
    /// Nobody could administer the deployment any more.
    #[error("the last active admin stays")]
    LastAdmin,
    /// The account is deactivated, or a person, where an active service account is needed.
    #[error("not an active service account")]
    NotAServiceAccount,
    /// Who asks may not change what is there.
    #[error("not allowed")]
    NotAllowed,
    /// The account or the deployment has as many of these as it may.
    #[error("too many")]
    TooMany,
}

impl From<DatabaseError> for AccessError {
    fn from(error: DatabaseError) -> Self {
        match &error {
            DatabaseError::Conflict { constraint } if constraint == "roles_name_key" => Self::NameTaken,
            DatabaseError::Refused { constraint } => match constraint.as_str() {
                "user_roles_role_fkey" => Self::RoleInUse,
                "user_roles_scope_check" => Self::WrongPlace,
                "user_roles_user_fkey"
                | "user_roles_organization_fkey"
                | "users_organization_fkey"
                | "api_keys_user_fkey" => Self::NotFound,
                _ => Self::Database(error),
            },
            _ => Self::Database(error),
        }
    }
}

impl From<sqlx::Error> for AccessError {
    fn from(error: sqlx::Error) -> Self {
        DatabaseError::from(error).into()
    }
}
