//! A journal and a projection in memory, with switches for what real ones do at bad moments, and an engine on top.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code, of which each binary uses a part"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use onsale_domain::command::{ConfirmHold, PlaceHold, RequestedLine};
use onsale_domain::definition::{EventDetails, Quota, SalesWindow, TicketType};
use onsale_domain::id::{BodyDigest, KeyDigest, TicketCode};
use onsale_domain::money::Currency;
use onsale_domain::record::KeyBinding;
use onsale_domain::{
    BuyerId, Command, EventId, EventStatus, HoldId, OrganizationId, QuotaId, Route, Sequence, Tax, TicketId,
    TicketTypeId, UnixMillis,
};
use onsale_engine::port::{
    Acquired, Appended, Clock, Epoch, Journal, JournalEntry, JournalError, JournalWriter, ProjectionError,
    ProjectionSink, Snapshot,
};
use onsale_engine::{Answer, Engine, EngineConfig, EngineError, Receipt};
use smallvec::smallvec;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

#[derive(Default)]
pub struct Stored {
    pub epoch: i64,
    pub entries: Vec<JournalEntry>,
    pub snapshot: Option<Snapshot>,
}

/// The journal. Clones share the storage, as processes share a database.
#[derive(Clone)]
pub struct MemoryJournal {
    pub events: Arc<Mutex<BTreeMap<EventId, Stored>>>,
    /// While false, commits wait.
    pub open: Arc<watch::Sender<bool>>,
    pub commits: Arc<AtomicU32>,
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self {
            events: Arc::default(),
            open: Arc::new(watch::Sender::new(true)),
            commits: Arc::default(),
        }
    }
}

impl MemoryJournal {
    pub fn last_seq(&self, event_id: EventId) -> Sequence {
        let events = self.events.lock().unwrap();
        events
            .get(&event_id)
            .and_then(|stored| stored.entries.last())
            .map_or(0, |entry| entry.last_seq)
    }

    /// What a newer owner does.
    pub fn steal(&self, event_id: EventId) {
        self.events.lock().unwrap().get_mut(&event_id).unwrap().epoch += 1;
    }
}

impl Journal for MemoryJournal {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn lanes(&self) -> usize {
        2
    }

    fn writer(&self) -> BoxFuture<'_, Result<Box<dyn JournalWriter>, JournalError>> {
        let writer: Box<dyn JournalWriter> = Box::new(self.clone());
        async move { Ok(writer) }.boxed()
    }

    fn create(&self, event_id: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>> {
        async move {
            let mut events = self.events.lock().unwrap();
            if events.contains_key(&event_id) {
                return Err(JournalError::Taken);
            }
            events.insert(
                event_id,
                Stored {
                    epoch: 1,
                    ..Stored::default()
                },
            );
            Ok(Acquired { epoch: Epoch(1) })
        }
        .boxed()
    }

    fn acquire(&self, event_id: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>> {
        async move {
            let mut events = self.events.lock().unwrap();
            let stored = events.get_mut(&event_id).ok_or(JournalError::NotFound)?;
            stored.epoch += 1;
            Ok(Acquired {
                epoch: Epoch(stored.epoch),
            })
        }
        .boxed()
    }

    fn resolve(&self, route: Route) -> BoxFuture<'_, Result<Option<EventId>, JournalError>> {
        async move {
            Ok(self
                .events
                .lock()
                .unwrap()
                .keys()
                .copied()
                .find(|event_id| event_id.route() == route))
        }
        .boxed()
    }

    fn read(
        &self,
        event_id: EventId,
        after: Sequence,
        entries_max: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, JournalError>> {
        async move {
            let events = self.events.lock().unwrap();
            let entries = events
                .get(&event_id)
                .into_iter()
                .flat_map(|stored| &stored.entries);
            Ok(entries
                .filter(|entry| entry.last_seq > after)
                .take(entries_max)
                .cloned()
                .collect())
        }
        .boxed()
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<(EventId, Sequence)>, JournalError>> {
        async move {
            let events = self.events.lock().unwrap();
            let heads = events
                .iter()
                .filter_map(|(id, stored)| Some((*id, stored.entries.last()?.last_seq)));
            Ok(heads.collect())
        }
        .boxed()
    }

    fn load_snapshot(&self, event_id: EventId) -> BoxFuture<'_, Result<Option<Snapshot>, JournalError>> {
        async move {
            let events = self.events.lock().unwrap();
            Ok(events.get(&event_id).and_then(|stored| stored.snapshot.clone()))
        }
        .boxed()
    }

    fn save_snapshot(&self, snapshot: Snapshot) -> BoxFuture<'_, Result<(), JournalError>> {
        async move {
            if let Some(stored) = self.events.lock().unwrap().get_mut(&snapshot.event_id) {
                stored.snapshot = Some(snapshot);
            }
            Ok(())
        }
        .boxed()
    }
}

