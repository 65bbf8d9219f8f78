//! Purchases and checkouts over an engine in memory: how each ends, and what a repeat of its key gets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

#[path = "../../engine/tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::command::RequestedLine;
use onsale_domain::limits::PAYMENT_WINDOW_MS;
use onsale_domain::record::KeyBinding;
use onsale_domain::{BuyerId, Command, Refusal, UnixMillis};
use onsale_persistence::{Database, DatabaseConfig, FolderStore};
use onsale_services::{
    AuditWriter, CheckoutRequest, ConfirmedOrder, Dependencies, EngineError, Gateways, HoldRequest, Ids,
    KeyedRoute, PendingOrder, PurchaseRequest, Purchased, ReleasedStatus, ServiceError, Services,
    ServicesConfig, SimulatedGateway, TicketKeys, TokenKeys, Tokens, key_binding,
};
use smallvec::smallvec;
use support::Fixture;
use tokio::time::sleep;
use uuid::Uuid;

const BUYER: BuyerId = BuyerId(Uuid::from_u128(42));

struct Shop {
    services: Services,
    fixture: Fixture,
}

impl Shop {
    async fn open(capacity: u32) -> Self {
        let fixture = Fixture::on_sale(capacity).await;
        price(&fixture, 4_500).await;
        Self::over(fixture)
    }

    fn over(fixture: Fixture) -> Self {
        // Nothing here reads from Postgres; nobody listens at this address.
        let database = DatabaseConfig::new("postgres://nobody@127.0.0.1:1/nowhere");
        let config = ServicesConfig {
            gateway_timeout: Duration::from_millis(400),
            ..ServicesConfig::default()
        };
        let database = Database::connect_lazy(&database).unwrap();
        let keys = TicketKeys::parse(&TicketKeys::generate("test").unwrap()).unwrap();
        let folder = std::env::temp_dir().join("onsale-test-files");
        let objects = Arc::new(FolderStore::open(&folder, keys.link_secrets(), UnixMillis(0)).unwrap());
        let services = Services::new(
            Dependencies {
                engine: fixture.engine.clone(),
                audit: AuditWriter::new(database.clone()).0,
                database,
                redis: None,
                gateways: Gateways::new(
                    Arc::new(SimulatedGateway::new(Arc::new(fixture.clock.clone()))),
                    [],
                ),
                tokens: Tokens::new(TokenKeys::of_secret(&[7; 32]).unwrap(), "onsale", "onsale-api"),
                ticket_keys: keys,
                objects,
            },
            config,
        );
        Self {
            services: services.unwrap(),
            fixture,
        }
    }

    fn line(&self) -> RequestedLine {
        RequestedLine {
            ticket_type_id: self.fixture.ticket_type_id,
            quantity: 2,
        }
    }

    fn request(&self, key: &str, payment_method: Option<&str>) -> PurchaseRequest {
        PurchaseRequest {
            event_id: self.fixture.event_id,
            buyer_id: BUYER,
            lines: smallvec![self.line()],
            payment_method: payment_method.map(str::to_owned),
            key: binding(KeyedRoute::Purchase, key),
        }
    }

    async fn ask(&self, key: &str, payment_method: &str) -> Result<Purchased, ServiceError> {
        self.services
            .purchase(self.request(key, Some(payment_method)))
            .await
    }

    async fn buy(&self, key: &str, payment_method: &str) -> Result<ConfirmedOrder, ServiceError> {
        self.ask(key, payment_method).await.map(confirmed)
    }

    async fn counts(&self) -> (u32, u32) {
        let availability = self.services.availability(self.fixture.event_id).await.unwrap();
        (availability.quotas[0].held, availability.quotas[0].sold)
    }
}

/// The fixture's tickets are free; these cost.
async fn price(fixture: &Fixture, unit_price_minor: i64) {
    let event = fixture.engine.availability(fixture.event_id).await.unwrap();
    let mut ticket_type = event.definition.ticket_types[0].clone();
    ticket_type.unit_price_minor = unit_price_minor;
    let command = Command::SetTicketType {
        ticket_type: Box::new(ticket_type),
        expected_version: event.definition.version,
    };
    fixture.engine.execute(fixture.event_id, command).await.unwrap();
}

