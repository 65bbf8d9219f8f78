//! The Stripe gateway against localstripe.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use onsale_domain::money::Currency;
use onsale_domain::{Money, Purchase, RefundId, UnixMillis};
use onsale_engine::port::{Clock, SystemClock};
use onsale_services::{
    GatewayError, PaymentGateway, ProviderState, RefundRequest, RefundState, ResiliencePolicy,
    ResilientGateway, StripeConfig, StripeGateway,
};
use uuid::Uuid;

use super::front::Front;
use super::localstripe::{LocalStripe, SECRET_KEY};
use super::peer::Fault::{Status, Unanswered, Unheard};
use super::{heard, money, purchase, request, unheard};
use crate::support::free_address;

const VISA: &str = "pm_card_visa";
/// Declined when it is charged.
const DECLINED: &str = "pm_card_chargeCustomerFail";
/// Asks for 3-D Secure, and pays then; or does not.
const ASKS_FIRST: &str = "4000002500003155";
const ASKS_FIRST_AND_DECLINES: &str = "4000008260003178";
const EUR_45: Money = Money {
    amount_minor: 4_500,
    currency: Currency::EUR,
};

struct Shop {
    gateway: StripeGateway,
    front: Front,
    stripe: LocalStripe,
}

impl Shop {
    async fn open() -> Self {
        let stripe = LocalStripe::start().await;
        let front = Front::of(stripe.address).await;
        let clock = Arc::new(SystemClock::start());
        let gateway = StripeGateway::new(&config_of(&front), clock).unwrap();
        Self {
            gateway,
            front,
            stripe,
        }
    }

    /// The same account with patience.
    fn patient(&self) -> ResilientGateway {
        let policy = ResiliencePolicy {
            pause: Duration::from_millis(5),
            ..ResiliencePolicy::default()
        };
        ResilientGateway::new(Arc::new(self.gateway.clone()), policy)
    }

    async fn start(&self, purchase: Purchase, payment_method: &str) -> ProviderState {
        let request = request(purchase, EUR_45, payment_method);
        self.gateway.start(request).await.unwrap()
    }

    /// Paid and captured.
    async fn captured(&self) -> onsale_services::PaymentRef {
        let purchase = purchase();
        let state = self.start(purchase, VISA).await;
        let payment = heard(purchase, EUR_45, &state);
        self.gateway.capture(&payment).await.unwrap();
        payment
    }
}

fn config_of(front: &Front) -> StripeConfig {
    StripeConfig {
        url: front.url(),
        secret_key: SECRET_KEY.into(),
        webhook_secrets: vec![],
    }
}

fn is_authorized(state: &ProviderState) -> bool {
    matches!(state, ProviderState::Authorized { amount, .. } if *amount == EUR_45)
}

fn refunded(state: &ProviderState) -> i64 {
    match state {
        ProviderState::Captured {
            amount,
            refunded_minor,
            ..
        } if *amount == EUR_45 => *refunded_minor,
        state => panic!("{state:?}"),
    }
}

fn refund_of(amount_minor: i64) -> RefundRequest {
    RefundRequest {
        refund_id: RefundId(Uuid::now_v7()),
        amount: money(amount_minor, Currency::EUR),
    }
}

#[tokio::test]
async fn money_is_set_aside_then_taken_then_given_back_in_parts() {
    let shop = Shop::open().await;
    let purchase = purchase();
    let state = shop.start(purchase, VISA).await;
    assert!(is_authorized(&state), "{state:?}");
    let payment = heard(purchase, EUR_45, &state);
    let intent = shop.stripe.intent(payment.reference.as_deref().unwrap()).await;
    assert_eq!(intent["metadata"]["purchase"], purchase.to_string());
    assert_eq!(intent["capture_method"], "manual");
    assert_eq!(shop.gateway.status(&payment).await.unwrap(), state);

    for _ in 0..2 {
        assert_eq!(refunded(&shop.gateway.capture(&payment).await.unwrap()), 0);
    }
    let (first, rest) = (refund_of(1_500), refund_of(3_000));
    for (refund, expected) in [(first, 1_500), (first, 1_500), (rest, 4_500), (rest, 4_500)] {
        let state = shop.gateway.refund(&payment, refund).await;
        assert_eq!(state, Ok(RefundState::Succeeded));
        let payment = unheard(purchase, EUR_45);
        assert_eq!(refunded(&shop.gateway.status(&payment).await.unwrap()), expected);
    }
}

