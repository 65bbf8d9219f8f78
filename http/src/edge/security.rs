//! Headers that keep browsers from doing more with an answer than was meant.
//!
//! There is no `Strict-Transport-Security` here: TLS ends at a proxy, the host's name is that proxy's, and so is the
//! promise that all of the name speaks TLS.

use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request};

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// What a JSON document may load and be part of: nothing.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Where passwords and tokens come and go.
const AUTH_PATHS: &str = "/v1/auth/";
/// Headers that the edge adds, so that the map grows once.
const ADDED_MAX: usize = 8;

/// Whether nobody but the caller may keep the answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// It was asked for with a token, or is about one.
    Caller,
    /// Anybody gets the same.
    Anybody,
}

impl Audience {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let asked_with_token = request.headers().contains_key(AUTHORIZATION);
        if asked_with_token || request.uri().path().starts_with(AUTH_PATHS) {
            Self::Caller
        } else {
            Self::Anybody
        }
    }
}

/// Adds what every answer has.
pub(super) fn protect(headers: &mut HeaderMap, audience: Audience) {
    headers.reserve(ADDED_MAX);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // What origins of our choice may read, they read by CORS, which this does not touch.
    headers.insert(
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    // The reference page has a policy of its own.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(NOTHING);
    if audience == Audience::Caller {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
