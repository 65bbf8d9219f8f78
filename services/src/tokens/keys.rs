//! The keys that access tokens are signed with. Each has an id and one algorithm; the first signs, all verify.
//!
//! To rotate: add the new key at the end of the list in every process, then move it to the front, and take the old
//! one away when its last token has expired, 15 minutes later.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde_json::{Value, json};

use super::TokenError;

/// Shortest secret: HMAC-SHA-256 wants a key as long as its output (RFC 7518, 3.2).
pub const SECRET_BYTES_MIN: usize = 32;
/// Longest id of a key.
const KEY_ID_BYTES_MAX: usize = 64;

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
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
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
        let keys = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(parse_line)
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(TokenError::NoKey);
        }
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
                getrandom::fill(&mut secret).map_err(|_| TokenError::NoRandomness)?;
                URL_SAFE_NO_PAD.encode(secret)
            }
            TokenAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(|_| TokenError::NoRandomness)?;
                let document = pair.to_pkcs8().map_err(|_| TokenError::NoRandomness)?;
                URL_SAFE_NO_PAD.encode(document.as_ref())
            }
        };
        let line = format!("{id} {} {key}", algorithm.as_str());
        Self::parse(&line)?;
        Ok(line)
    }

    /// The public keys as a JSON Web Key Set (RFC 7517). Secrets have no public half and are not in it.
    pub fn public_set(&self) -> Value {
        let keys: Vec<Value> = self
            .0
            .iter()
            .filter_map(|key| {
                let x = URL_SAFE_NO_PAD.encode(key.public.as_ref()?);
                Some(json!({
                    "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.id, "x": x,
                }))
            })
            .collect();
        json!({ "keys": keys })
    }

    pub(super) fn signing(&self) -> &TokenKey {
        // Never empty: the constructors see to it.
        &self.0[0]
    }

    pub(super) fn of_id(&self, id: &str) -> Option<&TokenKey> {
        self.0.iter().find(|key| key.id == id)
    }

    fn check_ids(&self) -> Result<(), TokenError> {
        for (position, key) in self.0.iter().enumerate() {
            if self.0[..position].iter().any(|earlier| earlier.id == key.id) {
                return Err(TokenError::KeyIdTwice(key.id.clone()));
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = self.0.iter().map(|key| (&key.id, key.algorithm));
        f.debug_list().entries(ids).finish()
    }
}

/// Errors name the key's id at most, never the key.
fn parse_line(line: &str) -> Result<TokenKey, TokenError> {
    let mut words = line.split_ascii_whitespace();
    let (Some(id), Some(algorithm), Some(key), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(TokenError::KeyUnreadable(
            "a line is not `ID ALGORITHM KEY`".to_owned(),
        ));
    };
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if id.len() > KEY_ID_BYTES_MAX || !id.bytes().all(is_id) {
        return Err(TokenError::KeyUnreadable(
            "an id is not letters, digits, dots and dashes".to_owned(),
        ));
    }
    let key = URL_SAFE_NO_PAD
        .decode(key.trim_end_matches('='))
        .map_err(|_| TokenError::KeyUnreadable(format!("key {id} is not base64url")))?;
    match algorithm {
        "HS256" => hs256(id.to_owned(), &key),
        "EdDSA" => eddsa(id.to_owned(), &key),
        _ => Err(TokenError::KeyUnreadable(format!(
            "key {id} is neither HS256 nor EdDSA"
        ))),
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

fn eddsa(id: String, pkcs8: &[u8]) -> Result<TokenKey, TokenError> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
        .map_err(|_| TokenError::KeyUnreadable(format!("key {id} is not a PKCS #8 Ed25519 key")))?;
    let public = pair.public_key().as_ref().to_vec();
    // Older programs write a form without the public half, which signing does not take.
    let whole = pair.to_pkcs8().map_err(|_| TokenError::NoRandomness)?;
    Ok(TokenKey {
        id,
        algorithm: Algorithm::EdDSA,
        signing: EncodingKey::from_ed_der(whole.as_ref()),
        verifying: DecodingKey::from_ed_der(&public),
        public: Some(public),
    })
}
