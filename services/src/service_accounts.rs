//! Service accounts and their API keys: programs that call.

use onsale_domain::limits::NAME_BYTES_MAX;
use onsale_domain::{
    ApiKeyId, OrganizationId, Permission, PermissionSet, Refusal, RoleId, UnixMillis, UserId,
};
use onsale_persistence::{ApiKeyRow, AuditOutcome, NewApiKey, NewServiceAccount, ServiceAccountRow};

use crate::access::NewSecret;
use crate::{Change, Page, ServiceError, Services, StaffMember};

/// Roles that a service account may be made with.
const ROLES_MAX: usize = 20;

/// A new key. Its text is nowhere else and is not to be had again.
pub struct CreatedApiKey {
    /// What is kept of it.
    pub key: ApiKeyRow,
    /// The whole key.
    pub text: String,
}

impl Services {
    /// Makes a service account with its roles, within its organization or everywhere.
    pub async fn create_service_account(
        &self,
        staff: &StaffMember,
        name: String,
        organization_id: Option<OrganizationId>,
        roles: Vec<RoleId>,
    ) -> Result<ServiceAccountRow, ServiceError> {
        check_name(&name)?;
        if roles.len() > ROLES_MAX {
            return Err(Refusal::InvalidField { field: "roles" }.into());
        }
        let permission = Permission::ServiceAccountsEdit;
        self.must_see(staff, permission, organization_id).await?;
        let mut given = PermissionSet::EMPTY;
        for role_id in &roles {
            given = given.union(self.role(*role_id).await?.permissions);
        }
        self.must_hold(staff, permission, organization_id, given).await?;
        let now = self.now();
        let account = NewServiceAccount {
            user_id: self.ids().user_id(now)?,
            name,
            organization_id,
            roles,
        };
        let entry = staff.entry(now, "service_accounts.create", AuditOutcome::Done);
        // Nobody remembers an account that was not there, so there is nothing to announce.
        Ok(self.database().create_service_account(&account, entry).await?)
    }

    /// Service accounts in sight, in the order in which they were made.
    pub async fn list_service_accounts(
        &self,
        staff: &StaffMember,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<ServiceAccountRow>, ServiceError> {
        let within = staff.scope.organizations();
        let rows = self.database().service_accounts(within, after, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }

    /// Deactivates a service account and revokes its keys.
    pub async fn deactivate_service_account(
        &self,
        staff: &StaffMember,
        user_id: UserId,
    ) -> Result<(), ServiceError> {
        self.service_account_in_sight(staff, user_id).await?;
        let entry = staff.entry(self.now(), "service_accounts.deactivate", AuditOutcome::Done);
        let services = self.clone();
        self.to_its_end(async move {
            let done = services
                .database()
                .deactivate_service_account(user_id, entry)
                .await;
            // Its keys are refused with the account.
            services
                .announced(done, |()| vec![Change::AccessChanged { user_id }])
                .await
        })
        .await
    }

    /// A service account's keys, in the order in which they were made; revoked ones too.
    pub async fn list_api_keys(
        &self,
        staff: &StaffMember,
        user_id: UserId,
        after: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Page<ApiKeyRow>, ServiceError> {
        self.service_account_in_sight(staff, user_id).await?;
        let rows = self.database().api_keys(user_id, after, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }

    /// Makes a key of a service account.
    pub async fn create_api_key(
        &self,
        staff: &StaffMember,
        user_id: UserId,
        name: String,
        scopes: PermissionSet,
        expires_at: Option<UnixMillis>,
    ) -> Result<CreatedApiKey, ServiceError> {
        check_name(&name)?;
        let now = self.now();
        if scopes.is_empty() {
            return Err(Refusal::InvalidField { field: "scopes" }.into());
        }
        if expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Refusal::InvalidField { field: "expires_at" }.into());
        }
        let account = self.service_account_in_sight(staff, user_id).await?;
        let permission = Permission::ServiceAccountsEdit;
        self.must_hold(staff, permission, account.organization_id, scopes)
            .await?;
        let api_key_id = self.ids().api_key_id(now)?;
        let secret = NewSecret::of(api_key_id)?;
        let key = NewApiKey {
            api_key_id,
            user_id,
            name,
            prefix: secret.prefix,
            digest: secret.digest,
            scopes,
            expires_at,
        };
        let entry = staff.entry(now, "api_keys.create", AuditOutcome::Done);
        let key = self.database().create_api_key(&key, entry).await?;
        Ok(CreatedApiKey {
            key,
            text: secret.text,
        })
    }

    /// Revokes a key.
    pub async fn revoke_api_key(
        &self,
        staff: &StaffMember,
        api_key_id: ApiKeyId,
    ) -> Result<(), ServiceError> {
        let (_, organization_id) = self
            .database()
            .api_key(api_key_id)
            .await?
            .ok_or(ServiceError::NotFound)?;
        if !is_in_sight(staff, organization_id) {
            return Err(ServiceError::NotFound);
        }
        let entry = staff.entry(self.now(), "api_keys.revoke", AuditOutcome::Done);
        let services = self.clone();
        self.to_its_end(async move {
            let revoked = services.database().revoke_api_key(api_key_id, entry).await;
            services
                .announced(revoked, |()| vec![Change::ApiKeyRevoked { api_key_id }])
                .await
        })
        .await
    }

    async fn service_account_in_sight(
        &self,
        staff: &StaffMember,
        user_id: UserId,
    ) -> Result<ServiceAccountRow, ServiceError> {
        let account = self.database().service_account(user_id).await?;
        account
            .filter(|account| is_in_sight(staff, account.organization_id))
            .ok_or(ServiceError::NotFound)
    }
}

/// What belongs to the deployment is in sight of those who see everything.
fn is_in_sight(staff: &StaffMember, organization_id: Option<OrganizationId>) -> bool {
    match organization_id {
        Some(organization_id) => staff.scope.covers(organization_id),
        None => staff.scope.organizations().is_none(),
    }
}

fn check_name(name: &str) -> Result<(), ServiceError> {
    if name.trim().is_empty() || name.len() > NAME_BYTES_MAX || name.contains('\0') {
        return Err(Refusal::InvalidField { field: "name" }.into());
    }
    Ok(())
}
