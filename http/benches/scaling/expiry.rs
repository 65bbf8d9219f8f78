//! Holds that all end within one second: how long until all are free, and how other holds do meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use onsale_domain::Command;
use onsale_engine::port::Clock;
use onsale_engine::{Engine, EngineConfig};
use onsale_persistence::{LocalJournal, PostgresProjection};

use crate::client::p99;
use crate::filling::{Order, fill, open, place};
use crate::serving::Sale;
use crate::serving::support::TestClock;
use crate::{database, point, serving, sizes};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const HOLD_MS: i64 = 10_000;
/// All holds are placed within this time, and so end within it.
const SPREAD_MS: i64 = 1_000;
const SLICES: usize = 20;
/// Other holds are asked for this often on each event.
const PROBE_EVERY: Duration = Duration::from_millis(2);
const ANSWERED_WITHIN: Duration = Duration::from_mins(1);
/// The engine looks for what has ended this often.
const LOOKS_EVERY_MS: i64 = 50;
/// Numbers of holds of the probes begin here.
const PROBES: usize = 5_000_000;

pub fn run(quick: bool) {
    let directory = tempfile::tempdir().unwrap();
    serving::runtime().block_on(async {
        let database = database().await;
        for size in sizes(&SIZES, quick, 100_000) {
            let path = directory.path().join(size.to_string());
            let journal = LocalJournal::open(&path, database.clone()).await.unwrap();
            let clock = TestClock::default();
            clock.advance_ms(1_800_000_000_000);
            let sink = Arc::new(PostgresProjection::new(database.clone()));
            let config = EngineConfig::default();
            let engine = Engine::start(config, Arc::new(journal), sink, Arc::new(clock.clone()))
                .await
                .unwrap();
            measure(&engine, &clock, size).await;
            engine.shutdown(Duration::from_secs(30)).await;
        }
    });
}

async fn measure(engine: &Engine, clock: &TestClock, size: usize) {
    let (sale, other) = (short_holds(engine).await, short_holds(engine).await);
    let sales = Arc::new(vec![sale]);
    for slice in 0..SLICES {
        let slice_of = size / SLICES;
        fill(
            engine,
            &sales,
            slice * slice_of,
            (slice + 1) * slice_of,
            Order::EventByEvent,
        )
        .await;
        clock.advance_ms(SPREAD_MS / SLICES as i64);
    }
    let first_due_ms = clock.now().0 - SPREAD_MS + HOLD_MS;
    // The clock went on after the last slice, too.
    let last_due_ms = clock.now().0 - SPREAD_MS / SLICES as i64 + HOLD_MS;
    let running = tokio::spawn(run_on(clock.clone()));
    engine.wait_all_projected().await.unwrap();
    let quiet = Probes::start(engine, other);
    tokio::time::sleep(Duration::from_secs(2)).await;
    point(
        "expiry-beside",
        "quiet, another event",
        size,
        ms(quiet.p99().await),
    );

    while clock.now().0 < first_due_ms {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (here, beside) = (Probes::start(engine, sale), Probes::start(engine, other));
    loop {
        let probing = here.placed.load(Ordering::Relaxed);
        let counts = engine.availability(sale.event_id).await.unwrap();
        if (counts.quotas[0].held as usize) <= probing + 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let late_ms = clock.now().0 - last_due_ms;
    point("expiry", "one event", size, late_ms.max(LOOKS_EVERY_MS) as f64);
    point("expiry-beside", "the same event", size, ms(here.p99().await));
    point("expiry-beside", "another event", size, ms(beside.p99().await));
    running.abort();
}

/// A sale whose holds are short.
async fn short_holds(engine: &Engine) -> Sale {
    let sale = open(engine, 10_000_000).await;
    let event = engine.availability(sale.event_id).await.unwrap();
    let mut details = event.definition.details.clone();
    details.hold_duration_ms = HOLD_MS;
    let command = Command::EditEvent {
        details: Box::new(details),
        expected_version: event.definition.version,
    };
    engine.execute(sale.event_id, command).await.unwrap();
    sale
}

/// The clock runs as the machine's does.
async fn run_on(clock: TestClock) {
    let (started, began) = (Instant::now(), clock.now().0);
    loop {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let now = began + started.elapsed().as_millis() as i64;
        clock.advance_ms(now - clock.now().0);
    }
}

/// Holds that are asked for at fixed times, whether the ones before are answered or not.
struct Probes {
    placed: Arc<AtomicUsize>,
    asking: tokio::task::JoinHandle<()>,
    latencies: Arc<std::sync::Mutex<Vec<Duration>>>,
}

impl Probes {
    fn start(engine: &Engine, sale: Sale) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(PROBES);
        let (placed, latencies) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let (engine, counted, kept) = (engine.clone(), Arc::clone(&placed), Arc::clone(&latencies));
        let asking = tokio::spawn(async move {
            let mut due = Instant::now();
            loop {
                tokio::time::sleep_until(due.into()).await;
                let (engine, kept) = (engine.clone(), Arc::clone(&kept));
                let command = place(sale.ticket_type_id, NEXT.fetch_add(1, Ordering::Relaxed));
                // Counted before it is placed, so that none is taken for one that has not ended.
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    engine.execute(sale.event_id, command).await.unwrap();
                    let kept: &std::sync::Mutex<Vec<Duration>> = &kept;
                    kept.lock().unwrap().push(due.elapsed());
                });
                due += PROBE_EVERY;
            }
        });
        Self {
            placed,
            asking,
            latencies,
        }
    }

    async fn p99(self) -> Duration {
        self.asking.abort();
        // The slowest are the ones that count.
        let asked = Instant::now();
        while self.latencies.lock().unwrap().len() < self.placed.load(Ordering::Relaxed) {
            assert!(asked.elapsed() < ANSWERED_WITHIN, "a hold is never answered");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        p99(&mut self.latencies.lock().unwrap())
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