impl JournalWriter for MemoryJournal {
    fn append<'a>(
        &'a mut self,
        entries: &'a [JournalEntry],
    ) -> BoxFuture<'a, Result<Appended, JournalError>> {
        async move {
            let mut open = self.open.subscribe();
            open.wait_for(|open| *open)
                .await
                .map_err(|error| JournalError::Fatal(error.to_string()))?;
            self.commits.fetch_add(1, Ordering::Relaxed);
            let mut events = self.events.lock().unwrap();
            let mut fenced = Vec::new();
            for entry in entries {
                let stored = events.get_mut(&entry.event_id).unwrap();
                let last_seq = stored.entries.last().map_or(0, |last| last.last_seq);
                if stored.epoch == entry.epoch.0 && last_seq + 1 == entry.first_seq {
                    stored.entries.push(entry.clone());
                } else {
                    fenced.push(entry.event_id);
                }
            }
            Ok(Appended { fenced })
        }
        .boxed()
    }
}

/// The projection: it only counts, which is what the driver's tests need.
#[derive(Clone, Default)]
pub struct MemorySink {
    pub watermarks: Arc<Mutex<HashMap<EventId, Sequence>>>,
    pub away: Arc<AtomicBool>,
    /// The database has lost its last transactions: a watermark may be behind.
    pub lossy: Arc<AtomicBool>,
    /// An event that cannot be projected.
    pub unreadable: Arc<Mutex<Option<EventId>>>,
}

impl ProjectionSink for MemorySink {
    fn project<'a>(&'a self, entries: &'a [JournalEntry]) -> BoxFuture<'a, Result<(), ProjectionError>> {
        async move {
            if self.away.load(Ordering::Relaxed) {
                return Err(ProjectionError::Unavailable("switched off".to_owned()));
            }
            let unreadable = *self.unreadable.lock().unwrap();
            if entries.iter().any(|entry| Some(entry.event_id) == unreadable) {
                return Err(ProjectionError::Damaged("switched off".to_owned()));
            }
            let mut watermarks = self.watermarks.lock().unwrap();
            for entry in entries {
                let watermark = watermarks.entry(entry.event_id).or_default();
                let expected = entry.first_seq - 1;
                let lossy = self.lossy.load(Ordering::Relaxed);
                assert!(lossy || *watermark >= expected, "the projector left a gap");
                if *watermark != expected {
                    return Err(ProjectionError::WatermarkMoved {
                        event_id: entry.event_id,
                        watermark: *watermark,
                        expected,
                    });
                }
                *watermark = entry.last_seq;
            }
            Ok(())
        }
        .boxed()
    }

    fn watermarks<'a>(
        &'a self,
        event_ids: &'a [EventId],
    ) -> BoxFuture<'a, Result<Vec<(EventId, Sequence)>, ProjectionError>> {
        async move {
            let watermarks = self.watermarks.lock().unwrap();
            Ok(event_ids
                .iter()
                .filter_map(|id| Some((*id, *watermarks.get(id)?)))
                .collect())
        }
        .boxed()
    }

    /// Every event counts as due, which is more than the engine needs.
    fn events_due(&self, _now: UnixMillis) -> BoxFuture<'_, Result<Vec<EventId>, ProjectionError>> {
        async move { Ok(self.watermarks.lock().unwrap().keys().copied().collect()) }.boxed()
    }
}

/// A clock that the test moves.
#[derive(Clone, Default)]
pub struct TestClock(pub Arc<AtomicI64>);

impl TestClock {
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
}

/// An engine over shared storage with one event on sale.
pub struct Fixture {
    pub engine: Engine,
    pub journal: MemoryJournal,
    pub sink: MemorySink,
    pub clock: TestClock,
    pub event_id: EventId,
    pub ticket_type_id: TicketTypeId,
}

pub const HOLD_DURATION_MS: i64 = 60_000;

impl Fixture {
    pub async fn on_sale(capacity: u32) -> Self {
        Self::with(capacity, EngineConfig::default()).await
    }

    pub async fn with(capacity: u32, config: EngineConfig) -> Self {
        let (journal, sink, clock) = (
            MemoryJournal::default(),
            MemorySink::default(),
            TestClock::default(),
        );
        clock.advance_ms(1_800_000_000_000);
        let engine = start(&journal, &sink, &clock, config).await;
        let event_id = EventId(Uuid::now_v7());
        let ticket_type_id = open_sale(&engine, event_id, capacity).await;
        Self {
            engine,
            journal,
            sink,
            clock,
            event_id,
            ticket_type_id,
        }
    }

    /// A second engine on the same storage, as a second process would be.
    pub async fn second_engine(&self) -> Engine {
        start(&self.journal, &self.sink, &self.clock, EngineConfig::default()).await
    }

    pub fn place(&self, quantity: i64, key: Option<u64>) -> (HoldId, Command) {
        let hold_id = HoldId(Uuid::now_v7());
        let command = Command::PlaceHold(PlaceHold {
            hold_id,
            buyer_id: BUYER,
            lines: smallvec![RequestedLine {
                ticket_type_id: self.ticket_type_id,
                quantity
            }],
            payment: None,
            package: None,
            key: key.map(binding),
        });
        (hold_id, command)
    }

