//! One request over a goose user's connection, and what was answered.

use std::time::Duration;

use goose::prelude::{GooseMethod, GooseRequest, GooseUser, TransactionError};
use serde_json::Value;

/// Longest answer that is kept in full; longer ones are read and count as no JSON.
const KEPT_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// A request that is being put together. Not `Debug`: it holds a token, and some bodies a password.
#[derive(Clone)]
pub(crate) struct Call {
    method: GooseMethod,
    path: String,
    token: Option<String>,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Call {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(GooseMethod::Get, path)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(GooseMethod::Post, path)
    }

    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self::new(GooseMethod::Put, path)
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(GooseMethod::Delete, path)
    }

    fn new(method: GooseMethod, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            token: None,
            headers: vec![],
            body: None,
        }
    }

    /// As whom.
    pub(crate) fn by(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Under an idempotency key.
    pub(crate) fn key(self, key: impl Into<String>) -> Self {
        self.header("idempotency-key", key)
    }

    /// Only if the event is still at this version.
    pub(crate) fn if_match(self, tag: impl Into<String>) -> Self {
        self.header("if-match", tag)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(body.to_string())
    }

    /// A body that claims to be JSON.
    pub(crate) fn text(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Method and path, as errors tell it.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Sends it once. Errors: no answer, or half of one.
    pub(crate) async fn send(&self, user: &mut GooseUser, step: &str) -> Result<Answer, String> {
        let mut builder = user
            .get_request_builder(&self.method, &self.path)
            .map_err(|error| failed(*error))?;
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        for (name, value) in &self.headers {
            builder = builder.header(*name, value);
        }
        if let Some(body) = &self.body {
            builder = builder
                .header("content-type", "application/json")
                .body(body.clone());
        }
        let request = GooseRequest::builder()
            .name(step)
            .set_request_builder(builder)
            .build();
        let answered = user.request(request).await.map_err(|error| failed(*error))?;
        let response = answered.response.map_err(|error| failed(error.into()))?;
        let header = |name| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let (status, etag) = (response.status().as_u16(), header("etag"));
        let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
        let replayed = header("idempotency-replayed").is_some();
        let body = response.bytes().await.map_err(|error| failed(error.into()))?;
        let kept = if body.len() <= KEPT_BYTES_MAX {
            &body[..]
        } else {
            &[]
        };
        Ok(Answer {
            status,
            etag,
            retry_after: retry_after.map(Duration::from_secs),
            replayed,
            body: serde_json::from_slice(kept).unwrap_or_default(),
        })
    }
}

/// Why there was no answer, without the address: it holds ids, and errors are counted by their text.
fn failed(error: TransactionError) -> String {
    match error {
        TransactionError::Reqwest(error) if error.is_timeout() => "timed out".to_owned(),
        TransactionError::Reqwest(error) if error.is_connect() => "no connection".to_owned(),
        TransactionError::Reqwest(error) => error.without_url().to_string(),
        error => error.to_string(),
    }
}

/// What came back. Not `Debug`: some bodies hold tokens, or codes of tickets.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    /// When to come back, where it is said.
    pub(crate) retry_after: Option<Duration>,
    /// Whether it was told before, under the same key.
    pub(crate) replayed: bool,
    /// Null where it is no JSON.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The problem's code, or the bare status.
    pub(crate) fn code(&self) -> String {
        match self.body["code"].as_str() {
            Some(code) => code.to_owned(),
            None => format!("status_{}", self.status),
        }
    }

    /// Whether it leaves open what became of the request, so that it may be sent again under the same key.
    pub(crate) fn is_open(&self) -> bool {
        match self.status {
            429 | 502..=504 => true,
            409 => self.body["code"] == "idempotency_in_flight",
            _ => false,
        }
    }

    /// One text of the body, or nothing.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_open_outcomes_are_sent_again() {
        for (status, code, open) in [
            (503, "overloaded", true),
            (429, "rate_limited", true),
            (409, "idempotency_in_flight", true),
            (409, "sold_out", false),
            (422, "idempotency_key_reused", false),
            (500, "internal", false),
            (201, "", false),
        ] {
            let answer = Answer {
                status,
                body: json!({ "code": code }),
                ..Answer::default()
            };
            assert_eq!(answer.is_open(), open, "{status} {code}");
        }
    }

    #[test]
    fn an_answer_without_a_code_is_named_by_its_status() {
        let answer = Answer {
            status: 500,
            ..Answer::default()
        };
        assert_eq!(answer.code(), "status_500");
    }
}
