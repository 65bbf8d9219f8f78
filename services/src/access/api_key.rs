//! Callers with an API key: `osk_`, eight hexadecimal digits for people, and 256 random bits.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onsale_domain::{ApiKeyId, OrganizationId, PermissionSet, UnixMillis};
use onsale_persistence::{AccountKind, KnownApiKey};

use super::{Caller, Credential};
use crate::{RandomError, ServiceError, Services};

/// What every key begins with, so that people and scanners of leaked secrets recognize one.
pub(super) const BEGINNING: &str = "osk_";
/// Bytes of `osk_12345678`.
const PREFIX_BYTES: usize = 12;
/// Bytes of a whole key.
const KEY_BYTES: usize = PREFIX_BYTES + 1 + 43;
/// Keys whose last use waits to be written.
const USES_MAX: usize = 10_000;
/// A key's last use is written no more often.
const USE_WRITTEN_EVERY_MS: i64 = 60_000;

/// What a key limits its account to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) organization_id: Option<OrganizationId>,
    pub(super) scopes: PermissionSet,
}

/// A new key: the text that its owner gets once, and what of it is kept.
pub(crate) struct NewSecret {
    pub(crate) text: String,
    pub(crate) prefix: String,
    pub(crate) digest: [u8; 32],
}

impl NewSecret {
    /// A secret for a key of this id.
    pub(crate) fn of(api_key_id: ApiKeyId) -> Result<Self, RandomError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        // The end of an id is random; its beginning is only the time.
        let [.., a, b, c, d] = *api_key_id.0.as_bytes();
        let prefix = format!("{BEGINNING}{a:02x}{b:02x}{c:02x}{d:02x}");
        let text = format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(secret));
        let digest = digest_of(&text);
        Ok(Self { text, prefix, digest })
    }
}

impl Services {
    /// Errors: [`ServiceError::Unauthenticated`] for a key that is unknown, revoked or expired, or whose account is
    /// deactivated.
    pub(super) async fn caller_of_key(&self, text: &str) -> Result<Caller, ServiceError> {
        let refused = ServiceError::Unauthenticated;
        if text.len() != KEY_BYTES {
            return Err(refused);
        }
        let now = self.now();
        let Some(key) = self.known_key(digest_of(text), now).await? else {
            return Err(refused);
        };
        if key.expires_at.is_some_and(|expires_at| now >= expires_at) {
            return Err(refused);
        }
        let Some(account) = self.active_account(key.user_id).await? else {
            return Err(refused);
        };
        if account.kind != AccountKind::Service {
            return Err(refused);
        }
        self.access_control().key_uses.note(key.api_key_id, now);
        let limit = Limit {
            organization_id: account.organization_id,
            scopes: key.scopes,
        };
        Ok(Caller {
            user_id: key.user_id,
            credential: Credential::ApiKey {
                api_key_id: key.api_key_id,
            },
            rights: account
                .access
                .limited_to(limit.organization_id, limit.scopes)
                .everywhere,
            limit: Some(limit),
        })
    }

    async fn known_key(
        &self,
        digest: [u8; 32],
        now: UnixMillis,
    ) -> Result<Option<KnownApiKey>, ServiceError> {
        let access = self.access_control();
        let load = async { Ok(self.database().api_key_by_digest(&digest).await?) };
        if access.is_synced() {
            access.api_keys.get_or_load(digest, now, load).await
        } else {
            load.await
        }
    }

    /// Writes when keys were used last, where that is due.
    pub(super) async fn write_key_uses(&self) {
        let due = self.access_control().key_uses.take_due(self.now());
        if !due.is_empty()
            && let Err(error) = self.database().touch_api_keys(&due).await
        {
            tracing::warn!(%error, "the last use of API keys was not written");
        }
    }
}

fn digest_of(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}

/// When keys were used last.
#[derive(Default)]
pub(super) struct KeyUses(Mutex<HashMap<ApiKeyId, Use>>);

struct Use {
    at: UnixMillis,
    /// What the table says, as far as this process wrote it.
    written: Option<UnixMillis>,
}

impl KeyUses {
    fn note(&self, api_key_id: ApiKeyId, at: UnixMillis) {
        let mut uses = self.lock();
        if let Some(known) = uses.get_mut(&api_key_id) {
            known.at = at;
        } else if uses.len() < USES_MAX {
            uses.insert(api_key_id, Use { at, written: None });
        }
    }

    /// The uses to write now. Keys that are not used any more are forgotten.
    fn take_due(&self, now: UnixMillis) -> Vec<(ApiKeyId, UnixMillis)> {
        let mut uses = self.lock();
        let is_old = |at: UnixMillis| now >= at.plus_ms(USE_WRITTEN_EVERY_MS);
        uses.retain(|_, known| known.written != Some(known.at) || !is_old(known.at));
        let due = uses
            .iter_mut()
            .filter(|(_, known)| known.written != Some(known.at) && known.written.is_none_or(is_old));
        due.map(|(api_key_id, known)| {
            known.written = Some(known.at);
            (*api_key_id, known.at)
        })
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ApiKeyId, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

    #[test]
    fn a_new_key_has_the_shape_that_is_accepted_and_shows_the_end_of_its_id() {
        let api_key_id = ApiKeyId(Uuid::from_u128(0x1234_abcd));
        let (one, other) = (
            NewSecret::of(api_key_id).unwrap(),
            NewSecret::of(api_key_id).unwrap(),
        );
        assert_eq!(one.prefix, "osk_1234abcd");
        assert_eq!(one.text.len(), KEY_BYTES);
        assert!(one.text.starts_with("osk_1234abcd_"));
        assert_ne!(one.text, other.text);
        assert_eq!(one.digest, digest_of(&one.text));
    }

    #[test]
    fn a_keys_use_is_written_at_once_and_then_once_a_minute() {
        let (uses, key) = (KeyUses::default(), ApiKeyId(Uuid::from_u128(1)));
        let at = |seconds: i64| NOW.plus_ms(seconds * 1_000);
        uses.note(key, at(0));
        assert_eq!(uses.take_due(at(1)), [(key, at(0))]);
        assert_eq!(uses.take_due(at(2)), []);
        uses.note(key, at(30));
        assert_eq!(uses.take_due(at(31)), []);
        assert_eq!(uses.take_due(at(60)), [(key, at(30))]);
        assert_eq!(uses.take_due(at(200)), []);
        assert!(uses.lock().is_empty());
    }
}
