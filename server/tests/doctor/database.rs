//! Postgres and its schema. What a real server would not do for a test, functions of the same name do that stand before
//! Postgres's own in the search path.

use crate::patient::Patient;
use crate::support::{TestDatabase, free_address};

/// Has the functions of this database's own schema win over Postgres's.
const OURS_FIRST: &str = "DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
END $$";

#[test]
fn a_migrated_database_is_well() {
    let database = TestDatabase::create();
    let report = Patient::migrated(&database).examined();
    for name in [
        "configuration",
        "database",
        "database writes",
        "durability",
        "connections",
        "rights",
        "database TLS",
        "schema",
        "clock",
        "files",
    ] {
        report.passes(name);
    }
    assert!(report.is_ok());
}

#[test]
fn a_database_that_does_not_answer_is_told_with_the_reason() {
    let nobody = format!("postgres://postgres@{}/none", free_address());
    let report = Patient::on(&nobody).examined();
    report.fails("database", "refused", "DATABASE_URL");
    let database = TestDatabase::create();
    let report = Patient::on(&format!("{}_not", database.url())).examined();
    report.fails("database", "does not exist", "DATABASE_URL");
}

#[tokio::test]
async fn a_schema_is_told_apart_from_that_of_this_release() {
    let database = TestDatabase::create();
    Patient::on(&database.url())
        .examined()
        .fails("schema", "older", "onsale migrate");
    let patient = Patient::migrated(&database);
    for (change, outcome, detail, mend) in [
        (
            "INSERT INTO _sqlx_migrations SELECT 20990101000000, description, now(), success, checksum, 0
             FROM _sqlx_migrations LIMIT 1",
            "warning",
            "newer than this release by 1",
            "works on the newer schema",
        ),
        (
            "DELETE FROM _sqlx_migrations WHERE version = (SELECT min(version) FROM _sqlx_migrations)",
            "failed",
            "1 migrations are to be applied",
            "onsale migrate",
        ),
        (
            "UPDATE _sqlx_migrations SET checksum = '\\x00'",
            "failed",
            "is not what was applied",
            "backup",
        ),
        (
            "UPDATE _sqlx_migrations SET success = false",
            "failed",
            "not finished",
            "run it again",
        ),
    ] {
        database.alter(change).await;
        patient.examined().says("schema", outcome, detail, mend);
    }
}

#[tokio::test]
async fn a_postgres_that_cannot_keep_sales_is_refused() {
    for (change, name, detail, mend) in [
        (
            "CREATE FUNCTION pg_is_in_recovery() RETURNS bool LANGUAGE sql AS 'SELECT true'",
            "database writes",
            "replica",
            "primary",
        ),
        (
            "CREATE FUNCTION current_setting(name text) RETURNS text LANGUAGE sql AS
             $$SELECT CASE name WHEN 'fsync' THEN 'off' ELSE pg_catalog.current_setting(name) END$$",
            "durability",
            "does not wait for its disk",
            "Set fsync and full_page_writes to on",
        ),
        (
            "CREATE FUNCTION current_setting(name text) RETURNS text LANGUAGE sql AS
             $$SELECT CASE name WHEN 'server_version_num' THEN '140020' WHEN 'server_version' THEN '14.20'
                      ELSE pg_catalog.current_setting(name) END$$",
            "database",
            "14.20",
            "15 or later",
        ),
        (
            "CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
             $$SELECT pg_catalog.clock_timestamp() - interval '1 minute'$$",
            "clock",
            "ms from the clock of Postgres",
            "NTP",
        ),
    ] {
        let database = TestDatabase::create();
        let patient = Patient::migrated(&database);
        database.alter(change).await;
        database.alter(OURS_FIRST).await;
        patient.examined().fails(name, detail, mend);
    }
}

#[tokio::test]
async fn a_read_only_database_is_refused() {
    let database = TestDatabase::create();
    let patient = Patient::migrated(&database);
    database
        .alter(
            "DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
            END $$",
        )
        .await;
    patient.examined().fails(
        "database writes",
        "read-only",
        "RESET default_transaction_read_only",
    );
}

#[tokio::test]
async fn commits_that_do_not_wait_by_default_are_a_warning() {
    let database = TestDatabase::create();
    let patient = Patient::migrated(&database);
    database
        .alter(
            "DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
            END $$",
        )
        .await;
    patient
        .examined()
        .warns("durability", "synchronous_commit is off", "Take it out");
}

#[tokio::test]
async fn another_machine_without_tls_is_a_warning() {
    let database = TestDatabase::create();
    let patient = Patient::migrated(&database);
    let far = "CREATE FUNCTION inet_server_addr() RETURNS inet LANGUAGE sql AS $$SELECT inet '10.1.2.3'$$";
    database.alter(far).await;
    database.alter(OURS_FIRST).await;
    patient
        .examined()
        .warns("database TLS", "not encrypted", "sslmode=verify-full");
}

#[tokio::test]
async fn an_address_that_other_machines_do_not_reach_is_a_warning_where_postgres_is_one() {
    let database = TestDatabase::create();
    let patient = Patient::migrated(&database).with("ONSALE_PEER_SECRET", &"s".repeat(32));
    patient.examined().passes("peer address");
    let far = "CREATE FUNCTION inet_server_addr() RETURNS inet LANGUAGE sql AS $$SELECT inet '10.1.2.3'$$";
    database.alter(far).await;
    database.alter(OURS_FIRST).await;
    let report = patient.examined();
    report.warns("peer address", "http://127.0.0.1:", "ONSALE_INTERNAL_LISTEN");
    let patient = patient.with("ONSALE_PEER_ADDRESS", "http://10.0.1.7:9464");
    patient.examined().passes("peer address");
}

#[tokio::test]
async fn connections_that_postgres_does_not_have_are_told() {
    let database = TestDatabase::create();
    let patient = Patient::migrated(&database).with("ONSALE_DATABASE_CONNECTIONS_MAX", "1000");
    let mend = "ONSALE_DATABASE_CONNECTIONS_MAX";
    patient.examined().fails("connections", "up to 1002", mend);
    database
        .alter(
            "DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 20', current_database());
            END $$",
        )
        .await;
    let patient = Patient::on(&database.url());
    patient
        .examined()
        .warns("connections", "allows 20", "second process");
}

#[test]
fn a_role_that_may_only_read_is_refused() {
    let database = TestDatabase::create();
    Patient::migrated(&database);
    let reader = format!("{}?options[role]=pg_read_all_data", database.url());
    let report = Patient::on(&reader).examined();
    report.fails("rights", "may not use", "GRANT SELECT, INSERT");
}
