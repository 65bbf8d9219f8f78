//! `onsale audit` from outside: a sale with everything that can happen to an order and a ticket is clean, and whatever
//! is then damaged in the tables is named.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

#[allow(dead_code, reason = "shared with the tests of persistence")]
#[path = "../../persistence/tests/all/support/sale/mod.rs"]
mod sale;
mod support;

use onsale_domain::record::ReleaseReason;
use onsale_domain::{Command, Direction, PackageOrderId};
use onsale_engine::port::{Epoch, Journal as _, JournalEntry, ProjectionSink};
use onsale_persistence::{Database, DatabaseConfig, PostgresJournal, PostgresProjection};
use sale::{Made, Rng, Sale};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use support::{Journal, Server, TestDatabase};
use uuid::Uuid;

struct Audited {
    server: Server,
    database: TestDatabase,
    _directory: tempfile::TempDir,
}

impl Audited {
    /// The sale's records in the Postgres journal and in the tables.
    async fn of(sale: &mut Sale) -> Self {
        let database = TestDatabase::create();
        let directory = tempfile::tempdir().unwrap();
        let server = Server::prepare(
            "auditor",
            directory.path(),
            &database.url(),
            Journal::Postgres,
            &[],
        );
        server.migrate();
        let audited = Self {
            server,
            database,
            _directory: directory,
        };
        let entry = sale.entry();
        audited.write(sale, &[entry]).await;
        audited
    }

    async fn write(&self, sale: &Sale, entries: &[JournalEntry]) {
        let config = DatabaseConfig::new(self.database.url());
        let database = Database::connect(&config).await.unwrap();
        let journal = PostgresJournal::start(database.clone(), "writer").await.unwrap();
        let acquired = journal.create(sale.event_id).await.unwrap();
        assert_eq!(acquired.epoch, Epoch(1), "as the entries say");
        let mut writer = journal.writer().await.unwrap();
        let appended = writer.append(entries).await.unwrap();
        assert_eq!(appended.fenced, []);
        PostgresProjection::new(database.clone())
            .project(entries)
            .await
            .unwrap();
        drop(writer);
        journal.shutdown().await;
        database.close().await;
    }

    async fn sql(&self, sql: &str) -> u64 {
        let mut connection = self.database.connect().await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"))
            .rows_affected()
    }

