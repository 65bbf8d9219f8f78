//! Accounts as staff see them.

use onsale_domain::{Permission, UserId};
use onsale_persistence::{AccountRow, AccountStatus, AuditOutcome, StatusChange, UserFilter, UserRow};
use serde_json::json;

use crate::{Caller, Change, Page, ServiceError, Services, StaffMember};

impl Services {
    /// The caller's own account. Errors: not found for a service account.
    pub async fn own_account(&self, caller: &Caller) -> Result<AccountRow, ServiceError> {
        self.user(caller.user_id).await
    }

    /// A person's account.
    pub async fn user(&self, user_id: UserId) -> Result<AccountRow, ServiceError> {
        self.database()
            .account(user_id)
            .await?
            .ok_or(ServiceError::NotFound)
    }

    /// People in the order in which they came.
    pub async fn list_users(
        &self,
        filter: &UserFilter,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<UserRow>, ServiceError> {
        let rows = self.database().users(filter, after, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }

    /// Shuts or opens a person's account. It was so already: nothing happens.
    ///
    /// Errors: [`ServiceError::OwnAccount`] for who would shut themselves out, [`ServiceError::LastAdmin`].
    pub async fn set_user_status(
        &self,
        staff: &StaffMember,
        user_id: UserId,
        to: AccountStatus,
    ) -> Result<AccountRow, ServiceError> {
        if to == AccountStatus::Deactivated && user_id == staff.caller.user_id {
            return Err(ServiceError::OwnAccount);
        }
        // Nobody shuts out, or lets in again, who may do more than they do.
        let theirs = self
            .database()
            .access_of(user_id)
            .await?
            .ok_or(ServiceError::NotFound)?;
        if !staff.access.covers(&theirs.access) {
            return Err(self
                .refuse(&staff.caller, Permission::UsersDeactivate, &staff.origin)
                .await);
        }
        let now = self.now();
        let (action, from) = match to {
            AccountStatus::Active => ("users.activate", AccountStatus::Deactivated),
            AccountStatus::Deactivated => ("users.deactivate", AccountStatus::Active),
        };
        let mut entry = staff.entry(now, action, AuditOutcome::Done).on("user", user_id.0);
        entry.before = Some(json!({ "status": from.as_str() }));
        entry.after = Some(json!({ "status": to.as_str() }));
        let services = self.clone();
        self.to_its_end(async move {
            let change = services
                .database()
                .set_user_status(user_id, to, now, &entry)
                .await?;
            match change {
                StatusChange::Changed { generation } => {
                    services
                        .announce(Change::GenerationRaised { user_id, generation })
                        .await;
                    services.announce(Change::AccessChanged { user_id }).await;
                    Ok(())
                }
                StatusChange::Unchanged => Ok(()),
                StatusChange::NotFound => Err(ServiceError::NotFound),
                StatusChange::LastAdmin => Err(ServiceError::LastAdmin),
            }
        })
        .await?;
        self.user(user_id).await
    }
}