#[tokio::test]
async fn a_decline_is_final() {
    let shop = Shop::open().await;
    let purchase = purchase();
    let declined = shop.start(purchase, DECLINED).await;
    assert!(
        matches!(&declined, ProviderState::Declined { reason } if reason == "card_declined"),
        "{declined:?}"
    );
    let intents = shop.stripe.intents().await;
    assert_eq!(
        intents[0]["status"], "canceled",
        "nobody can pay it with another card"
    );
    // A better card does not help this purchase any more.
    for _ in 0..2 {
        assert_eq!(shop.start(purchase, VISA).await, declined);
        assert_eq!(shop.start(purchase, DECLINED).await, declined);
    }
    let payment = unheard(purchase, EUR_45);
    assert_eq!(shop.gateway.status(&payment).await.unwrap(), declined);
    assert_eq!(shop.gateway.void(&payment).await.unwrap(), declined);
    assert_eq!(shop.stripe.intents().await.len(), 1);
}

#[tokio::test]
async fn a_payment_method_that_nobody_has_is_declined() {
    let shop = Shop::open().await;
    let state = shop.start(purchase(), "pm_nobody").await;
    assert!(matches!(state, ProviderState::Declined { .. }), "{state:?}");
}

#[tokio::test]
async fn the_buyer_is_asked_by_their_bank_first() {
    let shop = Shop::open().await;
    for (card, agrees, pays) in [
        (ASKS_FIRST, true, true),
        (ASKS_FIRST, false, false),
        (ASKS_FIRST_AND_DECLINES, true, false),
    ] {
        let purchase = purchase();
        let payment_method = shop.stripe.payment_method(card).await;
        let state = shop.start(purchase, &payment_method).await;
        let ProviderState::Pending {
            reference,
            action: Some(action),
        } = &state
        else {
            panic!("{state:?}");
        };
        assert_eq!(action.kind, "use_stripe_sdk");
        assert_eq!(
            shop.start(purchase, &payment_method).await,
            state,
            "the same again"
        );
        let client_secret = action.detail.as_deref().unwrap();
        shop.stripe.authenticate(reference, client_secret, agrees).await;
        let payment = heard(purchase, EUR_45, &state);
        let state = shop.gateway.status(&payment).await.unwrap();
        assert_eq!(is_authorized(&state), pays, "{card} {agrees}: {state:?}");
        assert_eq!(matches!(state, ProviderState::Declined { .. }), !pays);
    }
}

#[tokio::test]
async fn a_crash_between_making_and_confirming_loses_nothing() {
    let shop = Shop::open().await;
    let purchase = purchase();
    shop.front.will(&[Unheard("/confirm")]);
    let lost = shop.gateway.start(request(purchase, EUR_45, VISA)).await;
    assert_eq!(lost, Err(GatewayError::Unknown));
    // Another process, that knows the purchase and no payment method.
    let payment = unheard(purchase, EUR_45);
    let state = shop.gateway.status(&payment).await.unwrap();
    assert!(
        matches!(state, ProviderState::Pending { action: None, .. }),
        "{state:?}"
    );
    assert!(
        is_authorized(&shop.start(purchase, VISA).await),
        "the buyer comes back"
    );
    assert_eq!(shop.stripe.intents().await.len(), 1);
}

#[tokio::test]
async fn a_payment_whose_answer_was_lost_is_found() {
    let shop = Shop::open().await;
    for lost_at in ["/v1/payment_intents", "/confirm"] {
        let purchase = purchase();
        shop.front.will(&[Unanswered(lost_at)]);
        let lost = shop.gateway.start(request(purchase, EUR_45, VISA)).await;
        assert_eq!(lost, Err(GatewayError::Unknown), "{lost_at}");
        let state = shop.gateway.status(&unheard(purchase, EUR_45)).await.unwrap();
        assert_eq!(is_authorized(&state), lost_at == "/confirm", "{state:?}");
        assert!(is_authorized(&shop.start(purchase, VISA).await));
    }
    assert_eq!(shop.stripe.intents().await.len(), 2);
}

