//! Backups made while tickets are sold, and what a deployment restored from them has.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use uuid::Uuid;

use crate::load::Ledger;
use crate::support::{
    Caller, EventPlan, Journal, PrivatePostgres, Server, TestDatabase, World, bin_dir, until,
};
use crate::{buy, deployed, rush, sells};

/// Orders that clients were told of until an instant.
fn told_until(ledger: &Ledger, instant: Instant) -> BTreeSet<Uuid> {
    let orders = ledger.orders.iter();
    orders
        .filter(|(_, order)| order.told_at <= instant)
        .map(|(id, _)| *id)
        .collect()
}

async fn stored(world: &World) -> BTreeSet<Uuid> {
    let mut connection = world.database.connect().await;
    let orders: Vec<Uuid> =
        sqlx::query_scalar("SELECT order_id FROM ticket_orders WHERE status = 'confirmed'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    orders.into_iter().collect()
}

/// The auditor's report, which must have nothing to find.
fn audited(server: &Server) -> Value {
    let output = server.run(&["audit", "--json"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A Postgres that archives its WAL, and where.
async fn archiving() -> (PrivatePostgres, String) {
    let mut postgres = PrivatePostgres::prepare(&[]);
    let archive = postgres.beside("archive").to_str().unwrap().to_owned();
    postgres.run("/bin/mkdir", &[&archive]);
    postgres.set("archive_mode=on");
    postgres.set(&format!(
        "archive_command=test ! -f {archive}/%f && cp %p {archive}/%f"
    ));
    postgres.up().await;
    (postgres, archive)
}

/// Copies a running Postgres; where to.
fn base_backup(postgres: &PrivatePostgres) -> String {
    let (from, to) = (postgres.url(), postgres.beside("base"));
    let to = to.to_str().unwrap().to_owned();
    postgres.run(
        "pg_basebackup",
        &["-d", &from, "-D", &to, "-X", "stream", "-c", "fast", "--no-sync"],
    );
    to
}

/// The disk of Postgres is gone: from base backup and archive it is brought back as it was at an instant.
async fn lose_and_restore(postgres: &mut PrivatePostgres, base: &str, archive: &str, target: &str) {
    let last = postgres.text("SELECT pg_walfile_name(pg_switch_wal())").await;
    until("the WAL is archived", Duration::from_secs(20), async || {
        Path::new(archive).join(&last).exists()
    })
    .await;
    postgres.stop();
    let data = postgres.data().to_str().unwrap().to_owned();
    postgres.run("/bin/mv", &[&data, &format!("{data}.lost")]);
    postgres.run("/bin/mv", &[base, &data]);
    postgres.run("/bin/touch", &[&format!("{data}/recovery.signal")]);
    postgres.set(&format!("restore_command=cp {archive}/%f %p"));
    postgres.set(&format!("recovery_target_time={target}"));
    postgres.set("recovery_target_action=promote");
    postgres.up().await;
    until("it takes writes", Duration::from_secs(30), async || {
        postgres.text("SELECT pg_is_in_recovery()::text").await == "false"
    })
    .await;
}

async fn to_a_point_in_time(journal: Journal) {
    let (mut postgres, archive) = archiving().await;
    let mut world = deployed(&postgres, journal, &[]).await;
    let event = world.event(&EventPlan::of(100)).await;
    let buyer = Caller::buyer();
    let rush = rush(&world, vec![world.api()]).await;
    sells(&rush).await;
    let base = base_backup(&postgres);
    sells(&rush).await;
    let kept = buy(world.api(), &event, &buyer, "before").await.expect(201);
    let until_then = Instant::now();
    let target = postgres.text("SELECT clock_timestamp()::text").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let after = buy(world.api(), &event, &buyer, "after").await.expect(201);
    sells(&rush).await;
    let (_, ledger) = rush.end().await;
    world.server.stop().await;
    lose_and_restore(&mut postgres, &base, &archive, &target).await;

    // Its tables are those of that instant, whole.
    world.server.migrate();
    audited(&world.server);
    world.server.restart().await;
    world.settled().await;
    let (before, all) = (
        told_until(&ledger, until_then),
        told_until(&ledger, Instant::now()),
    );
    let found = stored(&world).await;
    assert!(
        before.is_subset(&found),
        "an order from before that instant is lost"
    );
    let again = buy(world.api(), &event, &buyer, "before").await;
    assert!(again.replayed());
    assert_eq!(again.expect(201)["id"], kept["id"]);
    let again = buy(world.api(), &event, &buyer, "after").await;
    let missing = all.difference(&found).count();
    eprintln!(
        "{} orders before that instant, {missing} lost after it",
        before.len()
    );
    match journal {
        // The journal goes back with the tables: what came after never happened, and its key buys anew.
        Journal::Postgres => assert!(!again.replayed() && missing > 0),
        // The journal is elsewhere and has everything; the tables are written again from it.
        Journal::Local => {
            assert!(again.replayed());
            assert_eq!(again.expect(201)["id"], after["id"]);
            assert_eq!(missing, 0, "a journaled order is lost");
        }
    }
    world.settled().await;
    world.stop_and_audit().await;
    // The database goes before its cluster.
    drop(world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_restored_to_a_point_in_time_has_what_was_acknowledged_until_then() {
    to_a_point_in_time(Journal::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_journal_writes_what_a_restored_postgres_lacks() {
    to_a_point_in_time(Journal::Local).await;
}

/// Runs one of the programs of Postgres.
fn run(name: &str, arguments: &[&str]) {
    let output = std::process::Command::new(bin_dir().join(name))
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Dumps a deployment under load, and its journal where that is elsewhere, and starts another one from the copies.
async fn from_a_dump(journal: Journal) {
    let mut world = World::with(journal, &[]).await;
    let rush = rush(&world, vec![world.api()]).await;
    sells(&rush).await;
    let path = |name: &str| world.directory.path().join(name).to_str().unwrap().to_owned();
    let (dump, copy) = (path("dump"), path("copy"));
    let mut until_then = Instant::now();
    run(
        "pg_dump",
        &["--format=custom", "--file", &dump, &world.database.url()],
    );
    if journal == Journal::Local {
        // After the dump, so that it is never behind the tables.
        sells(&rush).await;
        until_then = Instant::now();
        let output = world.server.run(&["journal", "backup", "--to", &copy]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    sells(&rush).await;
    let (_, ledger) = rush.end().await;
    world.server.kill();

    let database = TestDatabase::create();
    run(
        "pg_restore",
        &[
            "--no-owner",
            "--exit-on-error",
            "--dbname",
            &database.url(),
            &dump,
        ],
    );
    let directory = tempfile::tempdir().unwrap();
    let settings = [("ONSALE_JOURNAL_DIRECTORY", copy.as_str())];
    let server = Server::prepare("restored", directory.path(), &database.url(), journal, &settings);
    let admin = world.admin.clone();
    let mut restored = World {
        server,
        database,
        directory,
        admin,
    };
    restored.server.migrate();
    audited(&restored.server);
    restored.server.start().await;
    // What the dump's journal has and its tables lack is projected; where a process was alive in the dump, once that
    // one's lease is over.
    let before = told_until(&ledger, until_then);
    assert!(before.len() > 20, "{}", before.len());
    until(
        "no order from before the backup is lost",
        Duration::from_secs(30),
        async || before.is_subset(&stored(&restored).await),
    )
    .await;
    eprintln!(
        "{} orders before the backup, {} in it",
        before.len(),
        stored(&restored).await.len()
    );
    // And it sells.
    let event = restored.event(&EventPlan::of(1)).await;
    buy(restored.api(), &event, &Caller::buyer(), "k")
        .await
        .expect(201);
    restored.settled().await;
    restored.stop_and_audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_made_under_load_restores_to_a_clean_deployment() {
    from_a_dump(Journal::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_and_a_later_copy_of_the_local_journal_restore_to_a_clean_deployment() {
    from_a_dump(Journal::Local).await;
}

#[tokio::test]
async fn a_local_journal_that_is_older_than_the_tables_sells_nothing_and_says_so() {
    let mut world = World::start().await;
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    let copy = world.directory.path().join("copy");
    let output = world
        .server
        .run(&["journal", "backup", "--to", copy.to_str().unwrap()]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    buy(world.api(), &event, &buyer, "after").await.expect(201);
    world.settled().await;
    world.server.stop().await;

    let journal = world.directory.path().join("journal");
    world
        .server
        .set("ONSALE_JOURNAL_DIRECTORY", copy.to_str().unwrap());
    world.server.restart().await;
    let call = event.purchase(1, "sim_approve").by(&buyer).key("now");
    assert_eq!(call.send(world.api()).await.status, 503);
    let log = world.server.stderr();
    assert!(log.contains("was projected up to"), "{log}");
    world.server.stop().await;

    // With the whole journal back it goes on.
    world
        .server
        .set("ONSALE_JOURNAL_DIRECTORY", journal.to_str().unwrap());
    world.server.restart().await;
    buy(world.api(), &event, &buyer, "now").await.expect(201);
    world.settled().await;
    world.stop_and_audit().await;
}
