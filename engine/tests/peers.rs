//! Several engines on one journal, of which each owns some events: what is asked at one about an event of another.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "test code")]

#[path = "support/deployment.rs"]
mod deployment;
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use deployment::{Deployment, Leased};
use futures::future::join_all;
use onsale_domain::{Command, EventId, EventStatus, HoldId, Refusal};
use onsale_engine::{Answer, Engine, EngineConfig, EngineError};
use support::{BUYER, Fixture, confirm};
use uuid::Uuid;

/// An event that "a" owns, and "b" beside it.
struct Two {
    /// Its engine is that of "a".
    fixture: Fixture,
    b: Engine,
    deployment: Deployment,
}

impl Two {
    async fn start(capacity: u32) -> Self {
        let deployment = Deployment::default();
        let mut fixture = Fixture::on_sale(capacity).await;
        let a = join(&deployment, &fixture, "a").await;
        let owners = Arc::clone(&deployment.owners);
        owners.lock().unwrap().insert(fixture.event_id, "a".to_owned());
        a.availability(fixture.event_id).await.unwrap();
        fixture.engine = a;
        let b = join(&deployment, &fixture, "b").await;
        Self {
            fixture,
            b,
            deployment,
        }
    }

    async fn hold_at(&self, engine: &Engine) -> Result<HoldId, EngineError> {
        let (hold_id, command) = self.fixture.place(1, None);
        let receipt = engine.execute(self.fixture.event_id, command).await;
        receipt.map(|_| hold_id)
    }
}

