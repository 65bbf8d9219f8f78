//! The API as the demo's buyers and organizer see it: requests, and what an answer means to a client.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;

use super::connections::Connections;
use super::random::Random;
use crate::request::Answer;

/// Pauses that a client accepts from `Retry-After`.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(2);
/// How long a client goes on trying to get an answer to one request.
const PATIENCE: Duration = Duration::from_secs(20);

/// One request of a client.
pub(crate) struct Call<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) token: Cow<'a, str>,
    pub(crate) key: Option<String>,
    pub(crate) if_match: Option<String>,
    pub(crate) body: Option<Value>,
}

/// What came of it in the end.
pub(crate) enum Reply {
    /// 2xx.
    Done {
        /// The body.
        body: Value,
        /// The `ETag`, where one came.
        etag: Option<String>,
        /// When the attempt that was answered left.
        sent: Instant,
    },
    /// A final no, by its code.
    Refused {
        /// The problem's `code`.
        code: String,
        /// The problem's `detail`.
        detail: String,
        /// When to try again, where the answer says so.
        retry_after: Option<Duration>,
    },
    /// No answer within the client's patience.
    GaveUp,
}

#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

/// Sends a call, with the same key again and again while it may not have been answered for good: no connection, no
/// answer, overload, rate limit, or the same key still under way.
pub(crate) async fn send(
    connections: &Connections,
    call: &Call<'_>,
    random: &mut Random,
    mut on_retry: impl FnMut(),
) -> anyhow::Result<Reply> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let sent = Instant::now();
        let pause = match connections.send(request(call)?).await {
            Ok(answer) if answer.status().is_success() => {
                let etag = answer.headers().get("etag").and_then(|etag| etag.to_str().ok());
                return Ok(Reply::Done {
                    etag: etag.map(str::to_owned),
                    body: body(&answer)?,
                    sent,
                });
            }
            Ok(answer) => {
                let problem: Problem = serde_json::from_slice(answer.body()).unwrap_or_default();
                let retry_after = retry_after(&answer);
                if !may_be_sent_again(answer.status().as_u16(), &problem.code) {
                    return Ok(Reply::Refused {
                        code: if problem.code.is_empty() {
                            answer.status().as_u16().to_string()
                        } else {
                            problem.code
                        },
                        detail: problem.detail,
                        retry_after,
                    });
                }
                retry_after.unwrap_or(Duration::from_millis(100))
            }
            Err(_) => Duration::from_millis(50),
        };
        if Instant::now() > deadline {
            return Ok(Reply::GaveUp);
        }
        on_retry();
        tokio::time::sleep(pause.mul_f64(0.5 + random.unit())).await;
    }
}

/// Whether the answer leaves the outcome open. 409 is the sale's own refusal unless the key is still under way.
fn may_be_sent_again(status: u16, code: &str) -> bool {
    match status {
        429 | 502..=504 => true,
        409 => code.contains("in_flight") || code.contains("in_progress"),
        _ => false,
    }
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

fn body(answer: &Answer) -> anyhow::Result<Value> {
    if answer.body().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(answer.body()).context("the answer is not JSON")
}

fn request(call: &Call<'_>) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut request = Request::builder()
        .method(call.method)
        .uri(&call.path)
        .header(HOST, "localhost")
        .header(AUTHORIZATION, format!("Bearer {}", call.token));
    if let Some(key) = &call.key {
        request = request.header("idempotency-key", key);
    }
    if let Some(etag) = &call.if_match {
        request = request.header("if-match", etag);
    }
    let body = match &call.body {
        Some(body) => {
            request = request.header(CONTENT_TYPE, "application/json");
            Full::new(serde_json::to_vec(body)?.into())
        }
        None => Full::default(),
    };
    request.body(body).context("request")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_open_outcomes_are_sent_again() {
        for (status, code, again) in [
            (503, "overloaded", true),
            (429, "rate_limited", true),
            (409, "idempotency_key_in_flight", true),
            (409, "sold_out", false),
            (409, "all_held", false),
            (402, "payment_declined", false),
            (422, "idempotency_key_reused", false),
            (500, "internal", false),
        ] {
            assert_eq!(may_be_sent_again(status, code), again, "{status} {code}");
        }
    }
}
