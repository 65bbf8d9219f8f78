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

use std::time::{Duration, Instant};

use load::{Random, Rush, Shop, check, plan};
use support::{Journal, World};

const CLIENTS: u64 = 32;

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
    let events = vec![world.event(&plan()).await, world.event(&plan()).await];
    let rush = Rush::begin(Shop::new(world.api(), events), CLIENTS, seed);

    for round in 0..rounds {
        tokio::time::sleep(Duration::from_millis(100 + random.below(900))).await;
        let before = rush.acknowledged();
        world.server.kill();
        let killed = Instant::now();
        world.server.restart().await;
        let ready = killed.elapsed();
        eprintln!("round {round}: {before} acknowledged before the kill, ready after {ready:?}");
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (shop, ledger) = rush.end().await;
    check(&mut world, &shop, &ledger).await;
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}
