//! Staff: accounts that may do something beyond buying, and from where they ask.

use std::sync::Arc;

use onsale_domain::{Access, OrganizationId, Permission, StaffScope, UnixMillis};
use onsale_persistence::{Actor, AuditEntry, AuditOutcome};

use super::{Caller, Credential};
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

impl Caller {
    /// The caller as the audit log knows them.
    pub(crate) const fn actor(&self) -> Actor {
        match self.credential {
            Credential::Token { .. } => Actor::person(Some(self.user_id)),
            Credential::ApiKey { api_key_id } => Actor::service(self.user_id, Some(api_key_id)),
        }
    }
}

impl Origin {
    /// The beginning of an entry of the audit log about something that an actor does from here.
    pub(crate) fn entry(
        &self,
        at: UnixMillis,
        actor: Actor,
        action: &'static str,
        outcome: AuditOutcome,
    ) -> AuditEntry {
        let mut entry = AuditEntry::new(at, actor, action, outcome);
        entry.request_id.clone_from(&self.request_id);
        entry.address.clone_from(&self.address);
        entry
    }
}

impl StaffMember {
    /// The organizations to list the things of, where some were asked for: all in sight otherwise.
    ///
    /// Errors: not found when one that was asked for is out of sight.
    pub fn narrowed(
        &self,
        asked: Option<Vec<OrganizationId>>,
    ) -> Result<Option<Vec<OrganizationId>>, ServiceError> {
        match asked {
            Some(asked) if asked.iter().all(|asked| self.scope.covers(*asked)) => Ok(Some(asked)),
            Some(_) => Err(ServiceError::NotFound),
            None => Ok(self.scope.organizations().map(<[_]>::to_vec)),
        }
    }

    /// The beginning of an entry of the audit log about something that they do.
    pub(crate) fn entry(&self, at: UnixMillis, action: &'static str, outcome: AuditOutcome) -> AuditEntry {
        self.origin.entry(at, self.caller.actor(), action, outcome)
    }
}

impl Services {
    /// The caller as staff under a permission; `None` where they hold it nowhere, which is to be refused.
    pub async fn staff_member(
        &self,
        caller: &Caller,
        permission: Permission,
        origin: Origin,
    ) -> Result<Option<StaffMember>, ServiceError> {
        let access = self.access_of(caller).await?;
        Ok(access.scope_of(permission).map(|scope| StaffMember {
            caller: *caller,
            scope,
            access,
            origin,
        }))
    }

    /// Notes in the audit log that a permission was missing; the error to answer. A refusal that cannot be noted is
    /// answered as what prevented that.
    pub async fn refuse(&self, caller: &Caller, permission: Permission, origin: &Origin) -> ServiceError {
        let refused = AuditOutcome::Refused;
        let entry = origin.entry(self.now(), caller.actor(), permission.as_str(), refused);
        match self.audit().write(entry).await {
            Ok(()) => ServiceError::Forbidden,
            Err(error) => error,
        }
    }
}
