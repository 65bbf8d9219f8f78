//! The limits that a request must pass before its handler. Also holds the clock.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;
use onsale_services::{Clock, SharedRates};
use tokio_util::sync::CancellationToken;

use crate::codes::Code;
use crate::problem::{Problem, Retry};
use crate::rate_limit::{self, ClientKey, ProxyNetwork, RateLimitConfig, RateLimits, Traffic};

/// How requests are let in. Cloning it is cheap.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    limits: RateLimits,
    trusted_proxies: Vec<ProxyNetwork>,
    clock: Arc<dyn Clock>,
}

impl Gate {
    /// A gate. Forwarded headers are believed only when the peer is in one of `trusted_proxies`. With `shared_rates`
    /// the limits hold for all processes that share them, otherwise for each process.
    pub fn new(
        limits: &RateLimitConfig,
        shared_rates: Option<SharedRates>,
        trusted_proxies: Vec<ProxyNetwork>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner {
            limits: RateLimits::new(limits, shared_rates),
            trusted_proxies,
            clock,
        }))
    }

    /// Forgets clients that have been quiet, and shares what heavy ones have spent, until told to stop. One task for
    /// each gate must run it, or the store of clients grows without bound.
    pub async fn upkeep(self, shutdown: CancellationToken) {
        self.0.limits.upkeep(self.clock(), shutdown).await;
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }

    /// Spends one request of a client. Errors: the problem to answer when the limit is reached.
    pub(crate) async fn admit(&self, traffic: Traffic, key: ClientKey) -> Result<(), Problem> {
        let spent = self.0.limits.spend(traffic, key, self.0.clock.now()).await;
        spent.map_err(|seconds| Problem::new(Code::RateLimited).retry(Retry::InSeconds(seconds)))
    }

    /// Lets a network try to log in, or whatever else passwords and tokens can be guessed at. Ask before the body is
    /// read.
    pub(crate) async fn admit_auth(&self, parts: &Parts) -> Result<(), Problem> {
        self.admit(Traffic::Auth, self.client_address(parts)).await
    }

    /// Lets somebody try the account of this name, which need not exist: two spellings of one account must be the
    /// same bytes here. Ask before anything is looked up.
    pub(crate) async fn admit_auth_account(&self, name: &[u8]) -> Result<(), Problem> {
        self.admit(Traffic::AuthAccount, ClientKey::named(name)).await
    }

    /// The client's address, as far as it can be told: the last hop that is not one of our own proxies.
    pub(crate) fn client_ip(&self, parts: &Parts) -> IpAddr {
        rate_limit::client_ip(parts, &self.0.trusted_proxies)
    }

    pub(crate) fn client_address(&self, parts: &Parts) -> ClientKey {
        ClientKey::of_request(parts, &self.0.trusted_proxies)
    }
}
