//! Bringing the schema up, beside processes that sell on it.
//!
//! A statement that waits for a table's lock has everybody who comes after it wait too, the sale among them. So no
//! migration waits for long: it gives up, lets the others through, and comes again. What one migration does is one
//! transaction, so nothing is half done then.

use std::time::Duration;

use sqlx::PgConnection;
use sqlx::migrate::{Migrate as _, MigrateError, Migrator};

use super::{Database, DatabaseError};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Longest wait for one lock, and so the longest that a migration holds others up before it begins.
const LOCK_WAIT_MS: u32 = 500;
/// Tries before it is given up: somebody else has a transaction open that does not end.
const TRIES_MAX: u32 = 60;
/// Between two tries; a few times the wait, so that those who were held up get done.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest run of one statement. Statements of the sale have seconds; an index on a large table takes minutes.
const STATEMENT_MS: u32 = 3_600_000;

/// What Postgres says of a lock that it did not get in time, and of two who waited for each other.
const LOCK_NOT_AVAILABLE: &str = "55P03";
const DEADLOCK_DETECTED: &str = "40P01";

impl Database {
    /// Brings the schema up to this release. Several processes may call it at once, and while others sell. A schema
    /// that a later release has brought further is left as it is: that release only added to it.
    ///
    /// Errors: [`DatabaseError::Migration`] also where a table stays locked by others for more than a minute; trying
    /// again is safe.
    pub async fn migrate(&self) -> Result<(), DatabaseError> {
        for _ in 1..TRIES_MAX {
            match self.try_migrate().await {
                Err(error) if is_about_locks(&error) => {
                    tracing::info!("a table is in use for too long: the migration waits and tries again");
                    tokio::time::sleep(PAUSE).await;
                }
                result => return Ok(result?),
            }
        }
        Ok(self.try_migrate().await?)
    }

    async fn try_migrate(&self) -> Result<(), MigrateError> {
        let mut connection = self.pool.acquire().await?;
        let migrated = match set_up(&mut connection).await {
            // As `run`, whose bounds the compiler cannot follow where futures move between threads.
            Ok(()) => migrator().run_direct(None, &mut *connection, false).await,
            Err(error) => Err(error.into()),
        };
        // Not given back: it has other limits than the pool's, and after a failure the lock of all migrations.
        if let Err(error) = connection.close().await {
            tracing::debug!(%error, "the migration's connection was not closed in order");
        }
        migrated
    }

    /// Whether the schema is this release's (or a later one's).
    pub async fn is_migrated(&self) -> Result<bool, DatabaseError> {
        let mut connection = self.pool.acquire().await?;
        // sqlx makes this table itself; on a new database it is not there.
        let known = sqlx::query_scalar!(r#"SELECT to_regclass('_sqlx_migrations') IS NOT NULL AS "known!""#)
            .fetch_one(&mut *connection)
            .await?;
        if !known {
            return Ok(false);
        }
        let applied = connection.list_applied_migrations("_sqlx_migrations").await?;
        Ok(MIGRATIONS
            .iter()
            .all(|wanted| applied.iter().any(|applied| applied.version == wanted.version)))
    }
}

/// This release's migrations, on a schema that may be ahead of them: in a rollback, and in a rolling upgrade whose old
/// processes start once more.
fn migrator() -> Migrator {
    let mut migrator = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
    migrator.set_ignore_missing(true);
    migrator
}

async fn set_up(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"SELECT set_config('lock_timeout', $1, false) AS lock,
                  set_config('statement_timeout', $2, false) AS statement"#,
        LOCK_WAIT_MS.to_string(),
        STATEMENT_MS.to_string()
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

fn is_about_locks(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == LOCK_NOT_AVAILABLE || code == DEADLOCK_DETECTED)
}
