//! Postgres and Redis go away under load and come back. Nothing is restarted but them.

use crate::load::check;
use crate::support::{Journal, PrivatePostgres, PrivateRedis, World};
use crate::{a_while, deployed, rush, sells};

async fn postgres_is_restarted(journal: Journal) {
    let mut postgres = PrivatePostgres::start(&[]).await;
    let mut world = deployed(&postgres, journal, &[]).await;
    let rush = rush(&world, vec![world.api()]).await;
    sells(&rush).await;

    postgres.stop();
    postgres.up().await;
    eprintln!("sold {:?} after a restart", sells(&rush).await);

    postgres.crash();
    let before = rush.acknowledged();
    a_while().await;
    a_while().await;
    let meanwhile = rush.acknowledged() - before;
    assert_eq!(world.server.exited(), None, "it outlives Postgres");
    match journal {
        Journal::Local => assert!(meanwhile > 50, "sold {meanwhile} while Postgres was away"),
        // What was committed when it went may still be answered.
        Journal::Postgres => assert!(meanwhile < 50, "sold {meanwhile} without a journal"),
    }
    postgres.up().await;
    eprintln!(
        "sold {:?} after an outage, {meanwhile} during it",
        sells(&rush).await
    );

    let (shop, ledger) = rush.end().await;
    check(&mut world, &shop, &ledger).await;
    // The database goes before its cluster.
    drop(world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sales_in_the_postgres_journal_stop_with_postgres_and_go_on_with_it() {
    postgres_is_restarted(Journal::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sales_in_the_local_journal_go_on_without_postgres() {
    postgres_is_restarted(Journal::Local).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sales_go_on_without_redis_and_when_it_comes_back_empty() {
    let mut redis = PrivateRedis::start().await;
    let mut world = World::with(Journal::Postgres, &[("REDIS_URL", &redis.url())]).await;
    let rush = rush(&world, vec![world.api()]).await;
    sells(&rush).await;
    redis.kill();
    sells(&rush).await;
    a_while().await;
    redis.restart().await;
    sells(&rush).await;
    redis.freeze();
    sells(&rush).await;
    redis.thaw();
    let (shop, ledger) = rush.end().await;
    check(&mut world, &shop, &ledger).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_writes_for_a_while_is_written_again_without_a_restart() {
    let mut world = World::with(Journal::Postgres, &[]).await;
    let rush = rush(&world, vec![world.api()]).await;
    sells(&rush).await;
    world.database.make_read_only();
    let before = rush.acknowledged();
    a_while().await;
    a_while().await;
    let meanwhile = rush.acknowledged() - before;
    assert!(meanwhile < 50, "sold {meanwhile} without a journal");
    world.database.make_writable();
    eprintln!("sold {:?} after it could be written again", sells(&rush).await);
    let (shop, ledger) = rush.end().await;
    check(&mut world, &shop, &ledger).await;
}
