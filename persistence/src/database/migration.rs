//! Bringing the schema up, beside processes that sell on it.
//!
//! A statement that waits for a table's lock has everybody who comes after it wait too, the sale among them. So no
//! migration waits for long: it gives up, lets the others through, and comes again. What one migration does is one
//! transaction, so nothing is half done then.
//!
//! An index that is built concurrently is in no transaction, has nobody wait, and waits itself for every transaction that
//! is older than it. Given up, it would leave half an index behind, so such a migration waits for as long as it takes.

use std::time::Duration;

use sqlx::PgConnection;
use sqlx::migrate::{Migrate as _, MigrateError, Migration, Migrator};

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
/// Tries to be the one who migrates, a pause apart: one statement of another process's may take this long.
const TURN_TRIES_MAX: u32 = 3_600;
/// The advisory lock of who migrates, beside sqlx's own.
const TURN_KEY: i64 = 0x6f6e_7361_6c65_0001;

/// What Postgres says of a lock that it did not get in time, and of two who waited for each other.
const LOCK_NOT_AVAILABLE: &str = "55P03";
const DEADLOCK_DETECTED: &str = "40P01";

/// Migrations that follow each other and are run alike.
struct Group {
    migrator: Migrator,
    /// Each is outside of a transaction.
    no_tx: bool,
}

/// Why the schema was not brought up.
struct Stopped {
    error: DatabaseError,
    /// Others had locks; nothing is half done.
    is_about_locks: bool,
}

impl Database {
    /// Brings the schema up to this release. Several processes may call it at once, and while others sell. A schema
    /// that a later release has brought further is left as it is: that release only added to it.
    ///
    /// Errors: [`DatabaseError::Migration`] also where a table stays locked by others for more than a minute, and where
    /// another process migrates for more than an hour; trying again is safe.
    pub async fn migrate(&self) -> Result<(), DatabaseError> {
        self.bring_up(&groups(MIGRATIONS.iter().cloned())).await
    }

    async fn bring_up(&self, groups: &[Group]) -> Result<(), DatabaseError> {
        let mut tries = 1;
        loop {
            match self.try_bring_up(groups).await {
                Err(stopped) if stopped.is_about_locks && tries < TRIES_MAX => {
                    tracing::info!("a table is in use for too long: the migration waits and tries again");
                    tokio::time::sleep(PAUSE).await;
                    tries += 1;
                }
                result => return result.map_err(|stopped| stopped.error),
            }
        }
    }

    async fn try_bring_up(&self, groups: &[Group]) -> Result<(), Stopped> {
        let mut connection = self.pool.acquire().await?;
        let migrated = run(&mut connection, groups).await;
        // Not given back: it has other limits than the pool's, and the locks of who migrates.
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

/// Migrations in their order, on a schema that may be ahead of them: in a rollback, and in a rolling upgrade whose old
/// processes start once more.
fn groups(migrations: impl IntoIterator<Item = Migration>) -> Vec<Group> {
    let migrations: Vec<_> = migrations.into_iter().collect();
    let alike = migrations.chunk_by(|one, next| one.no_tx == next.no_tx);
    let group = |alike: &[Migration]| {
        let no_tx = alike.iter().all(|migration| migration.no_tx);
        let mut migrator = Migrator::with_migrations(alike.to_vec());
        migrator.set_ignore_missing(true);
        // Who waits for sqlx's lock does so in a statement, and has a snapshot that a concurrent index waits for: neither
        // would come to an end. Releases before this one wait for it.
        migrator.set_locking(!no_tx);
        Group { migrator, no_tx }
    };
    alike.map(group).collect()
}

async fn run(connection: &mut PgConnection, groups: &[Group]) -> Result<(), Stopped> {
    take_turn(connection).await?;
    for Group { migrator, no_tx } in groups {
        limit(connection, if *no_tx { 0 } else { LOCK_WAIT_MS }).await?;
        // As `Migrator::run`, whose bounds the compiler cannot follow where futures move between threads.
        let ran = migrator.run_direct(None, &mut *connection, false).await;
        ran.map_err(|error| Stopped {
            is_about_locks: !no_tx && is_about_locks(&error),
            error: error.into(),
        })?;
    }
    Ok(())
}

/// Waits until no other process migrates. Not in a statement that waits: a concurrent index would wait for that.
async fn take_turn(connection: &mut PgConnection) -> Result<(), Stopped> {
    for tried in 0..TURN_TRIES_MAX {
        let is_ours = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "is_ours!""#, TURN_KEY)
            .fetch_one(&mut *connection)
            .await?;
        if is_ours {
            return Ok(());
        }
        if tried == 0 {
            tracing::info!("another process migrates: waiting for it to be done");
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Stopped {
        error: DatabaseError::Migration("another process migrates, and does not come to an end".to_owned()),
        is_about_locks: false,
    })
}

/// Sets the longest wait for a lock (0: for as long as it takes) and the longest run of a statement.
async fn limit(connection: &mut PgConnection, lock_wait_ms: u32) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"SELECT set_config('lock_timeout', $1, false) AS lock,
                  set_config('statement_timeout', $2, false) AS statement"#,
        lock_wait_ms.to_string(),
        STATEMENT_MS.to_string()
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

impl From<sqlx::Error> for Stopped {
    fn from(error: sqlx::Error) -> Self {
        Self {
            error: error.into(),
            is_about_locks: false,
        }
    }
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

#[cfg(test)]
mod tests;
