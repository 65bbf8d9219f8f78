//! A gateway that moves no money, for trying out, tests and load: its answer is a function of the payment method.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use onsale_domain::HoldId;

use super::{Authorization, AuthorizationRequest, PaymentError, PaymentGateway};

/// Longest delay that a payment method may ask for.
const DELAY_MS_MAX: u64 = 10_000;

/// Answers by payment method: `sim_approve`, `sim_decline`, `sim_delay_<ms>` (approves after at most ten seconds) and
/// `sim_timeout` (never answers). Any other is declined. It keeps nothing: references come from the purchase.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimulatedGateway;

/// What a payment method asks for.
#[derive(Debug, PartialEq, Eq)]
enum Behaviour {
    Approve,
    Decline(&'static str),
    Delay(Duration),
    Timeout,
}

impl Behaviour {
    fn of(payment_method: &str) -> Self {
        match payment_method {
            "sim_approve" => Self::Approve,
            "sim_decline" => Self::Decline("insufficient_funds"),
            "sim_timeout" => Self::Timeout,
            other => other
                .strip_prefix("sim_delay_")
                .and_then(|millis| millis.parse().ok())
                .map_or(Self::Decline("unknown_payment_method"), |millis: u64| {
                    Self::Delay(Duration::from_millis(millis.min(DELAY_MS_MAX)))
                }),
        }
    }
}

impl PaymentGateway for SimulatedGateway {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn authorize(&self, request: AuthorizationRequest) -> BoxFuture<'_, Result<Authorization, PaymentError>> {
        async move {
            match Behaviour::of(&request.payment_method) {
                Behaviour::Approve => {}
                Behaviour::Decline(reason) => return Err(PaymentError::Declined { reason }),
                Behaviour::Delay(delay) => tokio::time::sleep(delay).await,
                Behaviour::Timeout => std::future::pending().await,
            }
            Ok(Authorization {
                purchase_id: request.purchase_id,
                reference: format!("sim_{}", request.purchase_id.0.simple()),
                amount: request.amount,
            })
        }
        .boxed()
    }

    fn capture<'a>(&'a self, _: &'a Authorization) -> BoxFuture<'a, Result<(), PaymentError>> {
        std::future::ready(Ok(())).boxed()
    }

    fn void(&self, _: HoldId) -> BoxFuture<'_, Result<(), PaymentError>> {
        std::future::ready(Ok(())).boxed()
    }

    fn refund<'a>(&'a self, _: &'a Authorization) -> BoxFuture<'a, Result<(), PaymentError>> {
        std::future::ready(Ok(())).boxed()
    }
}

#[cfg(test)]
mod tests {
    use onsale_domain::Money;
    use onsale_domain::money::Currency;
    use uuid::Uuid;

    use super::*;

    fn request(payment_method: &str) -> AuthorizationRequest {
        AuthorizationRequest {
            purchase_id: HoldId(Uuid::from_u128(7)),
            amount: Money {
                amount_minor: 4_500,
                currency: Currency::EUR,
            },
            payment_method: payment_method.to_owned(),
        }
    }

    #[tokio::test]
    async fn approval_is_the_same_every_time() {
        let first = SimulatedGateway.authorize(request("sim_approve")).await.unwrap();
        let second = SimulatedGateway.authorize(request("sim_approve")).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(first.amount.amount_minor, 4_500);
        SimulatedGateway.capture(&first).await.unwrap();
        SimulatedGateway.void(first.purchase_id).await.unwrap();
        SimulatedGateway.refund(&first).await.unwrap();
    }

    #[tokio::test]
    async fn unknown_methods_are_declined() {
        for method in [
            "sim_decline",
            "",
            "sim_delay_",
            "sim_delay_-1",
            "sim_delay_x",
            "visa",
        ] {
            let answer = SimulatedGateway.authorize(request(method)).await;
            assert!(matches!(answer, Err(PaymentError::Declined { .. })), "{method}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn delays_are_bounded_and_a_timeout_never_ends() {
        let started = tokio::time::Instant::now();
        SimulatedGateway
            .authorize(request("sim_delay_99999999999"))
            .await
            .unwrap();
        assert_eq!(started.elapsed(), Duration::from_millis(DELAY_MS_MAX));
        let never = SimulatedGateway.authorize(request("sim_timeout"));
        assert!(
            tokio::time::timeout(Duration::from_hours(1), never)
                .await
                .is_err()
        );
    }
}
