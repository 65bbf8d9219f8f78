//! The sale of packages over two events: cut off at every step, and taken up again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../../engine/tests/support/mod.rs"]
mod support;

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use onsale_domain::money::Currency;
use onsale_domain::{
    BuyerId, Command, EventId, EventStatus, Inclusion, OrganizationId, PackageId, TicketTypeId,
};
use onsale_engine::Engine;
use onsale_persistence::{
    Actor, AuditEntry, AuditOutcome, Database, DatabaseConfig, FolderStore, JobKind, LinkSecrets, NewPackage,
    PackageChange, PackageOrderState, PackageStatus, PaymentStatus,
};
use onsale_services::{
    AuditWriter, Clock as _, Dependencies, Gateways, Job, JobHandler as _, JobOutcome, KeyedRoute,
    PackageJobs, PackageOrderRow, PackagePurchaseRequest, PurchasedPackage, ServiceError, Services,
    ServicesConfig, SimulatedGateway, TicketKeys, TokenKeys, Tokens, key_binding,
};
use support::{Fixture, TestClock, open_sale};
use uuid::Uuid;

/// Some polls more than the longest way through the saga has.
const POLLS_MAX: usize = 2_000;

/// Two events with so many tickets each, and a package of one of each, at 15 euros.
struct Bench {
    fixture: Fixture,
    gateway: SimulatedGateway,
    services: Services,
    package_id: PackageId,
    buyer_id: BuyerId,
    events: [(EventId, TicketTypeId); 2],
}

/// Nothing here makes a file; whatever is kept there is gone with the process.
fn nowhere(engine: &Engine) -> Arc<FolderStore> {
    let secrets = LinkSecrets::derived_from(&[7; 32], std::iter::empty());
    let files = std::env::temp_dir().join("onsale-packages-test");
    Arc::new(FolderStore::open(&files, secrets, engine.now()).unwrap())
}

fn services(engine: &Engine, database: &Database, gateway: &SimulatedGateway) -> Services {
    let dependencies = Dependencies {
        engine: engine.clone(),
        database: database.clone(),
        redis: None,
        gateways: Gateways::new(Arc::new(gateway.clone()), []),
        tokens: Tokens::new(TokenKeys::of_secret(&[7; 32]).unwrap(), "onsale", "onsale-api"),
        audit: AuditWriter::new(database.clone()).0,
        ticket_keys: TicketKeys::parse(&TicketKeys::generate("first").unwrap()).unwrap(),
        objects: nowhere(engine),
    };
    Services::new(dependencies, ServicesConfig::default()).unwrap()
}

async fn database() -> Database {
    let url = std::env::var("DATABASE_URL")
        .expect("these tests need DATABASE_URL, a Postgres that may be migrated: run `cargo xtask test`");
    let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
    database.migrate().await.unwrap();
    database
}

impl Bench {
    async fn open(capacity: u32) -> Self {
        let fixture = Fixture::on_sale(capacity).await;
        let database = database().await;
        let gateway = SimulatedGateway::new(Arc::new(fixture.clock.clone()));
        let services = services(&fixture.engine, &database, &gateway);
        let other = EventId(Uuid::now_v7());
        let other_type = open_sale(&fixture.engine, other, capacity).await;
        // What opens by the clock opens with the first command.
        fixture.engine.execute(other, Command::Advance).await.unwrap();
        let events = [(fixture.event_id, fixture.ticket_type_id), (other, other_type)];
        let package_id = package(&database, fixture.clock.now(), &events).await;
        Self {
            fixture,
            gateway,
            services,
            package_id,
            buyer_id: BuyerId(Uuid::now_v7()),
            events,
        }
    }

    fn request(&self, key: &str, payment_method: &str) -> PackagePurchaseRequest {
        PackagePurchaseRequest {
            package_id: self.package_id,
            buyer_id: self.buyer_id,
            quantity: 1,
            payment_method: Some(payment_method.to_owned()),
            key: key_binding(self.buyer_id, KeyedRoute::PurchasePackage, key, b"{}"),
        }
    }

    async fn buy(&self, key: &str, payment_method: &str) -> Result<PurchasedPackage, ServiceError> {
        self.services
            .purchase_package(self.request(key, payment_method))
            .await
    }

    /// `(held, sold)` of each event.
    async fn counts(&self) -> [(u32, u32); 2] {
        let mut counts = [(0, 0); 2];
        for (count, (event_id, _)) in counts.iter_mut().zip(self.events) {
            let event = self.fixture.engine.availability(event_id).await.unwrap();
            *count = (event.quotas[0].held, event.quotas[0].sold);
        }
        counts
    }

    async fn row(&self, order: &PackageOrderRow) -> PackageOrderRow {
        let told = self
            .services
            .package_order(order.package_order_id, self.buyer_id)
            .await;
        told.unwrap().order
    }

