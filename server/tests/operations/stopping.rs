//! SIGTERM: not ready, drain, flush, end. That nothing is lost under load with both journals is tried in
//! `api/process.rs`.

use std::time::{Duration, Instant};

use crate::load::check;
use crate::rush;
use crate::support::{Call, Caller, EventPlan, Journal, World, get, until};

/// What every process is given in these tests.
const GRACE_SECONDS: u64 = 4;

/// A purchase that was cut off while the provider was asked: its key leads to its order, whose payment is pending until
/// the provider has told.
async fn assert_pending(world: &World, call: &Call) {
    let order = call.send(world.api()).await.expect(201);
    assert_eq!(order["status"], "pending", "{order}");
    assert_eq!(order["payment"]["status"], "pending", "{order}");
}

async fn world(journal: Journal) -> World {
    World::with(
        journal,
        &[("ONSALE_SHUTDOWN_GRACE_SECONDS", &GRACE_SECONDS.to_string())],
    )
    .await
}

#[tokio::test]
async fn a_process_that_is_told_to_stop_says_so_and_finishes_what_is_under_way() {
    let mut world = world(Journal::Postgres).await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    let (api, internal) = (world.api(), world.server.internal);
    let call = event.purchase(1, "sim_delay_2000").by(&buyer).key("under-way");
    let under_way = tokio::spawn({
        let call = call.clone();
        async move { call.try_send(api).await }
    });
    until("it is held", Duration::from_secs(5), async || {
        world.counts(&event).await.1 == 1
    })
    .await;

    let told = Instant::now();
    world.server.signal("TERM");
    until("it is not ready", Duration::from_secs(1), async || {
        let answer = get("/readyz?verbose").try_send(internal).await;
        answer.is_ok_and(|answer| answer.status == 503 && answer.text("phase") == "draining")
    })
    .await;
    assert_eq!(get("/livez").send(internal).await.status, 200, "it is alive");
    // The listener closes a moment after it says so: who comes in between is served, and counted.
    let mut served = 0;
    until("nobody new is let in", Duration::from_secs(1), async || {
        let late = event.purchase(1, "sim_approve").by(&Caller::buyer()).key("late");
        let Ok(reply) = late.try_send(api).await else {
            return true;
        };
        served += u64::from(reply.status == 201);
        false
    })
    .await;
    let order = under_way.await.unwrap().expect("an answer").expect(201);
    assert_eq!(order["status"], "confirmed");
    assert!(world.server.ended().await.success());
    assert!(
        told.elapsed() < Duration::from_secs(GRACE_SECONDS),
        "{:?}",
        told.elapsed()
    );

    world.server.restart().await;
    assert!(call.send(world.api()).await.replayed());
    assert_eq!(world.counts(&event).await, (9 - served, 0, 1 + served));
    world.stop_and_audit().await;
}

#[tokio::test]
async fn a_request_without_an_end_is_cut_off_within_the_grace_period_and_its_key_knows_the_outcome() {
    let mut world = world(Journal::Local).await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    let api = world.api();
    let call = event.purchase(1, "sim_delay_9000").by(&buyer).key("slow");
    let cut_off = tokio::spawn({
        let call = call.clone();
        async move { call.try_send(api).await }
    });
    until("it is held", Duration::from_secs(5), async || {
        world.counts(&event).await.1 == 1
    })
    .await;
    let told = Instant::now();
    world.server.signal("TERM");
    let status = world.server.ended().await;
    assert!(status.success(), "{status}");
    assert!(
        told.elapsed() < Duration::from_secs(GRACE_SECONDS + 1),
        "{:?}",
        told.elapsed()
    );
    cut_off.await.unwrap().expect_err("nobody was left to answer");

    world.server.restart().await;
    assert_pending(&world, &call).await;
    world.settled().await;
    world.stop_and_audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_process_at_once_and_loses_nothing_acknowledged() {
    let mut world = world(Journal::Postgres).await;
    let event = world.event(&EventPlan::of(10)).await;
    let rush = rush(&world, vec![world.api()]).await;
    let (api, buyer) = (world.api(), Caller::buyer());
    let call = event.purchase(1, "sim_delay_9000").by(&buyer).key("slow");
    let slow = tokio::spawn({
        let call = call.clone();
        async move { call.try_send(api).await }
    });
    until("it is held", Duration::from_secs(5), async || {
        world.counts(&event).await.1 == 1
    })
    .await;
    world.server.signal("TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let told_twice = Instant::now();
    world.server.signal("TERM");
    assert_eq!(world.server.ended().await.code(), Some(130));
    assert!(
        told_twice.elapsed() < Duration::from_secs(1),
        "{:?}",
        told_twice.elapsed()
    );
    slow.await.unwrap().expect_err("it was cut off");
    world.server.restart().await;
    let (shop, ledger) = rush.end().await;
    assert_pending(&world, &call).await;
    check(&mut world, &shop, &ledger).await;
}
