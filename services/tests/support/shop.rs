//! A shop that can be killed: engine and services over a journal, a Postgres and a provider that outlive them.

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::command::{RefundTickets, RequestedLine};
use onsale_domain::id::{BodyDigest, KeyDigest};
use onsale_domain::record::KeyBinding;
use onsale_domain::{
    BuyerId, Command, EventId, OrderId, RefundId, Refusal, TicketId, TicketTypeId, UnixMillis,
};
use onsale_engine::{Engine, EngineConfig};
use onsale_persistence::{Database, DatabaseConfig, FolderStore, PostgresProjection};
use onsale_services::{
    AuditWriter, Clock as _, ConfirmedOrder, Dependencies, EngineError, Gateways, Job, JobError,
    JobHandler as _, JobKind, JobOutcome, OrderRow, PaymentStatus, PaymentWorker, PurchaseRequest, Purchased,
    ServiceError, Services, ServicesConfig, TicketKeys, TokenKeys, Tokens,
};
use smallvec::smallvec;
use uuid::Uuid;

use crate::provider::Provider;
use crate::support::{MemoryJournal, TestClock, open_sale};

pub const PRICE: i64 = 4_500;
pub const TOTAL: i64 = 2 * PRICE;
const BUYER: BuyerId = BuyerId(Uuid::from_u128(42));
/// Looks that a payment may need until it rests.
const LOOKS_MAX: usize = 60;

pub struct Shop {
    pub provider: Arc<Provider>,
    pub clock: TestClock,
    journal: MemoryJournal,
    database: Database,
    engine: Engine,
    services: Services,
    event_id: EventId,
    ticket_type_id: TicketTypeId,
}

impl Shop {
    pub async fn open(capacity: u32) -> Self {
        let url = std::env::var("DATABASE_URL")
            .expect("these tests need DATABASE_URL, a Postgres that may be migrated: run `cargo xtask test`");
        let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
        database.migrate().await.unwrap();
        let (provider, clock, journal) = (
            Arc::new(Provider::default()),
            TestClock::default(),
            MemoryJournal::default(),
        );
        clock.advance_ms(1_800_000_000_000);
        let engine = engine(&journal, &database, &clock).await;
        let event_id = EventId(Uuid::now_v7());
        let ticket_type_id = open_sale(&engine, event_id, capacity).await;
        let event = engine.availability(event_id).await.unwrap();
        let mut ticket_type = event.definition.ticket_types[0].clone();
        ticket_type.unit_price_minor = PRICE;
        let command = Command::SetTicketType {
            ticket_type: Box::new(ticket_type),
            expected_version: event.definition.version,
        };
        engine.execute(event_id, command).await.unwrap();
        let services = services(&engine, &database, &provider);
        Self {
            provider,
            clock,
            journal,
            database,
            engine,
            services,
            event_id,
            ticket_type_id,
        }
    }

    /// The process is gone, and another takes over.
    pub async fn restart(&mut self) {
        self.engine = engine(&self.journal, &self.database, &self.clock).await;
        self.services = services(&self.engine, &self.database, &self.provider);
    }

    fn request(&self, key: &str) -> PurchaseRequest {
        PurchaseRequest {
            event_id: self.event_id,
            buyer_id: BUYER,
            lines: smallvec![RequestedLine {
                ticket_type_id: self.ticket_type_id,
                quantity: 2,
            }],
            payment_method: Some("pm".to_owned()),
            key: binding(key),
        }
    }

    pub async fn buy(&self, key: &str) -> Result<ConfirmedOrder, ServiceError> {
        match self.services.purchase(self.request(key)).await? {
            Purchased::Confirmed(order) => Ok(*order),
            Purchased::Pending(_) => Err(ServiceError::NotFound),
        }
    }

    /// Buys, and is told to wait.
    pub async fn pending(&self, key: &str) {
        let told = self.services.purchase(self.request(key)).await.unwrap();
        assert!(matches!(told, Purchased::Pending(_)), "{told:?}");
    }

    pub fn is_refused(answer: &Result<ConfirmedOrder, ServiceError>, wanted: &Refusal) -> bool {
        matches!(answer, Err(ServiceError::Engine(EngineError::Refused(refusal))) if refusal == wanted)
    }

    /// The buyer's latest order of the event.
    pub async fn last_order(&self) -> OrderId {
        self.engine.wait_projected(self.event_id).await.unwrap();
        let orders = self.database.orders_of_buyer(BUYER, None, 100).await.unwrap();
        let own = orders.iter().find(|order| order.event_id == self.event_id);
        own.expect("an order").order_id
    }

