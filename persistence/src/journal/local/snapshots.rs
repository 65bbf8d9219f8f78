//! Snapshots, in a file of their own. Losing one costs time, not records, so it is not synced in every commit.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onsale_domain::EventId;
use onsale_engine::port::{JournalError, Snapshot};
use rusqlite::{Connection, OptionalExtension, params};

use super::sqlite_error;
use crate::convert::{seq_in, seq_out};
use crate::journal::snapshot::{digest, verified};

const SNAPSHOTS_FILE: &str = "snapshots.sqlite";

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS snapshots (
        event_id BLOB NOT NULL PRIMARY KEY,
        seq INTEGER NOT NULL,
        chain BLOB NOT NULL,
        state BLOB NOT NULL,
        digest BLOB NOT NULL
    ) STRICT;
";

/// The snapshots' file.
#[derive(Debug)]
pub(super) struct Snapshots {
    connection: Mutex<Connection>,
}

impl Snapshots {
    pub(super) fn open(directory: &Path) -> Result<Self, JournalError> {
        let connection = Connection::open(directory.join(SNAPSHOTS_FILE)).map_err(sqlite_error)?;
        connection
            .busy_timeout(Duration::from_secs(5))
            .and_then(|()| connection.execute_batch(SCHEMA))
            .map_err(sqlite_error)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    pub(super) fn load(&self, event_id: EventId) -> Result<Option<Snapshot>, JournalError> {
        let row = self
            .connection()
            .prepare_cached("SELECT seq, chain, state, digest FROM snapshots WHERE event_id = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row(params![event_id.0.as_bytes()], |row| {
                        let seq = seq_in(row.get(0)?);
                        let chain: Vec<u8> = row.get(1)?;
                        let digest: Vec<u8> = row.get(3)?;
                        Ok((seq, chain, row.get(2)?, digest))
                    })
                    .optional()
            })
            .map_err(sqlite_error)?;
        Ok(row.and_then(|(seq, chain, state, digest)| verified(event_id, seq, &chain, state, &digest)))
    }

    pub(super) fn save(&self, snapshot: &Snapshot) -> Result<(), JournalError> {
        self.connection()
            .prepare_cached(
                "INSERT INTO snapshots (event_id, seq, chain, state, digest) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (event_id) DO UPDATE
                 SET seq = excluded.seq, chain = excluded.chain, state = excluded.state, digest = excluded.digest
                 WHERE snapshots.seq <= excluded.seq",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    snapshot.event_id.0.as_bytes(),
                    seq_out(snapshot.seq),
                    snapshot.chain.0,
                    &snapshot.state[..],
                    digest(snapshot),
                ])
            })
            .map_err(sqlite_error)?;
        Ok(())
    }

    /// `SQLite` rolls an unfinished statement back, so a panic elsewhere leaves nothing half-made behind.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
