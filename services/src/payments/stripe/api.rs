//! Requests to Stripe's API, and what its answers mean for whoever sent them.

use form_urlencoded::Serializer;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::object::{ErrorBody, Intent, List, Refund};
use crate::payments::http_client::{Answer, HttpClient};
use crate::payments::{ApiUrl, GatewayError};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Set by Stripe on an answer that it gave before.
const IDEMPOTENT_REPLAYED: &str = "idempotent-replayed";
/// The version of the API that this is written for; what the account's default is does not matter then.
const STRIPE_VERSION: (&str, &str) = ("stripe-version", "2024-06-20");
/// Refunds on one page, and pages at most: an order has fewer tickets than that.
const REFUNDS_PER_PAGE: &str = "100";
const REFUND_PAGES_MAX: usize = 5;

/// Why a request came to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// As for any provider.
    Gateway(GatewayError),
    /// There is nothing by this id.
    Missing,
    /// Stripe will not do this: the card was declined, the object is in another state, or a parameter is no good.
    Refused(String),
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        Self::Gateway(error)
    }
}

impl Failure {
    /// What it means where nothing better can be made of it.
    pub(super) fn into_error(self) -> GatewayError {
        match self {
            Self::Gateway(error) => error,
            Self::Missing => GatewayError::Rejected("nothing by this id".to_owned()),
            Self::Refused(reason) => GatewayError::Rejected(reason),
        }
    }
}

/// An object, and whether Stripe made it for an earlier request under the same key.
pub(super) struct Made<T> {
    pub(super) object: T,
    pub(super) replayed: bool,
}

pub(super) type Fields<'a> = &'a [(&'a str, &'a str)];

pub(super) struct Api(HttpClient);

impl Api {
    pub(super) fn new(url: ApiUrl, secret_key: &SecretString) -> Result<Self, GatewayError> {
        let unusable = |_| GatewayError::Rejected("the secret key is no header value".to_owned());
        let bearer = format!("Bearer {}", secret_key.expose_secret());
        let mut authorization = HeaderValue::try_from(bearer).map_err(unusable)?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(
            HeaderName::from_static(STRIPE_VERSION.0),
            HeaderValue::from_static(STRIPE_VERSION.1),
        );
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        HttpClient::new(url, headers).map(Self)
    }

    pub(super) async fn create_intent(&self, key: &str, fields: Fields<'_>) -> Result<Made<Intent>, Failure> {
        let answer = self.post("/v1/payment_intents", Some(key), fields).await?;
        let replayed = answer.headers.contains_key(IDEMPOTENT_REPLAYED);
        let object = read(&answer)?;
        Ok(Made { object, replayed })
    }

    pub(super) async fn intent(&self, id: &str) -> Result<Intent, Failure> {
        let query = [("expand[]", "latest_charge")];
        let path = format!("/v1/payment_intents/{}", segment(id));
        read(&self.get(&path, &query).await?)
    }

    /// `confirm`, `capture` or `cancel`.
    pub(super) async fn act(
        &self,
        id: &str,
        action: &str,
        key: Option<&str>,
        fields: Fields<'_>,
    ) -> Result<Intent, Failure> {
        let path = format!("/v1/payment_intents/{}/{action}", segment(id));
        let fields: Vec<_> = fields
            .iter()
            .copied()
            .chain([("expand[]", "latest_charge")])
            .collect();
        read(&self.post(&path, key, &fields).await?)
    }

    /// Intents by a word of their metadata. Stripe takes up to a minute to find what is new.
    pub(super) async fn search_intents(&self, name: &str, value: &str) -> Result<Vec<Intent>, Failure> {
        let query = format!("metadata['{name}']:'{value}'");
        let fields = [
            ("query", query.as_str()),
            ("limit", "10"),
            ("expand[]", "data.latest_charge"),
        ];
        let found: List<Intent> = read(&self.get("/v1/payment_intents/search", &fields).await?)?;
        Ok(found.data)
    }

    pub(super) async fn create_refund(&self, key: &str, fields: Fields<'_>) -> Result<Refund, Failure> {
        read(&self.post("/v1/refunds", Some(key), fields).await?)
    }

