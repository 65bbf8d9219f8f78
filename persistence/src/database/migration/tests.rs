//! Migrations that no release has yet.

use sqlx::migrate::MigrationType;
use sqlx::{AssertSqlSafe, Connection as _, SqlSafeStr as _};
use uuid::Uuid;

use super::*;
use crate::DatabaseConfig;

/// A database of its own; its server goes away with the tests.
async fn created() -> DatabaseConfig {
    let server = std::env::var("DATABASE_URL").expect("`cargo xtask test` sets DATABASE_URL");
    let name = format!("onsale_test_{}", Uuid::now_v7().simple());
    let mut connection = PgConnection::connect(&server).await.expect("connect");
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .expect("create");
    let (server, _) = server.rsplit_once('/').expect("it ends in /database");
    DatabaseConfig::new(format!("{server}/{name}"))
}

fn migration(version: i64, sql: &'static str, no_tx: bool) -> Migration {
    let kind = MigrationType::Simple;
    Migration::new(version, "of a test".into(), kind, sql.into_sql_str(), no_tx)
}

fn table() -> Migration {
    migration(1, "CREATE TABLE things (kind int NOT NULL)", false)
}

/// An index that is built beside the sale, and migrations around it.
fn all() -> [Migration; 3] {
    let index = "CREATE INDEX CONCURRENTLY things_by_kind ON things (kind)";
    let column = "ALTER TABLE things ADD COLUMN note text";
    [table(), migration(2, index, true), migration(3, column, false)]
}

#[tokio::test]
async fn an_index_waits_for_older_transactions_beside_a_second_migration_and_is_whole() {
    let config = created().await;
    let database = Database::connect(&config).await.expect("connect");
    database.bring_up(&groups([table()])).await.expect("the table");

    // A sale that is under way for longer than any lock is waited for.
    let mut sale = PgConnection::connect(&config.url).await.expect("connect");
    sqlx::raw_sql("BEGIN; INSERT INTO things VALUES (1)")
        .execute(&mut sale)
        .await
        .expect("insert");
    let migrations = [
        database.clone(),
        Database::connect(&config).await.expect("connect"),
    ]
    .map(|database| tokio::spawn(async move { database.bring_up(&groups(all())).await }));
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(migrations.iter().all(|migration| !migration.is_finished()));

    sqlx::raw_sql("COMMIT").execute(&mut sale).await.expect("commit");
    for migration in migrations {
        migration.await.expect("no panic").expect("migrated");
    }
    let state = "SELECT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'things_by_kind'::regclass),
                        (SELECT count(*) FROM _sqlx_migrations WHERE success)";
    let state: (bool, i64) = sqlx::query_as(state).fetch_one(&mut sale).await.expect("look");
    assert_eq!(state, (true, 3));
}

#[test]
fn migrations_are_kept_in_their_order_and_apart_by_how_they_are_run() {
    let runs = |group: &Group| {
        let versions: Vec<_> = group.migrator.iter().map(|migration| migration.version).collect();
        (versions, group.no_tx, group.migrator.locking)
    };
    let found: Vec<_> = groups(all()).iter().map(runs).collect();
    let expected = [
        (vec![1], false, true),
        (vec![2], true, false),
        (vec![3], false, true),
    ];
    assert_eq!(found, expected);
    let count = |group: &Group| group.migrator.iter().count();
    let released: usize = groups(MIGRATIONS.iter().cloned()).iter().map(count).sum();
    assert_eq!(released, MIGRATIONS.iter().count());
}
