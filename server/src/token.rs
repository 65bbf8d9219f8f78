//! Minting of access tokens outside the login: for `onsale token` and the demo's buyers.

use std::time::Duration;

use anyhow::Context as _;
use onsale_domain::{OrganizationId, UnixMillis};
use onsale_http::{Grant, TokenVerifier};
use uuid::Uuid;

/// How long a token lives unless asked otherwise: the longest that the API itself hands out.
pub(crate) const TTL_DEFAULT: Duration = Duration::from_mins(15);
/// The longest life of a token for load tests.
pub(crate) const TTL_LOAD_TEST_MAX: Duration = Duration::from_hours(24);

/// What an account may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    /// Buys tickets.
    Buyer,
    /// Runs an organization's events.
    Organizer,
    /// Helps buyers, reads orders.
    Support,
    /// May do everything.
    Admin,
}

impl Role {
    const fn granted(self) -> onsale_http::Role {
        match self {
            Self::Buyer => onsale_http::Role::Buyer,
            Self::Organizer => onsale_http::Role::Organizer,
            Self::Support => onsale_http::Role::Support,
            Self::Admin => onsale_http::Role::Admin,
        }
    }
}

/// For whom a token is.
#[derive(Debug)]
pub(crate) struct TokenRequest {
    pub(crate) subject: Uuid,
    pub(crate) roles: Vec<Role>,
    pub(crate) organization: Option<Uuid>,
    pub(crate) ttl: Duration,
}

/// Signs tokens as the API itself does.
pub(crate) struct Minter(TokenVerifier);

impl Minter {
    /// A minter with the server's own secret.
    pub(crate) fn new(secret: &[u8], issuer: &str, audience: &str) -> anyhow::Result<Self> {
        Ok(Self(TokenVerifier::new(secret, issuer, audience)?))
    }

    /// Signs one token, valid from now.
    pub(crate) fn mint(&self, request: &TokenRequest) -> anyhow::Result<String> {
        let not_before = UnixMillis::from(jiff::Timestamp::now());
        let ttl_ms = i64::try_from(request.ttl.as_millis()).context("the token would live too long")?;
        let grant = Grant {
            subject: request.subject,
            roles: request.roles.iter().map(|role| role.granted()).collect(),
            organization_id: request.organization.map(OrganizationId),
            not_before,
            expires_at: not_before.plus_ms(ttl_ms),
        };
        Ok(self.0.mint(&grant)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use jsonwebtoken::{Algorithm, DecodingKey, Validation};
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_minted_token_carries_the_claims_that_the_api_checks() {
        let secret = [7_u8; 32];
        let subject = Uuid::now_v7();
        let organization = Uuid::now_v7();
        let token = Minter::new(&secret, "issuer", "audience")
            .unwrap()
            .mint(&TokenRequest {
                subject,
                roles: vec![Role::Organizer],
                organization: Some(organization),
                ttl: TTL_DEFAULT,
            })
            .unwrap();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&["issuer"]);
        validation.set_audience(&["audience"]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        let decoded =
            jsonwebtoken::decode::<Value>(&token, &DecodingKey::from_secret(&secret), &validation).unwrap();
        assert_eq!(decoded.header.typ.as_deref(), Some("at+jwt"));
        let claims = decoded.claims;
        assert_eq!(claims["sub"], subject.to_string());
        assert_eq!(claims["org"], organization.to_string());
        assert_eq!(claims["roles"], serde_json::json!(["organizer"]));
        let ttl = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
        assert_eq!(ttl, 900);
    }

    #[test]
    fn another_secret_does_not_verify() {
        let token = Minter::new(&[7; 32], "issuer", "audience")
            .unwrap()
            .mint(&TokenRequest {
                subject: Uuid::now_v7(),
                roles: vec![Role::Buyer],
                organization: None,
                ttl: TTL_DEFAULT,
            })
            .unwrap();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&["audience"]);
        let key = DecodingKey::from_secret(&[8; 32]);
        assert!(jsonwebtoken::decode::<Value>(&token, &key, &validation).is_err());
    }
}