    /// The refund of an intent whose metadata says so.
    pub(super) async fn find_refund(
        &self,
        intent: &str,
        name: &str,
        value: &str,
    ) -> Result<Option<Refund>, Failure> {
        let mut after = None::<String>;
        for _ in 0..REFUND_PAGES_MAX {
            let mut query = vec![("payment_intent", intent), ("limit", REFUNDS_PER_PAGE)];
            query.extend(after.as_deref().map(|after| ("starting_after", after)));
            let page: List<Refund> = read(&self.get("/v1/refunds", &query).await?)?;
            let last = page.data.last().map(|refund| refund.id.clone());
            let found = page
                .data
                .into_iter()
                .find(|refund| refund.metadata.get(name).is_some_and(|text| text == value));
            match (found, page.has_more, last) {
                (Some(refund), ..) => return Ok(Some(refund)),
                (None, true, Some(last)) => after = Some(last),
                (None, ..) => return Ok(None),
            }
        }
        Err(Failure::Refused("too many refunds of one payment".to_owned()))
    }

    /// Asks for something small that every key may see.
    pub(super) async fn probe(&self) -> Result<(), Failure> {
        let page = self.get("/v1/payment_intents", &[("limit", "1")]).await?;
        read::<List<IgnoredAny>>(&page).map(drop)
    }

    async fn get(&self, path: &str, query: Fields<'_>) -> Result<Answer, Failure> {
        let path = format!("{path}?{}", form(query));
        Ok(self.0.send(Method::GET, &path, &[], "").await?)
    }

    async fn post(&self, path: &str, key: Option<&str>, fields: Fields<'_>) -> Result<Answer, Failure> {
        let mut headers = Vec::new();
        if let Some(key) = key {
            let value = HeaderValue::from_str(key)
                .map_err(|_| GatewayError::Rejected("the key is no header value".to_owned()))?;
            headers.push((IDEMPOTENCY_KEY, value));
        }
        Ok(self.0.send(Method::POST, path, &headers, form(fields)).await?)
    }
}

fn form(fields: Fields<'_>) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// An id as one segment of a path, whatever is in it.
fn segment(id: &str) -> String {
    form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    if answer.status.is_success() {
        return serde_json::from_slice(&answer.body).map_err(|error| {
            // The place, not the text: that may hold what nobody should read.
            let (line, column) = (error.line(), error.column());
            tracing::error!(
                line,
                column,
                "an answer of Stripe is not in the shape of its version"
            );
            Failure::Gateway(GatewayError::Unknown)
        });
    }
    let reason = || {
        let body: ErrorBody = serde_json::from_slice(&answer.body).unwrap_or_default();
        format!("{}: {}", answer.status.as_u16(), body.error.reason())
    };
    Err(match answer.status {
        // Too many at once, or a key that is no good: this payment was not looked at, and later it may work.
        StatusCode::TOO_MANY_REQUESTS | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            GatewayError::Unavailable(reason()).into()
        }
        // Another request under the key, or on the object, is at work.
        StatusCode::CONFLICT | StatusCode::REQUEST_TIMEOUT => GatewayError::Unknown.into(),
        StatusCode::NOT_FOUND => Failure::Missing,
        status if status.is_client_error() => {
            let body: ErrorBody = serde_json::from_slice(&answer.body).unwrap_or_default();
            Failure::Refused(body.error.reason())
        }
        status if status.is_server_error() => GatewayError::Unknown.into(),
        _ => GatewayError::Rejected(reason()).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> Failure {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.to_owned().into(),
        };
        read::<Intent>(&answer).unwrap_err()
    }

    #[test]
    fn only_what_certainly_did_not_happen_is_called_not_reached() {
        for (status, expected) in [
            (302, "the payment provider refuses: 302: no reason given"),
            (
                401,
                "the payment provider cannot be reached: 401: no reason given",
            ),
            (
                403,
                "the payment provider cannot be reached: 403: no reason given",
            ),
            (408, "no answer from the payment provider"),
            (409, "no answer from the payment provider"),
            (
                429,
                "the payment provider cannot be reached: 429: no reason given",
            ),
            (500, "no answer from the payment provider"),
            (503, "no answer from the payment provider"),
            (200, "no answer from the payment provider"),
        ] {
            let error = refused(status, "<html>").into_error();
            assert_eq!(error.to_string(), expected, "{status}");
        }
        assert!(matches!(refused(404, "{}"), Failure::Missing));
    }

    #[test]
    fn a_refusal_is_told_by_its_code_and_never_by_its_message() {
        let body = r#"{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such pm_1"}}"#;
        assert!(matches!(refused(400, body), Failure::Refused(reason) if reason == "resource_missing"));
        let body = r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"stolen_card"}}"#;
        assert!(matches!(refused(402, body), Failure::Refused(reason) if reason == "stolen_card"));
    }

    #[test]
    fn an_id_stays_within_its_segment() {
        assert_eq!(segment("pi_3Nabc"), "pi_3Nabc");
        assert_eq!(segment("../refunds?x=1"), "..%2Frefunds%3Fx%3D1");
    }
}
