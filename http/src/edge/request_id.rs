//! Request ids: the caller's own where it is harmless, else one that no other request of the deployment has.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use uuid::Uuid;

/// Longest id that is taken over from a caller.
const CALLERS_BYTES_MAX: usize = 64;

/// Makes request ids: a random part for each process, then a counter.
pub(crate) struct RequestIds {
    process: u64,
    counter: AtomicU64,
}

/// The id of one request.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

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
            Some(callers) if is_harmless(callers.as_bytes()) => RequestId(callers.clone()),
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
        RequestId(HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("unknown")))
    }
}

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("unknown")
    }

    pub(crate) fn into_header(self) -> HeaderValue {
        self.0
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
