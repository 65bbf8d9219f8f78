//! Connecting, migrating, and doing with one connection.

use std::future::Future;
use std::task::Poll;
use std::time::Duration;

use onsale_domain::{OrganizationId, UnixMillis};
use onsale_engine::port::{Journal, ProjectionSink};
use onsale_persistence::{
    Database, DatabaseConfig, DatabaseError, JobKind, NewJob, PostgresJournal, PostgresProjection,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::{Sale, TestDatabase, creation};

#[tokio::test]
async fn migrating_is_seen_and_may_be_repeated() {
    let test = TestDatabase::empty(3).await;
    assert!(!test.database.is_migrated().await.expect("is_migrated"));
    let (one, other) = (test.database.clone(), test.another().await);
    let (one, other) = tokio::join!(one.migrate(), other.migrate());
    one.expect("migrate");
    other.expect("migrate at the same time");
    assert!(test.database.is_migrated().await.expect("is_migrated"));
}

#[tokio::test]
async fn a_schema_that_a_later_release_brought_further_is_left_as_it_is() {
    let test = TestDatabase::new().await;
    let mut later = test.connection().await;
    let migration = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     VALUES (99991231000000, 'of a later release', true, ''::bytea, 0)";
    sqlx::raw_sql(migration)
        .execute(&mut later)
        .await
        .expect("insert");
    assert!(test.database.is_migrated().await.expect("is_migrated"));
    test.database.migrate().await.expect("nothing to do");
}

/// The last migration but one, undone: what it does to `events` needs a lock that nobody else may have.
const UNDONE: &str = "DROP TABLE package_order_legs, package_orders, package_inclusions, packages;
                      DELETE FROM _sqlx_migrations WHERE version = 20261121000700";

#[tokio::test]
async fn a_migration_that_waits_for_a_table_holds_nobody_up_for_long() {
    let test = TestDatabase::new().await;
    let mut staff = test.connection().await;
    sqlx::raw_sql(UNDONE).execute(&mut staff).await.expect("undo");
    let look = "SELECT count(*) FROM events";
    sqlx::raw_sql("BEGIN").execute(&mut staff).await.expect("begin");
    sqlx::raw_sql(look).execute(&mut staff).await.expect("look");

    let database = test.database.clone();
    let migration = tokio::spawn(async move { database.migrate().await });
    let mut buyer = test.connection().await;
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    while began.elapsed() < Duration::from_secs(4) {
        let asked = Instant::now();
        sqlx::raw_sql(look).execute(&mut buyer).await.expect("look");
        longest = longest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It was in the way, so it did try; and it stepped aside.
    assert!(longest > Duration::from_millis(100), "{longest:?}");
    assert!(longest < Duration::from_millis(1_500), "{longest:?}");
    assert!(!test.database.is_migrated().await.expect("is_migrated"));

    sqlx::raw_sql("COMMIT").execute(&mut staff).await.expect("commit");
    migration.await.expect("no panic").expect("migrate");
    assert!(test.database.is_migrated().await.expect("is_migrated"));
}

#[tokio::test]
async fn one_connection_is_enough() {
    let test = TestDatabase::with_connections(1).await;
    assert!(test.database.is_migrated().await.expect("is_migrated"));
    let journal = PostgresJournal::start(test.database.clone(), "node")
        .await
        .expect("start");
    let mut sale = Sale::new();
    journal.create(sale.event_id).await.expect("create");
    let hold = sale.place(&[(0, 2)]);
    let order_id = sale.confirm(hold);
    let projection = PostgresProjection::new(test.database.clone());
    projection.project(&[sale.entry()]).await.expect("project");
    let order = test.database.order(sale.event_id, order_id).await.expect("order");
    assert_eq!(order.expect("projected").tickets.len(), 2);
    journal.shutdown().await;
}

#[tokio::test]
async fn errors_are_told_apart() {
    let test = TestDatabase::new().await;
    let id = OrganizationId(Uuid::now_v7());
    test.database
        .insert_organization(id, "Club", creation())
        .await
        .expect("insert");
    match test.database.insert_organization(id, "Club", creation()).await {
        Err(DatabaseError::Conflict { constraint }) => assert_eq!(constraint, "organizations_pkey"),
        other => panic!("{other:?}"),
    }
    let empty = test
        .database
        .insert_organization(OrganizationId(Uuid::now_v7()), "", creation())
        .await;
    match empty {
        Err(DatabaseError::Refused { constraint }) => assert_eq!(constraint, "organizations_name_check"),
        other => panic!("{other:?}"),
    }
    let away = DatabaseConfig::new("postgres://postgres@127.0.0.1:1/none");
    assert!(matches!(
        Database::connect(&away).await,
        Err(DatabaseError::Unavailable(_))
    ));
    let bad = Database::connect(&DatabaseConfig::new("not a url")).await;
    assert!(matches!(bad, Err(DatabaseError::Misconfigured(_))));
}

/// Polls a future so many times and drops it, as the end of a request whose client hung up does.
async fn drop_after<T>(polls: usize, work: impl Future<Output = T>) -> Option<T> {
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

/// A connection whose transaction was begun but never handed out must not come back with it: the next statement would
/// be answered, and undone with that transaction.
#[tokio::test]
async fn what_is_written_after_a_dropped_transaction_is_kept() {
    let test = TestDatabase::with_connections(1).await;
    let observer = test.another().await;
    let mut ran_through = false;
    for polls in 1..200 {
        let (dropped, kept) = (OrganizationId(Uuid::now_v7()), OrganizationId(Uuid::now_v7()));
        let dropped = test.database.insert_organization(dropped, "Dropped", creation());
        ran_through = drop_after(polls, dropped).await.is_some();
        let job = NewJob {
            kind: JobKind::Mail,
            subject_id: kept.0,
            event_id: None,
            payload: None,
            due_at: UnixMillis(0),
        };
        test.database
            .enqueue(&[job], UnixMillis(0))
            .await
            .expect("enqueue");
        let seen = observer.job(JobKind::Mail, kept.0).await.expect("look");
        assert!(seen.is_some(), "lost after {polls} polls");
        if ran_through {
            break;
        }
    }
    assert!(ran_through, "it never came to its end");
}
