//! Two processes: who sells an event, who takes over, and that the other's writes then fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use support::{Caller, Event, EventPlan, Journal, Reply, World, until};

/// A lease lasts five seconds; loading and a slow machine come on top.
const TAKEOVER_WITHIN: Duration = Duration::from_secs(20);

/// Buys once with a key until somebody says how it ended.
async fn buy(api: SocketAddr, event: &Event, buyer: &Caller, key: &str) -> Reply {
    event
        .purchase(1, "sim_approve")
        .by(buyer)
        .key(key)
        .send(api)
        .await
}

#[tokio::test]
async fn only_one_of_two_processes_sells_an_event() {
    let mut world = World::with(Journal::Postgres, &[]).await;
    let event = world.event(&EventPlan::of(20)).await;
    let mut other = world.another("two", Journal::Postgres);
    other.start().await;
    let buyer = Caller::buyer();
    let mut sold = 0;
    for attempt in 0..40 {
        let key = format!("k{attempt}");
        buy(other.api, &event, &buyer, &key)
            .await
            .problem_with_retry(503, "unavailable");
        let reply = buy(world.api(), &event, &buyer, &key).await;
        sold += u32::from(reply.status == 201);
    }
    assert_eq!(sold, 20);
    assert_eq!(world.counts(&event).await, (0, 0, 20));
    other.stop().await;
    world.settled().await;
    world.stop_and_audit().await;
}

#[tokio::test]
async fn each_of_two_processes_sells_its_own_event() {
    let mut world = World::with(Journal::Postgres, &[]).await;
    let mine = world.event(&EventPlan::of(3)).await;
    let mut other = world.another("two", Journal::Postgres);
    other.start().await;
    std::mem::swap(&mut world.server, &mut other);
    let theirs = world.event(&EventPlan::of(3)).await;
    let buyer = Caller::buyer();
    buy(world.api(), &theirs, &buyer, "k").await.expect(201);
    buy(other.api, &mine, &buyer, "k").await.expect(201);
    buy(other.api, &theirs, &buyer, "l")
        .await
        .problem_with_retry(503, "unavailable");
    buy(world.api(), &mine, &buyer, "l")
        .await
        .problem_with_retry(503, "unavailable");
    other.stop().await;
    world.stop_and_audit().await;
}

#[tokio::test]
async fn a_graceful_stop_hands_over_at_once() {
    let mut world = World::with(Journal::Postgres, &[]).await;
    let event = world.event(&EventPlan::of(5)).await;
    let buyer = Caller::buyer();
    let first = buy(world.api(), &event, &buyer, "k").await.expect(201);
    let mut other = world.another("two", Journal::Postgres);
    other.start().await;
    buy(other.api, &event, &buyer, "l")
        .await
        .problem_with_retry(503, "unavailable");

    world.server.stop().await;
    let stopped = Instant::now();
    std::mem::swap(&mut world.server, &mut other);
    until("the other sells", Duration::from_secs(3), async || {
        buy(world.api(), &event, &buyer, "l").await.status == 201
    })
    .await;
    eprintln!("handed over in {:?}", stopped.elapsed());
    let again = buy(world.api(), &event, &buyer, "k").await;
    assert!(again.replayed());
    assert_eq!(again.expect(201), first);
    assert_eq!(world.counts(&event).await, (3, 0, 2));
    world.stop_and_audit().await;
}

#[tokio::test]
async fn a_killed_owner_is_replaced_once_its_lease_has_lapsed() {
    let mut world = World::with(Journal::Postgres, &[]).await;
    let event = world.event(&EventPlan::of(5)).await;
    let buyer = Caller::buyer();
    let first = buy(world.api(), &event, &buyer, "k").await.expect(201);
    let mut other = world.another("two", Journal::Postgres);
    other.start().await;
    world.server.kill();
    std::mem::swap(&mut world.server, &mut other);
    until("the other sells", TAKEOVER_WITHIN, async || {
        buy(world.api(), &event, &buyer, "l").await.status == 201
    })
    .await;
    let again = buy(world.api(), &event, &buyer, "k").await;
    assert_eq!(again.expect(201), first);
    world.stop_and_audit().await;
}

