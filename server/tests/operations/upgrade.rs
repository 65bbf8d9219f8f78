//! A rolling upgrade: two processes on one database, replaced one after the other while buyers use both, and the schema
//! brought further under them.

use std::time::Duration;

use crate::load::check;
use crate::support::{Journal, World, old_onsale_binary, onsale_binary};
use crate::{a_while, rush, sells, sells_within};

/// What a later release may do to the schema while this one sells: it only adds. Run as `onsale migrate` runs one.
const EXPANSION: &str = "
    SET lock_timeout = '500ms';
    ALTER TABLE ticket_orders ADD COLUMN later_note text, ADD COLUMN later_count int NOT NULL DEFAULT 0;
    ALTER TABLE tickets ADD COLUMN later_seat text;
    ALTER TABLE holds ADD COLUMN later_note text;
    ALTER TABLE journal ADD COLUMN later_kind smallint;
    ALTER TABLE event_owner ADD COLUMN later_zone text;
    ALTER TABLE nodes ADD COLUMN later_address text;
    ALTER TABLE payments DROP CONSTRAINT payments_status_check,
        ADD CONSTRAINT payments_status_check CHECK (status IN ('pending', 'authorized', 'captured', 'voiding', 'voided',
            'refunding', 'refunded', 'declined', 'quarantined', 'later')) NOT VALID;
    CREATE TABLE later_things (thing_id uuid PRIMARY KEY, event_id uuid NOT NULL);
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (99991231000000, 'of a later release', true, ''::bytea, 0);";
/// What must not be in a transaction.
const INDEX: &str = "CREATE INDEX CONCURRENTLY later_orders ON ticket_orders (event_id, placed_at)";

/// By which processes ask each other, where they know it.
const PEER_SECRET: (&str, &str) = ("ONSALE_PEER_SECRET", "a-secret-of-the-tests-0123456789abcdef");

/// How long a process that says nothing keeps its events (ADR 0008).
const LEASE: Duration = Duration::from_secs(5);
/// And until the other one has read them back and sells, on a busy machine.
const TAKEN_OVER_WITHIN: Duration = LEASE.saturating_add(Duration::from_secs(2));
/// Waited for longer than is allowed, so that a slow takeover is told as one.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_are_replaced_one_after_the_other_under_load_and_no_purchase_fails() {
    let mut world = World::prepare(Journal::Postgres, &[PEER_SECRET]);
    world.server.install(old_onsale_binary());
    world.migrate().await;
    world.server.start().await;
    let mut other = world.another("two", Journal::Postgres);
    other.set(PEER_SECRET.0, PEER_SECRET.1);
    other.install(old_onsale_binary());
    other.start().await;
    // Every client asks both, the other one after each refusal.
    let rush = rush(&world, vec![world.api(), other.api]).await;
    sells(&rush).await;

    // The schema first; the old processes sell on it.
    world.server.install(onsale_binary());
    world.server.migrate();
    expand(&world).await;
    sells(&rush).await;
    a_while().await;

    // Each clean end is within its grace period, or `stop` panics.
    world.server.stop().await;
    let taken_over = sells(&rush).await;
    eprintln!("the second process sold {taken_over:?} after the first had ended");
    world.server.restart().await;
    a_while().await;
    other.stop().await;
    other.install(onsale_binary());
    let taken_over = sells(&rush).await;
    eprintln!("the first process sold {taken_over:?} after the second had ended");
    other.restart().await;
    a_while().await;

    // And back: the release before starts on the newer schema, and its `migrate` has nothing to say.
    other.stop().await;
    other.install(old_onsale_binary());
    other.restart().await;
    sells(&rush).await;

    // Whatever was asked under one key was answered once, however often it was sent: the clients saw to that.
    let (shop, ledger) = rush.end().await;
    other.stop().await;
    other.assert_no_panic();
    check(&mut world, &shop, &ledger).await;
}

async fn expand(world: &World) {
    world.database.alter(EXPANSION).await;
    world.database.alter(INDEX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_of_two_is_replaced_by_the_other_within_its_lease() {
    let mut world = World::with(Journal::Postgres, &[]).await;
    let mut other = world.another("two", Journal::Postgres);
    other.start().await;
    let rush = rush(&world, vec![world.api(), other.api]).await;
    sells(&rush).await;
    world.server.kill();
    let taken_over = sells_within(&rush, PATIENCE).await;
    eprintln!("the other process sold {taken_over:?} after the kill");
    assert!(taken_over < TAKEN_OVER_WITHIN, "{taken_over:?}");
    std::mem::swap(&mut world.server, &mut other);
    let (shop, ledger) = rush.end().await;
    check(&mut world, &shop, &ledger).await;
}
