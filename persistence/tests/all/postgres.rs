//! What only the journal in Postgres promises.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use onsale_engine::port::{Journal, JournalError};
use onsale_persistence::PostgresJournal;
use sqlx::{Connection as _, PgConnection};

use crate::support::{Entries, TestDatabase, chain_holds, event_id, eventually};

#[tokio::test]
async fn a_live_owner_keeps_its_events_and_a_gone_one_does_not() {
    let test = TestDatabase::new().await;
    let a = PostgresJournal::start(test.database.clone(), "node-a")
        .await
        .expect("start");
    let b = PostgresJournal::start(test.another().await, "node-b")
        .await
        .expect("start");
    let event_id = event_id();
    let epoch = a.create(event_id).await.expect("create").epoch;
    match b.acquire(event_id).await {
        Err(JournalError::OwnedElsewhere { owner }) => assert_eq!(owner.name, "node node-a"),
        other => panic!("{other:?}"),
    }
    let mut stale = Entries::new(event_id, epoch);
    let mut writer_of_a = a.writer().await.expect("a writer");
    let first = stale.next(1, b"first");
    assert!(
        writer_of_a
            .append(&[first])
            .await
            .expect("append")
            .fenced
            .is_empty()
    );
    assert!(b.heads().await.expect("heads").is_empty());

    a.shutdown().await;
    assert_eq!(b.heads().await.expect("heads"), [(event_id, 1)]);
    let acquired = b.acquire(event_id).await.expect("acquire at once");
    assert!(acquired.epoch > epoch);
    // The stale owner resumes.
    let late = stale.peek(1, b"late");
    assert_eq!(
        writer_of_a.append(&[late]).await.expect("append").fenced,
        [event_id]
    );
    assert!(matches!(
        a.acquire(event_id).await,
        Err(JournalError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_journal_open_for_reading_neither_writes_nor_owns() {
    let test = TestDatabase::new().await;
    let owner = PostgresJournal::start(test.database.clone(), "node-a")
        .await
        .expect("start");
    let event_id = event_id();
    let epoch = owner.create(event_id).await.expect("create").epoch;
    let entry = Entries::new(event_id, epoch).next(1, b"first");
    let mut writer = owner.writer().await.expect("a writer");
    writer.append(std::slice::from_ref(&entry)).await.expect("append");

    let reader = PostgresJournal::read_only(test.database.clone());
    assert_eq!(reader.read(event_id, 0, 10).await.expect("read"), [entry]);
    assert!(reader.heads().await.expect("heads").is_empty());
    let unavailable = |error| assert!(matches!(error, Some(JournalError::Unavailable(_))), "{error:?}");
    unavailable(reader.create(crate::support::event_id()).await.err());
    unavailable(reader.writer().await.err());
    owner.shutdown().await;
    unavailable(reader.acquire(event_id).await.err());
    reader.shutdown().await;
}

#[tokio::test]
async fn a_lapsed_lease_frees_the_events() {
    let test = TestDatabase::new().await;
    let a = PostgresJournal::start(test.database.clone(), "node-a")
        .await
        .expect("start");
    let b = PostgresJournal::start(test.another().await, "node-b")
        .await
        .expect("start");
    let event_id = event_id();
    a.create(event_id).await.expect("create");
    // Without renewals, as after a crash.
    drop(a);
    assert!(matches!(
        b.acquire(event_id).await,
        Err(JournalError::OwnedElsewhere { .. })
    ));
    eventually("the lease lapses", async || b.acquire(event_id).await.is_ok()).await;
}

#[tokio::test]
async fn leases_are_renewed() {
    let test = TestDatabase::new().await;
    let a = PostgresJournal::start(test.database.clone(), "node-a")
        .await
        .expect("start");
    let b = PostgresJournal::start(test.another().await, "node-b")
        .await
        .expect("start");
    let event_id = event_id();
    a.create(event_id).await.expect("create");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(matches!(
        b.acquire(event_id).await,
        Err(JournalError::OwnedElsewhere { .. })
    ));
}

#[tokio::test]
async fn a_restarted_node_takes_its_name_and_events_over() {
    let test = TestDatabase::new().await;
    let before = PostgresJournal::start(test.database.clone(), "node")
        .await
        .expect("start");
    let event_id = event_id();
    before.create(event_id).await.expect("create");
    let after = PostgresJournal::start(test.another().await, "node")
        .await
        .expect("start");
    after.acquire(event_id).await.expect("acquire at once");
    assert!(matches!(
        before.acquire(event_id).await,
        Err(JournalError::Unavailable(_))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_connections_leave_no_outcome_open() {
    let test = TestDatabase::new().await;
    let journal = PostgresJournal::start(test.database.clone(), "node")
        .await
        .expect("start");
    let event_id = event_id();
    let epoch = journal.create(event_id).await.expect("create").epoch;
    let mut entries = Entries::new(event_id, epoch);
    let mut writer = journal.writer().await.expect("a writer");
    let done = Arc::new(AtomicBool::new(false));
    let writing = {
        let done = Arc::clone(&done);
        tokio::spawn(async move {
            let mut written = 0;
            while !done.load(Ordering::Relaxed) {
                let entry = entries.next(3, &vec![1; 20_000]);
                assert!(writer.append(&[entry]).await.expect("append").fenced.is_empty());
                written += 1;
            }
            written
        })
    };
    for _ in 0..25 {
        tokio::time::sleep(Duration::from_millis(40)).await;
        test.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%INSERT INTO journal%'",
        )
        .await;
    }
    done.store(true, Ordering::Relaxed);
    let written: usize = writing.await.expect("the writer");
    assert!(written > 25, "{written}");
    let read = journal.read(event_id, 0, usize::MAX).await.expect("read");
    assert_eq!(read.len(), written, "each entry once");
    assert!(chain_holds(&read));
}

#[tokio::test]
async fn a_database_that_does_not_wait_for_its_disk_does_so_for_us() {
    let test = TestDatabase::new().await;
    test.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$",
    )
    .await;
    // What each writing session had in force. This session proves that the default is in force at all.
    test.execute(
        "CREATE TABLE seen (wrote text, setting text);
         CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN INSERT INTO seen VALUES (tg_table_name, current_setting(''synchronous_commit'')); RETURN NULL; END';
         CREATE TRIGGER see AFTER INSERT ON journal FOR EACH STATEMENT EXECUTE FUNCTION see();
         CREATE TRIGGER see AFTER INSERT ON event_owner FOR EACH STATEMENT EXECUTE FUNCTION see();
         INSERT INTO seen VALUES ('test', current_setting('synchronous_commit'))",
    )
    .await;
    let journal = PostgresJournal::start(test.another().await, "node-a")
        .await
        .expect("start");
    let event_id = event_id();
    let epoch = journal.create(event_id).await.expect("create").epoch;
    let mut writer = journal.writer().await.expect("a writer");
    let entry = Entries::new(event_id, epoch).next(1, b"first");
    writer.append(&[entry]).await.expect("append");

    let mut connection = PgConnection::connect(&test.url()).await.expect("connect");
    let seen: Vec<(String, String)> = sqlx::query_as("SELECT wrote, setting FROM seen ORDER BY wrote")
        .fetch_all(&mut connection)
        .await
        .expect("seen");
    let seen: Vec<_> = seen
        .iter()
        .map(|(wrote, setting)| (wrote.as_str(), setting.as_str()))
        .collect();
    assert_eq!(seen, [("event_owner", "on"), ("journal", "on"), ("test", "off")]);
}
