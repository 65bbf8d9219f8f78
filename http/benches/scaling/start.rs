//! Starting beside events that an earlier process left: idle ones, and ones that it did not project.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use onsale_engine::port::{Journal, ProjectionSink, SystemClock};
use onsale_engine::{Engine, EngineConfig};
use onsale_persistence::{Database, LocalJournal, PostgresJournal, PostgresProjection};

use crate::filling::open_sales;
use crate::forgetful::Watermarks;
use crate::{database, point, serving, sizes};

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];
/// Each of these is loaded and projected by itself.
const BEHIND_MAX: usize = 10_000;
const QUICK_MAX: usize = 1_000;
const READY_WITHIN: Duration = Duration::from_mins(10);

/// Sizes add up: what a smaller one left is idle beside the next.
pub fn run(quick: bool) {
    let directory = tempfile::tempdir().unwrap();
    serving::runtime().block_on(async {
        let database = database().await;
        // The larger sizes last: the events of both are in one database.
        for kind in [Kind::Postgres, Kind::Local] {
            let mut there = 0;
            let unprojected = Watermarks::default();
            for size in sizes(&SIZES, quick, QUICK_MAX) {
                // The largest size is made of events of the `local` journal only: making them takes longest.
                if size > BEHIND_MAX && kind == Kind::Postgres {
                    continue;
                }
                let place = Place {
                    kind,
                    directory: directory.path(),
                    database: &database,
                };
                place.measure(&unprojected, size, size - there).await;
                there = size;
            }
        }
    });
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Local,
    Postgres,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Postgres => "postgres",
        }
    }
}

/// A process's journal and how it is given back.
enum Opened {
    Local(Arc<LocalJournal>),
    Postgres(Arc<PostgresJournal>),
}

impl Opened {
    fn journal(&self) -> Arc<dyn Journal> {
        match self {
            Self::Local(journal) => Arc::clone(journal) as _,
            Self::Postgres(journal) => Arc::clone(journal) as _,
        }
    }

    async fn close(self) {
        match self {
            Self::Local(journal) => drop(journal),
            Self::Postgres(journal) => journal.shutdown().await,
        }
    }
}

/// Where journals are opened.
struct Place<'a> {
    kind: Kind,
    directory: &'a Path,
    database: &'a Database,
}

impl Place<'_> {
    async fn open(&self) -> Opened {
        let database = self.database.clone();
        match self.kind {
            Kind::Local => {
                let journal = LocalJournal::open(self.directory, database).await.unwrap();
                Opened::Local(Arc::new(journal))
            }
            Kind::Postgres => {
                let journal = PostgresJournal::start(database, "scaling").await.unwrap();
                Opened::Postgres(Arc::new(journal))
            }
        }
    }

    async fn measure(&self, unprojected: &Watermarks, size: usize, new: usize) {
        let projection: Arc<dyn ProjectionSink> = Arc::new(PostgresProjection::new(self.database.clone()));
        let behind = size <= BEHIND_MAX;
        let first: Arc<dyn ProjectionSink> = if behind {
            Arc::new(unprojected.clone())
        } else {
            Arc::clone(&projection)
        };
        let opened = self.open().await;
        let engine = start(&opened, first).await;
        open_sales(&engine, new, 1_000).await;
        stop(engine, opened).await;
        if behind {
            let started = Instant::now();
            let opened = self.open().await;
            let engine = start(&opened, Arc::clone(&projection)).await;
            ready(&engine, started).await;
            while engine.status().write_behind_lag_records > 0 {
                assert!(
                    started.elapsed() < READY_WITHIN,
                    "the projection does not catch up"
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            point(
                "start-behind",
                self.kind.name(),
                new,
                started.elapsed().as_secs_f64(),
            );
            stop(engine, opened).await;
        }
        let started = Instant::now();
        let opened = self.open().await;
        let engine = start(&opened, projection).await;
        ready(&engine, started).await;
        point("start", self.kind.name(), size, started.elapsed().as_secs_f64());
        stop(engine, opened).await;
    }
}

async fn start(opened: &Opened, sink: Arc<dyn ProjectionSink>) -> Engine {
    let clock = Arc::new(SystemClock::start());
    Engine::start(EngineConfig::default(), opened.journal(), sink, clock)
        .await
        .unwrap()
}

async fn ready(engine: &Engine, started: Instant) {
    while !engine.status().recovered {
        assert!(started.elapsed() < READY_WITHIN, "the start takes too long");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn stop(engine: Engine, opened: Opened) {
    engine.shutdown(READY_WITHIN).await;
    drop(engine);
    opened.close().await;
    // The last clone of a journal goes with the engine's tasks.
    tokio::time::sleep(Duration::from_millis(200)).await;
}
