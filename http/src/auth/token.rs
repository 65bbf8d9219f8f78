//! Access tokens: JSON Web Tokens under one pinned algorithm (RFC 8725, RFC 9068).
//!
//! A verified token is remembered under its whole text, so that a buyer's further requests cost one lookup; its
//! times are checked again at every use. Nothing in a token's header chooses how it is verified: `jku`, `jwk` and
//! `kid` are ignored, and there is one key and one algorithm.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use onsale_domain::{OrganizationId, UnixMillis};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// Verified tokens that are remembered.
const CACHED_TOKENS_MAX: usize = 65_536;
/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 2_048;
/// Shortest secret: HMAC-SHA-256 wants a key as long as its output.
const SECRET_BYTES_MIN: usize = 32;
/// The only `typ` that is accepted, so that no other kind of token passes for an access token.
const TYPE: &str = "at+jwt";
/// How far our clock may be behind the issuer's.
const NOT_BEFORE_LEEWAY_MS: i64 = 5_000;

/// What a subject may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Buys tickets.
    Buyer,
    /// Sells an organization's events.
    Organizer,
    /// Reads everything, changes nothing.
    Support,
    /// Does everything but buy.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Buyer, Self::Organizer, Self::Support, Self::Admin];

    /// The name in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Organizer => "organizer",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What a new token shall say.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Whose token.
    pub subject: Uuid,
    /// What the subject may be.
    pub roles: Vec<Role>,
    /// The organization of an organizer.
    pub organization_id: Option<OrganizationId>,
    /// First instant of its validity.
    pub not_before: UnixMillis,
    /// First instant after its validity.
    pub expires_at: UnixMillis,
}

/// Why there is no verifier or no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The secret is too short to be one.
    #[error("the token secret must have at least {SECRET_BYTES_MIN} bytes")]
    SecretTooShort,
    /// The token could not be signed.
    #[error("the token could not be signed: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// The caller, as a verified token names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) subject: Uuid,
    pub(crate) organization_id: Option<OrganizationId>,
    roles: u8,
    not_before: UnixMillis,
    expires_at: UnixMillis,
}

impl Identity {
    /// Whether the token carries a role.
    pub(crate) const fn has(self, role: Role) -> bool {
        self.roles & role.bit() != 0
    }

    const fn is_valid_at(self, now: UnixMillis) -> bool {
        self.not_before.0 <= now.0.saturating_add(NOT_BEFORE_LEEWAY_MS) && now.0 < self.expires_at.0
    }
}

/// The claims in a token. Further ones are ignored.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: Uuid,
    /// Seconds since the Unix epoch.
    exp: i64,
    /// Seconds since the Unix epoch.
    nbf: i64,
    roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    org: Option<Uuid>,
}

/// RFC 7519 allows one audience or several.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Verifies and mints access tokens of one issuer for one audience.
pub struct TokenVerifier {
    verifying: DecodingKey,
    signing: EncodingKey,
    validation: Validation,
    issuer: String,
    audience: String,
    verified: Cache<Box<str>, Identity>,
}

impl TokenVerifier {
    /// A verifier for tokens signed with `secret`.
    ///
    /// Errors: [`TokenError::SecretTooShort`].
    pub fn new(
        secret: &[u8],
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Self, TokenError> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(TokenError::SecretTooShort);
        }
        let (issuer, audience) = (issuer.into(), audience.into());
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[&issuer]);
        validation.set_audience(&[&audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Checked against our own clock, at every use.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Ok(Self {
            verifying: DecodingKey::from_secret(secret),
            signing: EncodingKey::from_secret(secret),
            validation,
            issuer,
            audience,
            verified: Cache::new(CACHED_TOKENS_MAX),
        })
    }

    /// Signs a token.
    pub fn mint(&self, grant: &Grant) -> Result<String, TokenError> {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: Audience::One(self.audience.clone()),
            sub: grant.subject,
            exp: grant.expires_at.0.div_euclid(1_000),
            nbf: grant.not_before.0.div_euclid(1_000),
            roles: grant.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            org: grant.organization_id.map(|id| id.0),
        };
        Ok(jsonwebtoken::encode(&header, &claims, &self.signing)?)
    }

    /// The caller whom a token names; `None` for a token that is not valid now. Callers learn nothing more.
    pub(crate) fn verify(&self, token: &str, now: UnixMillis) -> Option<Identity> {
        if let Some(identity) = self.verified.get(token) {
            return identity.is_valid_at(now).then_some(identity);
        }
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let identity = self.check(token)?;
        if !identity.is_valid_at(now) {
            return None;
        }
        self.verified.insert(token.into(), identity);
        Some(identity)
    }

    fn check(&self, token: &str) -> Option<Identity> {
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation).ok()?;
        if decoded.header.alg != Algorithm::HS256 || decoded.header.typ.as_deref() != Some(TYPE) {
            return None;
        }
        let claims = decoded.claims;
        let roles = Role::ALL
            .into_iter()
            .filter(|role| claims.roles.iter().any(|name| name == role.as_str()))
            .fold(0, |bits, role| bits | role.bit());
        Some(Identity {
            subject: claims.sub,
            organization_id: claims.org.map(OrganizationId),
            roles,
            not_before: UnixMillis(claims.nbf.saturating_mul(1_000)),
            expires_at: UnixMillis(claims.exp.saturating_mul(1_000)),
        })
    }
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenVerifier")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
pub(crate) mod tests;
