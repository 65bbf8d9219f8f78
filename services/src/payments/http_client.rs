//! How gateways speak HTTP: one small client with every wait and every answer bounded.
//!
//! It follows no redirect, reads no proxy from the environment and keeps no cookie, by having none of these. TLS is
//! rustls on aws-lc with the certificates that the machine trusts.

use std::error::Error as _;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs::default_provider;
use thiserror::Error;

use super::GatewayError;

/// Longest wait for a connection, below every patience with an attempt: who cannot be reached was not asked.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Longest wait for a whole answer, whoever else watches the time.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Idle connections are closed before a provider's load balancer does it under a request.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Idle connections that are kept.
const IDLE_CONNECTIONS_MAX: usize = 32;
/// Bytes of an answer. A page of a hundred refunds is far below it.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// The address of a provider's API: `https`, or `http` on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrl(String);

/// A text that is no address to send secrets to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("neither an https address nor an http address of this machine")]
pub struct NotAnApiUrl;

impl FromStr for ApiUrl {
    type Err = NotAnApiUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| NotAnApiUrl)?;
        let host = uri.host().unwrap_or_default();
        let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let is_safe = match uri.scheme_str() {
            Some("https") => !host.is_empty(),
            Some("http") => is_here,
            _ => false,
        };
        let is_bare = uri.query().is_none() && !text.contains(['@', '#']);
        if is_safe && is_bare {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(NotAnApiUrl)
        }
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A whole answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A provider's API, and the credential that goes with every request.
pub(super) struct HttpClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: ApiUrl,
    headers: HeaderMap,
}

impl HttpClient {
    /// A client that sends these headers with every request. Nothing is connected yet.
    pub(super) fn new(base: ApiUrl, mut headers: HeaderMap) -> Result<Self, GatewayError> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(default_provider())
            .map_err(|error| GatewayError::Unavailable(format!("no certificates to trust: {error}")))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(connector);
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("onsale/", env!("CARGO_PKG_VERSION"))),
        );
        Ok(Self {
            client,
            base,
            headers,
        })
    }

    /// Sends a request and reads its whole answer.
    ///
    /// Errors: [`GatewayError::Unavailable`] where the peer was not reached, [`GatewayError::Unknown`] where its
    /// answer is missing or cut off.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, GatewayError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .body(Full::new(body.into()))
            .map_err(|_| GatewayError::Rejected("a request that cannot be written".to_owned()))?;
        request.headers_mut().clone_from(&self.headers);
        for (name, value) in headers {
            request.headers_mut().insert(name, value.clone());
        }
        match tokio::time::timeout(ANSWER_WITHIN, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(GatewayError::Unknown),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, GatewayError> {
        let response = self.client.request(request).await.map_err(|error| {
            if error.is_connect() {
                let cause = error.source().map(ToString::to_string);
                GatewayError::Unavailable(cause.unwrap_or_else(|| error.to_string()))
            } else {
                tracing::debug!(%error, "a payment provider's answer was lost");
                GatewayError::Unknown
            }
        })?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|error| {
                tracing::debug!(error, "a payment provider's answer was cut off");
                GatewayError::Unknown
            })?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_over_tls_or_stay_on_this_machine() {
        for good in [
            "https://api.stripe.com",
            "https://api.stripe.com/",
            "http://127.0.0.1:8420",
            "http://[::1]:8420",
            "http://localhost:1/base",
        ] {
            let url: ApiUrl = good.parse().unwrap();
            assert_eq!(url.to_string(), good.trim_end_matches('/'));
        }
        for bad in [
            "",
            "api.stripe.com",
            "http://api.stripe.com",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
            "https://user:password@api.stripe.com",
            "https://api.stripe.com?x=1",
            "ftp://localhost",
            "https://",
        ] {
            assert_eq!(bad.parse::<ApiUrl>(), Err(NotAnApiUrl), "{bad}");
        }
    }
}
