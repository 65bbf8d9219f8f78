//! What only the local journal promises.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use onsale_engine::port::{Epoch, Journal, JournalError};
use onsale_persistence::{Database, DatabaseConfig, LocalJournal, PostgresJournal};
use tempfile::tempdir;

use crate::support::{Entries, TestDatabase, chain_holds};

/// A journal with one event and three entries, closed again.
async fn written(directory: &Path, database: &Database) -> Entries {
    let journal = LocalJournal::open(directory, database.clone())
        .await
        .expect("open");
    let event_id = crate::support::event_id();
    let epoch = journal.create(event_id).await.expect("create").epoch;
    let mut entries = Entries::new(event_id, epoch);
    let mut writer = journal.writer().await.expect("a writer");
    for payload in [
        &b"the first payload"[..],
        b"the second payload",
        b"the third payload",
    ] {
        let appended = writer.append(&[entries.next(2, payload)]).await.expect("append");
        assert!(appended.fenced.is_empty());
    }
    entries
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let test = TestDatabase::new().await;
    let directory = tempdir().expect("a directory");
    let mut entries = written(directory.path(), &test.database).await;
    let journal = LocalJournal::open(directory.path(), test.database.clone())
        .await
        .expect("open again");
    assert_eq!(journal.heads().await.expect("heads"), [(entries.event_id, 6)]);
    let read = journal.read(entries.event_id, 0, 10).await.expect("read");
    assert_eq!(read.len(), 3);
    assert!(chain_holds(&read));
    // The old epoch ends where the event is acquired again.
    let mut writer = journal.writer().await.expect("a writer");
    let acquired = journal.acquire(entries.event_id).await.expect("acquire");
    assert_eq!(acquired.epoch, Epoch(2));
    let stale = entries.peek(1, b"stale");
    assert_eq!(
        writer.append(&[stale]).await.expect("append").fenced,
        [entries.event_id]
    );
    entries.epoch = acquired.epoch;
    let next = entries.next(1, b"next");
    assert!(writer.append(&[next]).await.expect("append").fenced.is_empty());
}

#[tokio::test]
async fn the_second_to_open_a_directory_is_refused() {
    let test = TestDatabase::new().await;
    let directory = tempdir().expect("a directory");
    let journal = LocalJournal::open(directory.path(), test.database.clone())
        .await
        .expect("open");
    match LocalJournal::open(directory.path(), test.database.clone()).await {
        Err(JournalError::OwnedElsewhere { owner }) => {
            assert!(
                owner.name.contains(&directory.path().display().to_string()),
                "{owner}"
            );
        }
        other => panic!("{other:?}"),
    }
    let id = journal.id();
    drop(journal);
    let again = LocalJournal::open(directory.path(), test.database.clone())
        .await
        .expect("open");
    assert_eq!(again.id(), id);
}

