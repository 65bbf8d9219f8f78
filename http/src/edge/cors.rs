//! Which other sites' scripts may read our answers: exact origins and no patterns.

use std::str::FromStr;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method};
use thiserror::Error;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::X_REQUEST_ID;
use crate::problem::IDEMPOTENCY_REPLAYED;
use crate::rate_limit::{RATELIMIT, RATELIMIT_POLICY};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// How long a browser may remember what it was allowed.
const REMEMBERED: Duration = Duration::from_mins(10);

/// A site whose scripts may read our answers, as browsers write it: `https://shop.example`, with a port where it is
/// not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsOrigin(HeaderValue);

/// The text is not what a browser sends as an origin.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not an origin such as https://shop.example")]
pub struct NotAnOrigin;

impl FromStr for CorsOrigin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(NotAnOrigin)?;
        // The scheme's own port is never sent.
        let own_port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return Err(NotAnOrigin),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            Some(_) | None => (authority, None),
        };
        let is_host = |byte: u8| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || matches!(byte, b'-' | b'.' | b'[' | b']' | b':')
        };
        let host_is_fine = !host.is_empty() && host.bytes().all(is_host);
        let port_is_fine = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if !host_is_fine || !port_is_fine || authority.ends_with(own_port) {
            return Err(NotAnOrigin);
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| NotAnOrigin)
    }
}

/// Lets scripts of these origins in; nothing where there are none. No cookies: who asks is in `Authorization`.
pub(crate) fn layer(origins: &[CorsOrigin]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = origins.iter().map(|origin| origin.0.clone());
    Some(
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([
                Method::GET,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_headers([
                AUTHORIZATION,
                CONTENT_TYPE,
                IDEMPOTENCY_KEY,
                IF_MATCH,
                X_REQUEST_ID,
            ])
            .expose_headers([
                ETAG,
                RETRY_AFTER,
                RATELIMIT,
                RATELIMIT_POLICY,
                IDEMPOTENCY_REPLAYED,
                X_REQUEST_ID,
                LOCATION,
            ])
            .max_age(REMEMBERED),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_browser_sends_is_an_origin() {
        for fine in [
            "https://shop.example",
            "http://localhost:3000",
            "https://[2001:db8::1]",
            "https://[2001:db8::1]:8443",
        ] {
            assert!(fine.parse::<CorsOrigin>().is_ok(), "{fine}");
        }
        for wrong in [
            "*",
            "null",
            "shop.example",
            "https://*.example",
            "https://shop.example/",
            "https://Shop.example",
            "https://shop.example:443",
            "http://shop.example:80",
            "https://user@shop.example",
            "https://shop.example:x",
            "https://",
            "ftp://shop.example",
        ] {
            assert_eq!(wrong.parse::<CorsOrigin>(), Err(NotAnOrigin), "{wrong}");
        }
    }
}
