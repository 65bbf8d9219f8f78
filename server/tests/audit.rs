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

#[path = "audit/damages.rs"]
mod damages;
#[allow(dead_code, reason = "shared with the tests of persistence")]
#[path = "../../persistence/tests/all/support/sale/mod.rs"]
mod sale;
mod support;

use damages::{DOOR, MONEY, ORDERS};
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
