//! A gateway that moves no money, for trying out, tests and load: its answer is a function of the payment method.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use onsale_domain::{Gateway, Money, Purchase, UnixMillis};
use onsale_engine::port::Clock;
use quick_cache::sync::Cache;
use secrecy::ExposeSecret;

use super::{
    GatewayError, Notice, PaymentGateway, PaymentRef, PaymentRequest, ProviderState, RefundRequest,
    RefundState, WebhookError, WebhookRequest,
};
use crate::metrics::GatewayMetrics;

/// Longest delay that a payment method may ask for.
const DELAY_MS_MAX: u64 = 10_000;
/// Purchases whose decision comes later that are remembered.
const UNDECIDED_MAX: usize = 10_000;

/// Answers by payment method:
///
/// - `sim_approve`, `sim_decline`: at once.
/// - `sim_delay_<ms>`: approves after at most ten seconds.
/// - `sim_timeout`: never answers, and knows of nothing when asked.
/// - `sim_pending_<ms>`, `sim_pending_decline_<ms>`: undecided, and approved or declined so long after.
///
/// Any other is declined. Only undecided purchases are remembered, in memory: after a restart they are absent.
#[derive(Clone)]
pub struct SimulatedGateway {
    clock: Arc<dyn Clock>,
    undecided: Arc<Cache<Purchase, Undecided>>,
    metrics: Arc<GatewayMetrics>,
}

#[derive(Clone, Copy, Debug)]
struct Undecided {
    amount: Money,
    approves: bool,
    decides_at: UnixMillis,
    voided: bool,
}

/// What a payment method asks for.
#[derive(Debug, PartialEq, Eq)]
enum Behaviour {
    Approve,
    Decline(&'static str),
    Delay(Duration),
    Timeout,
    Pending { delay: Duration, approves: bool },
}

impl Behaviour {
    fn of(payment_method: &str) -> Self {
        let delay = |millis: &str| {
            let millis: u64 = millis.parse().ok()?;
            Some(Duration::from_millis(millis.min(DELAY_MS_MAX)))
        };
        let known = match payment_method {
            "sim_approve" => Some(Self::Approve),
            "sim_decline" => Some(Self::Decline("insufficient_funds")),
            "sim_timeout" => Some(Self::Timeout),
            other => {
                let pending = |prefix: &str, approves| {
                    let delay = delay(other.strip_prefix(prefix)?)?;
                    Some(Self::Pending { delay, approves })
                };
                pending("sim_pending_decline_", false)
                    .or_else(|| pending("sim_pending_", true))
                    .or_else(|| Some(Self::Delay(delay(other.strip_prefix("sim_delay_")?)?)))
            }
        };
        known.unwrap_or(Self::Decline("unknown_payment_method"))
    }
}

fn reference(purchase: Purchase) -> String {
    format!("sim_{}", purchase.id().simple())
}

impl SimulatedGateway {
    /// Time passes by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            undecided: Arc::new(Cache::new(UNDECIDED_MAX)),
            metrics: Arc::new(GatewayMetrics::of(Gateway::Simulated)),
        }
    }

    async fn begin(&self, request: PaymentRequest) -> Result<ProviderState, GatewayError> {
        match Behaviour::of(request.payment_method.expose_secret()) {
            Behaviour::Approve => {}
            Behaviour::Decline(reason) => {
                let reason = reason.to_owned();
                return Ok(ProviderState::Declined { reason });
            }
            Behaviour::Delay(delay) => tokio::time::sleep(delay).await,
            Behaviour::Timeout => std::future::pending().await,
            Behaviour::Pending { delay, approves } => {
                let millis = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
                if self.undecided.get(&request.purchase).is_none() {
                    let undecided = Undecided {
                        amount: request.amount,
                        approves,
                        decides_at: self.clock.now().plus_ms(millis),
                        voided: false,
                    };
                    self.undecided.insert(request.purchase, undecided);
                }
                return Ok(self.state(request.purchase));
            }
        }
        Ok(ProviderState::Authorized {
            reference: reference(request.purchase),
            amount: request.amount,
        })
    }

    fn state(&self, purchase: Purchase) -> ProviderState {
        let reference = reference(purchase);
        match self.undecided.get(&purchase) {
            None => ProviderState::Absent,
            Some(undecided) if undecided.voided => ProviderState::Voided,
            Some(undecided) if self.clock.now() < undecided.decides_at => ProviderState::Pending {
                reference,
                action: None,
            },
            Some(undecided) if undecided.approves => ProviderState::Authorized {
                reference,
                amount: undecided.amount,
            },
            Some(_) => ProviderState::Declined {
                reason: "insufficient_funds".to_owned(),
            },
        }
    }

    /// Counted like a real one's answers, so that dashboards show the same with it.
    fn at_once<T: Send + 'static>(
        &self,
        operation: &'static str,
        answer: T,
    ) -> BoxFuture<'static, Result<T, GatewayError>> {
        self.metrics.attempt(operation, "answered", Some(Duration::ZERO));
        std::future::ready(Ok(answer)).boxed()
    }

    fn let_go(&self, purchase: Purchase) -> ProviderState {
        if let Some(undecided) = self.undecided.get(&purchase) {
            let voided = true;
            self.undecided.insert(purchase, Undecided { voided, ..undecided });
        }
        ProviderState::Voided
    }
}

