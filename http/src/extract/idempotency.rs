//! The `Idempotency-Key` header.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::codes::Code;
use crate::problem::Problem;

/// Bytes of a key.
const KEY_BYTES_MAX: usize = 255;

/// The caller's name for one attempt: 1 to 255 visible ASCII characters.
#[derive(Clone, Debug)]
pub(crate) struct IdempotencyKey(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut keys = parts.headers.get_all("idempotency-key").iter();
        let Some(key) = keys.next() else {
            return Err(Problem::new(Code::IdempotencyKeyMissing));
        };
        match key.to_str() {
            Ok(key) if keys.next().is_none() && is_key(key) => Ok(Self(key.to_owned())),
            Ok(_) | Err(_) => Err(Problem::new(Code::IdempotencyKeyInvalid)),
        }
    }
}

/// The same on routes where a key is welcome and not needed.
#[derive(Clone, Debug)]
pub(crate) struct OptionalKey(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if !parts.headers.contains_key("idempotency-key") {
            return Ok(Self(None));
        }
        let IdempotencyKey(key) = IdempotencyKey::from_request_parts(parts, state).await?;
        Ok(Self(Some(key)))
    }
}

fn is_key(key: &str) -> bool {
    (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_and_visible() {
        assert!(is_key("a") && is_key(&"k".repeat(255)));
        assert!(!is_key("") && !is_key(&"k".repeat(256)) && !is_key("a b") && !is_key("a\tb"));
    }
}
