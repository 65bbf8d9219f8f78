//! Reading one event back from its journal: by its records, and by the records after its snapshot.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use onsale_domain::EventId;
use onsale_engine::port::Journal;
use onsale_engine::replay::Replayer;
use onsale_engine::{Engine, EngineConfig};
use onsale_persistence::{LocalJournal, PostgresJournal};
use uuid::Uuid;

use crate::filling::{Order, fill, open};
use crate::forgetful::Watermarks;
use crate::serving::support::TestClock;
use crate::usage::{forget_peak, peak_bytes, resident_bytes};
use crate::{database, in_a_process, point, serving, sizes};

const SIZES: [usize; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
/// Of the `postgres` journal: its largest size would take a minute more and shows nothing else.
const POSTGRES_MAX: usize = 1_000_000;
const QUICK_MAX: usize = 100_000;
/// Records of the event that has snapshots, and how many come after the snapshot.
const SNAPSHOT_OF: usize = 1_000_000;
const AFTER: [usize; 4] = [500_000, 100_000, 10_000, 1_000];
const ENTRIES_AT_ONCE: usize = 256;

pub fn run(quick: bool) {
    for (kind, max) in [("local", usize::MAX), ("postgres", POSTGRES_MAX)] {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().to_str().unwrap();
        let mut snapshot_of = None;
        for size in sizes(&SIZES, quick, QUICK_MAX) {
            if size > max {
                continue;
            }
            let text = size.to_string();
            // What recorded it has other memory than what reads it back.
            let event_id = in_a_process("recovery", &["record", kind, directory, &text, ""]);
            in_a_process("recovery", &["read", kind, directory, &text, &event_id]);
            if size <= SNAPSHOT_OF {
                snapshot_of = Some((event_id, text));
            }
        }
        if let Some((event_id, text)) = snapshot_of.filter(|_| kind == "local") {
            in_a_process("recovery", &["snapshots", kind, directory, &text, &event_id]);
        }
    }
}

/// Arguments: what, which journal, its directory, the size, and the event.
pub fn at(arguments: &[String]) {
    let [what, kind, directory, size, event_id] = arguments else {
        panic!("{arguments:?}")
    };
    let (size, event_id) = (size.parse().unwrap(), Uuid::parse_str(event_id).map(EventId));
    serving::runtime().block_on(async {
        let database = database().await;
        let mut postgres = None;
        let journal: Arc<dyn Journal> = if kind == "local" {
            Arc::new(LocalJournal::open(Path::new(directory), database).await.unwrap())
        } else {
            let journal = Arc::new(PostgresJournal::start(database, "scaling").await.unwrap());
            postgres = Some(Arc::clone(&journal));
            journal
        };
        let store = Store::new(journal).await;
        match what.as_str() {
            "record" => println!("{}", store.recorded(size).await),
            "read" => store.tell(size, event_id.unwrap()).await,
            _ => store.with_snapshots(event_id.unwrap(), size).await,
        }
        if let Some(postgres) = postgres {
            postgres.shutdown().await;
        }
    });
}

/// A journal, and what of it is projected. Time stands still, so that no hold ends.
struct Store {
    journal: Arc<dyn Journal>,
    sink: Watermarks,
    clock: TestClock,
}

impl Store {
    /// All that is there counts as projected.
    async fn new(journal: Arc<dyn Journal>) -> Self {
        let sink = Watermarks::at(journal.heads().await.unwrap());
        let clock = TestClock::default();
        clock.advance_ms(1_800_000_000_000);
        Self { journal, sink, clock }
    }

    async fn engine(&self) -> Engine {
        let config = EngineConfig {
            snapshot_every_records: u64::MAX,
            // How long a request waits for an event that is being loaded.
            decision_deadline_ms: 600_000,
            ..EngineConfig::default()
        };
        let (sink, clock) = (Arc::new(self.sink.clone()), Arc::new(self.clock.clone()));
        Engine::start(config, Arc::clone(&self.journal), sink, clock)
            .await
            .unwrap()
    }

    /// A new event with so many holds, each a record.
    async fn recorded(&self, size: usize) -> EventId {
        let engine = self.engine().await;
        let sale = Arc::new(vec![open(&engine, 10_000_000).await]);
        fill(&engine, &sale, 0, size, Order::EventByEvent).await;
        engine.shutdown(Duration::from_mins(1)).await;
        sale[0].event_id
    }

    async fn tell(&self, size: usize, event_id: EventId) {
        let (seconds, peak) = self.read_back(event_id).await;
        let name = self.journal.name();
        point("recovery", name, size, seconds);
        point("recovery-memory", name, size, peak as f64 / f64::from(1 << 20));
    }

    /// Seconds until the event answers, and the most memory on top of what was there.
    async fn read_back(&self, event_id: EventId) -> (f64, usize) {
        let engine = self.engine().await;
        let before = resident_bytes();
        forget_peak();
        let started = Instant::now();
        engine.availability(event_id).await.unwrap();
        let seconds = started.elapsed().as_secs_f64();
        let peak = peak_bytes().saturating_sub(before);
        engine.shutdown(Duration::from_mins(1)).await;
        (seconds, peak)
    }

    /// Reads the event back from snapshots that are ever nearer to its end.
    async fn with_snapshots(&self, event_id: EventId, size: usize) {
        let heads = self.journal.heads().await.unwrap();
        let last = heads.iter().find(|(id, _)| *id == event_id).unwrap().1;
        let mut replayer = Replayer::new(event_id);
        for after in AFTER.into_iter().filter(|after| *after < size) {
            let until = last - after as u64;
            while replayer.inventory().seq() < until {
                let at = replayer.inventory().seq();
                for entry in self.journal.read(event_id, at, ENTRIES_AT_ONCE).await.unwrap() {
                    if replayer.inventory().seq() < until {
                        replayer.fold(&entry).unwrap();
                    }
                }
            }
            let snapshot = replayer.snapshot().unwrap();
            // An entry is folded whole: this is how many are really left.
            let left = (last - snapshot.seq) as usize;
            self.journal.save_snapshot(snapshot).await.unwrap();
            let (seconds, _) = self.read_back(event_id).await;
            point(
                "recovery-snapshot",
                &format!("local, of {size} records"),
                left.max(1),
                seconds,
            );
        }
    }
}