#[tokio::test]
async fn what_a_killed_owner_had_not_projected_the_other_projects_without_being_asked() {
    let mut world = World::with(Journal::Postgres, &[]).await;
    let event = world.event(&EventPlan::of(5)).await;
    let mut other = world.another("two", Journal::Postgres);
    other.start().await;
    world.settled().await;
    // Nothing is projected while somebody has the table to themselves.
    let mut somebody = world.database.connect().await;
    for statement in ["BEGIN", "LOCK TABLE ticket_orders IN EXCLUSIVE MODE"] {
        sqlx::query(statement).execute(&mut somebody).await.unwrap();
    }
    let order = buy(world.api(), &event, &Caller::buyer(), "k").await;
    order.expect(201);
    world.server.kill();
    drop(somebody);

    let orders = "SELECT count(*) FROM ticket_orders WHERE status = 'confirmed'";
    assert_eq!(world.database.number(orders).await, 0);
    until("its order is projected", TAKEOVER_WITHIN, async || {
        world.database.number(orders).await == 1
    })
    .await;
    std::mem::swap(&mut world.server, &mut other);
    world.settled().await;
    world.stop_and_audit().await;
}

#[tokio::test]
async fn a_frozen_owner_that_wakes_up_acknowledges_nothing_any_more() {
    let mut world = World::with(Journal::Postgres, &[]).await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    buy(world.api(), &event, &buyer, "before").await.expect(201);
    let mut other = world.another("two", Journal::Postgres);
    other.start().await;

    world.server.signal("STOP");
    let frozen = world.server.api;
    // These sit in the frozen process's sockets and are read when it wakes.
    let waiting: Vec<_> = (0..8)
        .map(|number| {
            let call = event
                .purchase(1, "sim_approve")
                .by(&buyer)
                .key(format!("frozen{number}"));
            tokio::spawn(async move { call.try_send(frozen).await })
        })
        .collect();
    until("the other takes over", TAKEOVER_WITHIN, async || {
        buy(other.api, &event, &buyer, "after").await.status == 201
    })
    .await;
    world.server.signal("CONT");
    for call in waiting {
        let reply = call.await.unwrap().expect("an answer");
        assert_eq!(reply.status, 503, "{}", String::from_utf8_lossy(&reply.raw));
    }
    for number in 0..4 {
        let reply = buy(frozen, &event, &buyer, &format!("late{number}")).await;
        assert_eq!(reply.status, 503, "{}", String::from_utf8_lossy(&reply.raw));
    }

    let mut orders = BTreeSet::new();
    for key in ["before", "after", "late0", "frozen0"] {
        let order = buy(other.api, &event, &buyer, key).await;
        orders.insert(order.expect(201)["id"].to_string());
    }
    assert_eq!(orders.len(), 4);
    world.server.kill();
    std::mem::swap(&mut world.server, &mut other);
    assert_eq!(world.counts(&event).await, (6, 0, 4));
    world.settled().await;
    let orders = "SELECT count(*) FROM ticket_orders WHERE status = 'confirmed'";
    assert_eq!(world.database.number(orders).await, 4);
    world.stop_and_audit().await;
}

#[tokio::test]
async fn a_second_process_on_a_local_journal_says_who_has_it_and_ends() {
    let mut world = World::start().await;
    let event = world.event(&EventPlan::of(5)).await;
    let mut other = world.another("two", Journal::Local);
    other.spawn();
    let status = other.ended().await;
    assert_eq!(status.code(), Some(78), "{status}");
    let log = other.stderr();
    let directory = world.directory.path().join("journal");
    assert!(log.contains(&directory.display().to_string()), "{log}");
    for told in ["another process", "ONSALE_JOURNAL_DIRECTORY"] {
        assert!(log.contains(told), "{log}");
    }
    other.assert_no_panic();

    buy(world.api(), &event, &Caller::buyer(), "k").await.expect(201);
    world.stop_and_audit().await;
}
