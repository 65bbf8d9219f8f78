//! The runner: what becomes of jobs whose handlers work, fail, hang and panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "../../engine/tests/support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use onsale_persistence::{Database, DatabaseConfig, FolderStore};
use onsale_services::{
    AuditWriter, Dependencies, Gateways, Job, JobError, JobHandler, JobKind, JobLimits, JobOutcome, JobRow,
    JobRunner, NewJob, Services, ServicesConfig, SimulatedGateway, TicketKeys, TokenKeys, Tokens,
};
use support::Fixture;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What a handler does with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Done,
    Later(i64),
    GivenUp,
    Fails,
    Panics,
    Hangs,
}

/// Does what it was told for each job, and notes when it was at it. Jobs of other tests it puts off.
struct Actor {
    kind: JobKind,
    fixture: Arc<Fixture>,
    deeds: Mutex<HashMap<Uuid, Deed>>,
    runs: Mutex<Vec<(Uuid, u32)>>,
    at_once: AtomicUsize,
    at_once_most: AtomicUsize,
}

const LIMITS: JobLimits = JobLimits {
    at_once: 3,
    run: Duration::from_millis(200),
    attempts: 3,
};

impl JobHandler for Actor {
    fn kind(&self) -> JobKind {
        self.kind
    }

    fn limits(&self) -> JobLimits {
        LIMITS
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Result<JobOutcome, JobError>> {
        async move {
            self.runs.lock().unwrap().push((job.subject_id, job.attempts));
            let beside = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.at_once_most.fetch_max(beside, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            let deed = self.deeds.lock().unwrap().get(&job.subject_id).copied();
            match deed.unwrap_or(Deed::Done) {
                Deed::Done => Ok(JobOutcome::Done),
                Deed::Later(ms) => Ok(JobOutcome::Later(self.now().plus_ms(ms))),
                Deed::GivenUp => Ok(JobOutcome::GivenUp("there is no such thing".to_owned())),
                Deed::Fails => Err(JobError("the other side hung up".to_owned())),
                Deed::Panics => panic!("a fault in a handler"),
                Deed::Hangs => std::future::pending().await,
            }
        }
        .boxed()
    }
}

impl Actor {
    fn now(&self) -> onsale_domain::UnixMillis {
        use onsale_services::Clock as _;
        self.fixture.clock.now()
    }

    fn runs_of(&self, subject_id: Uuid) -> usize {
        let runs = self.runs.lock().unwrap();
        runs.iter().filter(|(ran, _)| *ran == subject_id).count()
    }
}

struct Bench {
    database: Database,
    fixture: Arc<Fixture>,
    services: Services,
    actor: Arc<Actor>,
}

impl Bench {
    /// Each test has a kind of its own: they share a database, and with it the queue.
    async fn of(kind: JobKind) -> Self {
        let url = std::env::var("DATABASE_URL")
            .expect("these tests need DATABASE_URL, a Postgres that may be migrated: run `cargo xtask test`");
        let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
        database.migrate().await.unwrap();
        let fixture = Arc::new(Fixture::on_sale(1).await);
        let gateway = SimulatedGateway::new(Arc::new(fixture.clock.clone()));
        let keys = TicketKeys::parse(&TicketKeys::generate("test").unwrap()).unwrap();
        let folder = std::env::temp_dir().join("onsale-test-files");
        let objects =
            Arc::new(FolderStore::open(&folder, keys.link_secrets(), onsale_domain::UnixMillis(0)).unwrap());
        let services = Services::new(
            Dependencies {
                engine: fixture.engine.clone(),
                database: database.clone(),
                redis: None,
                gateways: Gateways::new(Arc::new(gateway), []),
                tokens: Tokens::new(TokenKeys::of_secret(&[7; 32]).unwrap(), "onsale", "onsale-api"),
                audit: AuditWriter::new(database.clone()).0,
                ticket_keys: keys,
                objects,
            },
            ServicesConfig::default(),
        )
        .unwrap();
        let actor = Arc::new(Actor {
            kind,
            fixture: Arc::clone(&fixture),
            deeds: Mutex::default(),
            runs: Mutex::default(),
            at_once: AtomicUsize::new(0),
            at_once_most: AtomicUsize::new(0),
        });
        Self {
            database,
            fixture,
            services,
            actor,
        }
    }

    fn runner(&self) -> JobRunner {
        let handler: Arc<dyn JobHandler> = self.actor.clone();
        JobRunner::new(self.services.clone(), vec![handler])
    }

    async fn ask(&self, deed: Deed) -> Uuid {
        let subject_id = Uuid::now_v7();
        self.actor.deeds.lock().unwrap().insert(subject_id, deed);
        let job = NewJob {
            kind: self.actor.kind,
            subject_id,
            event_id: None,
            payload: None,
            due_at: self.services.now(),
        };
        self.database.enqueue(&[job], self.services.now()).await.unwrap();
        subject_id
    }

    async fn job(&self, subject_id: Uuid) -> Option<JobRow> {
        self.database.job(self.actor.kind, subject_id).await.unwrap()
    }
}

#[tokio::test]
async fn what_works_is_done_what_fails_is_tried_again_and_in_the_end_given_up() {
    let bench = Bench::of(JobKind::Package).await;
    let mut subjects = vec![];
    for deed in [
        Deed::Done,
        Deed::GivenUp,
        Deed::Later(60_000),
        Deed::Fails,
        Deed::Panics,
        Deed::Hangs,
    ] {
        subjects.push(bench.ask(deed).await);
    }
    let [done, given_up, later, fails, panics, hangs] = subjects[..] else {
        panic!("{subjects:?}")
    };
    bench.runner().run_due().await;
    assert_eq!(bench.job(done).await, None);
    let dead = bench.job(given_up).await.unwrap();
    assert!(dead.dead_at.is_some());
    assert_eq!(dead.last_error.as_deref(), Some("there is no such thing"));
    let waiting = bench.job(later).await.unwrap();
    assert_eq!(waiting.due_at, bench.services.now().plus_ms(60_000));
    assert_eq!((waiting.attempts, waiting.last_error), (0, None));
    for (subject_id, error) in [
        (fails, "the other side hung up"),
        (panics, "its handler panicked"),
        (hangs, "it took too long"),
    ] {
        let failed = bench.job(subject_id).await.unwrap();
        assert_eq!(failed.last_error.as_deref(), Some(error));
        assert_eq!((failed.attempts, failed.dead_at), (1, None));
        let wait_ms = failed.due_at.0 - bench.services.now().0;
        assert!((500..=1_000).contains(&wait_ms), "{wait_ms}");
    }

    for tries in 2..=3 {
        bench.fixture.clock.advance_ms(2_000);
        bench.runner().run_due().await;
        for subject_id in [fails, panics, hangs] {
            let failed = bench.job(subject_id).await.unwrap();
            assert_eq!((failed.attempts, failed.dead_at.is_some()), (tries, tries == 3));
        }
    }
    bench.fixture.clock.advance_ms(24 * 3_600_000);
    bench.actor.deeds.lock().unwrap().insert(later, Deed::Done);
    bench.runner().run_due().await;
    let runs = [done, given_up, later, fails, panics, hangs].map(|subject| bench.actor.runs_of(subject));
    assert_eq!(runs, [1, 1, 2, 3, 3, 3]);
    assert!(bench.actor.at_once_most.load(Ordering::SeqCst) <= LIMITS.at_once);
}

#[tokio::test]
async fn two_runners_share_the_work_and_stop_after_what_is_under_way() {
    let bench = Bench::of(JobKind::TicketFiles).await;
    let mut subjects = vec![];
    for _ in 0..60 {
        subjects.push(bench.ask(Deed::Done).await);
    }
    let stop = CancellationToken::new();
    let runners = [0, 1].map(|_| tokio::spawn(bench.runner().run(stop.clone())));
    for subject_id in subjects.clone() {
        support::eventually("all is done", async || bench.job(subject_id).await.is_none()).await;
    }
    // Asked for while the lanes are idle.
    subjects.push(bench.ask(Deed::Done).await);
    support::eventually("it is at work", async || bench.actor.runs_of(subjects[60]) > 0).await;
    stop.cancel();
    for runner in runners {
        runner.await.unwrap();
    }
    for subject_id in subjects {
        assert_eq!(bench.actor.runs_of(subject_id), 1);
        assert_eq!(bench.job(subject_id).await, None);
    }
}
