//! Request ids: the caller's own where it is harmless, else one that no other request of the deployment has.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use tokio::task::futures::TaskLocalFuture;
use uuid::Uuid;

/// Longest id that is taken over from a caller.
const CALLERS_BYTES_MAX: usize = 64;

/// Work that knows which request it belongs to.
pub(super) type Known<F> = TaskLocalFuture<RequestId, F>;

/// Makes request ids: a random part for each process, then a counter.
pub(crate) struct RequestIds {
    process: u64,
    counter: AtomicU64,
}

tokio::task_local! {
    /// The request at hand. Its extensions would have to grow for it.
    static AT_HAND: RequestId;
}

/// The id of one request.
#[derive(Clone, Debug)]
pub(crate) enum RequestId {
    /// One of ours, as hexadecimal digits.
    Ours([u8; 32]),
    /// The caller's own.
    Callers(HeaderValue),
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        let (_, random) = Uuid::now_v7().as_u64_pair();
        Self {
            process: random,
            counter: AtomicU64::new(0),
        }
    }

    /// The id of a request that came with this `X-Request-Id`.
    pub(crate) fn of(&self, callers: Option<&HeaderValue>) -> RequestId {
        match callers {
            Some(callers) if is_harmless(callers.as_bytes()) => RequestId::Callers(callers.clone()),
            Some(_) | None => self.next(),
        }
    }

    fn next(&self) -> RequestId {
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        let mut text = [0; 32];
        let id = (u128::from(self.process) << 64) | u128::from(count);
        for (position, digit) in text.iter_mut().enumerate() {
            let nibble = (id >> (124 - 4 * position)) & 15;
            *digit = b"0123456789abcdef"[usize::try_from(nibble).unwrap_or_default()];
        }
        RequestId::Ours(text)
    }
}

impl RequestId {
    /// The id of the request at hand; nothing outside of one.
    pub(crate) fn at_hand() -> Option<Self> {
        AT_HAND.try_with(Clone::clone).ok()
    }

    /// Lets work know that it belongs to this request.
    pub(super) fn known_to<F: Future>(self, work: F) -> Known<F> {
        AT_HAND.scope(self, work)
    }

    pub(crate) fn as_str(&self) -> &str {
        let text = match self {
            Self::Ours(digits) => std::str::from_utf8(digits).ok(),
            Self::Callers(header) => header.to_str().ok(),
        };
        text.unwrap_or("unknown")
    }

    pub(crate) fn to_header(&self) -> HeaderValue {
        match self {
            Self::Ours(digits) => {
                HeaderValue::from_bytes(digits).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
            }
            Self::Callers(header) => header.clone(),
        }
    }
}

fn is_harmless(id: &[u8]) -> bool {
    (1..=CALLERS_BYTES_MAX).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_harmless_ones_are_kept() {
        let ids = RequestIds::new();
        let (first, second) = (ids.of(None), ids.of(None));
        assert_eq!(first.as_str().len(), 32);
        assert_ne!(first.as_str(), second.as_str());
        let callers = HeaderValue::from_static("trace-1.a_b");
        assert_eq!(ids.of(Some(&callers)).as_str(), "trace-1.a_b");
        for bad in ["", "a b", "<script>"] {
            assert_ne!(ids.of(Some(&HeaderValue::from_static(bad))).as_str(), bad);
        }
        let long = HeaderValue::from_str(&"a".repeat(65)).unwrap();
        assert_eq!(ids.of(Some(&long)).as_str().len(), 32);
    }
}
