//! Limits that several processes count together, and what happens when Redis fails.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::future::join_all;
use uuid::Uuid;

use crate::support::{Caller, Journal, PrivateRedis, Server, World, get, until};

/// A deployment of two processes on one Redis.
async fn two_processes(redis: &PrivateRedis, settings: &[(&str, &str)]) -> (World, Server) {
    let url = redis.url();
    let settings = [&[("REDIS_URL", url.as_str())], settings].concat();
    let world = World::with(Journal::Postgres, &settings).await;
    let mut second = Server::prepare(
        "two",
        world.directory.path(),
        &world.database.url(),
        Journal::Postgres,
        &settings,
    );
    second.start().await;
    (world, second)
}

/// Spends one request of a buyer: a hold that nobody has.
async fn look(api: SocketAddr, buyer: &Caller) -> u16 {
    let path = format!("/v1/holds/{}", Uuid::now_v7());
    get(path).by(buyer).send(api).await.status
}

/// Spends one request of a member of staff and returns how many are left.
async fn left_after_one(api: SocketAddr, admin: &Caller) -> u32 {
    let reply = get("/v1/admin/organizations").by(admin).send(api).await;
    reply.expect(200);
    let (_, left) = reply.header("ratelimit").split_once(";r=").unwrap();
    left.split(';').next().unwrap().parse().unwrap()
}

/// Waits until what staff spend at the first process is missing at the second. More than one look, because a call
/// that Redis answers late on a busy machine is counted by one process alone for a second.
async fn they_count_as_one(first: &World, second: &Server) {
    until(
        "two processes count as one",
        Duration::from_secs(20),
        async || {
            tokio::time::sleep(Duration::from_secs(1)).await;
            join_all((0..80).map(|_| left_after_one(first.api(), &first.admin))).await;
            left_after_one(second.api, &first.admin).await < 199
        },
    )
    .await;
}

#[tokio::test]
async fn what_staff_spend_at_one_process_is_spent_at_the_other() {
    let redis = PrivateRedis::start().await;
    let (world, second) = two_processes(&redis, &[("ONSALE_RATE_LIMIT_PER_SECOND", "20")]).await;
    they_count_as_one(&world, &second).await;
}

#[tokio::test]
async fn a_buyer_who_spends_everywhere_is_refused_everywhere() {
    let redis = PrivateRedis::start().await;
    let limits = [
        ("ONSALE_RATE_LIMIT_PER_SECOND", "1"),
        ("ONSALE_RATE_LIMIT_BURST", "40"),
    ];
    let (world, second) = two_processes(&redis, &limits).await;
    let (heavy, other) = (Caller::buyer(), Caller::buyer());
    for _ in 0..40 {
        assert_eq!(look(world.api(), &heavy).await, 404);
    }
    let mut admitted = 0;
    while look(second.api, &heavy).await == 404 {
        admitted += 1;
        assert!(admitted < 30, "the second process alone would admit 40");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(look(second.api, &other).await, 404, "others are not refused");
}

#[tokio::test]
async fn a_redis_that_hangs_costs_its_budget_once_and_is_used_again() {
    let redis = PrivateRedis::start().await;
    let (world, second) = two_processes(&redis, &[("ONSALE_RATE_LIMIT_PER_SECOND", "1000")]).await;
    left_after_one(world.api(), &world.admin).await;
    redis.freeze();
    let started = Instant::now();
    for _ in 0..150 {
        left_after_one(world.api(), &world.admin).await;
    }
    // 50 ms each would be more than seven.
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(6), "{elapsed:?}");
    assert!(world.server.stderr().contains("going on without it"));
    redis.thaw();
    until("Redis is used again", Duration::from_secs(15), async || {
        world.server.stderr().contains("Redis answers again")
    })
    .await;
    they_count_as_one(&world, &second).await;
}

#[tokio::test]
async fn a_process_starts_and_serves_while_redis_is_away() {
    let mut redis = PrivateRedis::prepare();
    let limits = [
        ("REDIS_URL", redis.url()),
        ("ONSALE_RATE_LIMIT_PER_SECOND", "20".to_owned()),
    ];
    let limits = limits.each_ref().map(|(name, value)| (*name, value.as_str()));
    let world = World::with(Journal::Local, &limits).await;
    assert_eq!(look(world.api(), &Caller::buyer()).await, 404);
    assert_eq!(left_after_one(world.api(), &world.admin).await, 199);
    redis.restart().await;
    until("Redis is used", Duration::from_secs(15), async || {
        world.server.stderr().contains("Redis answers again")
    })
    .await;
    left_after_one(world.api(), &world.admin).await;
    redis.kill();
    left_after_one(world.api(), &world.admin).await;
    world.server.assert_no_panic();
}
