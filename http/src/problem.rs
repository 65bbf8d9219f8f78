//! Problem details (RFC 9457): the one shape of every error.
//!
//! A handler answers a [`Problem`] as a value; the edge (`edge/`) writes it, because only there the request's id and
//! the clock are at hand.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use onsale_domain::UnixMillis;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::answer::HEADERS;
use crate::codes::Code;

/// Set on an answer that repeats an earlier one.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// When trying again makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// After so many seconds.
    InSeconds(u64),
    /// Not before an instant.
    At(UnixMillis),
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct FieldError {
    /// JSON pointer to it in the body; empty for the body as a whole.
    pub(crate) pointer: String,
    /// What is wrong with it.
    pub(crate) detail: String,
}

/// A further member of a problem, for clients to act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Extra {
    /// A count.
    Number(u64),
    /// An instant or a word.
    Text(String),
}

/// An error as it will be answered.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    detail: Option<String>,
    retry: Option<Retry>,
    errors: Vec<FieldError>,
    extras: Vec<(&'static str, Extra)>,
    replayed: bool,
}

impl Problem {
    /// A problem that says no more than its code.
    pub(crate) const fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            retry: None,
            errors: Vec::new(),
            extras: Vec::new(),
            replayed: false,
        }
    }

    /// A request that breaks a rule at one place.
    pub(crate) fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let error = FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        };
        let mut problem = Self::new(Code::ValidationFailed).detail(error.detail.clone());
        problem.errors.push(error);
        problem
    }

    /// Says more, for people.
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub(crate) const fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Adds a number for clients to act on.
    #[must_use]
    pub(crate) fn number(mut self, name: &'static str, value: impl Into<u64>) -> Self {
        self.extras.push((name, Extra::Number(value.into())));
        self
    }

    /// Adds an instant or a word for clients to act on.
    #[must_use]
    pub(crate) fn text(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.extras.push((name, Extra::Text(value.to_string())));
        self
    }

    /// Marks the answer as a repeat.
    #[must_use]
    pub(crate) const fn replayed(mut self, replayed: bool) -> Self {
        self.replayed = replayed;
        self
    }

    /// Writes the problem into a response, which keeps the headers that do not describe its body: `Allow`, and what
    /// browsers of other sites need to read the problem.
    pub(crate) fn write(
        &self,
        request_id: &str,
        now: UnixMillis,
        mut response: Response<Body>,
    ) -> Response<Body> {
        let body = serde_json::to_vec(&Document {
            problem: self,
            request_id,
        })
        .unwrap_or_default();
        let kept = std::mem::take(response.headers_mut());
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.code.status_code();
        *response.headers_mut() = kept;
        let headers = response.headers_mut();
        headers.reserve(HEADERS);
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        if let Some(retry) = self.retry {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry.seconds(now)));
        }
        if self.code.status_code() == StatusCode::UNAUTHORIZED {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"onsale\""),
            );
        }
        if self.replayed {
            headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

impl Retry {
    /// Whole seconds from now, rounded up, at least one.
    fn seconds(self, now: UnixMillis) -> u64 {
        match self {
            Self::InSeconds(seconds) => seconds.max(1),
            Self::At(at) => {
                let wait_ms = u64::try_from(at.ms_since(now)).unwrap_or_default();
                wait_ms.div_ceil(1_000).max(1)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status_code();
        response.extensions_mut().insert(self);
        response
    }
}

/// A problem with what only the edge knows.
struct Document<'a> {
    problem: &'a Problem,
    request_id: &'a str,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Problem {
            code,
            detail,
            errors,
            extras,
            ..
        } = self.problem;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &TypeUri(*code))?;
        map.serialize_entry("title", code.title())?;
        map.serialize_entry("status", &code.status())?;
        map.serialize_entry("detail", detail.as_deref().unwrap_or(code.title()))?;
        map.serialize_entry("code", code.as_str())?;
        map.serialize_entry("request_id", self.request_id)?;
        map.serialize_entry("errors", errors)?;
        for (name, value) in extras {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

struct TypeUri(Code);

impl Serialize for TypeUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("urn:onsale:problem:{}", self.0.as_str()))
    }
}

/// The shape of problems, for the `OpenAPI` document.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemSchema {
    /// `urn:onsale:problem:<code>`.
    r#type: String,
    /// What the code means, in few words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened, for people.
    detail: String,
    /// The stable name of the error.
    code: String,
    /// The id of the request, also in `X-Request-Id`.
    request_id: String,
    /// What is wrong with the request, place by place.
    errors: Vec<FieldError>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_round_up_to_whole_seconds() {
        let now = UnixMillis(10_000);
        for (retry, seconds) in [
            (Retry::InSeconds(0), 1),
            (Retry::InSeconds(7), 7),
            (Retry::At(UnixMillis(9_000)), 1),
            (Retry::At(UnixMillis(10_001)), 1),
            (Retry::At(UnixMillis(12_001)), 3),
        ] {
            assert_eq!(retry.seconds(now), seconds, "{retry:?}");
        }
    }

    #[test]
    fn a_problem_says_all_of_rfc_9457_and_ours() {
        let problem = Problem::invalid("/lines/0/quantity", "out of range").number("limit", 4_u32);
        let text = serde_json::to_string(&Document {
            problem: &problem,
            request_id: "r1",
        })
        .unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"type":"urn:onsale:problem:validation_failed","title":"The request is not acceptable","#,
                r#""status":422,"detail":"out of range","code":"validation_failed","request_id":"r1","#,
                r#""errors":[{"pointer":"/lines/0/quantity","detail":"out of range"}],"limit":4}"#
            )
        );
    }
}