    /// Runs the order's job as another process would, until it has nothing more to do.
    async fn finish(&self, order: &PackageOrderRow) -> PackageOrderRow {
        let jobs = PackageJobs::new(self.services.clone());
        for _ in 0..20 {
            match jobs.run(job_of(order, &self.fixture.clock)).await.unwrap() {
                JobOutcome::Done => return self.row(order).await,
                JobOutcome::Later(at) => {
                    let wait_ms = at.ms_since(self.fixture.clock.now());
                    self.fixture.clock.advance_ms(wait_ms.max(1));
                }
                JobOutcome::GivenUp(reason) => panic!("{reason}"),
            }
        }
        panic!("the job never comes to its end: {:?}", self.row(order).await);
    }
}

async fn package(
    database: &Database,
    now: onsale_domain::UnixMillis,
    events: &[(EventId, TicketTypeId); 2],
) -> PackageId {
    let organization_id = OrganizationId(Uuid::now_v7());
    let entry = || AuditEntry::new(now, Actor::SYSTEM, "tests.make", AuditOutcome::Done);
    database
        .insert_organization(organization_id, "A promoter", entry())
        .await
        .unwrap();
    let share = |(number, (event_id, ticket_type_id)): (i64, &(EventId, TicketTypeId))| Inclusion {
        event_id: *event_id,
        ticket_type_id: *ticket_type_id,
        quantity: 1,
        unit_share_minor: 500 * number,
    };
    let new = NewPackage {
        package_id: PackageId(Uuid::now_v7()),
        organization_id,
        currency: Currency::EUR,
        content: PackageChange {
            name: "Both nights".to_owned(),
            price_minor: 1_500,
            status: PackageStatus::OnSale,
            inclusions: (1..).zip(events).map(share).collect(),
        },
    };
    database.insert_package(&new, now, entry()).await.unwrap();
    new.package_id
}

fn job_of(order: &PackageOrderRow, clock: &TestClock) -> Job {
    Job {
        kind: JobKind::Package,
        subject_id: order.package_order_id.0,
        event_id: None,
        payload: None,
        created_at: order.created_at,
        attempts: 1,
        version: 1,
        claimed_until: clock.now().plus_ms(60_000),
    }
}

