//! Request ids: the caller's own where it is harmless, else one that no other request of the deployment has.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use onsale_services::at_hand::RequestId;
use uuid::Uuid;

/// Makes request ids: a random part for each process, then a counter.
pub(crate) struct RequestIds {
    process: u64,
    counter: AtomicU64,
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
        callers
            .and_then(|callers| RequestId::parse(callers.as_bytes()))
            .unwrap_or_else(|| self.next())
    }

    fn next(&self) -> RequestId {
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        RequestId::of_number((u128::from(self.process) << 64) | u128::from(count))
    }
}

pub(super) fn to_header(id: &RequestId) -> HeaderValue {
    HeaderValue::from_str(id.as_str()).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
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