    pub async fn order(&self, order_id: OrderId) -> OrderRow {
        self.engine.wait_projected(self.event_id).await.unwrap();
        self.database
            .order(self.event_id, order_id)
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn payment(&self, order_id: OrderId) -> PaymentStatus {
        self.order(order_id).await.payment.unwrap().status
    }

    pub async fn cancel(&self, order_id: OrderId) {
        self.services.cancel_order(order_id, BUYER).await.unwrap();
    }

    pub async fn refund(&self, order_id: OrderId, tickets: &[TicketId]) {
        let command = Command::RefundTickets(Box::new(RefundTickets {
            refund_id: RefundId(Uuid::now_v7()),
            order_id,
            tickets: tickets.to_vec(),
            key: None,
        }));
        self.engine.execute(self.event_id, command).await.unwrap();
    }

    /// Lets the event see what time it is.
    pub async fn tick(&self) {
        self.engine
            .execute(self.event_id, Command::Advance)
            .await
            .unwrap();
    }

    /// One run of the payment's job.
    pub async fn work(&self, order_id: OrderId) -> Result<JobOutcome, JobError> {
        self.engine.wait_projected(self.event_id).await.unwrap();
        let now = self.clock.now();
        let job = Job {
            kind: JobKind::Payment,
            subject_id: order_id.0,
            event_id: Some(self.event_id),
            payload: None,
            created_at: now,
            attempts: 1,
            version: 1,
            claimed_until: now.plus_ms(60_000),
        };
        PaymentWorker::new(self.services.clone()).run(job).await
    }

    /// Runs it as the queue would, with time passing between, until it changes nothing any more.
    pub async fn come_to_rest(&self, order_id: OrderId) {
        for _ in 0..LOOKS_MAX {
            let before = self.payment(order_id).await;
            let outcome = self.work(order_id).await;
            match outcome {
                Ok(JobOutcome::Done) if self.payment(order_id).await == before => return,
                Ok(JobOutcome::Done) => {}
                Ok(JobOutcome::Later(_)) | Err(_) => self.clock.advance_ms(6_000),
                Ok(JobOutcome::GivenUp(reason)) => panic!("{reason}"),
            }
        }
        panic!(
            "{order_id} does not come to rest: {:?}",
            self.order(order_id).await
        );
    }

    /// A webhook about the order.
    pub async fn hint(&self, order_id: OrderId) -> Result<(), ServiceError> {
        let body = onsale_domain::Purchase::from(order_id).to_string();
        self.services
            .payment_notice("stripe", &|_| None, body.as_bytes())
            .await
    }

    /// Jobs of kind payment about the order.
    pub async fn jobs(&self, order_id: OrderId) -> usize {
        let job = self.database.job(JobKind::Payment, order_id.0).await.unwrap();
        usize::from(job.is_some())
    }

    /// Held and sold.
    pub async fn counts(&self) -> (u32, u32) {
        let availability = self.engine.availability(self.event_id).await.unwrap();
        (availability.quotas[0].held, availability.quotas[0].sold)
    }
}

async fn engine(journal: &MemoryJournal, database: &Database, clock: &TestClock) -> Engine {
    Engine::start(
        EngineConfig::default(),
        Arc::new(journal.clone()),
        Arc::new(PostgresProjection::new(database.clone())),
        Arc::new(clock.clone()),
    )
    .await
    .unwrap()
}

fn services(engine: &Engine, database: &Database, provider: &Arc<Provider>) -> Services {
    let config = ServicesConfig {
        gateway_timeout: Duration::from_millis(400),
        ..ServicesConfig::default()
    };
    let keys = TicketKeys::parse(&TicketKeys::generate("test").unwrap()).unwrap();
    let folder = std::env::temp_dir().join("onsale-test-files");
    let objects = FolderStore::open(&folder, keys.link_secrets(), UnixMillis(0)).unwrap();
    Services::new(
        Dependencies {
            engine: engine.clone(),
            database: database.clone(),
            redis: None,
            gateways: Gateways::new(provider.clone(), []),
            tokens: Tokens::new(TokenKeys::of_secret(&[7; 32]).unwrap(), "onsale", "onsale-api"),
            audit: AuditWriter::new(database.clone()).0,
            ticket_keys: keys,
            objects: Arc::new(objects),
        },
        config,
    )
    .unwrap()
}

fn binding(key: &str) -> KeyBinding {
    let mut digest = [0; 16];
    digest[..key.len()].copy_from_slice(key.as_bytes());
    KeyBinding {
        key: KeyDigest(digest),
        body: BodyDigest([0; 8]),
    }
}
