//! The keys that access tokens are signed with. Each has an id and one algorithm; the first signs, all verify.
//!
//! To rotate: add the new key at the end of the list in every process, then move it to the front, and take the old
//! one away when its last token has expired, 15 minutes later.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde_json::Value;

use super::TokenError;
use crate::key_lines::{self, ED25519, KeyError, KeyLine};

/// Shortest secret: HMAC-SHA-256 wants a key as long as its output (RFC 7518, 3.2).
pub const SECRET_BYTES_MIN: usize = 32;
/// What a key's line calls HMAC with SHA-256.
const HMAC_SHA256: &str = "HS256";

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256: whoever verifies can sign.
    Hs256,
    /// Ed25519: others verify with the public half, which is published.
    EdDsa,
}

impl TokenAlgorithm {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => HMAC_SHA256,
            Self::EdDsa => ED25519,
        }
    }
}

/// One key.
pub(super) struct TokenKey {
    pub(super) id: String,
    pub(super) algorithm: Algorithm,
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
    /// The public half, of an Ed25519 key.
    public: Option<Vec<u8>>,
}

/// The keys of a deployment, at least one.
pub struct TokenKeys(pub(super) Vec<TokenKey>);

impl TokenKeys {
    /// One HS256 key, with an id made of the secret's digest.
    pub fn of_secret(secret: &[u8]) -> Result<Self, TokenError> {
        let digest = blake3::derive_key("onsale token key id", secret);
        let id = URL_SAFE_NO_PAD.encode(&digest[..9]);
        Ok(Self(vec![hs256(id, secret)?]))
    }

    /// Reads `ID ALGORITHM KEY` lines: HS256 with a base64url secret, `EdDSA` with a base64url PKCS #8 key.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let keys = key_lines::read(text)?
            .into_iter()
            .map(TokenKey::of_line)
            .collect::<Result<Vec<_>, _>>()?;
        let keys = Self(keys);
        keys.check_ids()?;
        Ok(keys)
    }

    /// These keys, and others that only verify.
    pub fn and_also(mut self, others: Self) -> Result<Self, TokenError> {
        self.0.extend(others.0);
        self.check_ids()?;
        Ok(self)
    }

    /// A new key, as a line for [`TokenKeys::parse`].
    pub fn generate(id: &str, algorithm: TokenAlgorithm) -> Result<String, TokenError> {
        let key = match algorithm {
            TokenAlgorithm::Hs256 => {
                let mut secret = [0; SECRET_BYTES_MIN];
                getrandom::fill(&mut secret).map_err(|_| KeyError::NoRandomness)?;
                URL_SAFE_NO_PAD.encode(secret)
            }
            TokenAlgorithm::EdDsa => key_lines::generate_ed25519()?,
        };
        let line = format!("{id} {} {key}", algorithm.as_str());
        Self::parse(&line)?;
        Ok(line)
    }

    /// The public keys as a JSON Web Key Set (RFC 7517). Secrets have no public half and are not in it.
    pub fn public_set(&self) -> Value {
        let public = self
            .0
            .iter()
            .filter_map(|key| Some((key.id.as_str(), key.public.as_deref()?)));
        key_lines::public_set(public)
    }

    pub(super) fn signing(&self) -> &TokenKey {
        // Never empty: the constructors see to it.
        &self.0[0]
    }

    pub(super) fn of_id(&self, id: &str) -> Option<&TokenKey> {
        self.0.iter().find(|key| key.id == id)
    }

    fn check_ids(&self) -> Result<(), TokenError> {
        Ok(key_lines::check_ids(self.0.iter().map(|key| key.id.as_str()))?)
    }
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = self.0.iter().map(|key| (&key.id, key.algorithm));
        f.debug_list().entries(ids).finish()
    }
}

impl TokenKey {
    fn of_line(line: KeyLine) -> Result<Self, TokenError> {
        match line.algorithm.as_str() {
            HMAC_SHA256 => hs256(line.id, &line.key),
            ED25519 => eddsa(line),
            _ => {
                let problem = format!("key {} is neither {HMAC_SHA256} nor {ED25519}", line.id);
                Err(KeyError::Unreadable(problem).into())
            }
        }
    }
}

fn hs256(id: String, secret: &[u8]) -> Result<TokenKey, TokenError> {
    if secret.len() < SECRET_BYTES_MIN {
        return Err(TokenError::SecretTooShort);
    }
    Ok(TokenKey {
        id,
        algorithm: Algorithm::HS256,
        signing: EncodingKey::from_secret(secret),
        verifying: DecodingKey::from_secret(secret),
        public: None,
    })
}

fn eddsa(line: KeyLine) -> Result<TokenKey, TokenError> {
    let pair = line.ed25519()?;
    let public = key_lines::public_half(&pair);
    // Older programs write a form without the public half, which signing does not take.
    let whole = pair.to_pkcs8().map_err(|_| KeyError::NoRandomness)?;
    Ok(TokenKey {
        id: line.id,
        algorithm: Algorithm::EdDSA,
        signing: EncodingKey::from_ed_der(whole.as_ref()),
        verifying: DecodingKey::from_ed_der(&public),
        public: Some(public),
    })
}
