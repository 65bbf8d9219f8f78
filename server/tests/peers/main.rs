//! Several processes with one secret: each answers for every event, by asking the one that owns it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod attacks;
mod cost;
mod end_to_end;
mod leaving;
#[path = "../support/mod.rs"]
mod support;

use support::{Journal, Server, World, get};

/// What the processes know each other by.
const PEER_SECRET: &str = "what-the-processes-of-the-tests-know-each-other-by";

/// A process, and another beside it that owns nothing.
async fn two() -> (World, Server) {
    let world = World::with(Journal::Postgres, &[("ONSALE_PEER_SECRET", PEER_SECRET)]).await;
    let other = beside(&world, "two").await;
    (world, other)
}

/// A further process with the same secret.
async fn beside(world: &World, name: &str) -> Server {
    let mut other = world.another(name, Journal::Postgres);
    other.set("ONSALE_PEER_SECRET", PEER_SECRET);
    other.start().await;
    other
}

/// The value of one series, whole with its labels.
async fn metric(server: &Server, series: &str) -> u64 {
    let text = get("/metrics").send(server.internal).await.raw;
    let text = String::from_utf8(text.to_vec()).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{series} ")));
    line.unwrap_or_else(|| panic!("no {series} in:\n{text}"))
        .parse()
        .unwrap()
}
