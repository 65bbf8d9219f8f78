//! What is left of a limit, as answers tell it: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-
//! headers-10).
//!
//! The limit is spent by an extractor and told by the edge, which is the other side of the router. Between them the
//! request's task remembers it, because a request's extensions do not come back with its answer and would cost two
//! allocations.

use std::cell::Cell;
use std::io::Write as _;
use std::pin::Pin;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::task::futures::TaskLocalFuture;

pub(crate) const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Room for a policy's name and three numbers.
const VALUE_BYTES_MAX: usize = 64;

tokio::task_local! {
    static NOTED: Cell<Option<Allowance>>;
}

/// What is left of one limit.
#[derive(Clone, Debug)]
pub(crate) struct Allowance {
    /// The policy as its header says it.
    pub(super) policy: HeaderValue,
    pub(super) name: &'static str,
    /// Requests that would be admitted now.
    pub(super) remaining: u32,
    /// Until everything will have come back.
    pub(super) whole_in: Duration,
}

impl Allowance {
    /// Has the answer to the request at hand tell of this. Of several the one that will be used up first is told.
    pub(super) fn note(self) {
        // Outside of a request there is nobody to tell.
        let _ = NOTED.try_with(|noted| {
            let tightest = match noted.take() {
                Some(earlier) if earlier.remaining <= self.remaining => earlier,
                Some(_) | None => self,
            };
            noted.set(Some(tightest));
        });
    }

    /// Tells it.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let seconds = whole_seconds(self.whole_in);
        if let Some(value) = value(format_args!("\"{}\";r={};t={seconds}", self.name, self.remaining)) {
            headers.insert(RATELIMIT_POLICY, self.policy);
            headers.insert(RATELIMIT, value);
        }
    }
}

/// A policy's header: the requests of a burst and the seconds in which they come back.
pub(super) fn policy(name: &str, burst: u32, window: Duration) -> Option<HeaderValue> {
    let seconds = whole_seconds(window).max(1);
    value(format_args!("\"{name}\";q={burst};w={seconds}"))
}

/// The work of a request, which may note what is left.
pub(crate) type Noting<F> = TaskLocalFuture<Cell<Option<Allowance>>, F>;

/// Lets the work of a request note what is left.
pub(crate) fn noting<F: Future>(work: F) -> Noting<F> {
    NOTED.scope(Cell::new(None), work)
}

/// What was noted by work that is done.
pub(crate) fn noted<F: Future>(work: Pin<&mut Noting<F>>) -> Option<Allowance> {
    work.take_value().and_then(Cell::into_inner)
}

/// A header's value with a single allocation.
fn value(text: std::fmt::Arguments<'_>) -> Option<HeaderValue> {
    let mut buffer = [0; VALUE_BYTES_MAX];
    let mut rest = &mut buffer[..];
    rest.write_fmt(text).ok()?;
    let written = VALUE_BYTES_MAX - rest.len();
    HeaderValue::from_bytes(&buffer[..written]).ok()
}

/// Rounded up: who comes back earlier would be refused.
pub(super) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    fn allowance(name: &'static str, remaining: u32) -> Allowance {
        Allowance {
            policy: policy(name, 100, Duration::from_secs(2)).unwrap(),
            name,
            remaining,
            whole_in: Duration::from_millis(1_001),
        }
    }

    #[tokio::test]
    async fn the_limit_that_ends_first_is_told() {
        let mut work = pin!(noting(async {
            allowance("wide", 50).note();
            allowance("tight", 7).note();
            allowance("other", 9).note();
        }));
        work.as_mut().await;
        let mut headers = HeaderMap::new();
        noted(work).unwrap().write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"tight\";q=100;w=2");
        assert_eq!(headers["ratelimit"], "\"tight\";r=7;t=2");
    }

    #[tokio::test]
    async fn a_request_without_a_limit_tells_of_none() {
        let mut work = pin!(noting(async {}));
        work.as_mut().await;
        assert!(noted(work).is_none());
        allowance("nobody", 1).note();
    }
}