    pub async fn hold(&self, quantity: i64) -> Result<HoldId, EngineError> {
        let (hold_id, command) = self.place(quantity, None);
        self.engine.execute(self.event_id, command).await.map(|_| hold_id)
    }

    pub async fn available(&self) -> u32 {
        self.engine.availability(self.event_id).await.unwrap().quotas[0].available()
    }
}

pub const BUYER: BuyerId = BuyerId(Uuid::from_u128(7));

/// Asks for one ticket.
pub fn place(ticket_type_id: TicketTypeId) -> Command {
    Command::PlaceHold(PlaceHold {
        hold_id: HoldId(Uuid::now_v7()),
        buyer_id: BUYER,
        lines: smallvec![RequestedLine {
            ticket_type_id,
            quantity: 1
        }],
        payment: None,
        package: None,
        key: None,
    })
}

pub fn confirm(hold_id: HoldId, tickets: usize) -> Command {
    Command::ConfirmHold(Box::new(ConfirmHold {
        hold_id,
        buyer_id: BUYER,
        payment: None,
        tickets: (0..tickets)
            .map(|_| (TicketId(Uuid::now_v7()), ticket_code()))
            .collect(),
        package_order_id: None,
        key: None,
    }))
}

/// A code that no other ticket has.
fn ticket_code() -> TicketCode {
    let mut code = [0; 10];
    code.copy_from_slice(&Uuid::now_v7().as_bytes()[6..]);
    TicketCode(code)
}

pub fn binding(number: u64) -> KeyBinding {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    key[8..].copy_from_slice(&number.wrapping_mul(0xC2B2_AE3D_27D4_EB4F).to_be_bytes());
    KeyBinding {
        key: KeyDigest(key),
        body: BodyDigest([0; 8]),
    }
}

pub async fn start(
    journal: &MemoryJournal,
    sink: &MemorySink,
    clock: &TestClock,
    config: EngineConfig,
) -> Engine {
    let (journal, sink, clock) = (
        Arc::new(journal.clone()),
        Arc::new(sink.clone()),
        Arc::new(clock.clone()),
    );
    Engine::start(config, journal, sink, clock).await.unwrap()
}

/// Creates and publishes an event with one free ticket type.
pub async fn open_sale(engine: &Engine, event_id: EventId, capacity: u32) -> TicketTypeId {
    let details = EventDetails {
        organization_id: OrganizationId(Uuid::now_v7()),
        name: "A night".to_owned(),
        description: String::new(),
        venue: String::new(),
        starts_at: UnixMillis(2_000_000_000_000),
        time_zone: "Europe/Berlin".to_owned(),
        sales_window: SalesWindow {
            opens_at: UnixMillis(0),
            closes_at: UnixMillis(2_000_000_000_000),
        },
        currency: Currency::EUR,
        hold_duration_ms: HOLD_DURATION_MS,
        hold_lifetime_ms_max: 2 * HOLD_DURATION_MS,
        buyer_limit: None,
        check_in_opens_at: None,
        re_entry: false,
    };
    let quota = Quota {
        id: QuotaId(Uuid::now_v7()),
        name: "All".to_owned(),
        capacity,
    };
    let ticket_type = TicketType {
        id: TicketTypeId(Uuid::now_v7()),
        name: "Free".to_owned(),
        quota_id: quota.id,
        unit_price_minor: 0,
        unit_fee_minor: 0,
        tax: Tax::default(),
    };
    let ticket_type_id = ticket_type.id;
    for command in [
        Command::CreateEvent {
            event_id,
            details: Box::new(details),
        },
        Command::SetQuota {
            quota: Box::new(quota),
            expected_version: 1,
        },
        Command::SetTicketType {
            ticket_type: Box::new(ticket_type),
            expected_version: 2,
        },
        Command::ChangeStatus {
            to: EventStatus::Published,
            expected_version: Some(3),
        },
    ] {
        engine.execute(event_id, command).await.unwrap();
    }
    ticket_type_id
}

pub fn is_recorded(receipt: &Receipt) -> bool {
    matches!(receipt.answer, Answer::Recorded(_))
}

/// Looks until a condition holds; bounded, so that a failing test ends.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..1_000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}

/// Runs tasks at once and collects what they return.
pub async fn at_once<T: Send + 'static>(tasks: Vec<BoxFuture<'static, T>>) -> Vec<T> {
    let gate = Arc::new(Semaphore::new(0));
    let count = u32::try_from(tasks.len()).unwrap();
    let handles: Vec<_> = tasks
        .into_iter()
        .map(|task| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move {
                let _turn = gate.acquire().await;
                task.await
            })
        })
        .collect();
    gate.add_permits(count as usize);
    let mut results = Vec::new();
    for handle in handles {
        results.push(handle.await.unwrap());
    }
    results
}
