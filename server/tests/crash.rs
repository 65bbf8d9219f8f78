//! kill -9 at random moments under load, again and again, on both journals: nothing that was acknowledged is lost,
//! nothing is sold twice, and a key has one answer for ever.
//!
//! `ONSALE_CRASH_ROUNDS` (3), `ONSALE_CRASH_JOURNAL` (both) and `ONSALE_CRASH_SEED` (random) choose the run; the long
//! one is `cargo xtask crash`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod load;
#[path = "crash/packages.rs"]
mod packages;
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use load::{Ledger, Random, Shop};
use support::{EventPlan, Journal, World};
use uuid::Uuid;

const CLIENTS: u64 = 32;
/// How long the load may take to come to rest once it is told to.
const REST_WITHIN: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_rounds_on_the_local_journal_lose_nothing_acknowledged() {
    rounds(Journal::Local).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_rounds_on_the_postgres_journal_lose_nothing_acknowledged() {
    rounds(Journal::Postgres).await;
}

async fn rounds(journal: Journal) {
    let chosen = std::env::var("ONSALE_CRASH_JOURNAL");
    if chosen.is_ok_and(|chosen| chosen != journal.as_str()) {
        eprintln!("left out: ONSALE_CRASH_JOURNAL names the other journal");
        return;
    }
    let seed = number("ONSALE_CRASH_SEED").unwrap_or_else(|| getrandom::u64().unwrap());
    let rounds = number("ONSALE_CRASH_ROUNDS").unwrap_or(3);
    eprintln!(
        "{} journal, {rounds} rounds, ONSALE_CRASH_SEED={seed}",
        journal.as_str()
    );
    let mut random = Random::new(seed);
    let mut world = World::with(journal, &[]).await;
    let plan = EventPlan {
        // One that everybody gets, one that is fought for, one that costs nothing.
        types: vec![(10_000_000, 1_000), (150, 2_500), (200, 0)],
        hold_seconds: 2,
        hold_seconds_max: 10,
        ..EventPlan::of(0)
    };
    let events = vec![world.event(&plan).await, world.event(&plan).await];
    let shop = Arc::new(Shop::new(world.api(), events));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| tokio::spawn(Arc::clone(&shop).run(Random::new(seed ^ (client + 1)))))
        .collect();

    for round in 0..rounds {
        tokio::time::sleep(Duration::from_millis(100 + random.below(900))).await;
        let before = shop.acknowledged();
        world.server.kill();
        let killed = Instant::now();
        world.server.restart().await;
        let ready = killed.elapsed();
        eprintln!("round {round}: {before} acknowledged before the kill, ready after {ready:?}");
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    shop.close();
    let mut ledger = Ledger::default();
    for client in clients {
        let told = tokio::time::timeout(REST_WITHIN, client).await;
        ledger.merge(
            told.expect("a client never came to an end")
                .expect("a client panicked"),
        );
    }
    check(&mut world, &shop, &ledger).await;
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}

/// Everything that the clients were told is there, and nothing else.
async fn check(world: &mut World, shop: &Shop, ledger: &Ledger) {
    eprintln!(
        "{} orders, {} holds, {} releases, {} declined, {} other refusals, {} requests sent again",
        ledger.orders.len(),
        ledger.holds.len(),
        ledger.released.len(),
        ledger.declined,
        ledger.refused,
        ledger.retries
    );
    assert!(ledger.orders.len() > 20, "the load did not sell");
    shop.read_back(ledger).await;
    world.settled().await;
    let report = world.stop_and_audit().await;
    assert_eq!(report["findings"], serde_json::json!([]), "{report}");

    let mut postgres = world.database.connect().await;
    let orders: Vec<(Uuid, i64)> =
        sqlx::query_as("SELECT order_id, total_minor FROM ticket_orders WHERE status = 'confirmed'")
            .fetch_all(&mut postgres)
            .await
            .unwrap();
    let stored: BTreeSet<_> = orders.iter().map(|(id, _)| *id).collect();
    let told: BTreeSet<_> = ledger.orders.keys().copied().collect();
    assert_eq!(
        told.difference(&stored).next(),
        None,
        "an acknowledged order is lost"
    );
    assert_eq!(
        stored.difference(&told).next(),
        None,
        "an order that nobody was told of"
    );
    let tickets: Vec<(Uuid,)> = sqlx::query_as("SELECT ticket_id FROM tickets WHERE status = 'valid'")
        .fetch_all(&mut postgres)
        .await
        .unwrap();
    let stored: BTreeSet<_> = tickets.into_iter().map(|(id,)| id).collect();
    let told: BTreeSet<_> = ledger
        .orders
        .values()
        .flat_map(|order| order.tickets.iter().copied())
        .collect();
    assert_eq!(told, stored, "acknowledged and valid tickets differ");
    let holds: Vec<(Uuid, String)> = sqlx::query_as("SELECT hold_id, status FROM holds")
        .fetch_all(&mut postgres)
        .await
        .unwrap();
    let holds: std::collections::BTreeMap<_, _> = holds.into_iter().collect();
    for hold in &ledger.holds {
        assert!(holds.contains_key(hold), "acknowledged hold {hold} is lost");
    }
    for hold in &ledger.released {
        assert_eq!(holds[hold], "released", "acknowledged release of {hold} is lost");
    }

    let captured = "SELECT COALESCE(sum(amount_minor), 0)::bigint FROM payments WHERE status = 'captured'";
    let total: i64 = orders.iter().map(|(_, total)| total).sum();
    assert_eq!(world.database.number(captured).await, total, "captured ≠ orders");
    let oversold = "SELECT count(*) FROM quotas WHERE sold + held > capacity";
    assert_eq!(world.database.number(oversold).await, 0, "oversold");
    let miscounted = "SELECT count(*) FROM quotas q WHERE sold <> (
        SELECT count(*) FROM tickets t JOIN ticket_types y USING (event_id, ticket_type_id)
        WHERE t.event_id = q.event_id AND y.quota_id = q.quota_id AND t.status = 'valid')";
    assert_eq!(world.database.number(miscounted).await, 0, "sold ≠ valid tickets");
}
