//! Reading entries, beside the thread that writes.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use onsale_domain::{EventId, Sequence};
use onsale_engine::port::{Chain, Epoch, JournalEntry, JournalError};
use rusqlite::{Connection, params};

use super::schema::open_again;
use super::sqlite_error;
use crate::convert::{limit_out, seq_in, seq_out};

/// Connections that are kept open between reads.
const IDLE_MAX: usize = 4;

/// Connections for reading. As many as are needed at once; a few are kept.
#[derive(Debug)]
pub(super) struct Readers {
    directory: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_path_buf(),
            idle: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn read(
        &self,
        event_id: EventId,
        after: Sequence,
        entries_max: usize,
    ) -> Result<Vec<JournalEntry>, JournalError> {
        let connection = self.take().map_err(sqlite_error)?;
        let entries = select(&connection, event_id, after, entries_max).map_err(sqlite_error)?;
        self.put_back(connection);
        Ok(entries)
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let connection = open_again(&self.directory)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }

    fn put_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }
}

/// Entries are gapless: the one that holds `after + 1` is the last that starts there or before.
fn select(
    connection: &Connection,
    event_id: EventId,
    after: Sequence,
    entries_max: usize,
) -> rusqlite::Result<Vec<JournalEntry>> {
    let mut statement = connection.prepare_cached(
        "WITH event AS (SELECT event_no FROM events WHERE event_id = ?1)
         SELECT first_seq, last_seq, epoch, chain, payload FROM entries
         WHERE event_no = (SELECT event_no FROM event) AND last_seq > ?2
           AND first_seq >= coalesce(
               (SELECT max(first_seq) FROM entries
                WHERE event_no = (SELECT event_no FROM event) AND first_seq <= ?2 + 1), 0)
         ORDER BY first_seq LIMIT ?3",
    )?;
    let rows = statement.query_map(
        params![
            event_id.0.as_bytes(),
            seq_out(after).min(i64::MAX - 1),
            limit_out(entries_max)
        ],
        |row| {
            Ok(JournalEntry {
                event_id,
                epoch: Epoch(row.get(2)?),
                first_seq: seq_in(row.get(0)?),
                last_seq: seq_in(row.get(1)?),
                chain: Chain(row.get(3)?),
                payload: row.get::<_, Vec<u8>>(4)?.into(),
            })
        },
    )?;
    rows.collect()
}
