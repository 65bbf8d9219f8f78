//! Staff: accounts that may do something beyond buying, and from where they ask.

use std::sync::Arc;

use onsale_domain::{Access, Permission, StaffScope};

use super::Caller;
use crate::{ServiceError, Services};

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Id of the request.
    pub request_id: Option<String>,
    /// Network address of the caller.
    pub address: Option<String>,
}

/// A member of staff under the permission that was asked for.
#[derive(Clone, Debug)]
pub struct StaffMember {
    /// Who.
    pub caller: Caller,
    /// Whose things are in sight.
    pub scope: StaffScope,
    /// All that the account may do: nobody may give away more.
    pub access: Arc<Access>,
    /// Where the request came from.
    pub origin: Origin,
}

impl Services {
    /// The caller as staff under a permission.
    ///
    /// Errors: [`ServiceError::Forbidden`] where the permission is held nowhere.
    pub async fn staff_member(
        &self,
        caller: &Caller,
        permission: Permission,
        origin: Origin,
    ) -> Result<StaffMember, ServiceError> {
        let access = self.access_of(caller).await?;
        match access.scope_of(permission) {
            Some(scope) => Ok(StaffMember {
                caller: *caller,
                scope,
                access,
                origin,
            }),
            None => Err(self.refuse(caller, permission, &origin).await),
        }
    }

    /// Notes that a permission was missing; the error to answer.
    pub async fn refuse(&self, caller: &Caller, permission: Permission, origin: &Origin) -> ServiceError {
        tracing::info!(
            user_id = %caller.user_id,
            permission = permission.as_str(),
            request_id = origin.request_id,
            "a permission is missing"
        );
        ServiceError::Forbidden
    }
}
