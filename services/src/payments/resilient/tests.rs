//! The patience, against a gateway that answers as told, in paused time.

use std::collections::VecDeque;
use std::sync::Mutex;

use onsale_domain::money::Currency;
use onsale_domain::{Money, OrderId, Purchase};
use uuid::Uuid;

use super::*;

/// What one attempt meets.
#[derive(Clone, Debug)]
enum Meets {
    Silence,
    Error(GatewayError),
    State(ProviderState),
}

struct Scripted {
    script: Mutex<VecDeque<Meets>>,
    asked: Mutex<Vec<Instant>>,
}

impl Scripted {
    fn next(&self) -> BoxFuture<'_, Result<ProviderState, GatewayError>> {
        self.asked.lock().unwrap().push(Instant::now());
        let next = self.script.lock().unwrap().pop_front();
        async move {
            match next.unwrap_or(Meets::Silence) {
                Meets::Silence => std::future::pending().await,
                Meets::Error(error) => Err(error),
                Meets::State(state) => Ok(state),
            }
        }
        .boxed()
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl PaymentGateway for Scripted {
    fn gateway(&self) -> Gateway {
        Gateway::Stripe
    }

    fn start(&self, _: PaymentRequest) -> BoxFuture<'_, Result<ProviderState, GatewayError>> {
        self.next()
    }

    fn status<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        self.next()
    }

    fn capture<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        self.next()
    }

    fn void<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        self.next()
    }

    fn refund<'a>(
        &'a self,
        _: &'a PaymentRef,
        _: RefundRequest,
    ) -> BoxFuture<'a, Result<RefundState, GatewayError>> {
        std::future::ready(Ok(RefundState::Pending)).boxed()
    }

    fn webhook(&self, _: WebhookRequest<'_>) -> Result<Notice, WebhookError> {
        Err(WebhookError::Forged)
    }
}

const POLICY: ResiliencePolicy = ResiliencePolicy {
    attempt: Duration::from_secs(2),
    total: Duration::from_secs(5),
    attempts_max: 3,
    pause: Duration::from_millis(100),
    failures_max: 4,
    rest: Duration::from_secs(10),
};

const DECLINED: fn() -> Meets = || {
    let reason = "no".to_owned();
    Meets::State(ProviderState::Declined { reason })
};

fn away() -> Meets {
    Meets::Error(GatewayError::Unavailable("away".to_owned()))
}

fn rejected() -> Meets {
    Meets::Error(GatewayError::Rejected("no such thing".to_owned()))
}

fn gateway(script: &[Meets]) -> (ResilientGateway, Arc<Scripted>) {
    let scripted = Arc::new(Scripted {
        script: Mutex::new(script.iter().cloned().collect()),
        asked: Mutex::default(),
    });
    (ResilientGateway::new(scripted.clone(), POLICY), scripted)
}

fn payment() -> PaymentRef {
    PaymentRef {
        purchase: Purchase::Order(OrderId(Uuid::from_u128(7))),
        reference: None,
        amount: Money {
            amount_minor: 4_500,
            currency: Currency::EUR,
        },
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_answered_is_asked_again_and_what_is_decided_is_not() {
    let unknown = || Meets::Error(GatewayError::Unknown);
    for (script, asked) in [
        (vec![DECLINED()], 1),
        (vec![away(), DECLINED()], 2),
        (vec![unknown(), away(), DECLINED()], 3),
        (vec![Meets::Silence, DECLINED()], 2),
    ] {
        let (gateway, scripted) = gateway(&script);
        let state = gateway.status(&payment()).await;
        assert!(matches!(state, Ok(ProviderState::Declined { .. })), "{script:?}");
        assert_eq!(scripted.asked(), asked, "{script:?}");
    }
    let (gateway, scripted) = gateway(&[rejected(), DECLINED()]);
    assert!(matches!(
        gateway.capture(&payment()).await,
        Err(GatewayError::Rejected(_))
    ));
    assert_eq!(scripted.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_happened_is_never_called_not_reached() {
    let unknown = || Meets::Error(GatewayError::Unknown);
    for (script, expected) in [
        (vec![away(), away(), away()], false),
        (vec![unknown(), away(), away()], true),
        (vec![away(), unknown(), away()], true),
        (vec![away(), away(), unknown()], true),
        (vec![Meets::Silence, away(), away()], true),
    ] {
        let (gateway, _) = gateway(&script);
        let error = gateway.status(&payment()).await.unwrap_err();
        assert_eq!(error == GatewayError::Unknown, expected, "{script:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_attempts_together_end_in_time() {
    let (gateway, scripted) = gateway(&[]);
    let began = Instant::now();
    assert_eq!(gateway.void(&payment()).await, Err(GatewayError::Unknown));
    assert!(began.elapsed() <= POLICY.total);
    assert!((2..=3).contains(&scripted.asked()));
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_and_differ() {
    let mut second = Vec::new();
    for _ in 0..8 {
        let (gateway, scripted) = gateway(&[away(), away(), away()]);
        let _ = gateway.status(&payment()).await;
        let asked = scripted.asked.lock().unwrap().clone();
        let [first, later] = [asked[1] - asked[0], asked[2] - asked[1]];
        assert!((POLICY.pause..=POLICY.pause * 2).contains(&first), "{first:?}");
        assert!(
            (POLICY.pause * 2..=POLICY.pause * 4).contains(&later),
            "{later:?}"
        );
        second.push(first);
    }
    second.dedup();
    assert!(second.len() > 1, "jitter");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_answer_is_left_alone_and_then_asked_once() {
    let down: Vec<_> = (0..5).map(|_| away()).collect();
    let (gateway, scripted) = gateway(&down);
    for _ in 0..3 {
        let error = gateway.status(&payment()).await.unwrap_err();
        assert!(matches!(error, GatewayError::Unavailable(_)));
    }
    assert_eq!(scripted.asked(), 4, "then it is open");
    tokio::time::advance(POLICY.rest).await;
    assert!(gateway.status(&payment()).await.is_err());
    assert_eq!(scripted.asked(), 5, "one probe, and it rests again");
    tokio::time::advance(POLICY.rest).await;
    scripted
        .script
        .lock()
        .unwrap()
        .extend([rejected(), DECLINED(), DECLINED()]);
    assert!(matches!(
        gateway.status(&payment()).await,
        Err(GatewayError::Rejected(_))
    ));
    assert!(gateway.status(&payment()).await.is_ok(), "a refusal is an answer");
}