    /// The first finding: invariant and what.
    fn finding(&self) -> Option<(String, String)> {
        let output = self.server.run(&["audit", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let finding = report["findings"].get(0)?;
        let text = |field: &str| finding[field].as_str().unwrap().to_owned();
        assert_eq!(output.status.code(), Some(1));
        Some((text("invariant"), text("what")))
    }
}

/// Orders in every state, and tickets in every state.
fn eventful() -> Sale {
    let mut sale = Sale::new();
    let plain = sale.place(&[(0, 2)]);
    sale.confirm(plain);
    let taxed = sale.place_paying(&[(3, 3), (0, 1)]);
    let taxed = sale.confirm(taxed);
    let tickets = sale.tickets_of(taxed);
    sale.transfer(tickets[0]);
    sale.scan(tickets[0], Direction::In);
    sale.scan(tickets[0], Direction::Out);
    sale.scan(tickets[0], Direction::In);
    sale.refund(taxed, &tickets[1..2]);
    let free = sale.place(&[(2, 1)]);
    let free = sale.confirm(free);
    sale.refund(free, &sale.tickets_of(free));
    let leg = sale
        .try_place_leg((1, 2), PackageOrderId(Uuid::now_v7()))
        .unwrap();
    sale.confirm(leg);
    let called_off = sale.place(&[(1, 1)]);
    let called_off = sale.confirm(called_off);
    sale.scan(sale.tickets_of(called_off)[0], Direction::In);
    sale.cancel(called_off).unwrap();
    let declined = sale.place_paying(&[(0, 1)]);
    sale.release_for(declined, ReleaseReason::PaymentDeclined)
        .unwrap();
    let unpaid = sale.place(&[(0, 4)]);
    sale.try_start_payment(unpaid).unwrap();
    let late = sale.place_paying(&[(0, 3)]);
    sale.now = sale.now.plus_ms(1_000_000);
    sale.apply(&Command::Advance);
    sale.try_reclaim(late).unwrap();
    sale.place_paying(&[(1, 3)]);
    sale.place(&[(1, 1)]);
    sale
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_sale_and_its_payment_worker_do_is_clean() {
    let mut sale = eventful();
    let mut made = Made::default();
    let mut rng = Rng::new(7);
    for _ in 0..400 {
        sale.step(&mut rng, &mut made);
    }
    let audited = Audited::of(&mut sale).await;
    assert_eq!(audited.finding(), None);
    for moved in [
        "UPDATE ticket_orders SET status = 'paid' WHERE status = 'pending'",
        "UPDATE payments SET status = 'captured' WHERE status = 'authorized'",
        "WITH settled AS (
             UPDATE refunds SET status = 'succeeded', settled_at = now() WHERE status = 'pending'
             RETURNING order_id, amount_minor
         ), sums AS (SELECT order_id, sum(amount_minor)::bigint AS amount FROM settled GROUP BY order_id)
         UPDATE payments SET refunded_minor = amount,
             status = CASE WHEN amount = amount_minor THEN 'refunded' ELSE status END
         FROM sums WHERE sums.order_id = payments.order_id AND status = 'captured'",
        "UPDATE payments SET status = 'voided' WHERE status = 'voiding'",
        "DELETE FROM jobs WHERE subject_id NOT IN (SELECT order_id FROM payments WHERE status = 'pending')",
    ] {
        audited.sql(moved).await;
        assert_eq!(audited.finding(), None, "{moved}");
    }
}

/// Which table, what is done to it, the invariant that is broken, and what the finding must name.
type Damage = (&'static str, &'static str, &'static str, &'static str);

const ORDERS: &[Damage] = &[
    (
        "ticket_orders",
        "DELETE FROM ticket_orders WHERE status = 'pending'",
        "I8",
        "missing",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET status = 'confirmed' WHERE status = 'expired'",
        "I13",
        "ticket_orders",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET status = 'paid' WHERE status = 'confirmed'",
        "I13",
        "ticket_orders",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET status = 'confirmed' WHERE status = 'cancelled'",
        "I13",
        "cancelled",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET status = 'confirmed' WHERE status = 'refunded'",
        "I13",
        "refunded",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET total_minor = total_minor + 1 WHERE fees_minor > 0",
        "I12",
        "total_minor",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET fees_minor = fees_minor - 1 WHERE fees_minor > 0",
        "I12",
        "fees_minor",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET tax_minor = 0 WHERE tax_minor > 0",
        "I12",
        "tax_minor",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET refunded_minor = 0 WHERE refunded_minor > 0",
        "I12",
        "refunded_minor",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET currency = 'USD' WHERE status = 'confirmed'",
        "I12",
        "USD",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET package_order_id = NULL",
        "I8",
        "package_order_id",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET ended_at = NULL",
        "I8",
        "ended_at_ms",
    ),
    (
        "ticket_orders",
        "UPDATE ticket_orders SET buyer_id = gen_random_uuid()",
        "I8",
        "buyer_id",
    ),
    (
        "order_lines",
        "DELETE FROM order_lines WHERE unit_fee_minor > 0",
        "I12",
        "order_lines",
    ),
    (
        "order_lines",
        "UPDATE order_lines SET quantity = quantity + 1",
        "I12",
        "order_lines",
    ),
    (
        "order_lines",
        "UPDATE order_lines SET tax_inclusive = true",
        "I12",
        "tax_inclusive",
    ),
];

const MONEY: &[Damage] = &[
    (
        "payments",
        "DELETE FROM payments WHERE status = 'captured'",
        "I12",
        "missing",
    ),
    (
        "payments",
        "UPDATE payments SET amount_minor = amount_minor + 1 WHERE status = 'captured'",
        "I12",
        "amount_minor",
    ),
    (
        "payments",
        "UPDATE payments SET currency = 'USD' WHERE status = 'captured'",
        "I12",
        "USD",
    ),
    (
        "payments",
        "UPDATE payments SET reference = 'another' WHERE status = 'captured'",
        "I12",
        "another",
    ),
    (
        "payments",
        "UPDATE payments SET gateway = 'midtrans' WHERE status = 'captured'",
        "I12",
        "midtrans",
    ),
    (
        "payments",
        "UPDATE payments SET status = 'captured' WHERE status = 'voiding'",
        "I12",
        "captured",
    ),
    (
        "payments",
        "UPDATE payments SET status = 'captured' WHERE status = 'pending'",
        "I12",
        "captured",
    ),
    (
        "payments",
        "UPDATE payments SET status = 'captured' WHERE status = 'declined'",
        "I12",
        "captured",
    ),
    (
        "payments",
        "UPDATE payments SET status = 'voided' WHERE status = 'captured'",
        "I12",
        "voided",
    ),
    (
        "payments",
        "UPDATE payments SET refunded_minor = 1 WHERE status = 'captured'",
        "I12",
        "gave back another amount",
    ),
    (
        "payments",
        "UPDATE payments SET refunded_minor = 0, status = 'refunded' WHERE status = 'captured'",
        "I12",
        "gave back",
    ),
    (
        "refunds",
        "DELETE FROM refunds WHERE amount_minor > 0",
        "I12",
        "refunds",
    ),
    (
        "refunds",
        "UPDATE refunds SET amount_minor = amount_minor + 1",
        "I12",
        "refunds",
    ),
    (
        "refunds",
        "UPDATE refunds SET order_id = gen_random_uuid()",
        "I12",
        "refunds",
    ),
    (
        "refunds",
        "UPDATE refunds SET status = 'succeeded' WHERE status = 'pending'",
        "I12",
        "is_settled: false",
    ),
    (
        "refunds",
        "UPDATE refunds SET status = 'succeeded', settled_at = now() WHERE status = 'pending'",
        "I12",
        "gave back",
    ),
    ("jobs", "DELETE FROM jobs WHERE kind = 'payment'", "I12", "no job"),
];

const DOOR: &[Damage] = &[
    ("tickets", "DELETE FROM tickets WHERE status = 'valid'", "I15", "missing"),
    ("tickets", "UPDATE tickets SET status = 'valid' WHERE status = 'used'", "I15", "tickets"),
    ("tickets", "UPDATE tickets SET status = 'used' WHERE status = 'valid'", "I15", "tickets"),
    ("tickets", "UPDATE tickets SET status = 'valid' WHERE status = 'cancelled'", "I15", "tickets"),
    ("tickets", "UPDATE tickets SET status = 'valid' WHERE status = 'refunded'", "I15", "tickets"),
    ("tickets", "UPDATE tickets SET version = 1 WHERE version > 1", "I15", "version"),
    ("tickets", "UPDATE tickets SET owner_id = gen_random_uuid() WHERE version > 1", "I15", "owner_id"),
    ("tickets", "UPDATE tickets SET refund_id = NULL WHERE refund_id IS NOT NULL", "I15", "refund_id"),
    ("tickets", "UPDATE tickets SET code = 'x' || code WHERE version > 1", "I15", "code"),
    (
        "tickets",
        "INSERT INTO tickets SELECT event_id, gen_random_uuid(), order_id, ticket_type_id, code || 'x', status,
             version, owner_id, refund_id FROM tickets WHERE status = 'valid' LIMIT 1",
        "I15",
        "follows from no record",
    ),
    ("check_ins", "DELETE FROM check_ins WHERE direction = 'out'", "I15", "check_ins"),
    ("check_ins", "UPDATE check_ins SET direction = 'in'", "I15", "check_ins"),
    ("check_ins", "UPDATE check_ins SET gate = 'South'", "I15", "South"),
    (
        "check_ins",
        "INSERT INTO check_ins SELECT event_id, seq + 100000, ticket_id, gate, direction, scanned_at, recorded_at
             FROM check_ins LIMIT 1",
        "I15",
        "follows from no record",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_in_the_tables_is_named() {
    let audited = Audited::of(&mut eventful()).await;
    audited
        .sql("UPDATE payments SET status = 'captured' WHERE status = 'authorized'")
        .await;
    assert_eq!(audited.finding(), None);
    for table in [
        "ticket_orders",
        "order_lines",
        "payments",
        "refunds",
        "jobs",
        "tickets",
        "check_ins",
    ] {
        audited
            .sql(&format!("CREATE TABLE saved_{table} AS TABLE {table}"))
            .await;
    }
    for (table, damage, invariant, named) in [ORDERS, MONEY, DOOR].into_iter().flatten() {
        assert!(audited.sql(damage).await > 0, "nothing to damage: {damage}");
        let (found, what) = audited.finding().unwrap_or_else(|| panic!("not found: {damage}"));
        assert_eq!(found, *invariant, "{damage}: {what}");
        assert!(what.contains(named), "{damage}: {what}");
        audited
            .sql(&format!(
                "TRUNCATE {table}; INSERT INTO {table} SELECT * FROM saved_{table}"
            ))
            .await;
    }
    assert_eq!(audited.finding(), None);
}