#[tokio::test]
async fn with_patience_lost_answers_are_not_even_seen() {
    let shop = Shop::open().await;
    let gateway = shop.patient();
    for fault in [
        Unheard("/v1/payment_intents"),
        Unanswered("/v1/payment_intents"),
        Status("/v1/payment_intents", 500),
        Status("/v1/payment_intents", 429),
        Unheard("/confirm"),
        Unanswered("/confirm"),
        Status("/confirm", 409),
    ] {
        let purchase = purchase();
        shop.front.will(&[fault]);
        let state = gateway.start(request(purchase, EUR_45, VISA)).await.unwrap();
        assert!(is_authorized(&state), "{fault:?}: {state:?}");
        let payment = heard(purchase, EUR_45, &state);
        shop.front.will(&[Unanswered("/capture")]);
        assert_eq!(
            refunded(&gateway.capture(&payment).await.unwrap()),
            0,
            "{fault:?}"
        );
        shop.front.will(&[Unanswered("/v1/refunds$")]);
        let refund = refund_of(1_000);
        assert_eq!(gateway.refund(&payment, refund).await, Ok(RefundState::Succeeded));
        shop.front.will(&[Unheard("/v1/payment_intents/")]);
        assert_eq!(refunded(&gateway.status(&payment).await.unwrap()), 1_000, "once");
    }
    assert_eq!(shop.stripe.intents().await.len(), 7);
}

#[tokio::test]
async fn a_refund_that_was_sent_and_not_answered_is_one_refund() {
    let shop = Shop::open().await;
    let payment = shop.captured().await;
    let refund = refund_of(2_000);
    shop.front.will(&[Unanswered("/v1/refunds$")]);
    assert_eq!(
        shop.gateway.refund(&payment, refund).await,
        Err(GatewayError::Unknown)
    );
    // Stripe forgets keys: what it has is looked up, and not asked for again.
    assert_eq!(
        shop.gateway.refund(&payment, refund).await,
        Ok(RefundState::Succeeded)
    );
    let asked = shop.front.asked("/v1/refunds");
    let made = asked.iter().filter(|asked| asked.method == hyper::Method::POST);
    assert_eq!(made.count(), 1);
    assert_eq!(refunded(&shop.gateway.status(&payment).await.unwrap()), 2_000);
}

#[tokio::test]
async fn what_is_voided_costs_nothing_and_stays_so() {
    let shop = Shop::open().await;
    // Never begun, as far as anybody knows.
    let never = purchase();
    assert_eq!(
        shop.gateway.status(&unheard(never, EUR_45)).await,
        Ok(ProviderState::Absent)
    );
    assert_eq!(
        shop.gateway.void(&unheard(never, EUR_45)).await,
        Ok(ProviderState::Voided)
    );
    assert_eq!(
        shop.start(never, VISA).await,
        ProviderState::Voided,
        "too late to pay it"
    );
    // Set aside.
    let aside = purchase();
    shop.start(aside, VISA).await;
    for _ in 0..2 {
        assert_eq!(
            shop.gateway.void(&unheard(aside, EUR_45)).await,
            Ok(ProviderState::Voided)
        );
    }
    assert_eq!(
        shop.gateway.capture(&unheard(aside, EUR_45)).await,
        Ok(ProviderState::Voided)
    );
    // The buyer's bank is asking.
    let asking = purchase();
    let payment_method = shop.stripe.payment_method(ASKS_FIRST).await;
    shop.start(asking, &payment_method).await;
    assert_eq!(
        shop.gateway.void(&unheard(asking, EUR_45)).await,
        Ok(ProviderState::Voided)
    );
    // Taken, and partly given back.
    let payment = shop.captured().await;
    shop.gateway.refund(&payment, refund_of(1_000)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(refunded(&shop.gateway.void(&payment).await.unwrap()), 4_500);
    }
}

