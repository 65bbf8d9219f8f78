//! Which requests are traced, and what their first span says.
//!
//! Strangers must not decide what we trace. What `traceparent` says of sampling counts only where the peer is one of our own
//! proxies, and even then only so often a second, because many proxies pass on what they were sent. Of all others a share
//! is drawn by lot, and a stranger's span is linked to, not joined.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::http::Extensions;
use onsale_domain::UnixMillis;
use onsale_services::trace::{OpenSpan, Tracer};

use super::log::{Outcome, name};
use super::trace_parent::TraceParent;
use crate::codes::Code;
use crate::rate_limit::{Peer, ProxyNetwork};

/// Traces a second that our proxies may ask for. Beyond them the lot decides.
const ASKED_PER_SECOND_MAX: u64 = 100;

/// How requests are traced.
pub struct Tracing {
    tracer: Tracer,
    trusted_proxies: Vec<ProxyNetwork>,
    asked: Asked,
}

impl Tracing {
    /// Traces the tracer's share of the requests, and what one of `trusted_proxies` asks to have traced.
    pub fn new(tracer: Tracer, trusted_proxies: Vec<ProxyNetwork>) -> Self {
        Self {
            tracer,
            trusted_proxies,
            asked: Asked::default(),
        }
    }

    /// Begins a request's first span, if it is to be traced.
    pub(super) fn begin(&self, request: &Request, route: Option<&str>, now: UnixMillis) -> Option<OpenSpan> {
        let name = || match route {
            Some(route) => format!("{} {route}", name(request.method())),
            None => name(request.method()).to_owned(),
        };
        let parent = TraceParent::of(request.headers());
        let Some(parent) = parent else {
            return Some(self.tracer.begin(self.tracer.draw()?, None, name()));
        };
        // Many proxies say of whatever they do not trace that it is not sampled. That does not keep it from the lot.
        if !parent.is_sampled || !self.is_ours(request.extensions()) {
            return Some(self.tracer.begin(self.tracer.draw()?, Some(parent.span), name()));
        }
        let is_wanted = self.asked.has_room(now) || self.tracer.draw().is_some();
        is_wanted.then(|| self.tracer.join(parent.span, name()))
    }

    fn is_ours(&self, extensions: &Extensions) -> bool {
        let mut networks = self.trusted_proxies.iter();
        extensions
            .get::<Peer>()
            .is_some_and(|peer| networks.any(|network| network.contains(peer.0.ip().to_canonical())))
    }
}

/// How many traces were asked for in this second: the second in the upper bits, their number in the lower.
#[derive(Default)]
struct Asked(AtomicU64);

/// Bits of the number.
const NUMBER_BITS: u32 = 16;

impl Asked {
    fn has_room(&self, now: UnixMillis) -> bool {
        let second = u64::try_from(now.0.div_euclid(1_000)).unwrap_or_default() << NUMBER_BITS;
        let counted = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |counted| {
                let before = if counted >> NUMBER_BITS == second >> NUMBER_BITS {
                    counted
                } else {
                    second
                };
                (before - second < ASKED_PER_SECOND_MAX).then_some(before + 1)
            });
        counted.is_ok()
    }
}

/// Ends a request's first span with how the request went.
pub(super) fn end(mut span: OpenSpan, outcome: &Outcome<'_>) {
    span.set("http.request.method", name(outcome.method));
    if let Some(route) = outcome.route {
        span.set("http.route", route.to_owned());
    }
    span.set("http.response.status_code", u64::from(outcome.status.as_u16()));
    if let Some(code) = outcome.code {
        span.set("onsale.code", Code::as_str(code));
    }
    span.set("onsale.request_id", outcome.request_id.to_owned());
    if outcome.status.is_server_error() {
        span.fail();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_may_ask_for_so_many_traces_a_second() {
        let asked = Asked::default();
        for second in [1_795_000_000, 1_795_000_001, 1_795_000_007] {
            let granted = (0..1_000).filter(|ms| asked.has_room(UnixMillis(second * 1_000 + ms)));
            assert_eq!(u64::try_from(granted.count()), Ok(ASKED_PER_SECOND_MAX));
        }
    }
}
