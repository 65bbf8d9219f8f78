//! What somebody's Postgres is like, for who has to find out why a process does not serve.

use std::str::FromStr as _;
use std::time::Duration;

use onsale_domain::UnixMillis;
use sqlx::migrate::Migrate as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::time::timeout;

use super::DatabaseError;
use super::migration::MIGRATIONS;

/// Longest wait for a connection, and for each answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What decides whether a Postgres can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what Postgres says of itself, one answer each"
)]
pub struct DatabaseFacts {
    /// As a number: 150004 is 15.4.
    pub version: i32,
    /// As Postgres writes it.
    pub version_name: String,
    /// It follows another one and takes no writes.
    pub is_replica: bool,
    /// Transactions of this role and database begin as read-only.
    pub is_read_only: bool,
    /// Whether it waits for the disk at all.
    pub fsync: bool,
    /// Whether a page that was half written when the power failed can be mended.
    pub full_page_writes: bool,
    /// What sessions of this role wait for before a commit is told; ours ask for `on` or more.
    pub synchronous_commit: String,
    /// Most connections that this role may have to this database at once, whoever else has some.
    pub connections_max: i32,
    /// Connections that clients have at the moment.
    pub connections: i64,
    /// Whether this connection is encrypted.
    pub tls: bool,
    /// Whether the server is another machine, as far as its address tells.
    pub is_remote: bool,
    /// Whether this role may make tables, as `onsale migrate` does.
    pub may_create: bool,
    /// Tables that this role may not use as serving does, a few of them.
    pub tables_denied: Vec<String>,
}

/// How the schema stands to this release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// Every migration of this release was applied, and no other.
    Current,
    /// So many migrations of this release were not applied.
    Older(usize),
    /// A later release was there: it applied so many migrations that this one does not know.
    Newer(usize),
    /// The migration of this version is not what was applied under its number.
    Changed(i64),
    /// The migration of this version was begun and not finished.
    Unfinished(i64),
}

/// One connection of its own, for looking around. Every answer is waited for five seconds at most.
#[derive(Debug)]
pub struct DatabaseProbe(PgConnection);

impl DatabaseProbe {
    /// Connects once.
    ///
    /// Errors: [`DatabaseError::Misconfigured`] for a bad URL, [`DatabaseError::Unavailable`] with the reason that
    /// Postgres or the network gave.
    pub async fn open(url: &str) -> Result<Self, DatabaseError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| DatabaseError::Misconfigured("the database URL cannot be read".to_owned()))?
            .application_name("onsale doctor")
            .disable_statement_logging();
        in_time(PgConnection::connect_with(&options)).await.map(Self)
    }

    /// What it is like.
    pub async fn facts(&mut self) -> Result<DatabaseFacts, DatabaseError> {
        let looked = sqlx::query!(
            r#"SELECT current_setting('server_version_num')::int AS "version!",
                      current_setting('server_version') AS "version_name!",
                      pg_is_in_recovery() AS "is_replica!",
                      current_setting('default_transaction_read_only')::bool AS "is_read_only!",
                      current_setting('fsync')::bool AS "fsync!",
                      current_setting('full_page_writes')::bool AS "full_page_writes!",
                      current_setting('synchronous_commit') AS "synchronous_commit!",
                      LEAST(
                          current_setting('max_connections')::int
                              - current_setting('superuser_reserved_connections')::int
                              - COALESCE(current_setting('reserved_connections', true)::int, 0),
                          (SELECT NULLIF(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
                          (SELECT NULLIF(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
                      ) AS "connections_max!",
                      (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS "connections!",
                      COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS "tls!",
                      COALESCE(NOT inet_server_addr() <<= ANY ('{127.0.0.0/8, ::1/128}'::inet[]), false) AS "is_remote!",
                      COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false) AS "may_create!",
                      ARRAY(
                          SELECT relname::text FROM pg_class
                          WHERE relnamespace = to_regnamespace(current_schema()::text) AND relkind IN ('r', 'p')
                              AND NOT (
                                  has_table_privilege(oid, 'SELECT')
                                  AND (relname = '_sqlx_migrations' OR has_table_privilege(oid, 'INSERT'))
                                  AND (
                                      relname IN ('_sqlx_migrations', 'audit_log')
                                      OR has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')
                                  )
                              )
                          ORDER BY relname LIMIT 5
                      ) AS "tables_denied!""#
        );
        let row = in_time(looked.fetch_one(&mut self.0)).await?;
        Ok(DatabaseFacts {
            version: row.version,
            version_name: row.version_name,
            is_replica: row.is_replica,
            is_read_only: row.is_read_only,
            fsync: row.fsync,
            full_page_writes: row.full_page_writes,
            synchronous_commit: row.synchronous_commit,
            connections_max: row.connections_max,
            connections: row.connections,
            tls: row.tls,
            is_remote: row.is_remote,
            may_create: row.may_create,
            tables_denied: row.tables_denied,
        })
    }

    /// What its clock says.
    pub async fn clock(&mut self) -> Result<UnixMillis, DatabaseError> {
        let asked = sqlx::query_scalar!(
            r#"SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS "now_ms!""#
        );
        in_time(asked.fetch_one(&mut self.0)).await.map(UnixMillis)
    }

    /// How its schema stands to this release.
    pub async fn schema(&mut self) -> Result<SchemaState, DatabaseError> {
        // sqlx makes this table itself; on a new database it is not there.
        let asked = sqlx::query_scalar!(r#"SELECT to_regclass('_sqlx_migrations') IS NOT NULL AS "known!""#);
        if !in_time(asked.fetch_one(&mut self.0)).await? {
            return Ok(SchemaState::Older(MIGRATIONS.iter().count()));
        }
        let table = "_sqlx_migrations";
        if let Some(version) = migrating(self.0.dirty_version(table)).await? {
            return Ok(SchemaState::Unfinished(version));
        }
        let applied = migrating(self.0.list_applied_migrations(table)).await?;
        let of_version = |version: i64| applied.iter().find(|applied| applied.version == version);
        let mut pending = 0;
        for wanted in MIGRATIONS.iter() {
            match of_version(wanted.version) {
                None => pending += 1,
                Some(applied) if applied.checksum != wanted.checksum => {
                    return Ok(SchemaState::Changed(wanted.version));
                }
                Some(_) => {}
            }
        }
        let is_known = |version| MIGRATIONS.iter().any(|wanted| wanted.version == version);
        let unknown = applied
            .iter()
            .filter(|applied| !is_known(applied.version))
            .count();
        Ok(match (pending, unknown) {
            (0, 0) => SchemaState::Current,
            (0, unknown) => SchemaState::Newer(unknown),
            (pending, _) => SchemaState::Older(pending),
        })
    }
}

async fn in_time<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, DatabaseError> {
    match timeout(ANSWER_WITHIN, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(DatabaseError::Unavailable("no answer in time".to_owned())),
    }
}

async fn migrating<T>(
    asked: impl Future<Output = Result<T, sqlx::migrate::MigrateError>>,
) -> Result<T, DatabaseError> {
    match timeout(ANSWER_WITHIN, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(DatabaseError::Unavailable("no answer in time".to_owned())),
    }
}