#[tokio::test]
async fn the_same_purchase_many_times_at_once_is_paid_once() {
    let shop = Shop::open().await;
    let purchase = purchase();
    let gateway = shop.patient();
    let states = join_all((0..10).map(|_| gateway.start(request(purchase, EUR_45, VISA)))).await;
    for state in states {
        assert!(is_authorized(&state.unwrap()));
    }
    let intents = shop.stripe.intents().await;
    assert_eq!(intents.len(), 1);
    let charges = shop
        .stripe
        .send(crate::support::get("/v1/charges"))
        .await
        .expect(200);
    assert_eq!(charges["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn other_amounts_and_what_cannot_be_charged_are_refused() {
    let shop = Shop::open().await;
    let purchase_of_45 = purchase();
    shop.start(purchase_of_45, VISA).await;
    let other = request(purchase_of_45, money(4_600, Currency::EUR), VISA);
    assert!(matches!(
        shop.gateway.start(other).await,
        Err(GatewayError::Rejected(_))
    ));
    let fils = request(purchase(), money(5_124, Currency::KWD), VISA);
    assert!(matches!(
        shop.gateway.start(fils).await,
        Err(GatewayError::Rejected(_))
    ));
    let yen = request(purchase(), money(500, Currency::JPY), VISA);
    let state = shop.gateway.start(yen).await.unwrap();
    assert!(matches!(state, ProviderState::Authorized { amount, .. } if amount == money(500, Currency::JPY)));
}

#[tokio::test]
async fn a_refund_that_stripe_refuses_has_failed() {
    let shop = Shop::open().await;
    let payment = shop.captured().await;
    shop.front.will(&[Status("/v1/refunds$", 400)]);
    let state = shop.gateway.refund(&payment, refund_of(9_000)).await.unwrap();
    assert!(matches!(state, RefundState::Failed { .. }), "{state:?}");
    let never = unheard(purchase(), EUR_45);
    let state = shop.gateway.refund(&never, refund_of(1)).await.unwrap();
    assert!(matches!(state, RefundState::Failed { .. }), "{state:?}");
}

/// A clock that stands where the test puts it.
#[derive(Clone, Copy)]
struct Standing(UnixMillis);

impl Clock for Standing {
    fn now(&self) -> UnixMillis {
        self.0
    }
}

#[tokio::test]
async fn what_stripe_has_forgotten_the_key_of_is_looked_for() {
    let shop = Shop::open().await;
    let (paid, never) = (purchase(), purchase());
    let state = shop.start(paid, VISA).await;
    shop.front.forget_keys().await;
    let tomorrow = SystemClock::start().now().plus_ms(24 * 60 * 60 * 1_000);
    let later = StripeGateway::new(&config_of(&shop.front), Arc::new(Standing(tomorrow))).unwrap();
    assert_eq!(later.status(&unheard(paid, EUR_45)).await.unwrap(), state);
    assert_eq!(later.start(request(paid, EUR_45, VISA)).await.unwrap(), state);
    assert_eq!(shop.stripe.intents().await.len(), 1, "no second intent");
    assert_eq!(
        later.status(&unheard(never, EUR_45)).await,
        Ok(ProviderState::Absent)
    );
    // An id that looks old may be young: the day is all that some of them carry.
    assert!(is_authorized(
        &later.start(request(never, EUR_45, VISA)).await.unwrap()
    ));
}

#[tokio::test]
async fn who_is_not_there_was_not_asked() {
    let config = |url: String, key: &str| StripeConfig {
        url: url.parse().unwrap(),
        secret_key: key.into(),
        webhook_secrets: vec![],
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let nobody = config(format!("http://{}", free_address()), SECRET_KEY);
    let nobody = StripeGateway::new(&nobody, Arc::clone(&clock)).unwrap();
    assert!(matches!(nobody.probe().await, Err(GatewayError::Unavailable(_))));
    let shop = Shop::open().await;
    assert_eq!(shop.gateway.probe().await, Ok(()));
    let stranger = config(shop.front.url().to_string(), "pk_test_wrong");
    let stranger = StripeGateway::new(&stranger, clock).unwrap();
    assert!(matches!(
        stranger.probe().await,
        Err(GatewayError::Unavailable(_))
    ));
    let refused = stranger.start(request(purchase(), EUR_45, VISA)).await;
    assert!(
        matches!(refused, Err(GatewayError::Unavailable(_))),
        "{refused:?}"
    );
}
