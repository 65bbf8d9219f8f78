//! Who is asking.

use onsale_domain::{ApiKeyId, Permission, PermissionSet, SessionId, UserId};

use super::api_key::{BEGINNING, Limit};
use crate::{Identity, ServiceError, Services};

/// Somebody whose credential is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub user_id: UserId,
    /// What they came with.
    pub credential: Credential,
    /// What the credential itself allows outside organizations: what buyers need. Staff's rights are looked up.
    pub(super) rights: PermissionSet,
    /// What an API key limits its account to.
    pub(super) limit: Option<Limit>,
}

/// What a caller came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// An access token.
    Token {
        /// The login that it belongs to.
        session_id: SessionId,
        /// The account's generation of tokens when it was made.
        generation: u64,
    },
    /// An API key.
    ApiKey {
        /// Which.
        api_key_id: ApiKeyId,
    },
}

impl Caller {
    /// Whether the credential itself allows something.
    pub const fn may(&self, permission: Permission) -> bool {
        self.rights.has(permission)
    }
}

impl Services {
    /// Whether a bearer credential is written like an API key, good or not.
    pub fn is_api_key(credential: &str) -> bool {
        credential.starts_with(BEGINNING)
    }

    /// Who came with this bearer credential. Makes no I/O for access tokens, and none for API keys that are remembered.
    ///
    /// Errors: [`ServiceError::Unauthenticated`] when it is not good, or not any more.
    pub async fn authenticate(&self, credential: &str) -> Result<Caller, ServiceError> {
        if Self::is_api_key(credential) {
            // Boxed, so that the requests of buyers, who come with tokens, do not grow by it.
            return Box::pin(self.caller_of_key(credential)).await;
        }
        self.caller_of_token(credential)
            .ok_or(ServiceError::Unauthenticated)
    }

    fn caller_of_token(&self, token: &str) -> Option<Caller> {
        let identity = self.identity_of(token)?;
        Some(Caller {
            user_id: identity.user_id,
            credential: Credential::Token {
                session_id: identity.session_id,
                generation: identity.generation,
            },
            rights: identity.rights,
            limit: None,
        })
    }

    /// What an access token says; `None` when it is not good, or revoked as far as this process knows.
    pub(crate) fn identity_of(&self, token: &str) -> Option<Identity> {
        let access = self.access_control();
        // Read where a token is verified and not before: what it is kept under says which roles were looked at.
        let rights_of = |role: &str| access.role_rights.load().get(role).copied().unwrap_or_default();
        let identity = access.tokens.verify(token, self.now(), rights_of)?;
        let is_revoked =
            access
                .revocations
                .refuses(identity.user_id, identity.session_id, identity.generation);
        (!is_revoked).then_some(identity)
    }
}
