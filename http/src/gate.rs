//! What a request must pass before its handler: token and limits. Also holds the clock.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;
use onsale_domain::UnixMillis;
use onsale_services::{Clock, SharedRates};
use tokio_util::sync::CancellationToken;

use crate::auth::TokenVerifier;
use crate::codes::Code;
use crate::problem::{Problem, Retry};
use crate::rate_limit::{ClientKey, RateLimitConfig, RateLimits, Traffic};

/// How requests are let in. Cloning it is cheap.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    verifier: Arc<TokenVerifier>,
    limits: RateLimits,
    trusted_proxies: Vec<IpAddr>,
    clock: Arc<dyn Clock>,
}

impl Gate {
    /// A gate. Forwarded headers are believed only when the peer is one of `trusted_proxies`. With `shared_rates`
    /// the limits hold for all processes that share them, otherwise for each process.
    pub fn new(
        verifier: Arc<TokenVerifier>,
        limits: &RateLimitConfig,
        shared_rates: Option<SharedRates>,
        trusted_proxies: Vec<IpAddr>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner {
            verifier,
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

    fn now(&self) -> UnixMillis {
        self.0.clock.now()
    }

    pub(crate) fn verify(&self, token: &str) -> Option<crate::auth::Identity> {
        self.0.verifier.verify(token, self.now())
    }

    /// Spends one request of a client. Errors: the problem to answer when the limit is reached.
    pub(crate) async fn admit(&self, traffic: Traffic, key: ClientKey) -> Result<(), Problem> {
        let spent = self.0.limits.spend(traffic, key, self.now()).await;
        spent.map_err(|seconds| Problem::new(Code::RateLimited).retry(Retry::InSeconds(seconds)))
    }

    /// Lets a network try to log in, or whatever else passwords and tokens can be guessed at. Ask before the body is
    /// read.
    #[cfg_attr(not(test), expect(dead_code, reason = "the routes under /v1/auth ask"))]
    pub(crate) async fn admit_auth(&self, parts: &Parts) -> Result<(), Problem> {
        self.admit(Traffic::Auth, self.client_address(parts)).await
    }

    /// Lets somebody try the account of this name, which need not exist: two spellings of one account must be the
    /// same bytes here. Ask before anything is looked up.
    #[cfg_attr(not(test), expect(dead_code, reason = "the routes under /v1/auth ask"))]
    pub(crate) async fn admit_auth_account(&self, name: &[u8]) -> Result<(), Problem> {
        self.admit(Traffic::AuthAccount, ClientKey::named(name)).await
    }

    pub(crate) fn client_address(&self, parts: &Parts) -> ClientKey {
        ClientKey::of_request(parts, &self.0.trusted_proxies)
    }
}