fn binding(route: KeyedRoute, key: &str) -> KeyBinding {
    key_binding(BUYER, route, key, b"{}")
}

#[track_caller]
fn confirmed(purchased: Purchased) -> ConfirmedOrder {
    match purchased {
        Purchased::Confirmed(order) => *order,
        Purchased::Pending(order) => panic!("still pending: {order:?}"),
    }
}

#[track_caller]
fn pending(purchased: Purchased) -> PendingOrder {
    match purchased {
        Purchased::Pending(order) => *order,
        Purchased::Confirmed(order) => panic!("confirmed already: {order:?}"),
    }
}

/// Longer than a hold under payment lives.
const TOO_LONG_MS: i64 = PAYMENT_WINDOW_MS + 60_000;

fn is_refused<T>(answer: &Result<T, ServiceError>, wanted: &Refusal) -> bool {
    matches!(answer, Err(ServiceError::Engine(EngineError::Refused(refusal))) if refusal == wanted)
}

#[tokio::test]
async fn an_approved_purchase_is_an_order_and_its_repeat_the_same_order() {
    let shop = Shop::open(10).await;
    let first = shop.buy("k", "sim_approve").await.unwrap();
    assert!(!first.replayed);
    assert_eq!(first.order.tickets.len(), 2);
    assert_eq!(first.order.payment.as_ref().unwrap().amount, first.order.total);
    let again = shop.buy("k", "sim_approve").await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.seq, &again.order), (first.seq, &first.order));
    assert_eq!(shop.counts().await, (0, 2));
}

#[tokio::test]
async fn a_declined_purchase_gives_back_and_stays_declined() {
    let shop = Shop::open(10).await;
    let first = shop.buy("k", "sim_decline").await;
    assert!(matches!(
        first,
        Err(ServiceError::PaymentDeclined { replayed: false })
    ));
    assert_eq!(shop.counts().await, (0, 0));
    let again = shop.buy("k", "sim_decline").await;
    assert!(matches!(
        again,
        Err(ServiceError::PaymentDeclined { replayed: true })
    ));
    assert!(shop.buy("other", "sim_approve").await.is_ok());
}

#[tokio::test]
async fn a_silent_gateway_leaves_the_order_pending_and_the_same_key_goes_on() {
    let shop = Shop::open(10).await;
    let first = pending(shop.ask("k", "sim_timeout").await.unwrap());
    assert_eq!(first.total.amount_minor, 9_000);
    let lives_ms = first.expires_at.ms_since(first.placed_at);
    assert!(lives_ms >= PAYMENT_WINDOW_MS, "{lives_ms}");
    assert_eq!(shop.counts().await, (2, 0));
    let again = pending(shop.ask("k", "sim_timeout").await.unwrap());
    assert_eq!(
        (again.order_id, again.placed_at),
        (first.order_id, first.placed_at)
    );
    let order = shop.buy("k", "sim_approve").await.unwrap();
    assert!(!order.replayed);
    assert_eq!(order.order.hold_id.0, first.order_id.0);
    assert_eq!(order.order.pending_since, Some(first.placed_at));
    assert_eq!(shop.counts().await, (0, 2));
}

#[tokio::test]
async fn an_order_whose_payment_takes_time_is_confirmed_by_a_later_repeat_or_declined() {
    let shop = Shop::open(10).await;
    for (method, key) in [("sim_pending_500", "k"), ("sim_pending_decline_500", "l")] {
        pending(shop.ask(key, method).await.unwrap());
    }
    assert_eq!(shop.counts().await, (4, 0));
    shop.fixture.clock.advance_ms(500);
    assert_eq!(
        shop.buy("k", "sim_pending_500")
            .await
            .unwrap()
            .order
            .tickets
            .len(),
        2
    );
    for replayed in [false, true] {
        let declined = shop.buy("l", "sim_pending_decline_500").await;
        assert!(
            matches!(declined, Err(ServiceError::PaymentDeclined { replayed: told }) if told == replayed)
        );
    }
    assert_eq!(shop.counts().await, (0, 2));
}

