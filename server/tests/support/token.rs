//! Access tokens, signed with the secret that the server under test is given.

use std::time::{SystemTime, UNIX_EPOCH};

use onsale_domain::{SessionId, UnixMillis, UserId};
use onsale_services::{ACCESS_TOKEN_LIFETIME_MS, Grant, TokenKeys, Tokens};
use uuid::Uuid;

/// The secret of every server under test.
pub const SECRET: &str = "a-secret-of-the-tests-0123456789abcdef";
/// The key of the tests' tickets; it signs nothing else.
pub const TICKET_KEYS: &str = "test EdDSA MC4CAQAwBQYDK2VwBCIEIJEcN9pseHrao7qbVPGb4zzoffXmog37C4bhBPAni3s6";

/// Somebody with a token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub id: Uuid,
    /// The login that the token belongs to.
    pub session: Uuid,
    /// Its token.
    pub token: String,
}

impl Caller {
    /// A caller whose token carries roles. They count for buyers only: staff's are looked up.
    pub fn new(roles: &[&str]) -> Self {
        Self::of(Uuid::now_v7(), roles)
    }

    /// An account's caller.
    pub fn of(id: Uuid, roles: &[&str]) -> Self {
        let session = Uuid::now_v7();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let now = UnixMillis(i64::try_from(now.as_millis()).expect("milliseconds"));
        let keys = TokenKeys::of_secret(SECRET.as_bytes()).expect("a key");
        let grant = Grant {
            user_id: UserId(id),
            session_id: SessionId(session),
            generation: 0,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            issued_at: now.plus_ms(-1_000),
            expires_at: now.plus_ms(ACCESS_TOKEN_LIFETIME_MS - 1_000),
        };
        let token = Tokens::new(keys, "onsale", "onsale-api")
            .mint(&grant)
            .expect("a token");
        Self { id, session, token }
    }

    /// A new buyer. Buying needs no account, only a token.
    pub fn buyer() -> Self {
        Self::new(&["buyer"])
    }
}
