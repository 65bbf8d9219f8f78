//! Audit entries that are gathered, on a real log. Other tests may write to the same one at the same time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use onsale_domain::{UnixMillis, UserId};
use onsale_persistence::{Database, DatabaseConfig};
use onsale_services::{
    Actor, AuditEntry, AuditFilter, AuditOutcome, AuditWriter, AuditWriterTask, EngineError, ServiceError,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Entries that may wait.
const QUEUE_MAX: usize = 1_024;

struct Office {
    database: Database,
    writer: AuditWriter,
    actor_id: UserId,
}

impl Office {
    async fn open() -> (Self, AuditWriterTask) {
        let url = std::env::var("DATABASE_URL")
            .expect("these tests need DATABASE_URL, a Postgres that may be migrated: run `cargo xtask test`");
        let config = DatabaseConfig {
            connections_max: 1,
            ..DatabaseConfig::new(url)
        };
        let database = Database::connect(&config).await.unwrap();
        database.migrate().await.unwrap();
        let (writer, task) = AuditWriter::new(database.clone());
        let office = Self {
            database,
            writer,
            actor_id: UserId(Uuid::now_v7()),
        };
        (office, task)
    }

    fn entry(&self, number: usize) -> AuditEntry {
        let actor = Actor::person(Some(self.actor_id));
        let at = UnixMillis(1_795_000_000_000);
        AuditEntry::new(at, actor, "events.edit", AuditOutcome::Asked).on("event", number.to_string())
    }

    /// Queues an entry without waiting for it.
    fn queue(&self, number: usize) -> Writing<'_> {
        let mut writing: Writing<'_> = Box::pin(self.writer.write(self.entry(number)));
        let polled = writing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "{polled:?}");
        writing
    }

    /// The numbers of this test's entries, in the order of the log.
    async fn written(&self) -> Vec<usize> {
        let filter = AuditFilter {
            actor_id: Some(self.actor_id),
            ..AuditFilter::default()
        };
        let rows = self.database.audit_entries(&filter, None, 2_000).await.unwrap();
        let ids = rows.iter().rev().map(|row| row.target_id.as_deref().unwrap());
        ids.map(|id| id.parse().unwrap()).collect()
    }
}

type Writing<'a> = Pin<Box<dyn Future<Output = Result<(), ServiceError>> + 'a>>;

#[tokio::test]
async fn an_entry_is_durable_when_it_is_acknowledged() {
    let (office, task) = Office::open().await;
    let working = tokio::spawn(task.run(CancellationToken::new()));
    for number in 0..3 {
        office.writer.write(office.entry(number)).await.unwrap();
        assert_eq!(office.written().await.len(), number + 1);
    }
    let Office { writer, .. } = office;
    drop(writer);
    working.await.unwrap();
}

#[tokio::test]
async fn a_full_queue_turns_callers_away_and_what_is_queued_is_written_in_order() {
    let (office, task) = Office::open().await;
    let mut queued: Vec<_> = (0..QUEUE_MAX).map(|number| office.queue(number)).collect();
    let refused = office.writer.write(office.entry(QUEUE_MAX)).await;
    assert!(
        matches!(refused, Err(ServiceError::Engine(EngineError::Overloaded { .. }))),
        "{refused:?}"
    );
    // One who stopped waiting is in the log all the same.
    drop(queued.remove(0));
    let shutdown = CancellationToken::new();
    let working = tokio::spawn(task.run(shutdown.clone()));
    for writing in queued {
        writing.await.unwrap();
    }
    assert_eq!(office.written().await, (0..QUEUE_MAX).collect::<Vec<_>>());
    shutdown.cancel();
    working.await.unwrap();
    let report = office.database.verify_audit_log(None).await.unwrap();
    assert_eq!(report.finding, None);
}

#[tokio::test]
async fn refusals_leave_room_for_what_staff_do() {
    let (office, _task) = Office::open().await;
    let mut queued: Vec<_> = (0..=QUEUE_MAX / 2).map(|number| office.queue(number)).collect();
    let refusal = AuditEntry {
        outcome: AuditOutcome::Refused,
        ..office.entry(QUEUE_MAX)
    };
    let refused = office.writer.write(refusal).await;
    assert!(
        matches!(refused, Err(ServiceError::Engine(EngineError::Overloaded { .. }))),
        "{refused:?}"
    );
    queued.push(office.queue(QUEUE_MAX));
}

#[tokio::test]
async fn what_is_queued_at_the_end_is_written_and_nothing_more_taken() {
    let (office, task) = Office::open().await;
    let queued: Vec<_> = (0..600).map(|number| office.queue(number)).collect();
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    tokio::spawn(task.run(shutdown)).await.unwrap();
    for writing in queued {
        writing.await.unwrap();
    }
    assert_eq!(office.written().await.len(), 600);
    let late = office.writer.write(office.entry(600)).await;
    assert!(
        matches!(late, Err(ServiceError::Engine(EngineError::ShuttingDown))),
        "{late:?}"
    );
}

#[tokio::test]
async fn a_log_that_cannot_be_written_is_told_to_everybody_who_waits() {
    let (office, task) = Office::open().await;
    let queued: Vec<_> = (0..300).map(|number| office.queue(number)).collect();
    office.database.close().await;
    let working = tokio::spawn(task.run(CancellationToken::new()));
    for writing in queued {
        let failed = writing.await;
        assert!(matches!(failed, Err(ServiceError::Database(_))), "{failed:?}");
    }
    drop(office);
    working.await.unwrap();
}