#[tokio::test]
async fn a_checkout_whose_payment_takes_time_goes_on_under_its_key_alone() {
    let shop = Shop::open(10).await;
    let hold = HoldRequest {
        event_id: shop.fixture.event_id,
        buyer_id: BUYER,
        lines: smallvec![shop.line()],
        key: binding(KeyedRoute::PlaceHold, "h"),
    };
    let hold_id = shop.services.place_hold(hold).await.unwrap().hold.hold_id;
    let checkout = |key: &str| CheckoutRequest {
        hold_id,
        buyer_id: BUYER,
        payment_method: Some("sim_pending_500".to_owned()),
        key: binding(KeyedRoute::Checkout, key),
    };
    let first = pending(shop.services.checkout(checkout("c")).await.unwrap());
    assert_eq!(first.order_id.0, hold_id.0);
    let other = shop.services.checkout(checkout("d")).await;
    assert!(is_refused(&other, &Refusal::PaymentInProgress), "{other:?}");
    shop.fixture.clock.advance_ms(500);
    let order = confirmed(shop.services.checkout(checkout("c")).await.unwrap());
    let again = confirmed(shop.services.checkout(checkout("c")).await.unwrap());
    assert!(!order.replayed && again.replayed && order.order == again.order);
}

#[tokio::test]
async fn a_pending_order_can_be_given_up_and_is_never_sold() {
    let shop = Shop::open(10).await;
    let order = pending(shop.ask("k", "sim_pending_500").await.unwrap());
    let cancelled = shop.services.cancel_order(order.order_id, BUYER).await.unwrap();
    assert_eq!(cancelled.order_id, order.order_id);
    assert_eq!(shop.counts().await, (0, 0));
    shop.fixture.clock.advance_ms(500);
    let again = shop.ask("k", "sim_pending_500").await;
    assert!(is_refused(&again, &Refusal::HoldReleased), "{again:?}");
}