async fn join(deployment: &Deployment, fixture: &Fixture, name: &str) -> Engine {
    deployment.alive.lock().unwrap().insert(name.to_owned());
    let journal = Leased {
        journal: fixture.journal.clone(),
        deployment: deployment.clone(),
        name: name.to_owned(),
    };
    let engine = Engine::start_among(
        EngineConfig::default(),
        Arc::new(journal),
        Arc::new(fixture.sink.clone()),
        Arc::new(fixture.clock.clone()),
        Some(Arc::new(deployment.clone())),
    );
    let engine = engine.await.unwrap();
    let mut engines = deployment.engines.lock().unwrap();
    engines.insert(name.to_owned(), engine.clone());
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_at_the_wrong_process_is_decided_by_the_owner() {
    let two = Two::start(10).await;
    let event_id = two.fixture.event_id;
    let hold_id = two.hold_at(&two.b).await.unwrap();
    let seen = two.b.find_hold(event_id, hold_id, BUYER).await.unwrap();
    assert_eq!(seen.hold_id, hold_id);
    let counts = two.b.availability(event_id).await.unwrap();
    assert_eq!(counts.quotas[0].held, 1);
    let extended = Command::ExtendHold {
        hold_id,
        buyer_id: BUYER,
    };
    two.fixture.clock.advance_ms(1_000);
    two.b.execute(event_id, extended).await.unwrap();
    let receipt = two.b.execute(event_id, confirm(hold_id, 1)).await.unwrap();
    assert!(matches!(receipt.answer, Answer::Recorded(_)), "{receipt:?}");
    let page = two.b.tickets(event_id, 0).await.unwrap();
    assert_eq!(page.tickets.len(), 1);
    let mine = two
        .b
        .check_owner(event_id, page.tickets[0].ticket_id, BUYER)
        .await;
    assert_eq!(mine, Ok(()));
    assert_eq!(two.b.door_counts(event_id).await.unwrap().tickets, 1);
    two.b.wait_projected(event_id).await.unwrap();
    let watermark = two.fixture.sink.watermarks.lock().unwrap()[&event_id];
    assert_eq!(watermark, two.fixture.journal.last_seq(event_id));
    assert_eq!(two.b.status().active_events, 0, "b has loaded it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_owner_comes_back_as_it_was() {
    let two = Two::start(1).await;
    two.hold_at(&two.b).await.unwrap();
    let refused = two.hold_at(&two.b).await;
    assert!(
        matches!(refused, Err(EngineError::Refused(Refusal::AllHeld { .. }))),
        "{refused:?}"
    );
    let stale = Command::ChangeStatus {
        to: EventStatus::Paused,
        expected_version: Some(1),
    };
    let refused = two.b.execute(two.fixture.event_id, stale).await;
    assert!(
        matches!(
            refused,
            Err(EngineError::Refused(Refusal::VersionMismatch { .. }))
        ),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_at_both_processes_at_once_has_one_effect() {
    let two = Two::start(1_000).await;
    let calls = (0..200_u64).map(|number| {
        let engine = if number % 2 == 0 {
            &two.fixture.engine
        } else {
            &two.b
        };
        let (_, command) = two.fixture.place(1, Some(number / 20));
        engine.execute(two.fixture.event_id, command)
    });
    let receipts: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    let recorded = receipts
        .iter()
        .filter(|receipt| matches!(receipt.answer, Answer::Recorded(_)))
        .count();
    assert_eq!(recorded, 10);
    let answers: BTreeSet<_> = receipts.iter().map(|receipt| receipt.seq).collect();
    assert_eq!(answers.len(), 10);
    assert_eq!(two.fixture.available().await, 990);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_not_asked_for_each_request() {
    let two = Two::start(1_000).await;
    two.hold_at(&two.b).await.unwrap();
    let before = two.deployment.acquired.load(Ordering::Relaxed);
    let holds = (0..100).map(|_| two.hold_at(&two.b));
    for held in join_all(holds).await {
        held.unwrap();
    }
    assert_eq!(two.deployment.acquired.load(Ordering::Relaxed), before);
    assert_eq!(two.deployment.asked("a"), 101);
    // A while later, once: whoever waits for that does not ask again.
    two.fixture.clock.advance_ms(10_000);
    let holds = (0..100).map(|_| two.hold_at(&two.b));
    for held in join_all(holds).await {
        held.unwrap();
    }
    assert_eq!(two.deployment.acquired.load(Ordering::Relaxed), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_owner_is_left_alone_for_a_moment_and_replaced_when_its_lease_lapses() {
    let two = Two::start(100).await;
    two.hold_at(&two.b).await.unwrap();
    two.deployment.crash("a");
    for _ in 0..50 {
        let refused = two.hold_at(&two.b).await;
        assert!(
            matches!(refused, Err(EngineError::OwnedElsewhere { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(two.deployment.asked("a"), 2, "it is knocked at for every request");
    two.deployment.lease_lapses("a");
    two.fixture.clock.advance_ms(300);
    two.hold_at(&two.b).await.unwrap();
    assert_eq!(
        two.b.availability(two.fixture.event_id).await.unwrap().quotas[0].held,
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_projected_can_be_read_while_the_owner_is_away() {
    let two = Two::start(100).await;
    two.hold_at(&two.b).await.unwrap();
    two.deployment.crash("a");
    // Knocked at in vain, and left alone after that.
    for _ in 0..2 {
        assert_eq!(two.b.wait_projected(two.fixture.event_id).await, Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_takes_over_what_nobody_is_left_to_project() {
    let two = Two::start(100).await;
    two.deployment.crash("a");
    two.deployment.lease_lapses("a");
    assert_eq!(two.b.wait_projected(two.fixture.event_id).await, Ok(()));
    assert_eq!(two.b.status().active_events, 1, "b has not loaded it");
    let nowhere = EventId(Uuid::now_v7());
    assert_eq!(two.b.wait_projected(nowhere).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_ended_gracefully_is_replaced_at_once_and_the_request_served() {
    let two = Two::start(100).await;
    two.hold_at(&two.b).await.unwrap();
    two.fixture.engine.shutdown(Duration::from_secs(5)).await;
    two.deployment.crash("a");
    two.deployment.lease_lapses("a");
    two.hold_at(&two.b).await.unwrap();
    assert_eq!(two.b.status().active_events, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_owner_is_no_end_of_the_asking_process() {
    let two = Two::start(100).await;
    two.fixture.engine.shutdown(Duration::from_secs(5)).await;
    let refused = two.hold_at(&two.b).await;
    assert!(
        matches!(refused, Err(EngineError::Unavailable { .. })),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_has_moved_is_asked_about_where_it_is_now() {
    let two = Two::start(100).await;
    let c = join(&two.deployment, &two.fixture, "c").await;
    two.hold_at(&two.b).await.unwrap();
    // c takes over while b still remembers a, and a is back without the event.
    two.deployment.lease_lapses("a");
    two.hold_at(&c).await.unwrap();
    two.deployment.alive.lock().unwrap().insert("a".to_owned());
    let (_, command) = two.fixture.place(1, Some(7));
    let receipt = two.b.execute(two.fixture.event_id, command).await;
    // a believes that it still has it, and its write is fenced: the first asking is refused at most, never done twice.
    if receipt.is_err() {
        two.fixture.clock.advance_ms(10_000);
        let (_, command) = two.fixture.place(1, Some(7));
        two.b.execute(two.fixture.event_id, command).await.unwrap();
    }
    assert_eq!(
        c.availability(two.fixture.event_id).await.unwrap().quotas[0].held,
        3
    );
    assert_eq!(two.b.status().active_events, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_makes_one_hop_and_never_a_loop() {
    let two = Two::start(100).await;
    // Each is told that the other has it.
    let owners = Arc::clone(&two.deployment.owners);
    let c = join(&two.deployment, &two.fixture, "c").await;
    c.availability(two.fixture.event_id).await.unwrap();
    two.b.availability(two.fixture.event_id).await.unwrap();
    owners
        .lock()
        .unwrap()
        .insert(two.fixture.event_id, "c".to_owned());
    two.deployment.crash("a");
    let before = two.deployment.asked("b") + two.deployment.asked("c");
    // b asks c; c remembers a, which is gone, and must ask nobody.
    let refused = two.hold_at(&two.b).await;
    assert!(
        matches!(refused, Err(EngineError::OwnedElsewhere { .. })),
        "{refused:?}"
    );
    let asked = two.deployment.asked("b") + two.deployment.asked("c") - before;
    assert_eq!(asked, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_unknown_and_the_same_key_finds_it_out() {
    let two = Two::start(100).await;
    two.deployment.mute.lock().unwrap().insert("a".to_owned());
    let (_, command) = two.fixture.place(1, Some(1));
    let lost = two.b.execute(two.fixture.event_id, command.clone()).await;
    assert_eq!(lost, Err(EngineError::OutcomeUnknown));
    let lost = two.b.availability(two.fixture.event_id).await;
    assert!(matches!(lost, Err(EngineError::Unavailable { .. })), "{lost:?}");
    two.deployment.mute.lock().unwrap().clear();
    let found = two.b.execute(two.fixture.event_id, command).await.unwrap();
    assert!(matches!(found.answer, Answer::Replayed(_)), "{found:?}");
    assert_eq!(two.fixture.available().await, 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_peers_a_foreign_event_is_refused_as_before() {
    let two = Two::start(100).await;
    let journal = Leased {
        journal: two.fixture.journal.clone(),
        deployment: two.deployment.clone(),
        name: "alone".to_owned(),
    };
    let (sink, clock) = (two.fixture.sink.clone(), two.fixture.clock.clone());
    let config = EngineConfig::default();
    let alone = Engine::start(config, Arc::new(journal), Arc::new(sink), Arc::new(clock));
    let alone = alone.await.unwrap();
    let refused = two.hold_at(&alone).await;
    assert!(
        matches!(refused, Err(EngineError::OwnedElsewhere { .. })),
        "{refused:?}"
    );
    assert_eq!(alone.wait_projected(two.fixture.event_id).await, Ok(()));
    let nowhere = two.b.availability(EventId(Uuid::now_v7())).await;
    assert_eq!(nowhere.map(|_| ()), Err(EngineError::NotFound));
}
