//! Who is asking, and what they may do.
//!
//! A buyer's request needs the token alone: it is verified, looked up in the list of revoked ones, and its roles say
//! what it may. What staff may do is looked up by account.

mod api_key;
mod caller;
mod change;
mod lookup;
mod remembered;
mod revocations;
mod shared;
mod staff;
mod sync;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use onsale_domain::{Permission, PermissionSet, UserId};
use onsale_engine::at_hand::carried;
use onsale_persistence::{AccessError, AccountAccess, DatabaseError, KnownApiKey, Redis};
use tokio::sync::Mutex;

use api_key::KeyUses;
pub(crate) use api_key::NewSecret;
pub use caller::{Caller, Credential};
pub use change::Change;
use remembered::Remembered;
use revocations::Revocations;
use shared::Shared;
pub use staff::{Origin, StaffMember};
pub use sync::AccessSync;

use crate::tokens::ACCESS_TOKEN_LIFETIME_MS;
use crate::{ServiceError, Services, Tokens};
use sync::CLOCKS_APART_MS;

/// Accounts whose access this process remembers.
const ACCOUNTS_MAX: usize = 50_000;
/// API keys that this process remembers.
const API_KEYS_MAX: usize = 10_000;

/// What this process knows about accounts.
pub(crate) struct AccessControl {
    tokens: Tokens,
    /// What each role allows that is held outside organizations.
    role_rights: ArcSwap<HashMap<String, PermissionSet>>,
    revocations: Revocations,
    accounts: Remembered<UserId, Arc<AccountAccess>>,
    /// By SHA-256.
    api_keys: Remembered<[u8; 32], KnownApiKey>,
    key_uses: KeyUses,
    /// Nothing for a process on its own.
    shared: Option<Shared>,
    /// What roles allow could not be read.
    roles_are_stale: AtomicBool,
    /// What was revoked could not be read.
    revocations_are_stale: AtomicBool,
    /// Held by who reads roles: who reads last must also be who keeps last.
    reading: Mutex<()>,
}

impl AccessControl {
    pub(crate) fn new(tokens: Tokens, redis: Option<Redis>) -> Self {
        Self {
            tokens,
            role_rights: ArcSwap::default(),
            revocations: Revocations::new(),
            accounts: Remembered::new(ACCOUNTS_MAX),
            api_keys: Remembered::new(API_KEYS_MAX),
            key_uses: KeyUses::default(),
            shared: redis.map(Shared::new),
            roles_are_stale: AtomicBool::new(false),
            revocations_are_stale: AtomicBool::new(false),
            reading: Mutex::new(()),
        }
    }

    pub(crate) const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Whether this process knows all that was revoked and changed until a second ago.
    fn is_synced(&self) -> bool {
        !self.is_stale() && self.revocations.is_whole() && self.shared.as_ref().is_none_or(Shared::is_fresh)
    }

    fn is_stale(&self) -> bool {
        self.roles_are_stale.load(Ordering::SeqCst) || self.revocations_are_stale.load(Ordering::SeqCst)
    }
}

impl Services {
    /// Reads what roles allow. Nobody has any rights before.
    pub async fn load_roles(&self) -> Result<(), ServiceError> {
        let access = self.access_control();
        let _reading = access.reading.lock().await;
        access.roles_are_stale.store(true, Ordering::SeqCst);
        let rights = self.database().role_rights().await?;
        access.role_rights.store(Arc::new(rights.into_iter().collect()));
        access.tokens.forget_verified();
        access.roles_are_stale.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// Of an account's roles outside organizations those that a token must name, because it is not looked up what they
    /// allow: the ones to buy with. So a token stays short, however many roles there are.
    pub(crate) fn token_roles(&self, roles: &[String]) -> Vec<String> {
        let rights = self.access_control().role_rights.load();
        let sells = |role: &&String| {
            rights
                .get(*role)
                .is_some_and(|rights| rights.has(Permission::TicketsBuy))
        };
        roles.iter().filter(sells).cloned().collect()
    }

    /// Takes note of a change, here and in every other process. Call it after the commit, in a task that is not cut
    /// off when the client goes (see `to_its_end`).
    pub async fn announce(&self, change: Change) {
        if let Err(error) = self.take_note(change).await {
            // The upkeep reads again; until then nothing that is remembered is used.
            tracing::warn!(%error, "what changed cannot be read; asking Postgres for each request of staff");
        }
        if let Some(shared) = &self.access_control().shared {
            shared.tell(change).await;
        }
    }

    /// Takes note of a change in this process.
    async fn take_note(&self, change: Change) -> Result<(), ServiceError> {
        let access = self.access_control();
        let until = self.now().plus_ms(ACCESS_TOKEN_LIFETIME_MS + CLOCKS_APART_MS);
        match change {
            Change::SessionRevoked { session_id } => access.revocations.revoke_session(session_id, until),
            Change::GenerationRaised { user_id, generation } => {
                access.revocations.raise_generation(user_id, generation, until);
            }
            Change::AccessChanged { user_id } => access.accounts.forget(&user_id),
            // Staff have few keys, and to find one by its id would take a second table.
            Change::ApiKeyRevoked { .. } => access.api_keys.forget_all(),
            Change::RolesChanged => {
                access.accounts.forget_all();
                self.load_roles().await?;
            }
            Change::Unknown => self.load_access().await?,
        }
        Ok(())
    }

    /// The outcome of a change, after it was announced. Where the database was cut off, nobody knows whether it was
    /// committed: then everything is to be read again.
    pub(crate) async fn announced<T>(
        &self,
        outcome: Result<T, AccessError>,
        changes: impl FnOnce(&T) -> Vec<Change>,
    ) -> Result<T, ServiceError> {
        match &outcome {
            Ok(done) => {
                for change in changes(done) {
                    self.announce(change).await;
                }
            }
            Err(AccessError::Database(DatabaseError::Unavailable(_))) => self.announce(Change::Unknown).await,
            Err(_) => {}
        }
        Ok(outcome?)
    }

    /// Does something to its end also when the client goes: what is committed must be announced.
    pub(crate) async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
    ) -> Result<T, ServiceError> {
        match tokio::spawn(carried(work)).await {
            Ok(done) => done,
            Err(_) => Err(ServiceError::Internal("a change was cut off")),
        }
    }
}
