//! The limits that a request must pass before its handler. Also holds the clock.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;
use onsale_services::Clock;
use tokio_util::sync::CancellationToken;

use crate::codes::Code;
use crate::problem::{Problem, Retry};
use crate::rate_limit::{self, ClientKey, RateLimitConfig, RateLimits, Traffic};

/// How requests are let in. Cloning it is cheap.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    limits: RateLimits,
    trusted_proxies: Vec<IpAddr>,
    clock: Arc<dyn Clock>,
}

impl Gate {
    /// A gate. Forwarded headers are believed only when the peer is one of `trusted_proxies`.
    pub fn new(limits: &RateLimitConfig, trusted_proxies: Vec<IpAddr>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            limits: RateLimits::new(limits),
            trusted_proxies,
            clock,
        }))
    }

    /// Forgets clients that have been quiet, until told to stop. One task for each gate must run it, or the store of
    /// clients grows without bound.
    pub async fn upkeep(self, shutdown: CancellationToken) {
        self.0.limits.upkeep(shutdown).await;
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }

    pub(crate) fn admit(&self, traffic: Traffic, key: ClientKey) -> Result<(), Problem> {
        self.0
            .limits
            .check(traffic, key)
            .map_err(|seconds| Problem::new(Code::RateLimited).retry(Retry::InSeconds(seconds)))
    }

    /// The client's address, as far as it can be told: the last hop that is not one of our own proxies.
    pub(crate) fn client_ip(&self, parts: &Parts) -> IpAddr {
        rate_limit::client_ip(parts, &self.0.trusted_proxies)
    }

    pub(crate) fn client_address(&self, parts: &Parts) -> ClientKey {
        ClientKey::of_request(parts, &self.0.trusted_proxies)
    }
}
