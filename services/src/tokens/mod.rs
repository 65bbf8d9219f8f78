//! Access tokens: JSON Web Tokens (RFC 9068) under pinned keys and algorithms (RFC 8725).
//!
//! A token says who is asking, in which session, and which roles the account had outside organizations when it was
//! made. What staff may do is never in it: that is looked up. A token's header chooses one of our own keys by its id
//! and nothing else: the algorithm belongs to the key, `jku`, `jwk` and `x5u` are ignored.
//!
//! A verified token is remembered under its digest, so that a buyer's further requests cost one lookup; its times are
//! checked again at every use.

mod keys;

use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::{Header, Validation};
use onsale_domain::{PermissionSet, SessionId, UnixMillis, UserId};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use uuid::Uuid;

use crate::key_lines::KeyError;

pub use keys::{SECRET_BYTES_MIN, TokenAlgorithm, TokenKeys};

/// How long an access token lives.
pub const ACCESS_TOKEN_LIFETIME_MS: i64 = 15 * 60 * 1_000;
/// Verified tokens that are remembered.
const VERIFIED_TOKENS_MAX: usize = 131_072;
/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 2_048;
/// The only `typ` that is accepted, so that no other kind of token passes for an access token.
const TYPE: &str = "at+jwt";
/// How far our clock may be behind the issuer's.
const NOT_BEFORE_LEEWAY_MS: i64 = 5_000;

/// What a new token shall say.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Whose token.
    pub user_id: UserId,
    /// The login that it belongs to.
    pub session_id: SessionId,
    /// The account's generation of tokens.
    pub generation: u64,
    /// Names of the account's roles outside organizations.
    pub roles: Vec<String>,
    /// First instant of its validity.
    pub issued_at: UnixMillis,
    /// First instant after its validity.
    pub expires_at: UnixMillis,
}

/// Why there are no keys, or no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The secret is too short to be one.
    #[error("a token secret must have at least {SECRET_BYTES_MIN} bytes")]
    SecretTooShort,
    /// There are no usable keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The token could not be signed.
    #[error("the token could not be signed: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// The caller, as a verified token names them. Not yet checked for revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub user_id: UserId,
    /// The login.
    pub session_id: SessionId,
    /// The account's generation of tokens when it was made.
    pub generation: u64,
    /// What the roles in the token allow outside organizations.
    pub rights: PermissionSet,
    /// First instant of its validity.
    pub issued_at: UnixMillis,
    /// First instant after its validity.
    pub expires_at: UnixMillis,
}

impl Identity {
    const fn is_valid_at(&self, now: UnixMillis) -> bool {
        self.issued_at.0 <= now.0.saturating_add(NOT_BEFORE_LEEWAY_MS) && now.0 < self.expires_at.0
    }
}

/// The claims in a token. All of them are required; further ones are ignored.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: Uuid,
    /// Seconds since the Unix epoch, as are `nbf` and `iat`.
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: Uuid,
    sid: Uuid,
    /// Generation of the account's tokens.
    r#gen: u64,
    roles: Vec<String>,
}

/// RFC 7519 allows one audience or several.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// A token that was found good, and when.
#[derive(Clone, Copy)]
struct Verified {
    epoch: u64,
    identity: Identity,
}

/// Verifies and mints the access tokens of one issuer for one audience.
pub struct Tokens {
    keys: TokenKeys,
    issuer: String,
    audience: String,
    lifetime_ms_max: i64,
    verified: Cache<[u8; 32], Verified>,
    /// Raised when roles allow something else: what was verified before is verified again.
    epoch: AtomicU64,
}

impl Tokens {
    /// Tokens under these keys.
    pub fn new(keys: TokenKeys, issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            keys,
            issuer: issuer.into(),
            audience: audience.into(),
            lifetime_ms_max: ACCESS_TOKEN_LIFETIME_MS,
            verified: Cache::new(VERIFIED_TOKENS_MAX),
            epoch: AtomicU64::new(0),
        }
    }

    /// Accepts tokens that live longer, for trials: a revocation is remembered no longer than a token should live.
    #[must_use]
    pub fn accepting_lifetime_ms(mut self, lifetime_ms_max: i64) -> Self {
        self.lifetime_ms_max = lifetime_ms_max;
        self
    }

    /// Signs a token with the first key.
    pub fn mint(&self, grant: &Grant) -> Result<String, TokenError> {
        let key = self.keys.signing();
        let mut header = Header::new(key.algorithm);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key.id.clone());
        let issued_at = grant.issued_at.0.div_euclid(1_000);
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: Audience::One(self.audience.clone()),
            sub: grant.user_id.0,
            exp: grant.expires_at.0.div_euclid(1_000),
            nbf: issued_at,
            iat: issued_at,
            jti: random_id()?,
            sid: grant.session_id.0,
            r#gen: grant.generation,
            roles: grant.roles.clone(),
        };
        Ok(jsonwebtoken::encode(&header, &claims, &key.signing)?)
    }

    /// Who a token speaks for; `None` when it is not valid now. `rights_of` tells what a role allows.
    pub fn verify(
        &self,
        token: &str,
        now: UnixMillis,
        rights_of: impl Fn(&str) -> PermissionSet,
    ) -> Option<Identity> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let digest = *blake3::hash(token.as_bytes()).as_bytes();
        // Read before the roles are: what is found under roles of before is kept under the epoch of before.
        let epoch = self.epoch.load(Ordering::SeqCst);
        if let Some(verified) = self.verified.get(&digest)
            && verified.epoch == epoch
        {
            return verified.identity.is_valid_at(now).then_some(verified.identity);
        }
        let identity = self.check(token, rights_of)?;
        if !identity.is_valid_at(now) {
            return None;
        }
        self.verified.insert(digest, Verified { epoch, identity });
        Some(identity)
    }

    /// Forgets what was verified. Call it once `rights_of` tells something else.
    pub fn forget_verified(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// The public keys, for services that verify by themselves.
    pub fn public_keys(&self) -> Value {
        self.keys.public_set()
    }

    fn check(&self, token: &str, rights_of: impl Fn(&str) -> PermissionSet) -> Option<Identity> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let key = self.keys.of_id(header.kid.as_deref()?)?;
        if header.alg != key.algorithm || header.typ.as_deref() != Some(TYPE) || header.crit.is_some() {
            return None;
        }
        let mut validation = Validation::new(key.algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Checked against our own clock, at every use.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.verifying, &validation)
            .ok()?
            .claims;
        let issued_at = UnixMillis(claims.nbf.max(claims.iat).checked_mul(1_000)?);
        let expires_at = UnixMillis(claims.exp.checked_mul(1_000)?);
        let lifetime_ms = claims.exp.checked_sub(claims.iat)?.checked_mul(1_000)?;
        if lifetime_ms > self.lifetime_ms_max {
            return None;
        }
        let rights = claims.roles.iter().map(|role| rights_of(role));
        Some(Identity {
            user_id: UserId(claims.sub),
            session_id: SessionId(claims.sid),
            generation: claims.r#gen,
            rights: rights.fold(PermissionSet::EMPTY, PermissionSet::union),
            issued_at,
            expires_at,
        })
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("keys", &self.keys)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

fn random_id() -> Result<Uuid, TokenError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests;
