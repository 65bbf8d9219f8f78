//! What a caller may rely on while parts fail.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use futures::FutureExt;
use onsale_domain::EventId;
use onsale_engine::port::{Chain, Snapshot};
use onsale_engine::{Drill, EngineConfig, EngineError};
use support::{Fixture, at_once, confirm, eventually, open_sale};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_actor_comes_back_from_the_journal_with_all_that_was_acknowledged() {
    for drill in [Drill::Kill, Drill::Panic] {
        let fixture = Fixture::on_sale(100).await;
        let hold_id = fixture.hold(3).await.unwrap();
        fixture
            .engine
            .execute(fixture.event_id, confirm(hold_id, 3))
            .await
            .unwrap();
        fixture.hold(2).await.unwrap();
        assert!(fixture.engine.crash_event(fixture.event_id, drill));
        eventually("the event sells again", async || fixture.hold(1).await.is_ok()).await;
        let counts = fixture.engine.availability(fixture.event_id).await.unwrap();
        assert_eq!(
            (counts.quotas[0].sold, counts.quotas[0].held),
            (3, 3),
            "{drill:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_under_load_lose_no_acknowledged_hold() {
    let fixture = Fixture::on_sale(100_000).await;
    let (engine, event_id) = (fixture.engine.clone(), fixture.event_id);
    let killer = tokio::spawn(async move {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            engine.crash_event(event_id, Drill::Kill);
        }
    });
    let tasks = (0..64).map(|_| {
        let (engine, event_id) = (fixture.engine.clone(), fixture.event_id);
        let commands: Vec<_> = (0..200).map(|_| fixture.place(1, None)).collect();
        async move {
            let mut acknowledged = Vec::new();
            for (hold_id, command) in commands {
                if engine.execute(event_id, command).await.is_ok() {
                    acknowledged.push(hold_id);
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            acknowledged
        }
        .boxed()
    });
    let acknowledged: Vec<_> = at_once(tasks.collect()).await.into_iter().flatten().collect();
    killer.await.unwrap();
    assert!(acknowledged.len() > 1_000, "{}", acknowledged.len());
    fixture.engine.clear_quarantine(fixture.event_id);
    for hold_id in acknowledged {
        fixture
            .engine
            .find_hold(fixture.event_id, hold_id, support::BUYER)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_crashes_at_one_record_again_and_again_is_paused_and_the_record_named() {
    let fixture = Fixture::on_sale(100).await;
    let other = EventId(Uuid::now_v7());
    open_sale(&fixture.engine, other, 5).await;
    fixture.hold(1).await.unwrap();
    let next = fixture.journal.last_seq(fixture.event_id) + 1;
    eventually("the event is quarantined", async || {
        fixture.engine.crash_event(fixture.event_id, Drill::Panic);
        let looked = fixture.engine.availability(fixture.event_id).await;
        matches!(looked, Err(EngineError::Quarantined { seq, .. }) if seq == next)
    })
    .await;
    assert!(
        fixture.engine.availability(other).await.is_ok(),
        "another event suffered"
    );
    fixture.engine.clear_quarantine(fixture.event_id);
    fixture.hold(1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_owner_fences_the_first_in_the_write_itself() {
    let fixture = Fixture::on_sale(100).await;
    fixture.hold(1).await.unwrap();
    fixture.journal.steal(fixture.event_id);
    let refused = fixture.hold(1).await;
    assert!(
        matches!(refused, Err(EngineError::OwnedElsewhere { .. })),
        "{refused:?}"
    );
    assert_eq!(
        fixture.journal.last_seq(fixture.event_id),
        6,
        "the stale owner wrote"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_on_one_storage_never_oversell_together() {
    let fixture = Fixture::on_sale(50).await;
    let second = fixture.second_engine().await;
    let tasks = (0..400).map(|number| {
        let engine = if number % 2 == 0 {
            fixture.engine.clone()
        } else {
            second.clone()
        };
        let event_id = fixture.event_id;
        let (hold_id, command) = fixture.place(1, None);
        async move { engine.execute(event_id, command).await.ok().map(|_| hold_id) }.boxed()
    });
    let acknowledged: Vec<_> = at_once(tasks.collect()).await.into_iter().flatten().collect();
    assert!(
        acknowledged.len() <= 50,
        "{} acknowledged of 50",
        acknowledged.len()
    );
    // A superseded owner may still show an old state; what counts is what the journal has.
    let next = fixture.second_engine().await;
    for hold_id in &acknowledged {
        next.find_hold(fixture.event_id, *hold_id, support::BUYER)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_is_not_served_and_the_place_is_named() {
    let fixture = Fixture::on_sale(100).await;
    fixture.hold(1).await.unwrap();
    fixture
        .journal
        .events
        .lock()
        .unwrap()
        .get_mut(&fixture.event_id)
        .unwrap()
        .entries[2]
        .chain = Chain::default();
    fixture.engine.crash_event(fixture.event_id, Drill::Kill);
    eventually("the damage is named", async || {
        matches!(
            fixture.hold(1).await,
            Err(EngineError::Quarantined { seq: 3, .. })
        )
    })
    .await;
}

/// A release may change what a state looks like, and never what a record means.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_an_earlier_release_is_passed_over_and_the_journal_is_read_from_its_start() {
    let fixture = Fixture::on_sale(100).await;
    let hold_id = fixture.hold(3).await.unwrap();
    let (engine, event_id) = (&fixture.engine, fixture.event_id);
    engine.execute(event_id, confirm(hold_id, 3)).await.unwrap();
    let seq = fixture.journal.last_seq(event_id);
    let keep = |version: u8| {
        let mut events = fixture.journal.events.lock().unwrap();
        let stored = events.get_mut(&event_id).unwrap();
        stored.snapshot = Some(Snapshot {
            event_id,
            seq,
            chain: stored.entries.last().unwrap().chain,
            state: vec![version, 0, 0].into(),
        });
    };
    keep(1);
    assert!(engine.crash_event(event_id, Drill::Kill));
    eventually("the event sells again", async || fixture.hold(1).await.is_ok()).await;
    let counts = engine.availability(event_id).await.unwrap();
    assert_eq!((counts.quotas[0].sold, counts.quotas[0].held), (3, 1));
    // One of a later release is not passed over: that release knows what it wrote and why.
    keep(255);
    assert!(engine.crash_event(event_id, Drill::Kill));
    eventually("the newer snapshot is named", async || {
        matches!(fixture.hold(1).await, Err(EngineError::Quarantined { .. }))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_commands_than_permits_are_refused_while_confirmations_still_pass() {
    let fixture = Fixture::on_sale(100_000).await;
    let hold_id = fixture.hold(1).await.unwrap();
    fixture.journal.open.send_replace(false);
    let mut waiting = Vec::new();
    for _ in 0..6_000 {
        let (engine, event_id) = (fixture.engine.clone(), fixture.event_id);
        let (_, command) = fixture.place(1, None);
        waiting.push(tokio::spawn(
            async move { engine.execute(event_id, command).await },
        ));
    }
    eventually("the permits are used up", async || {
        waiting.iter().filter(|task| task.is_finished()).count() >= 6_000 - 3_072
    })
    .await;
    let (engine, event_id) = (fixture.engine.clone(), fixture.event_id);
    let confirmed = tokio::spawn(async move { engine.execute(event_id, confirm(hold_id, 1)).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    fixture.journal.open.send_replace(true);
    confirmed.await.unwrap().unwrap();
    let mut refused = 0;
    for task in waiting {
        match task.await.unwrap() {
            Ok(_) => {}
            Err(EngineError::Overloaded {
                reason: "event_mailbox",
            }) => refused += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(refused, 6_000 - 3_072);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_takes_too_long_is_called_unknown_and_the_key_finds_out() {
    let config = EngineConfig {
        commit_patience_ms: 50,
        ..EngineConfig::default()
    };
    let fixture = Fixture::with(10, config).await;
    fixture.journal.open.send_replace(false);
    let (_, command) = fixture.place(1, Some(3));
    let unknown = fixture.engine.execute(fixture.event_id, command.clone()).await;
    assert_eq!(unknown, Err(EngineError::OutcomeUnknown));
    fixture.journal.open.send_replace(true);
    let found = fixture.engine.execute(fixture.event_id, command).await.unwrap();
    assert!(matches!(found.answer, onsale_engine::Answer::Replayed(_)));
    assert_eq!(fixture.available().await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_event_leaves_memory_and_comes_back_on_use() {
    let config = EngineConfig {
        idle_after_ms: 1_000,
        ..EngineConfig::default()
    };
    let fixture = Fixture::with(10, config).await;
    let hold_id = fixture.hold(1).await.unwrap();
    fixture.clock.advance_ms(5_000);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(
        fixture.engine.status().active_events,
        1,
        "an event with a live hold left"
    );
    fixture
        .engine
        .execute(fixture.event_id, confirm(hold_id, 1))
        .await
        .unwrap();
    fixture.clock.advance_ms(5_000);
    eventually("the event left", async || {
        fixture.engine.status().active_events == 0
    })
    .await;
    assert_eq!(fixture.available().await, 9);
}
