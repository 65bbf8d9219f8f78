//! Who is asking, and what they may do.
//!
//! A buyer's request needs the token alone: it is verified, looked up in the list of revoked ones, and its roles say
//! what it may. What staff may do is looked up by account.

mod caller;
mod change;
mod revocations;
mod staff;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use onsale_domain::{Access, PermissionSet};
use onsale_persistence::AccountStatus;

pub use caller::{Caller, Credential};
pub use change::Change;
use revocations::Revocations;
pub use staff::{Origin, StaffMember};

use crate::tokens::ACCESS_TOKEN_LIFETIME_MS;
use crate::{ServiceError, Services, Tokens};

/// What this process knows about accounts.
pub(crate) struct AccessControl {
    tokens: Tokens,
    /// What each role allows that is held outside organizations.
    role_rights: ArcSwap<HashMap<String, PermissionSet>>,
    revocations: Revocations,
}

impl AccessControl {
    pub(crate) fn new(tokens: Tokens) -> Self {
        Self {
            tokens,
            role_rights: ArcSwap::default(),
            revocations: Revocations::new(),
        }
    }

    pub(crate) const fn tokens(&self) -> &Tokens {
        &self.tokens
    }
}

impl Services {
    /// Reads what roles allow. Nobody has any rights before.
    pub async fn load_roles(&self) -> Result<(), ServiceError> {
        let rights = self.database().role_rights().await?;
        let access = self.access_control();
        access.role_rights.store(Arc::new(rights.into_iter().collect()));
        access.tokens.forget_verified();
        Ok(())
    }

    /// What an account may do now; nothing when it is deactivated or not there.
    pub(crate) async fn access_of(&self, caller: &Caller) -> Result<Arc<Access>, ServiceError> {
        let account = self.database().access_of(caller.user_id).await?;
        let active = account.filter(|account| account.status == AccountStatus::Active);
        Ok(Arc::new(active.map(|account| account.access).unwrap_or_default()))
    }

    /// Takes note of a change, here and in every other process. Call it after the commit.
    pub async fn announce(&self, change: Change) {
        let access = self.access_control();
        let until = self.now().plus_ms(ACCESS_TOKEN_LIFETIME_MS);
        match change {
            Change::SessionRevoked { session_id } => access.revocations.revoke_session(session_id, until),
            Change::GenerationRaised { user_id, generation } => {
                access.revocations.raise_generation(user_id, generation, until);
            }
            Change::AccessChanged { .. } | Change::RolesChanged | Change::ApiKeyRevoked { .. } => {}
        }
    }
}
