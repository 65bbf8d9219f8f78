//! Access tokens, signed with the secret that the server under test is given.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use uuid::Uuid;

/// The secret of every server under test.
pub const SECRET: &str = "a-secret-of-the-tests-0123456789abcdef";

/// Somebody with a token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub id: Uuid,
    /// Its token.
    pub token: String,
}

impl Caller {
    /// A new account with one role.
    pub fn new(role: &str, organization: Option<Uuid>) -> Self {
        let id = Uuid::now_v7();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let now = now.as_secs();
        let mut claims = json!({
            "iss": "onsale", "aud": "onsale-api", "sub": id, "nbf": now - 5, "exp": now + 86_000, "roles": [role],
        });
        if let Some(organization) = organization {
            claims["org"] = json!(organization);
        }
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some("at+jwt".to_owned());
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = jsonwebtoken::encode(&header, &claims, &key).expect("a token");
        Self { id, token }
    }

    /// A new buyer.
    pub fn buyer() -> Self {
        Self::new("buyer", None)
    }

    /// A new admin.
    pub fn admin() -> Self {
        Self::new("admin", None)
    }

    /// A new organizer.
    pub fn organizer(organization: Uuid) -> Self {
        Self::new("organizer", Some(organization))
    }
}
