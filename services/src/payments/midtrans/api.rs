//! Requests to Midtrans's Core API. What came of one stands in the body's `status_code`, not in HTTP's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::object::Transaction;
use crate::payments::http_client::{Answer, HttpClient};
use crate::payments::{ApiUrl, GatewayError};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why a request came to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// As for any provider.
    Gateway(GatewayError),
    /// There is no such transaction.
    Missing,
    /// Midtrans will not do this; its code.
    Refused(u16),
}

impl Failure {
    pub(super) fn into_error(self) -> GatewayError {
        match self {
            Self::Gateway(error) => error,
            Self::Missing => GatewayError::Rejected("no such transaction".to_owned()),
            Self::Refused(code) => GatewayError::Rejected(code.to_string()),
        }
    }
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        Self::Gateway(error)
    }
}

#[derive(Deserialize)]
struct Outcome {
    status_code: String,
}

pub(super) struct Api(HttpClient);

impl Api {
    pub(super) fn new(url: ApiUrl, server_key: &SecretString) -> Result<Self, GatewayError> {
        let unusable = |_| GatewayError::Rejected("the server key is no header value".to_owned());
        let credential = STANDARD.encode(format!("{}:", server_key.expose_secret()));
        let mut authorization = HeaderValue::try_from(format!("Basic {credential}")).map_err(unusable)?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(ACCEPT, JSON);
        HttpClient::new(url, headers).map(Self)
    }

    pub(super) async fn charge(&self, body: &Value) -> Result<Transaction, Failure> {
        self.post("/v2/charge", body).await
    }

    pub(super) async fn status(&self, order_id: &str) -> Result<Transaction, Failure> {
        let path = format!("/v2/{order_id}/status");
        read(&self.0.send(Method::GET, &path, &[], "").await?)
    }

    /// Takes what was set aside.
    pub(super) async fn capture(&self, body: &Value) -> Result<Transaction, Failure> {
        self.post("/v2/capture", body).await
    }

    /// `cancel`, `refund` or `refund/online/direct`.
    pub(super) async fn act(
        &self,
        order_id: &str,
        action: &str,
        body: &Value,
    ) -> Result<Transaction, Failure> {
        self.post(&format!("/v2/{order_id}/{action}"), body).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Transaction, Failure> {
        let answer = self.0.send(Method::POST, path, &[], body.to_string()).await?;
        read(&answer)
    }
}

fn read(answer: &Answer) -> Result<Transaction, Failure> {
    let outcome = serde_json::from_slice::<Outcome>(&answer.body).ok();
    let code = outcome
        .and_then(|outcome| outcome.status_code.parse().ok())
        .unwrap_or_else(|| answer.status.as_u16());
    match code {
        // Also a transaction that was denied or has expired is one that was found.
        200..=202 | 407 => serde_json::from_slice(&answer.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            tracing::error!(
                line,
                column,
                "an answer of Midtrans is not in the documented shape"
            );
            Failure::Gateway(GatewayError::Unknown)
        }),
        404 => Err(Failure::Missing),
        // The key or the account is no good, or too many at once: nothing happened, and later it may work.
        401 | 403 | 410 | 429 => Err(GatewayError::Unavailable(code.to_string()).into()),
        408 | 500.. => Err(GatewayError::Unknown.into()),
        400..=499 => Err(Failure::Refused(code)),
        _ => Err(GatewayError::Rejected(code.to_string()).into()),
    }
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;

    fn outcome(status: u16, body: &str) -> Result<Transaction, Failure> {
        read(&Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.to_owned().into(),
        })
    }

    #[test]
    fn the_body_says_what_came_of_it() {
        let found = r#"{"status_code":"407","transaction_id":"t","transaction_status":"expire","gross_amount":"1.00"}"#;
        assert!(outcome(200, found).is_ok());
        let missing = r#"{"status_code":"404","status_message":"Transaction doesn't exist."}"#;
        assert!(matches!(outcome(200, missing), Err(Failure::Missing)));
        let taken = r#"{"status_code":"406"}"#;
        assert!(matches!(outcome(200, taken), Err(Failure::Refused(406))));
    }

    #[test]
    fn only_what_certainly_did_not_happen_is_called_not_reached() {
        for (status, body) in [
            (500, ""),
            (502, "<html>"),
            (200, "<html>"),
            (200, r#"{"status_code":"500"}"#),
            (408, ""),
        ] {
            let error = outcome(status, body).unwrap_err().into_error();
            assert_eq!(error, GatewayError::Unknown, "{status} {body}");
        }
        for (status, body) in [(429, ""), (401, ""), (200, r#"{"status_code":"401"}"#)] {
            let error = outcome(status, body).unwrap_err().into_error();
            assert!(matches!(error, GatewayError::Unavailable(_)), "{status} {body}");
        }
        assert!(matches!(
            outcome(302, "").unwrap_err().into_error(),
            GatewayError::Rejected(_)
        ));
    }
}