#[tokio::test]
async fn a_repeat_in_flight_is_told_to_wait() {
    let shop = Shop::open(10).await;
    let (first, second) = tokio::join!(shop.buy("k", "sim_delay_100"), async {
        sleep(Duration::from_millis(30)).await;
        shop.buy("k", "sim_delay_100").await
    });
    assert!(matches!(second, Err(ServiceError::InFlight)));
    assert!(first.is_ok());
    assert_eq!(shop.counts().await, (0, 2));
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_stop_its_purchase() {
    let shop = Shop::open(10).await;
    let services = shop.services.clone();
    let request = shop.request("k", Some("sim_delay_100"));
    let client = tokio::spawn(async move { services.purchase(request).await.map(|_| ()) });
    sleep(Duration::from_millis(30)).await;
    client.abort();
    sleep(Duration::from_millis(200)).await;
    assert_eq!(shop.counts().await, (0, 2));
    assert!(shop.buy("k", "sim_delay_100").await.unwrap().replayed);
}

#[tokio::test]
async fn a_hold_that_ends_while_the_gateway_works_is_not_an_order() {
    let shop = Shop::open(10).await;
    let (answer, ()) = tokio::join!(shop.buy("k", "sim_delay_300"), async {
        sleep(Duration::from_millis(30)).await;
        shop.fixture.clock.advance_ms(TOO_LONG_MS);
    });
    assert!(is_refused(&answer, &Refusal::HoldExpired), "{answer:?}");
    let tick = shop
        .fixture
        .engine
        .execute(shop.fixture.event_id, Command::Advance);
    tick.await.unwrap();
    assert_eq!(shop.counts().await, (0, 0));
}

#[tokio::test]
async fn a_hold_that_ends_while_the_gateway_is_silent_is_pending_until_the_key_finds_out() {
    let shop = Shop::open(10).await;
    let (first, ()) = tokio::join!(shop.ask("k", "sim_timeout"), async {
        sleep(Duration::from_millis(30)).await;
        shop.fixture.clock.advance_ms(TOO_LONG_MS);
        // Anything that is decided lets time pass.
        let other = shop.services.place_hold(HoldRequest {
            event_id: shop.fixture.event_id,
            buyer_id: BuyerId(Uuid::from_u128(43)),
            lines: smallvec![shop.line()],
            key: binding(KeyedRoute::PlaceHold, "other"),
        });
        other.await.unwrap();
    });
    pending(first.unwrap());
    let again = shop.buy("k", "sim_approve").await;
    assert!(is_refused(&again, &Refusal::HoldExpired), "{again:?}");
}

#[tokio::test]
async fn nothing_tells_a_buyer_that_there_is_a_draft() {
    let fixture = Fixture::on_sale(10).await;
    let shop = Shop::over(fixture);
    let definition = shop.services.availability(shop.fixture.event_id).await.unwrap();
    let mut details = definition.definition.details.clone();
    details.name = "Draft".to_owned();
    let event_id = Ids::new().unwrap().event_id(shop.services.now()).unwrap();
    let details = Box::new(details);
    let create = Command::CreateEvent { event_id, details };
    shop.fixture.engine.execute(event_id, create).await.unwrap();
    for payment_method in [None, Some("sim_approve")] {
        let mut request = shop.request("k", payment_method);
        request.event_id = event_id;
        let answer = shop.services.purchase(request).await;
        assert!(matches!(answer, Err(ServiceError::NotFound)), "{answer:?}");
    }
    let held = shop.services.place_hold(HoldRequest {
        event_id,
        buyer_id: BUYER,
        lines: smallvec![shop.line()],
        key: binding(KeyedRoute::PlaceHold, "h"),
    });
    assert!(matches!(held.await, Err(ServiceError::NotFound)));
}

#[tokio::test]
async fn what_is_free_needs_no_gateway() {
    let shop = Shop::open(10).await;
    price(&shop.fixture, 0).await;
    let purchased = confirmed(shop.services.purchase(shop.request("k", None)).await.unwrap());
    assert_eq!(purchased.order.payment, None);
    assert_eq!(shop.counts().await, (0, 2));
}

#[tokio::test]
async fn what_costs_needs_a_payment_method_before_anything_is_held() {
    let shop = Shop::open(10).await;
    let answer = shop.services.purchase(shop.request("k", None)).await;
    assert!(matches!(answer, Err(ServiceError::PaymentMethodMissing)));
    assert_eq!(shop.counts().await, (0, 0));
}

#[tokio::test]
async fn a_hold_is_paid_once_and_its_key_answers_again() {
    let shop = Shop::open(10).await;
    let hold = HoldRequest {
        event_id: shop.fixture.event_id,
        buyer_id: BUYER,
        lines: smallvec![shop.line()],
        key: binding(KeyedRoute::PlaceHold, "h"),
    };
    let placed = shop.services.place_hold(hold.clone()).await.unwrap();
    let repeated = shop.services.place_hold(hold).await.unwrap();
    assert!(repeated.replayed && repeated.hold == placed.hold && repeated.seq == placed.seq);

    let hold_id = placed.hold.hold_id;
    let checkout = |key: &str| CheckoutRequest {
        hold_id,
        buyer_id: BUYER,
        payment_method: Some("sim_approve".to_owned()),
        key: binding(KeyedRoute::Checkout, key),
    };
    let first = confirmed(shop.services.checkout(checkout("c")).await.unwrap());
    let again = confirmed(shop.services.checkout(checkout("c")).await.unwrap());
    assert!(!first.replayed && again.replayed && first.order == again.order);
    let other = shop.services.checkout(checkout("d")).await;
    let order_id = hold_id.into();
    assert!(
        is_refused(&other, &Refusal::HoldConfirmed { order_id }),
        "{other:?}"
    );
    assert_eq!(shop.counts().await, (0, 2));
}

#[tokio::test]
async fn releasing_and_cancelling_can_be_repeated() {
    let shop = Shop::open(10).await;
    let order_id = shop.buy("k", "sim_approve").await.unwrap().order.hold_id.into();
    for _ in 0..2 {
        let cancelled = shop.services.cancel_order(order_id, BUYER).await.unwrap();
        assert_eq!(cancelled.order_id, order_id);
    }
    assert_eq!(shop.counts().await, (0, 0));

    let hold = HoldRequest {
        event_id: shop.fixture.event_id,
        buyer_id: BUYER,
        lines: smallvec![shop.line()],
        key: binding(KeyedRoute::PlaceHold, "h"),
    };
    let hold_id = shop.services.place_hold(hold).await.unwrap().hold.hold_id;
    for _ in 0..2 {
        let released = shop.services.release_hold(hold_id, BUYER).await.unwrap();
        assert_eq!(released.status, ReleasedStatus::Released);
    }
}
