//! What docs/OPERATING.md says, tried on the real binary under load: stopping, upgrading, backing up and restoring, and
//! what becomes of a sale when Postgres, Redis or the disk go away and come back.
//!
//! `ONSALE_BINARY` and `ONSALE_OLD_BINARY` name the programs to try, `ONSALE_OPERATIONS_SECONDS` (1) says how long each
//! phase of a trial lasts; `cargo xtask operations` does so with release builds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

#[path = "../load/mod.rs"]
mod load;
#[path = "../support/mod.rs"]
mod support;

mod disk;
mod failover;
mod outages;
mod page;
mod restore;
mod secrets;
mod stopping;
mod upgrade;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use load::{Rush, Shop, plan};
use support::{Caller, Event, Journal, PrivatePostgres, Reply, TestDatabase, World, until};

const CLIENTS: u64 = 16;
/// When sales must go on at the latest once what was away is back.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// One phase of a trial.
async fn a_while() {
    let seconds = std::env::var("ONSALE_OPERATIONS_SECONDS").map_or(1, |text| text.parse().expect("seconds"));
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// Opens two events and lets buyers in, who use all of these processes.
async fn rush(world: &World, apis: Vec<SocketAddr>) -> Rush {
    let seed = getrandom::u64().unwrap();
    eprintln!("seed {seed}");
    let events = vec![world.event(&plan()).await, world.event(&plan()).await];
    Rush::begin(Shop::of(apis, events), CLIENTS, seed)
}

/// Waits until a good many sales were acknowledged since now, and says how long the first took.
async fn sells(rush: &Rush) -> Duration {
    sells_within(rush, BACK_WITHIN).await
}

/// The same, with more patience or less: `longest` for the first sale, and for those after it.
async fn sells_within(rush: &Rush, longest: Duration) -> Duration {
    let (began, before) = (Instant::now(), rush.acknowledged());
    until("sales go on", longest, async || rush.acknowledged() > before).await;
    let first = began.elapsed();
    until("sales go on", longest, async || rush.acknowledged() > before + 50).await;
    first
}

/// A deployment on a Postgres of its own.
async fn deployed(postgres: &PrivatePostgres, journal: Journal, settings: &[(&str, &str)]) -> World {
    let mut world = World::on(TestDatabase::create_on(&postgres.url()), journal, settings);
    world.migrate().await;
    world.server.start().await;
    world
}

/// Buys one ticket, asking again until it is told how that ended.
async fn buy(api: SocketAddr, event: &Event, buyer: &Caller, key: &str) -> Reply {
    let call = event.purchase(1, "sim_approve").by(buyer).key(key);
    let began = Instant::now();
    loop {
        let reply = call.try_send(api).await;
        if let Ok(reply) = &reply
            && reply.status != 503
        {
            return reply.clone();
        }
        assert!(began.elapsed() < Duration::from_secs(40), "{reply:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
