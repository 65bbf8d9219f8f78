//! Write-behind, restart and stopping.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use onsale_domain::EventId;
use onsale_engine::port::Journal;
use onsale_engine::{EngineConfig, EngineError};
use support::{Fixture, confirm, eventually, open_sale, place};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn a_read_after_an_acknowledgement_waits_for_the_projection() {
    let fixture = Fixture::on_sale(100).await;
    for _ in 0..20 {
        fixture.hold(1).await.unwrap();
        fixture.engine.wait_projected(fixture.event_id).await.unwrap();
        let projected = fixture.sink.watermarks.lock().unwrap()[&fixture.event_id];
        assert_eq!(projected, fixture.journal.last_seq(fixture.event_id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_go_on_while_the_database_is_away_and_everything_is_projected_afterwards() {
    let config = EngineConfig {
        projection_patience_ms: 50,
        ..EngineConfig::default()
    };
    let fixture = Fixture::with(100_000, config).await;
    fixture.engine.wait_all_projected().await.unwrap();
    fixture.sink.away.store(true, Ordering::Relaxed);
    // More entries than the queue keeps: the rest must be read back from the journal.
    for _ in 0..5_000 {
        fixture.hold(1).await.unwrap();
    }
    let behind = fixture.engine.wait_projected(fixture.event_id).await;
    assert_eq!(
        behind,
        Err(EngineError::Overloaded {
            reason: "write_behind"
        })
    );
    // The first hold also opened the sale.
    assert_eq!(fixture.engine.status().write_behind_lag_records, 5_001);
    fixture.sink.away.store(false, Ordering::Relaxed);
    eventually("the projection caught up", async || {
        fixture.engine.status().write_behind_lag_records == 0
    })
    .await;
    let projected = fixture.sink.watermarks.lock().unwrap()[&fixture.event_id];
    assert_eq!(projected, fixture.journal.last_seq(fixture.event_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn new_holds_are_refused_when_the_backlog_is_full() {
    let config = EngineConfig {
        backlog_records_max: 10,
        ..EngineConfig::default()
    };
    let fixture = Fixture::with(1_000, config).await;
    fixture.sink.away.store(true, Ordering::Relaxed);
    let mut last = Ok(());
    for _ in 0..20 {
        last = fixture.hold(1).await.map(|_| ());
    }
    assert_eq!(
        last,
        Err(EngineError::Overloaded {
            reason: "write_behind"
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_commits_answers_and_projects_what_is_under_way() {
    let fixture = Fixture::on_sale(1_000).await;
    let mut tasks = Vec::new();
    for _ in 0..200 {
        let (engine, event_id) = (fixture.engine.clone(), fixture.event_id);
        let (_, command) = fixture.place(1, None);
        tasks.push(tokio::spawn(
            async move { engine.execute(event_id, command).await },
        ));
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    fixture.engine.shutdown(Duration::from_secs(5)).await;
    let mut acknowledged = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => acknowledged += 1,
            Err(error) => assert!(matches!(
                error,
                EngineError::ShuttingDown | EngineError::Unavailable { .. }
            )),
        }
    }
    assert_eq!(fixture.journal.last_seq(fixture.event_id), 5 + acknowledged);
    assert_eq!(
        fixture.sink.watermarks.lock().unwrap()[&fixture.event_id],
        5 + acknowledged
    );
    assert_eq!(fixture.hold(1).await, Err(EngineError::ShuttingDown));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_process_projects_what_the_last_one_left_and_ends_its_holds() {
    let fixture = Fixture::on_sale(1_000).await;
    fixture.engine.wait_all_projected().await.unwrap();
    fixture.sink.away.store(true, Ordering::Relaxed);
    fixture.hold(7).await.unwrap();
    fixture.clock.advance_ms(support::HOLD_DURATION_MS);
    fixture.sink.away.store(false, Ordering::Relaxed);
    let next = fixture.second_engine().await;
    eventually("recovered", async || next.status().recovered).await;
    eventually("the due hold ended without a request", async || {
        next.availability(fixture.event_id)
            .await
            .is_ok_and(|counts| counts.quotas[0].available() == 1_000)
    })
    .await;
    next.wait_all_projected().await.unwrap();
    eventually("everything is projected", async || {
        let projected = fixture.sink.watermarks.lock().unwrap()[&fixture.event_id];
        projected == fixture.journal.last_seq(fixture.event_id)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_made_from_the_journal_shortens_the_next_read() {
    let config = EngineConfig {
        snapshot_every_records: 100,
        ..EngineConfig::default()
    };
    let fixture = Fixture::with(10_000, config).await;
    let mut holds = Vec::new();
    for _ in 0..250 {
        holds.push(fixture.hold(1).await.unwrap());
    }
    let saved = async || fixture.journal.load_snapshot(fixture.event_id).await.unwrap();
    eventually("a snapshot was saved", async || {
        saved().await.is_some_and(|snapshot| snapshot.seq >= 200)
    })
    .await;
    fixture
        .engine
        .execute(fixture.event_id, confirm(holds[0], 1))
        .await
        .unwrap();
    let next = fixture.second_engine().await;
    let counts = next.availability(fixture.event_id).await.unwrap();
    assert_eq!((counts.quotas[0].held, counts.quotas[0].sold), (249, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_lost_is_projected_again() {
    let fixture = Fixture::on_sale(1_000).await;
    for _ in 0..10 {
        fixture.hold(1).await.unwrap();
    }
    fixture.engine.wait_all_projected().await.unwrap();
    fixture.sink.lossy.store(true, Ordering::Relaxed);
    fixture
        .sink
        .watermarks
        .lock()
        .unwrap()
        .insert(fixture.event_id, 3);
    fixture.hold(1).await.unwrap();
    fixture.engine.wait_projected(fixture.event_id).await.unwrap();
    let projected = fixture.sink.watermarks.lock().unwrap()[&fixture.event_id];
    assert_eq!(projected, fixture.journal.last_seq(fixture.event_id));
    assert_eq!(fixture.engine.status().write_behind_lag_records, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_projected_holds_up_no_other() {
    let fixture = Fixture::on_sale(1_000).await;
    let other = EventId(Uuid::now_v7());
    let ticket_type_id = open_sale(&fixture.engine, other, 1_000).await;
    fixture.engine.wait_all_projected().await.unwrap();
    *fixture.sink.unreadable.lock().unwrap() = Some(fixture.event_id);
    for _ in 0..20 {
        fixture.hold(1).await.unwrap();
        fixture
            .engine
            .execute(other, place(ticket_type_id))
            .await
            .unwrap();
    }
    fixture.engine.wait_projected(other).await.unwrap();
    assert_eq!(
        fixture.sink.watermarks.lock().unwrap()[&other],
        fixture.journal.last_seq(other)
    );
    *fixture.sink.unreadable.lock().unwrap() = None;
    eventually("the other is projected too", async || {
        fixture.engine.status().write_behind_lag_records == 0
    })
    .await;
}
