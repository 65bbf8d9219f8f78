//! Lines of keys, as the settings of token and ticket keys hold them: `ID ALGORITHM KEY`, the key in base64url.
//!
//! To rotate: add the new key at the end of the list in every process, then move it to the front, and take the old
//! one away when nothing that it signed is asked for any more.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use thiserror::Error;

/// Longest id of a key.
pub(crate) const KEY_ID_BYTES_MAX: usize = 64;
/// What a key's line calls Ed25519.
pub(crate) const ED25519: &str = "EdDSA";

/// Why there are no keys. No text holds one.
#[derive(Debug, Error)]
pub enum KeyError {
    /// No key at all.
    #[error("there is no key")]
    NoKey,
    /// A key that cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Two keys of the same id.
    #[error("two keys have the id {0}")]
    IdTwice(String),
    /// The system gives no random numbers.
    #[error("no random numbers")]
    NoRandomness,
}

/// One line, not yet made a key.
pub(crate) struct KeyLine {
    pub(crate) id: String,
    pub(crate) algorithm: String,
    pub(crate) key: Vec<u8>,
}

/// Reads the lines; empty ones and those that begin with `#` are left out. At least one is there.
pub(crate) fn read(text: &str) -> Result<Vec<KeyLine>, KeyError> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(KeyLine::parse)
        .collect::<Result<Vec<_>, _>>()?;
    if lines.is_empty() {
        return Err(KeyError::NoKey);
    }
    Ok(lines)
}

/// Refuses two keys of one id.
pub(crate) fn check_ids<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), KeyError> {
    let mut seen = Vec::new();
    for id in ids {
        if seen.contains(&id) {
            return Err(KeyError::IdTwice(id.to_owned()));
        }
        seen.push(id);
    }
    Ok(())
}

impl KeyLine {
    /// Errors name the key's id at most, never the key.
    fn parse(line: &str) -> Result<Self, KeyError> {
        let mut words = line.split_ascii_whitespace();
        let (Some(id), Some(algorithm), Some(key), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(KeyError::Unreadable(
                "a line is not `ID ALGORITHM KEY`".to_owned(),
            ));
        };
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if id.len() > KEY_ID_BYTES_MAX || !id.bytes().all(is_id) {
            return Err(KeyError::Unreadable(
                "an id is not letters, digits, dots and dashes".to_owned(),
            ));
        }
        let key = URL_SAFE_NO_PAD
            .decode(key.trim_end_matches('='))
            .map_err(|_| KeyError::Unreadable(format!("key {id} is not base64url")))?;
        Ok(Self {
            id: id.to_owned(),
            algorithm: algorithm.to_owned(),
            key,
        })
    }

    /// The pair of an Ed25519 key.
    pub(crate) fn ed25519(&self) -> Result<Ed25519KeyPair, KeyError> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&self.key)
            .map_err(|_| KeyError::Unreadable(format!("key {} is not a PKCS #8 Ed25519 key", self.id)))
    }
}

/// A new Ed25519 key, as it stands in a line.
pub(crate) fn generate_ed25519() -> Result<String, KeyError> {
    let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::NoRandomness)?;
    let document = pair.to_pkcs8().map_err(|_| KeyError::NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(document.as_ref()))
}

/// The public half of a pair.
pub(crate) fn public_half(pair: &Ed25519KeyPair) -> Vec<u8> {
    pair.public_key().as_ref().to_vec()
}

/// Public Ed25519 keys with their ids, as a JSON Web Key Set (RFC 7517).
pub(crate) fn public_set<'a>(keys: impl Iterator<Item = (&'a str, &'a [u8])>) -> Value {
    let keys: Vec<Value> = keys
        .map(|(id, public)| {
            let x = URL_SAFE_NO_PAD.encode(public);
            json!({"kty": "OKP", "crv": "Ed25519", "alg": ED25519, "use": "sig", "kid": id, "x": x})
        })
        .collect();
    json!({ "keys": keys })
}
