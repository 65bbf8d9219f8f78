//! The Midtrans gateway against the hand-made peer.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use onsale_domain::money::Currency;
use onsale_domain::{Money, RefundId};
use onsale_services::{
    GatewayError, MidtransConfig, MidtransGateway, PaymentGateway, PaymentRef, ProviderState, RefundRequest,
    RefundState, ResiliencePolicy, ResilientGateway,
};
use uuid::Uuid;

use super::midtrans_peer::{Midtrans, SERVER_KEY};
use super::peer::Fault::{Status, Unanswered, Unheard};
use super::{heard, money, purchase, request, unheard};

const CARD: &str = "card:48111111-1114-good";
/// 150,000 rupiah.
const PRICE: Money = Money {
    amount_minor: 15_000_000,
    currency: Currency::IDR,
};

struct Shop {
    gateway: MidtransGateway,
    midtrans: Midtrans,
}

async fn open() -> Shop {
    let midtrans = Midtrans::start().await;
    let config = MidtransConfig {
        url: midtrans.url(),
        server_key: SERVER_KEY.into(),
    };
    let gateway = MidtransGateway::new(&config).unwrap();
    Shop { gateway, midtrans }
}

impl Shop {
    async fn begin(&self, payment_method: &str) -> (PaymentRef, ProviderState) {
        let purchase = purchase();
        let state = self
            .gateway
            .start(request(purchase, PRICE, payment_method))
            .await
            .unwrap();
        (heard(purchase, PRICE, &state), state)
    }

    async fn status(&self, payment: &PaymentRef) -> ProviderState {
        self.gateway.status(payment).await.unwrap()
    }

    /// What happens outside.
    fn becomes(&self, payment: &PaymentRef, status: &str) {
        self.midtrans.becomes(&payment.purchase.to_string(), status);
    }
}

fn refunded(state: &ProviderState) -> i64 {
    match state {
        ProviderState::Captured {
            amount,
            refunded_minor,
            ..
        } if *amount == PRICE => *refunded_minor,
        state => panic!("{state:?}"),
    }
}

fn refund_of(amount_minor: i64) -> RefundRequest {
    RefundRequest {
        refund_id: RefundId(Uuid::now_v7()),
        amount: money(amount_minor, Currency::IDR),
    }
}

#[tokio::test]
async fn a_card_is_set_aside_then_taken_then_given_back_in_parts() {
    let shop = open().await;
    let (payment, state) = shop.begin(CARD).await;
    assert!(
        matches!(&state, ProviderState::Authorized { amount, .. } if *amount == PRICE),
        "{state:?}"
    );
    assert_eq!(shop.status(&payment).await, state);
    for _ in 0..2 {
        assert_eq!(refunded(&shop.gateway.capture(&payment).await.unwrap()), 0);
    }
    let (first, rest) = (refund_of(5_000_000), refund_of(10_000_000));
    let before = shop.gateway.refund(&payment, first).await;
    assert_eq!(before, Ok(RefundState::Pending), "not before the night");
    shop.becomes(&payment, "settlement");
    for (refund, expected) in [
        (first, 5_000_000),
        (first, 5_000_000),
        (rest, 15_000_000),
        (rest, 15_000_000),
    ] {
        assert_eq!(
            shop.gateway.refund(&payment, refund).await,
            Ok(RefundState::Succeeded)
        );
        assert_eq!(refunded(&shop.status(&payment).await), expected);
    }
    let more = shop.gateway.refund(&payment, refund_of(100)).await.unwrap();
    assert!(matches!(more, RefundState::Failed { .. }), "{more:?}");
}

#[tokio::test]
async fn a_card_that_is_not_settled_is_given_back_whole_by_cancelling() {
    let shop = open().await;
    let (payment, _) = shop.begin(CARD).await;
    shop.gateway.capture(&payment).await.unwrap();
    let refund = refund_of(PRICE.amount_minor);
    for _ in 0..2 {
        assert_eq!(
            shop.gateway.refund(&payment, refund).await,
            Ok(RefundState::Succeeded)
        );
    }
    assert_eq!(shop.status(&payment).await, ProviderState::Voided);
}

#[tokio::test]
async fn cards_that_are_refused_are_declined() {
    let shop = open().await;
    for method in ["card:poor", "card:used", "pm_card_visa", ""] {
        let (_, state) = shop.begin(method).await;
        assert!(
            matches!(state, ProviderState::Declined { .. }),
            "{method}: {state:?}"
        );
    }
    let (_, odd) = shop.begin("card:odd").await;
    assert!(
        matches!(odd, ProviderState::Pending { action: None, .. }),
        "{odd:?}"
    );
    let euros = request(purchase(), money(1_000, Currency::EUR), CARD);
    assert!(matches!(
        shop.gateway.start(euros).await,
        Err(GatewayError::Rejected(_))
    ));
}

