//! What a caller may rely on while everything works.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use futures::FutureExt;
use onsale_domain::{Command, Record, Refusal};
use onsale_engine::{Answer, EngineError};
use support::{BUYER, Fixture, HOLD_DURATION_MS, at_once, binding, confirm, eventually, is_recorded};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_or_shown_before_it_is_committed() {
    let fixture = Fixture::on_sale(10).await;
    fixture.journal.open.send_replace(false);
    let (hold_id, command) = fixture.place(2, None);
    let (engine, event_id) = (fixture.engine.clone(), fixture.event_id);
    let pending = tokio::spawn(async move { engine.execute(event_id, command).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (engine, event_id) = (fixture.engine.clone(), fixture.event_id);
    let look = tokio::spawn(async move { engine.find_hold(event_id, hold_id, BUYER).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!pending.is_finished(), "answered before the commit");
    assert!(!look.is_finished(), "an uncommitted hold was shown");
    assert_eq!(fixture.available().await, 10, "the uncommitted count was shown");
    fixture.journal.open.send_replace(true);
    assert!(is_recorded(&pending.await.unwrap().unwrap()));
    assert_eq!(look.await.unwrap().unwrap().hold_id, hold_id);
    assert_eq!(fixture.available().await, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_a_hundred_times_at_once_places_one_hold() {
    let fixture = Fixture::on_sale(1_000).await;
    let tasks = (0..100).map(|_| {
        let (engine, event_id) = (fixture.engine.clone(), fixture.event_id);
        let (_, command) = fixture.place(1, Some(1));
        async move { engine.execute(event_id, command).await.unwrap() }.boxed()
    });
    let receipts = at_once(tasks.collect()).await;
    let placed: Vec<_> = receipts.iter().filter(|receipt| is_recorded(receipt)).collect();
    assert_eq!(placed.len(), 1);
    let Answer::Recorded(first) = &placed[0].answer else {
        unreachable!()
    };
    for receipt in receipts.iter().filter(|receipt| !is_recorded(receipt)) {
        assert_eq!(receipt.answer, Answer::Replayed(first.clone()));
        assert_eq!(receipt.seq, placed[0].seq);
    }
    assert_eq!(fixture.available().await, 999);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_buyers_on_the_last_ticket_leave_one_winner() {
    let fixture = Fixture::on_sale(1).await;
    let tasks = (0..10_000).map(|_| {
        let (engine, event_id) = (fixture.engine.clone(), fixture.event_id);
        let (_, command) = fixture.place(1, None);
        async move { engine.execute(event_id, command).await }.boxed()
    });
    let results = at_once(tasks.collect()).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for error in results.into_iter().filter_map(Result::err) {
        assert!(
            matches!(
                error,
                EngineError::Refused(Refusal::AllHeld { .. }) | EngineError::Overloaded { .. }
            ),
            "{error:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_what_succeeded_is_answered_again_also_when_sold_out() {
    let fixture = Fixture::on_sale(1).await;
    let (hold_id, command) = fixture.place(1, Some(5));
    let first = fixture
        .engine
        .execute(fixture.event_id, command.clone())
        .await
        .unwrap();
    fixture
        .engine
        .execute(fixture.event_id, confirm(hold_id, 1))
        .await
        .unwrap();
    let (_, other) = fixture.place(1, Some(6));
    let refused = fixture.engine.execute(fixture.event_id, other).await;
    assert_eq!(refused, Err(EngineError::Refused(Refusal::SoldOut)));
    let again = fixture.engine.execute(fixture.event_id, command).await.unwrap();
    assert_eq!(again.seq, first.seq);
    assert!(matches!(again.answer, Answer::Replayed(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn sold_out_is_said_only_when_nothing_is_held() {
    let fixture = Fixture::on_sale(1).await;
    let hold_id = fixture.hold(1).await.unwrap();
    let next_expiry_at = Some(fixture.engine.now().plus_ms(HOLD_DURATION_MS));
    let held = fixture.hold(1).await;
    assert_eq!(
        held,
        Err(EngineError::Refused(Refusal::AllHeld { next_expiry_at }))
    );
    fixture
        .engine
        .execute(fixture.event_id, confirm(hold_id, 1))
        .await
        .unwrap();
    assert_eq!(fixture.hold(1).await, Err(EngineError::Refused(Refusal::SoldOut)));
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_holds_that_end_at_once_are_ended_by_records_while_the_event_keeps_selling() {
    let fixture = Fixture::on_sale(20_000).await;
    let tasks = (0..2_500).map(|_| {
        let (engine, event_id) = (fixture.engine.clone(), fixture.event_id);
        let (_, command) = fixture.place(1, None);
        async move { engine.execute(event_id, command).await.map(|_| ()) }.boxed()
    });
    let placed = at_once(tasks.collect()).await.into_iter().flatten().count();
    assert!(placed > 2_000, "{placed}");
    fixture.clock.advance_ms(HOLD_DURATION_MS - 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(
        fixture.available().await,
        20_000 - u32::try_from(placed).unwrap(),
        "a hold ended early"
    );
    fixture.clock.advance_ms(1);
    // The test's clock moved without the timer's: any command lets the actor look again.
    fixture
        .engine
        .execute(fixture.event_id, Command::Advance)
        .await
        .unwrap();
    eventually("all due holds ended", async || {
        let _ = fixture.engine.execute(fixture.event_id, Command::Advance).await;
        fixture.available().await == 20_000
    })
    .await;
    assert!(fixture.hold(1).await.is_ok());
    let record = fixture
        .engine
        .record(fixture.event_id, fixture.journal.last_seq(fixture.event_id) - 1)
        .await;
    assert!(matches!(record, Ok(Record::HoldsExpired { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_actors_own_timer_ends_a_hold_within_a_second_of_its_deadline() {
    let fixture = Fixture::on_sale(5).await;
    // The timer sleeps in real time until the deadline that the clock shows, so bring the deadline near.
    fixture.hold(1).await.unwrap();
    fixture.clock.advance_ms(HOLD_DURATION_MS - 200);
    fixture
        .engine
        .crash_event(fixture.event_id, onsale_engine::Drill::Kill);
    eventually("the event is back with its timer", async || {
        fixture
            .engine
            .availability(fixture.event_id)
            .await
            .is_ok_and(|counts| counts.quotas[0].held == 1)
    })
    .await;
    fixture.clock.advance_ms(200);
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(fixture.available().await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_ends_within_a_second_of_its_deadline_while_others_are_placed_all_the_time() {
    let fixture = Fixture::on_sale(1_000).await;
    fixture.hold(1).await.unwrap();
    fixture.clock.advance_ms(HOLD_DURATION_MS - 100);
    let mut placed = 0;
    for _ in 0..100 {
        fixture.hold(1).await.unwrap();
        placed += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
        fixture.clock.advance_ms(11);
    }
    assert_eq!(fixture.available().await, 1_000 - placed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_another_body_is_refused() {
    let fixture = Fixture::on_sale(5).await;
    let (_, command) = fixture.place(1, Some(9));
    fixture.engine.execute(fixture.event_id, command).await.unwrap();
    let (_, mut other) = fixture.place(2, Some(9));
    if let Command::PlaceHold(hold) = &mut other {
        let mut key = binding(9);
        key.body.0 = [1; 8];
        hold.key = Some(key);
    }
    let refused = fixture.engine.execute(fixture.event_id, other).await;
    assert_eq!(refused, Err(EngineError::Refused(Refusal::KeyReused)));
}
