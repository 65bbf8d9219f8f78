//! What both journals promise, in one suite.

use onsale_domain::EventId;
use onsale_engine::port::{Chain, Epoch, Journal, JournalEntry, JournalError, JournalWriter, Snapshot};
use onsale_persistence::{Database, LocalJournal, PostgresJournal};
use tempfile::TempDir;

use crate::support::{Entries, TestDatabase, chain_holds, event_id};

async fn postgres(database: Database) -> (PostgresJournal, Option<TempDir>) {
    let journal = PostgresJournal::start(database, "node-a").await.expect("start");
    (journal, None)
}

async fn local(database: Database) -> (LocalJournal, Option<TempDir>) {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = LocalJournal::open(directory.path(), database)
        .await
        .expect("open");
    (journal, Some(directory))
}

/// Each promise as a test of each journal.
macro_rules! conforms {
    ($($promise:ident),+ $(,)?) => {
        mod postgres_journal {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let test = super::TestDatabase::new().await;
                let (journal, _directory) = super::postgres(test.database.clone()).await;
                super::$promise(&journal).await;
            })+
        }
        mod local_journal {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let test = super::TestDatabase::new().await;
                let (journal, _directory) = super::local(test.database.clone()).await;
                super::$promise(&journal).await;
            })+
        }
    };
}

conforms!(
    what_is_appended_is_read,
    gaps_are_refused,
    the_same_entry_again_is_durable_already,
    another_entry_at_the_same_place_is_refused,
    a_higher_epoch_fences_the_lower,
    one_stale_event_does_not_stop_the_others,
    several_entries_of_an_event_in_one_batch,
    an_id_or_route_is_taken_once,
    routes_resolve,
    unknown_events_are_not_found,
    the_newest_snapshot_stays,
    heads_name_what_is_to_project,
    lanes_write_side_by_side,
);

async fn writer(journal: &impl Journal) -> Box<dyn JournalWriter> {
    journal.writer().await.expect("a writer")
}

async fn created(journal: &impl Journal) -> Entries {
    let event_id = event_id();
    let acquired = journal.create(event_id).await.expect("create");
    Entries::new(event_id, acquired.epoch)
}

async fn appended(writer: &mut Box<dyn JournalWriter>, entries: &[JournalEntry]) -> Vec<EventId> {
    writer.append(entries).await.expect("append").fenced
}

async fn what_is_appended_is_read(journal: &impl Journal) {
    let mut writer = writer(journal).await;
    let mut entries = created(journal).await;
    let event_id = entries.event_id;
    let large = vec![7; 300_000];
    let written = [
        entries.next(1, b"first"),
        entries.next(10, &large),
        entries.next(3, b""),
    ];
    for entry in &written {
        assert!(
            appended(&mut writer, std::slice::from_ref(entry))
                .await
                .is_empty()
        );
    }
    for (after, max, expected) in [
        (0, 10, 0..3),
        (1, 10, 1..3),
        (5, 10, 1..3),
        (11, 10, 2..3),
        (14, 10, 3..3),
        (u64::MAX, 10, 3..3),
        (0, 2, 0..2),
        (0, 0, 0..0),
    ] {
        let read = journal.read(event_id, after, max).await.expect("read");
        assert_eq!(read, written[expected], "after {after}, at most {max}");
    }
    assert!(chain_holds(&journal.read(event_id, 0, 10).await.expect("read")));
    assert!(
        journal
            .read(crate::support::event_id(), 0, 10)
            .await
            .expect("read")
            .is_empty()
    );
}

async fn gaps_are_refused(journal: &impl Journal) {
    let mut writer = writer(journal).await;
    let mut entries = created(journal).await;
    let first = entries.next(2, b"first");
    let skipped = entries.next(1, b"skipped");
    let third = entries.next(1, b"third");
    assert!(appended(&mut writer, &[first]).await.is_empty());
    assert_eq!(appended(&mut writer, &[third]).await, [skipped.event_id]);
    assert!(appended(&mut writer, &[skipped]).await.is_empty());
}

async fn the_same_entry_again_is_durable_already(journal: &impl Journal) {
    let mut writer = writer(journal).await;
    let mut entries = created(journal).await;
    let first = entries.next(2, b"first");
    for _ in 0..2 {
        assert!(
            appended(&mut writer, std::slice::from_ref(&first))
                .await
                .is_empty()
        );
    }
    let read = journal.read(entries.event_id, 0, 10).await.expect("read");
    assert_eq!(read, [first]);
}

async fn another_entry_at_the_same_place_is_refused(journal: &impl Journal) {
    let mut writer = writer(journal).await;
    let mut entries = created(journal).await;
    let other = entries.peek(2, b"other");
    let first = entries.next(2, b"first");
    assert!(
        appended(&mut writer, std::slice::from_ref(&first))
            .await
            .is_empty()
    );
    assert_eq!(appended(&mut writer, &[other]).await, [entries.event_id]);
    assert_eq!(
        journal.read(entries.event_id, 0, 10).await.expect("read"),
        [first]
    );
}

