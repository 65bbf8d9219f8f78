//! Postgres fails over to a standby, which then has the primary's address, as a managed service or a proxy arranges it.

use std::time::Duration;

use crate::load::check;
use crate::support::{Journal, PrivatePostgres, Server, until};
use crate::{a_while, deployed, rush, sells};

/// Has commits wait for the standby.
async fn make_synchronous(primary: &PrivatePostgres) {
    for statement in [
        "ALTER SYSTEM SET synchronous_standby_names = '*'",
        "SELECT pg_reload_conf()",
    ] {
        primary.sql(statement).await;
    }
    until(
        "the standby is synchronous",
        Duration::from_secs(20),
        async || {
            primary
                .text("SELECT count(*)::text FROM pg_stat_replication WHERE sync_state = 'sync'")
                .await
                == "1"
        },
    )
    .await;
}

async fn fail_over(journal: Journal) {
    let mut primary = PrivatePostgres::start(&[]).await;
    let mut standby = primary.standby();
    standby.up().await;
    make_synchronous(&primary).await;
    let mut world = deployed(&primary, journal, &[]).await;
    let rush = rush(&world, vec![world.api()]).await;
    sells(&rush).await;
    a_while().await;

    // The primary is gone for good, with what only its disk had.
    primary.crash();
    standby.stop();
    standby.move_to(&primary);
    // First it is there, but follows nobody and takes no writes: whoever connects now must not stay with it so.
    standby.up().await;
    a_while().await;
    standby.sql("SELECT pg_promote()").await;
    eprintln!("sold {:?} after the promotion", sells(&rush).await);
    assert_eq!(world.server.exited(), None, "it was not restarted");

    let (shop, ledger) = rush.end().await;
    check(&mut world, &shop, &ledger).await;
    // The database goes before its cluster.
    drop(world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_standby_that_is_promoted_under_load_has_all_that_was_acknowledged() {
    fail_over(Journal::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_a_local_journal_projects_to_a_promoted_standby() {
    fail_over(Journal::Local).await;
}

#[tokio::test]
async fn a_process_does_not_begin_on_a_standby() {
    let primary = PrivatePostgres::start(&[]).await;
    let world = deployed(&primary, Journal::Postgres, &[]).await;
    let mut standby = primary.standby();
    standby.up().await;
    let url = standby.url_of(world.database.name());
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::prepare("early", directory.path(), &url, Journal::Postgres, &[]);
    server.spawn();
    until("it says why it waits", Duration::from_secs(30), async || {
        server.stderr().contains("takes no writes")
    })
    .await;
    assert!(!server.is_ready().await);
    // Reading is fine there.
    let audit = server.run(&["audit", "--json"]);
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stderr)
    );

    standby.sql("SELECT pg_promote()").await;
    until("it is ready", Duration::from_secs(30), async || {
        server.is_ready().await
    })
    .await;
    server.stop().await;
    // The database goes before its cluster.
    drop(world);
}