/// What a future gives within so many polls; it is dropped where it is then, as by the end of its process.
async fn cut_off<T>(work: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut work = Box::pin(work);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

/// Cuts the job of a pending purchase off after 0, 1, 2, … polls, until it runs through; each is then finished, and must
/// end as `ends` says, in both events alike.
async fn cut_everywhere(
    payment_method: &str,
    spoil: impl AsyncFn(&Bench),
    ends: (PackageOrderState, PaymentStatus),
) {
    let mut ran_through = false;
    for polls in 0..POLLS_MAX {
        let bench = Bench::open(3).await;
        let bought = bench.buy("k", payment_method).await.unwrap();
        let order = bought.order.order;
        assert_eq!(order.state, PackageOrderState::Paying);
        assert_eq!(bench.counts().await, [(1, 0), (1, 0)]);
        bench.fixture.clock.advance_ms(200);
        spoil(&bench).await;
        let jobs = PackageJobs::new(bench.services.clone());
        ran_through = cut_off(jobs.run(job_of(&order, &bench.fixture.clock)), polls)
            .await
            .is_some();
        let row = bench.finish(&order).await;
        assert_eq!(
            (row.state, row.payment),
            (ends.0, Some(ends.1)),
            "cut off after {polls}"
        );
        let sold = u32::from(ends.0 == PackageOrderState::Confirmed);
        assert_eq!(bench.counts().await, [(0, sold); 2], "cut off after {polls}");
        if ran_through {
            eprintln!("{payment_method}: cut off at {polls} places");
            break;
        }
    }
    assert!(ran_through, "it never came to its end uncut");
}

#[tokio::test]
async fn a_purchase_that_is_cut_off_anywhere_after_its_payment_is_confirmed_once() {
    let ends = (PackageOrderState::Confirmed, PaymentStatus::Captured);
    cut_everywhere("sim_pending_100", async |_| {}, ends).await;
}

#[tokio::test]
async fn a_decline_that_is_cut_off_anywhere_gives_everything_back() {
    let ends = (PackageOrderState::Cancelled, PaymentStatus::Declined);
    cut_everywhere("sim_pending_decline_100", async |_| {}, ends).await;
}

#[tokio::test]
async fn a_paid_package_whose_event_is_cancelled_goes_back_wherever_it_is_cut_off() {
    let cancel = async |bench: &Bench| {
        let last = bench.events.iter().map(|(event_id, _)| *event_id).max().unwrap();
        let cancel = Command::ChangeStatus {
            to: EventStatus::Cancelled,
            expected_version: None,
        };
        bench.fixture.engine.execute(last, cancel).await.unwrap();
    };
    let ends = (PackageOrderState::Cancelled, PaymentStatus::Voided);
    cut_everywhere("sim_pending_100", cancel, ends).await;
}

/// The request's own process ends, at any time: the job, and a repeat of the key, bring it to one end.
#[test]
fn a_request_whose_process_ends_is_taken_up_by_its_repeat_or_its_job() {
    let main = tokio::runtime::Runtime::new().unwrap();
    for cut_ms in (0..90).step_by(3) {
        let bench = main.block_on(Bench::open(3));
        let process = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (engine, gateway) = (bench.fixture.engine.clone(), bench.gateway.clone());
        let request = bench.request("k", "sim_delay_10");
        let (begun, begins) = std::sync::mpsc::channel();
        process.spawn(async move {
            let services = services(&engine, &database().await, &gateway);
            begun.send(()).unwrap();
            let _ = services.purchase_package(request).await;
        });
        begins.recv().unwrap();
        std::thread::sleep(Duration::from_millis(cut_ms));
        process.shutdown_background();
        main.block_on(async {
            if cut_ms % 2 == 0 {
                let repeated = loop {
                    // The task of the process that ends runs on to its next step.
                    match bench.buy("k", "sim_delay_10").await {
                        Err(ServiceError::InFlight) => tokio::time::sleep(Duration::from_millis(5)).await,
                        answer => break answer.unwrap(),
                    }
                };
                let order = bench.finish(&repeated.order.order).await;
                assert_eq!(order.state, PackageOrderState::Confirmed, "{cut_ms} ms");
                assert_eq!(bench.counts().await, [(0, 1); 2], "{cut_ms} ms");
                return;
            }
            let page = bench
                .services
                .list_package_orders(bench.buyer_id, None, 1)
                .await
                .unwrap();
            let Some(order) = page.rows.first().map(|told| told.order.clone()) else {
                assert_eq!(bench.counts().await, [(0, 0); 2], "{cut_ms} ms");
                return;
            };
            let order = bench.finish(&order).await;
            let sold = u32::from(order.state == PackageOrderState::Confirmed);
            assert_eq!(bench.counts().await, [(0, sold); 2], "{cut_ms} ms: {order:?}");
        });
    }
}

#[tokio::test]
async fn what_one_event_cannot_give_is_taken_of_none_and_the_key_may_try_again() {
    let bench = Bench::open(2).await;
    let (scarce, ticket_type_id) = bench.events[1];
    let others = [support::place(ticket_type_id), support::place(ticket_type_id)];
    for other in others {
        bench.fixture.engine.execute(scarce, other).await.unwrap();
    }
    for _ in 0..2 {
        let refused = bench.buy("k", "sim_approve").await;
        assert!(
            matches!(refused, Err(ServiceError::PackageLeg { event_id, .. }) if event_id == scarce),
            "{refused:?}"
        );
    }
    assert_eq!(bench.counts().await, [(0, 0), (2, 0)]);
    bench.fixture.clock.advance_ms(support::HOLD_DURATION_MS + 1);
    bench
        .fixture
        .engine
        .execute(scarce, Command::Advance)
        .await
        .unwrap();
    let bought = bench.buy("k", "sim_approve").await.unwrap();
    assert_eq!(bought.order.order.state, PackageOrderState::Confirmed);
    assert_eq!(bench.counts().await, [(0, 1), (0, 1)]);
}

#[tokio::test]
async fn a_provider_that_never_decides_is_not_waited_for_beyond_the_holds() {
    let bench = Bench::open(3).await;
    let bought = bench.buy("k", "sim_pending_10000").await.unwrap();
    let order = bought.order.order;
    // The provider has less time than the holds live.
    let by_then = order.decide_by.ms_since(bench.fixture.clock.now());
    assert!(by_then < onsale_domain::limits::PAYMENT_WINDOW_MS);
    let forgetful = SimulatedGateway::new(Arc::new(bench.fixture.clock.clone()));
    let elsewhere = Bench {
        services: services(&bench.fixture.engine, &database().await, &forgetful),
        gateway: forgetful,
        ..bench
    };
    let order = elsewhere.finish(&order).await;
    assert_eq!(
        (order.state, order.payment, order.reason.as_deref()),
        (
            PackageOrderState::Cancelled,
            Some(PaymentStatus::Voided),
            Some("payment_unavailable")
        )
    );
    assert_eq!(elsewhere.counts().await, [(0, 0); 2]);
}

#[tokio::test]
async fn many_buyers_at_once_are_sold_whole_packages_and_no_more_than_there_are() {
    let bench = Arc::new(Bench::open(5).await);
    let buyers = (0..40).map(|number| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            let mut request = bench.request(&number.to_string(), "sim_delay_10");
            request.buyer_id = BuyerId(Uuid::now_v7());
            bench.services.purchase_package(request).await.is_ok()
        })
    });
    let mut sold = 0;
    for buyer in buyers.collect::<Vec<_>>() {
        sold += u32::from(buyer.await.unwrap());
    }
    assert!((1..=5).contains(&sold), "{sold}");
    assert_eq!(bench.counts().await, [(0, sold); 2]);
}
