//! The disk of the local journal is full: nothing is acknowledged that is not on it, and with room the process goes on.

use std::time::Duration;

use crate::load::check;
use crate::support::{Journal, World};
use crate::{rush, sells};

/// No file of the process may become larger, in bytes: the write that would make it so fails, as on a full disk.
const FILE_BYTES_MAX: u64 = 2 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_ends_the_process_and_costs_nothing_that_was_acknowledged() {
    let mut world = World::prepare(Journal::Local, &[]);
    world.server.limit_files(Some(FILE_BYTES_MAX));
    world.migrate().await;
    world.server.start().await;
    let rush = rush(&world, vec![world.api()]).await;
    let status = world.server.ended().await;
    assert!(!status.success(), "{status}");
    let log = world.server.stderr();
    assert!(log.contains("journal write failed"), "{log}");
    let full = rush.acknowledged();
    assert!(full > 20, "{full} were sold before it was full");

    // Without room it does not serve: the file grows when it starts, or soon after.
    for _ in 0..2 {
        world.server.spawn();
        let status = tokio::time::timeout(Duration::from_secs(30), world.server.ended()).await;
        assert!(!status.expect("it ends again").success());
    }
    world.server.limit_files(None);
    world.server.restart().await;
    sells(&rush).await;
    let (shop, ledger) = rush.end().await;
    check(&mut world, &shop, &ledger).await;
}
