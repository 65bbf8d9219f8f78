//! The keys that tickets are signed with: Ed25519, each with a short id. The first signs, all verify.
//!
//! Keys of their own and not those of access tokens: a ticket is good for as long as its event is to come, a token for
//! 15 minutes, and so their keys go at different times. To rotate: add the new key at the end in every process, move it
//! to the front, and take the old one away after the last event whose tickets it signed.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use onsale_persistence::LinkSecrets;
use serde_json::Value;

use crate::key_lines::{self, ED25519 as ALGORITHM, KeyError, KeyLine};

/// Longest id of a key: it stands in every code.
pub(super) const KEY_ID_BYTES_MAX: usize = 16;

struct TicketKey {
    id: String,
    pair: Ed25519KeyPair,
    public: Vec<u8>,
}

/// The ticket keys of a deployment, at least one.
pub struct TicketKeys {
    signing: TicketKey,
    /// Also the signing key, by id.
    public: BTreeMap<String, Vec<u8>>,
    /// Ids in the order of the lines.
    order: Vec<String>,
    links: LinkSecrets,
}

impl TicketKeys {
    /// Reads `ID EdDSA KEY` lines, the key as base64url PKCS #8.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let lines = key_lines::read(text)?;
        let mut secrets = lines.iter().map(|line| line.key.as_slice());
        let link_secrets = LinkSecrets::derived_from(secrets.next().unwrap_or_default(), secrets);
        let mut keys = lines
            .iter()
            .map(TicketKey::of_line)
            .collect::<Result<Vec<_>, _>>()?;
        key_lines::check_ids(keys.iter().map(|key| key.id.as_str()))?;
        let public = keys
            .iter()
            .map(|key| (key.id.clone(), key.public.clone()))
            .collect();
        let order = keys.iter().map(|key| key.id.clone()).collect();
        // Never empty: reading the lines saw to it.
        let signing = keys.swap_remove(0);
        Ok(Self {
            signing,
            public,
            order,
            links: link_secrets,
        })
    }

    /// A new key, as a line for [`TicketKeys::parse`].
    pub fn generate(id: &str) -> Result<String, KeyError> {
        let line = format!("{id} {ALGORITHM} {}", key_lines::generate_ed25519()?);
        Self::parse(&line)?;
        Ok(line)
    }

    /// The public keys as a JSON Web Key Set (RFC 7517), for scanners that verify by themselves.
    pub fn public_set(&self) -> Value {
        let keys = self.order.iter().filter_map(|id| {
            let public = self.public.get(id)?;
            Some((id.as_str(), public.as_slice()))
        });
        key_lines::public_set(keys)
    }

    /// What links to files are signed with where the files are our own: made of these keys, so that every process has
    /// the same.
    pub fn link_secrets(&self) -> LinkSecrets {
        self.links.clone()
    }

    /// The id of the key that signs.
    pub(super) fn signing_id(&self) -> &str {
        &self.signing.id
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.signing.pair.sign(message).as_ref().to_vec()
    }

    /// Whether the key of this id signed the message; `None` when there is no such key.
    pub(super) fn is_signed(&self, id: &str, message: &[u8], signature: &[u8]) -> Option<bool> {
        let public = self.public.get(id)?;
        let key = UnparsedPublicKey::new(&ED25519, public);
        Some(key.verify(message, signature).is_ok())
    }
}

impl TicketKey {
    fn of_line(line: &KeyLine) -> Result<Self, KeyError> {
        let KeyLine { id, algorithm, .. } = line;
        if algorithm != ALGORITHM {
            let problem =
                format!("ticket key {id} is not {ALGORITHM}: only that can be verified at the door");
            return Err(KeyError::Unreadable(problem));
        }
        if id.len() > KEY_ID_BYTES_MAX {
            let problem = format!("the id {id} of a ticket key has more than {KEY_ID_BYTES_MAX} bytes");
            return Err(KeyError::Unreadable(problem));
        }
        let pair = line.ed25519()?;
        Ok(Self {
            id: id.clone(),
            public: key_lines::public_half(&pair),
            pair,
        })
    }
}

impl std::fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.order).finish()
    }
}