#[tokio::test]
async fn a_buyer_who_has_to_act_is_told_how_and_pays_or_does_not() {
    let shop = open().await;
    for (method, kind, detail) in [
        ("card:asks", "redirect", None),
        ("bank_transfer:bca", "pay_code", Some("bca 812785002530231")),
        ("qris", "qr_code", None),
    ] {
        let (payment, state) = shop.begin(method).await;
        let ProviderState::Pending {
            action: Some(action), ..
        } = &state
        else {
            panic!("{state:?}");
        };
        assert_eq!((action.kind.as_str(), action.detail.as_deref()), (kind, detail));
        assert_eq!(shop.status(&payment).await, state);
        shop.becomes(&payment, "settlement");
        assert_eq!(refunded(&shop.status(&payment).await), 0);

        let (payment, _) = shop.begin(method).await;
        shop.becomes(&payment, "expire");
        assert_eq!(shop.status(&payment).await, ProviderState::Voided);
    }
}

#[tokio::test]
async fn codes_are_given_back_directly_and_transfers_not_at_all() {
    let shop = open().await;
    for (method, succeeds) in [("qris", true), ("gopay", true), ("bank_transfer:bni", false)] {
        let (payment, _) = shop.begin(method).await;
        shop.becomes(&payment, "settlement");
        let state = shop.gateway.refund(&payment, refund_of(5_000_000)).await.unwrap();
        assert_eq!(state == RefundState::Succeeded, succeeds, "{method}: {state:?}");
    }
}

#[tokio::test]
async fn what_is_voided_costs_nothing() {
    let shop = open().await;
    let never = unheard(purchase(), PRICE);
    assert_eq!(shop.gateway.void(&never).await, Ok(ProviderState::Absent));
    for method in ["card:asks", CARD, "qris"] {
        let (payment, _) = shop.begin(method).await;
        for _ in 0..2 {
            let payment = unheard(payment.purchase, PRICE);
            assert_eq!(
                shop.gateway.void(&payment).await,
                Ok(ProviderState::Voided),
                "{method}"
            );
        }
    }
    let (payment, _) = shop.begin("qris").await;
    shop.becomes(&payment, "settlement");
    shop.gateway.refund(&payment, refund_of(5_000_000)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(refunded(&shop.gateway.void(&payment).await.unwrap()), 15_000_000);
    }
}

#[tokio::test]
async fn lost_answers_are_found_out_and_nothing_is_done_twice() {
    let shop = open().await;
    let policy = ResiliencePolicy {
        pause: Duration::from_millis(5),
        ..ResiliencePolicy::default()
    };
    let patient = ResilientGateway::new(Arc::new(shop.gateway.clone()), policy);
    for fault in [
        Unheard("/v2/charge"),
        Unanswered("/v2/charge"),
        Status("/v2/charge", 500),
        Status("/v2/charge", 429),
    ] {
        let purchase = purchase();
        shop.midtrans.will(&[fault]);
        let state = patient.start(request(purchase, PRICE, CARD)).await.unwrap();
        assert!(
            matches!(state, ProviderState::Authorized { .. }),
            "{fault:?}: {state:?}"
        );
        let payment = unheard(purchase, PRICE);
        shop.midtrans.will(&[Unanswered("/v2/capture")]);
        assert_eq!(
            refunded(&patient.capture(&payment).await.unwrap()),
            0,
            "{fault:?}"
        );
        shop.becomes(&payment, "settlement");
        shop.midtrans.will(&[Unanswered("/refund")]);
        let refund = refund_of(5_000_000);
        assert_eq!(patient.refund(&payment, refund).await, Ok(RefundState::Succeeded));
        assert_eq!(
            refunded(&patient.status(&payment).await.unwrap()),
            5_000_000,
            "{fault:?}"
        );
    }
    assert_eq!(shop.midtrans.transactions(), 4);
}

#[tokio::test]
async fn the_same_purchase_many_times_at_once_is_charged_once() {
    let shop = open().await;
    let purchase = purchase();
    let states = join_all((0..10).map(|_| shop.gateway.start(request(purchase, PRICE, CARD)))).await;
    for state in states {
        assert!(matches!(state, Ok(ProviderState::Authorized { .. })), "{state:?}");
    }
    assert_eq!(shop.midtrans.transactions(), 1);
}

#[tokio::test]
async fn a_key_that_is_no_good_is_nobodys_fault_but_ours() {
    let shop = open().await;
    assert_eq!(shop.gateway.probe().await, Ok(()));
    let config = MidtransConfig {
        url: shop.midtrans.url(),
        server_key: "Mid-server-wrong".into(),
    };
    let stranger = MidtransGateway::new(&config).unwrap();
    assert!(matches!(
        stranger.probe().await,
        Err(GatewayError::Unavailable(_))
    ));
    let refused = stranger.start(request(purchase(), PRICE, CARD)).await;
    assert!(
        matches!(refused, Err(GatewayError::Unavailable(_))),
        "{refused:?}"
    );
}