impl PaymentGateway for SimulatedGateway {
    fn gateway(&self) -> Gateway {
        Gateway::Simulated
    }

    fn start(&self, request: PaymentRequest) -> BoxFuture<'_, Result<ProviderState, GatewayError>> {
        async {
            let began_at = self.clock.now();
            let answer = self.begin(request).await;
            let took_ms = self.clock.now().ms_since(began_at).unsigned_abs();
            self.metrics
                .attempt("start", "answered", Some(Duration::from_millis(took_ms)));
            answer
        }
        .boxed()
    }

    fn status<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        self.at_once("status", self.state(payment.purchase))
    }

    fn capture<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        let captured = ProviderState::Captured {
            reference: reference(payment.purchase),
            amount: payment.amount,
            refunded_minor: 0,
        };
        self.at_once("capture", captured)
    }

    fn void<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        self.at_once("void", self.let_go(payment.purchase))
    }

    fn refund<'a>(
        &'a self,
        _: &'a PaymentRef,
        _: RefundRequest,
    ) -> BoxFuture<'a, Result<RefundState, GatewayError>> {
        self.at_once("refund", RefundState::Succeeded)
    }

    /// It tells nothing of its own accord.
    fn webhook(&self, _: WebhookRequest<'_>) -> Result<Notice, WebhookError> {
        Err(WebhookError::Forged)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use onsale_domain::OrderId;
    use onsale_domain::money::Currency;
    use uuid::Uuid;

    use super::*;

    #[derive(Clone, Default)]
    struct SetClock(Arc<AtomicI64>);

    impl Clock for SetClock {
        fn now(&self) -> UnixMillis {
            UnixMillis(self.0.load(Ordering::Relaxed))
        }
    }

    const PURCHASE: Purchase = Purchase::Order(OrderId(Uuid::from_u128(7)));
    const AMOUNT: Money = Money {
        amount_minor: 4_500,
        currency: Currency::EUR,
    };

    fn gateway() -> (SimulatedGateway, SetClock) {
        let clock = SetClock::default();
        (SimulatedGateway::new(Arc::new(clock.clone())), clock)
    }

    fn request(payment_method: &str) -> PaymentRequest {
        PaymentRequest {
            purchase: PURCHASE,
            amount: AMOUNT,
            payment_method: payment_method.into(),
        }
    }

    fn payment() -> PaymentRef {
        PaymentRef {
            purchase: PURCHASE,
            reference: None,
            amount: AMOUNT,
        }
    }

    #[tokio::test]
    async fn approval_is_the_same_every_time() {
        let (gateway, _) = gateway();
        let first = gateway.start(request("sim_approve")).await.unwrap();
        assert_eq!(gateway.start(request("sim_approve")).await.unwrap(), first);
        assert!(matches!(first, ProviderState::Authorized { amount, .. } if amount == AMOUNT));
    }

    #[tokio::test]
    async fn unknown_methods_are_declined() {
        for method in [
            "sim_decline",
            "",
            "sim_delay_",
            "sim_delay_-1",
            "sim_pending_x",
            "visa",
        ] {
            let answer = gateway().0.start(request(method)).await;
            assert!(matches!(answer, Ok(ProviderState::Declined { .. })), "{method}");
        }
    }

    #[tokio::test]
    async fn what_is_undecided_is_decided_later_and_only_once() {
        for (method, approves) in [("sim_pending_500", true), ("sim_pending_decline_500", false)] {
            let (gateway, clock) = gateway();
            assert_eq!(gateway.status(&payment()).await, Ok(ProviderState::Absent));
            let begun = gateway.start(request(method)).await.unwrap();
            assert!(matches!(begun, ProviderState::Pending { .. }));
            clock.0.store(500, Ordering::Relaxed);
            let decided = gateway.status(&payment()).await.unwrap();
            assert_eq!(matches!(decided, ProviderState::Authorized { .. }), approves);
            assert_eq!(gateway.start(request(method)).await.unwrap(), decided);
        }
    }

    #[tokio::test]
    async fn what_is_voided_is_never_approved() {
        let (gateway, clock) = gateway();
        gateway.start(request("sim_pending_500")).await.unwrap();
        gateway.void(&payment()).await.unwrap();
        clock.0.store(9_000, Ordering::Relaxed);
        assert_eq!(gateway.status(&payment()).await, Ok(ProviderState::Voided));
    }

    #[tokio::test(start_paused = true)]
    async fn delays_are_bounded_and_a_timeout_never_ends() {
        let (gateway, _) = gateway();
        let started = tokio::time::Instant::now();
        gateway.start(request("sim_delay_99999999999")).await.unwrap();
        assert_eq!(started.elapsed(), Duration::from_millis(DELAY_MS_MAX));
        let never = gateway.start(request("sim_timeout"));
        assert!(
            tokio::time::timeout(Duration::from_hours(1), never)
                .await
                .is_err()
        );
    }
}
