//! Patience with a provider: bounded attempts, retries with jitter, and a circuit breaker, around any gateway.
//!
//! Every call of [`PaymentGateway`] is idempotent, so each may be tried again. What the caller learns is the worst of
//! all attempts: once one of them was sent and not answered, nothing that a later one meets makes it "not reached".

mod breaker;

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use onsale_domain::Gateway;
use tokio::time::{Instant, sleep, timeout};

use super::{
    GatewayError, Notice, PaymentGateway, PaymentRef, PaymentRequest, ProviderState, RefundRequest,
    RefundState, WebhookError, WebhookRequest,
};
use crate::metrics::GatewayMetrics;
use breaker::Breaker;

/// How long to wait for a provider, and how often to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResiliencePolicy {
    /// Longest wait for one attempt.
    pub attempt: Duration,
    /// Longest wait for all attempts together, pauses included.
    pub total: Duration,
    /// Attempts at most; at least one is made.
    pub attempts_max: usize,
    /// Pause before the second attempt; doubled for each further one, and up to as much again is added at random.
    pub pause: Duration,
    /// Attempts in a row without an answer, after which the provider is left alone.
    pub failures_max: u32,
    /// For how long.
    pub rest: Duration,
}

impl Default for ResiliencePolicy {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(8),
            total: Duration::from_secs(12),
            attempts_max: 3,
            pause: Duration::from_millis(100),
            failures_max: 8,
            rest: Duration::from_secs(10),
        }
    }
}

/// A gateway that is asked patiently.
pub struct ResilientGateway {
    inner: Arc<dyn PaymentGateway>,
    policy: ResiliencePolicy,
    breaker: Breaker,
    metrics: GatewayMetrics,
}

impl ResilientGateway {
    /// Asks `inner` under this policy.
    pub fn new(inner: Arc<dyn PaymentGateway>, policy: ResiliencePolicy) -> Self {
        Self {
            metrics: GatewayMetrics::of(inner.gateway()),
            inner,
            policy,
            breaker: Breaker::new(policy.failures_max, policy.rest),
        }
    }

    async fn patiently<'a, T>(
        &'a self,
        operation: &'static str,
        mut attempt: impl FnMut() -> BoxFuture<'a, Result<T, GatewayError>>,
    ) -> Result<T, GatewayError> {
        let deadline = Instant::now() + self.policy.total;
        let mut pauses = ExponentialBuilder::new()
            .with_min_delay(self.policy.pause)
            .with_max_delay(self.policy.attempt)
            .with_max_times(self.policy.attempts_max.saturating_sub(1))
            .with_jitter()
            .build();
        let mut sent = false;
        loop {
            let error = match self.once(operation, deadline, &mut attempt).await {
                Err(error @ (GatewayError::Unavailable(_) | GatewayError::Unknown)) => error,
                decided => return decided,
            };
            sent |= error == GatewayError::Unknown;
            let pause = pauses.next().filter(|pause| Instant::now() + *pause < deadline);
            match pause {
                Some(pause) => sleep(pause).await,
                None if sent => return Err(GatewayError::Unknown),
                None => return Err(error),
            }
        }
    }

    async fn once<'a, T>(
        &'a self,
        operation: &'static str,
        deadline: Instant,
        mut attempt: impl FnMut() -> BoxFuture<'a, Result<T, GatewayError>>,
    ) -> Result<T, GatewayError> {
        let Some(permit) = self.breaker.admit() else {
            self.metrics.attempt(operation, "held_back", None);
            return Err(GatewayError::Unavailable("it has not answered lately".to_owned()));
        };
        let began = Instant::now();
        let patience = self.policy.attempt.min(deadline.saturating_duration_since(began));
        let result = timeout(patience, attempt())
            .await
            .unwrap_or(Err(GatewayError::Unknown));
        match &result {
            Ok(_) | Err(GatewayError::Rejected(_)) => permit.answered(),
            Err(GatewayError::Unavailable(_) | GatewayError::Unknown) => permit.failed(),
        }
        self.metrics
            .attempt(operation, outcome(&result), Some(began.elapsed()));
        self.metrics.circuit(self.breaker.is_open());
        if let Err(error) = &result {
            tracing::warn!(gateway = self.gateway().as_str(), operation, %error, "a payment provider did not do as asked");
        }
        result
    }
}

const fn outcome<T>(result: &Result<T, GatewayError>) -> &'static str {
    match result {
        Ok(_) => "answered",
        Err(GatewayError::Unavailable(_)) => "unavailable",
        Err(GatewayError::Unknown) => "unknown",
        Err(GatewayError::Rejected(_)) => "rejected",
    }
}

impl PaymentGateway for ResilientGateway {
    fn gateway(&self) -> Gateway {
        self.inner.gateway()
    }

    fn start(&self, request: PaymentRequest) -> BoxFuture<'_, Result<ProviderState, GatewayError>> {
        async move {
            let mut tries = 0_u32;
            let answer = self
                .patiently("start", || {
                    tries += 1;
                    self.inner.start(request.clone())
                })
                .await;
            match answer {
                // An earlier try may have been heard, and this is an answer to its repeat: the status tells.
                Ok(ProviderState::Declined { .. }) | Err(GatewayError::Rejected(_)) if tries > 1 => {
                    Err(GatewayError::Unknown)
                }
                answer => answer,
            }
        }
        .boxed()
    }

    fn status<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        self.patiently("status", || self.inner.status(payment)).boxed()
    }

    fn capture<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        self.patiently("capture", || self.inner.capture(payment)).boxed()
    }

    fn void<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        self.patiently("void", || self.inner.void(payment)).boxed()
    }

    fn refund<'a>(
        &'a self,
        payment: &'a PaymentRef,
        refund: RefundRequest,
    ) -> BoxFuture<'a, Result<RefundState, GatewayError>> {
        self.patiently("refund", move || self.inner.refund(payment, refund))
            .boxed()
    }

    fn webhook(&self, request: WebhookRequest<'_>) -> Result<Notice, WebhookError> {
        self.inner.webhook(request)
    }

    fn observe(&self) {
        self.metrics.circuit(self.breaker.is_open());
    }

    /// Once: operators want to know how it is now.
    fn probe(&self) -> BoxFuture<'_, Result<(), GatewayError>> {
        self.inner.probe()
    }
}

#[cfg(test)]
mod tests;