async fn a_higher_epoch_fences_the_lower(journal: &impl Journal) {
    let mut writer = writer(journal).await;
    let mut stale = created(journal).await;
    let event_id = stale.event_id;
    let first = stale.next(1, b"first");
    assert!(appended(&mut writer, &[first]).await.is_empty());
    let acquired = journal.acquire(event_id).await.expect("acquire");
    assert!(acquired.epoch > stale.epoch);
    let mut owner = Entries {
        epoch: acquired.epoch,
        ..stale
    };
    let mut stale = Entries {
        event_id,
        epoch: Epoch(1),
        seq: owner.seq,
        chain: owner.chain,
    };
    assert_eq!(
        appended(&mut writer, &[stale.next(1, b"stale")]).await,
        [event_id]
    );
    assert!(
        appended(&mut writer, &[owner.next(1, b"second")])
            .await
            .is_empty()
    );
    let read = journal.read(event_id, 0, 10).await.expect("read");
    assert_eq!(read.len(), 2);
    assert!(chain_holds(&read));
    assert!(journal.acquire(event_id).await.expect("acquire").epoch > acquired.epoch);
}

async fn one_stale_event_does_not_stop_the_others(journal: &impl Journal) {
    let mut writer = writer(journal).await;
    let mut events = Vec::new();
    for _ in 0..20 {
        events.push(created(journal).await);
    }
    journal.acquire(events[7].event_id).await.expect("acquire");
    let batch: Vec<JournalEntry> = events.iter_mut().map(|entries| entries.next(1, b"x")).collect();
    assert_eq!(appended(&mut writer, &batch).await, [events[7].event_id]);
    for entries in &events {
        let read = journal.read(entries.event_id, 0, 10).await.expect("read");
        assert_eq!(read.len(), usize::from(entries.event_id != events[7].event_id));
    }
}

async fn several_entries_of_an_event_in_one_batch(journal: &impl Journal) {
    let mut writer = writer(journal).await;
    let (mut one, mut other) = (created(journal).await, created(journal).await);
    let batch = [
        one.next(1, b"1"),
        other.next(1, b"1"),
        one.next(1, b"2"),
        one.next(1, b"3"),
    ];
    assert!(appended(&mut writer, &batch).await.is_empty());
    assert_eq!(journal.read(one.event_id, 0, 10).await.expect("read").len(), 3);
}

async fn an_id_or_route_is_taken_once(journal: &impl Journal) {
    let event_id = created(journal).await.event_id;
    assert!(matches!(journal.create(event_id).await, Err(JournalError::Taken)));
    let mut same_route = *crate::support::event_id().0.as_bytes();
    same_route[12..].copy_from_slice(&event_id.0.as_bytes()[12..]);
    same_route[0] ^= 1;
    let same_route = EventId(uuid::Uuid::from_bytes(same_route));
    assert!(matches!(
        journal.create(same_route).await,
        Err(JournalError::Taken)
    ));
}

async fn routes_resolve(journal: &impl Journal) {
    let event_id = created(journal).await.event_id;
    assert_eq!(
        journal.resolve(event_id.route()).await.expect("resolve"),
        Some(event_id)
    );
    let unknown = onsale_domain::Route(!event_id.route().0);
    assert_eq!(journal.resolve(unknown).await.expect("resolve"), None);
}

async fn unknown_events_are_not_found(journal: &impl Journal) {
    let unknown = event_id();
    assert!(matches!(
        journal.acquire(unknown).await,
        Err(JournalError::NotFound)
    ));
    let mut entries = Entries::new(unknown, Epoch(1));
    let mut writer = writer(journal).await;
    assert_eq!(appended(&mut writer, &[entries.next(1, b"x")]).await, [unknown]);
}

async fn the_newest_snapshot_stays(journal: &impl Journal) {
    let event_id = created(journal).await.event_id;
    assert_eq!(journal.load_snapshot(event_id).await.expect("load"), None);
    let snapshot = |seq, byte: u8| Snapshot {
        event_id,
        seq,
        chain: Chain([byte; 32]),
        state: vec![byte; 100_000].into(),
    };
    for (saved, kept) in [
        (snapshot(10, 1), snapshot(10, 1)),
        (snapshot(20, 2), snapshot(20, 2)),
        (snapshot(15, 3), snapshot(20, 2)),
    ] {
        journal.save_snapshot(saved).await.expect("save");
        assert_eq!(journal.load_snapshot(event_id).await.expect("load"), Some(kept));
    }
}

async fn heads_name_what_is_to_project(journal: &impl Journal) {
    let mut writer = writer(journal).await;
    let mut entries = created(journal).await;
    let event_id = entries.event_id;
    assert!(appended(&mut writer, &[entries.next(5, b"x")]).await.is_empty());
    let heads = journal.heads().await.expect("heads");
    assert!(heads.contains(&(event_id, 5)), "{heads:?}");
}

async fn lanes_write_side_by_side(journal: &impl Journal) {
    let mut lanes = Vec::new();
    for _ in 0..journal.lanes() {
        let mut events = Vec::new();
        for _ in 0..5 {
            events.push(created(journal).await);
        }
        lanes.push((writer(journal).await, events));
    }
    let running: Vec<_> = lanes
        .into_iter()
        .map(|(mut writer, mut events)| {
            tokio::spawn(async move {
                for _ in 0..20 {
                    let batch: Vec<_> = events.iter_mut().map(|entries| entries.next(3, b"abc")).collect();
                    assert!(appended(&mut writer, &batch).await.is_empty());
                }
                events
            })
        })
        .collect();
    for lane in running {
        for entries in lane.await.expect("a lane") {
            let read = journal.read(entries.event_id, 0, 100).await.expect("read");
            assert_eq!(read.len(), 20);
            assert!(chain_holds(&read));
        }
    }
}