#[tokio::test]
async fn an_event_stays_in_its_journal() {
    let test = TestDatabase::new().await;
    let (one, other) = (tempdir().expect("a directory"), tempdir().expect("a directory"));
    let event_id = written(one.path(), &test.database).await.event_id;
    let other = LocalJournal::open(other.path(), test.database.clone())
        .await
        .expect("open");
    let postgres = PostgresJournal::start(test.database.clone(), "node")
        .await
        .expect("start");
    for refused in [other.acquire(event_id).await, postgres.acquire(event_id).await] {
        match refused {
            Err(JournalError::OwnedElsewhere { owner }) => assert!(owner.name.contains("local:"), "{owner}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(postgres.heads().await.expect("heads").is_empty());
}

#[tokio::test]
async fn sells_on_without_postgres() {
    let test = TestDatabase::new().await;
    let directory = tempdir().expect("a directory");
    let mut entries = written(directory.path(), &test.database).await;
    let away = Database::connect_lazy(&DatabaseConfig {
        acquire_timeout_ms: 300,
        ..DatabaseConfig::new("postgres://postgres@127.0.0.1:1/none")
    })
    .expect("a handle");
    {
        // Never checked in Postgres by this process: not to be acquired.
        let journal = LocalJournal::open(directory.path(), away).await.expect("open");
        assert!(matches!(
            journal.acquire(entries.event_id).await,
            Err(JournalError::Unavailable(_))
        ));
        assert_eq!(
            journal.resolve(entries.event_id.route()).await.expect("resolve"),
            Some(entries.event_id)
        );
    }
    let database = test.another().await;
    let journal = LocalJournal::open(directory.path(), database.clone())
        .await
        .expect("open");
    assert_eq!(
        journal.acquire(entries.event_id).await.expect("acquire").epoch,
        Epoch(2)
    );
    database.close().await;
    let acquired = journal
        .acquire(entries.event_id)
        .await
        .expect("acquire without Postgres");
    assert_eq!(acquired.epoch, Epoch(3));
    entries.epoch = acquired.epoch;
    let mut writer = journal.writer().await.expect("a writer");
    let next = entries.next(1, b"next");
    assert!(writer.append(&[next]).await.expect("append").fenced.is_empty());
    drop((writer, journal));
    // Postgres catches up with the epochs that were given without it.
    let journal = LocalJournal::open(directory.path(), test.database.clone())
        .await
        .expect("open");
    assert_eq!(
        journal.acquire(entries.event_id).await.expect("acquire").epoch,
        Epoch(4)
    );
}

#[tokio::test]
async fn a_flipped_bit_breaks_the_chain() {
    let test = TestDatabase::new().await;
    let directory = tempdir().expect("a directory");
    let event_id = written(directory.path(), &test.database).await.event_id;
    flip(&directory.path().join("journal.sqlite"), b"the second payload");
    let journal = LocalJournal::open(directory.path(), test.database.clone())
        .await
        .expect("open");
    let read = journal.read(event_id, 0, 10).await.expect("read");
    assert_eq!(read.len(), 3);
    assert!(!chain_holds(&read));
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_refused() {
    let test = TestDatabase::new().await;
    let directory = tempdir().expect("a directory");
    written(directory.path(), &test.database).await;
    flip(&directory.path().join("journal.sqlite"), b"ONSJ");
    match LocalJournal::open(directory.path(), test.database.clone()).await {
        Err(JournalError::Damaged(detail)) => assert!(detail.contains("journal.sqlite"), "{detail}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_lost_tail_is_found_by_the_watermark() {
    let test = TestDatabase::new().await;
    let directory = tempdir().expect("a directory");
    let event_id = written(directory.path(), &test.database).await.event_id;
    test.execute(&format!(
        "INSERT INTO watermarks (event_id, seq) VALUES ('{event_id}', 7)"
    ))
    .await;
    let journal = LocalJournal::open(directory.path(), test.database.clone())
        .await
        .expect("open");
    assert!(matches!(
        journal.acquire(event_id).await,
        Err(JournalError::Damaged(_))
    ));
}

/// Flips one bit of the text's only occurrence in a file.
fn flip(path: &Path, text: &[u8]) {
    let mut file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .expect("open");
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).expect("read");
    let at = bytes
        .windows(text.len())
        .position(|window| window == text)
        .expect("the text is in the file");
    file.seek(SeekFrom::Start(u64::try_from(at).expect("an offset")))
        .expect("seek");
    file.write_all(&[text[0] ^ 0b100]).expect("write");
}

#[tokio::test]
async fn a_backup_made_while_entries_are_written_is_a_journal_of_some_of_them() {
    let test = TestDatabase::new().await;
    let directory = tempdir().expect("a directory");
    let journal = LocalJournal::open(directory.path(), test.database.clone())
        .await
        .expect("open");
    let event_id = crate::support::event_id();
    let epoch = journal.create(event_id).await.expect("create").epoch;
    let mut entries = Entries::new(event_id, epoch);
    let mut writer = journal.writer().await.expect("a writer");
    let mut backups = tokio::task::JoinSet::new();
    for number in 0..400 {
        let payload = vec![b'p'; 2_000];
        let entry = entries.next(1, &payload);
        assert!(writer.append(&[entry]).await.expect("append").fenced.is_empty());
        if number % 100 == 50 {
            let (source, target) = (
                directory.path().to_path_buf(),
                directory.path().join(format!("copy{number}")),
            );
            backups.spawn(async move {
                let copy = LocalJournal::back_up(&source, &target).await.expect("a copy");
                (number + 1, target, copy)
            });
        }
    }
    let copies = backups.join_all().await;
    drop((writer, journal));
    let all = LocalJournal::open(directory.path(), test.database.clone())
        .await
        .expect("open again");
    let all = all.read(event_id, 0, 1_000).await.expect("read");
    for (committed, target, copy) in copies {
        assert!(
            copy.records >= committed && copy.records <= 400,
            "{copy:?} {committed}"
        );
        assert_eq!(copy.events, 1);
        let opened = LocalJournal::open(&target, test.database.clone())
            .await
            .expect("open the copy");
        assert_eq!(opened.id(), copy.id);
        let read = opened.read(event_id, 0, 1_000).await.expect("read the copy");
        assert_eq!(read, all[..usize::try_from(copy.records).expect("small")]);
        assert!(chain_holds(&read));
    }
}

#[tokio::test]
async fn a_backup_replaces_nothing_and_needs_a_journal() {
    let test = TestDatabase::new().await;
    let (directory, empty) = (tempdir().expect("a directory"), tempdir().expect("a directory"));
    written(directory.path(), &test.database).await;
    let target = directory.path().join("nightly/copy");
    LocalJournal::back_up(directory.path(), &target)
        .await
        .expect("the first");
    for (source, target) in [
        (directory.path(), target.as_path()),
        (empty.path(), &empty.path().join("copy")),
    ] {
        match LocalJournal::back_up(source, target).await {
            Err(JournalError::Unavailable(detail)) => assert!(detail.contains("journal.sqlite"), "{detail}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(std::fs::read_dir(empty.path()).expect("list").count(), 0);
}
