//! Minting of buyers' access tokens outside the login: for `onsale token` and the demo's buyers.

use std::time::Duration;

use anyhow::Context as _;
use onsale_domain::{SessionId, UnixMillis, UserId};
use onsale_services::{Grant, Tokens};
use uuid::Uuid;

/// How long a token lives unless asked otherwise: the longest that the API itself hands out.
pub(crate) const TTL_DEFAULT: Duration = Duration::from_mins(15);
/// The longest life of a token for load tests.
pub(crate) const TTL_LOAD_TEST_MAX: Duration = Duration::from_hours(24);

/// Signs one token of a buyer, valid from now, in a login of its own.
pub(crate) fn mint_buyer(tokens: &Tokens, user_id: Uuid, ttl: Duration) -> anyhow::Result<String> {
    let issued_at = UnixMillis::from(jiff::Timestamp::now());
    let ttl_ms = i64::try_from(ttl.as_millis()).context("the token would live too long")?;
    Ok(tokens.mint(&Grant {
        user_id: UserId(user_id),
        session_id: SessionId(Uuid::now_v7()),
        generation: 0,
        roles: vec!["buyer".to_owned()],
        issued_at,
        expires_at: issued_at.plus_ms(ttl_ms),
    })?)
}
