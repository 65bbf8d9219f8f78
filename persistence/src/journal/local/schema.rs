//! Locking a journal's directory, opening its file, and checking that it is one.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use onsale_domain::{EventId, Route};
use onsale_engine::port::{Epoch, JournalError, Owner};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::heads::{Head, Heads};
use super::sqlite_error;
use crate::convert::seq_in;

pub(super) const JOURNAL_FILE: &str = "journal.sqlite";
const LOCK_FILE: &str = "lock";
/// "ONSJ" in the file's header: tells a journal from any other `SQLite` file.
const APPLICATION_ID: i32 = 0x4F4E_534A;
/// Version of the tables below.
const SCHEMA_VERSION: i32 = 1;
/// Files up to this size are checked page by page when opened. Larger ones would keep the process from starting for
/// too long; every entry is verified by its hash chain when it is read anyway.
const PAGE_CHECK_BYTES_MAX: u64 = 256 << 20;

/// Last sequences are not stored apart: they are those of the entries, so an append writes one row.
const SCHEMA: &str = "
    CREATE TABLE journal_identity (id BLOB NOT NULL CHECK (length(id) = 16)) STRICT;
    CREATE TABLE events (
        event_no INTEGER PRIMARY KEY,
        event_id BLOB NOT NULL UNIQUE CHECK (length(event_id) = 16),
        epoch INTEGER NOT NULL CHECK (epoch > 0)
    ) STRICT;
    CREATE TABLE entries (
        event_no INTEGER NOT NULL,
        first_seq INTEGER NOT NULL CHECK (first_seq > 0),
        last_seq INTEGER NOT NULL CHECK (last_seq >= first_seq),
        epoch INTEGER NOT NULL,
        chain BLOB NOT NULL CHECK (length(chain) = 32),
        payload BLOB NOT NULL,
        PRIMARY KEY (event_no, first_seq)
    ) STRICT, WITHOUT ROWID;
";

/// An opened journal file.
pub(super) struct Opened {
    pub(super) id: Uuid,
    pub(super) connection: Connection,
    pub(super) heads: Heads,
}

/// Makes the directory if need be and locks it for as long as the file lives; the system unlocks it when the
/// process dies.
pub(super) fn lock(directory: &Path) -> Result<File, JournalError> {
    let unavailable =
        |error: std::io::Error| JournalError::Unavailable(format!("{}: {error}", directory.display()));
    std::fs::create_dir_all(directory).map_err(unavailable)?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(directory.join(LOCK_FILE))
        .map_err(unavailable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(JournalError::OwnedElsewhere {
            owner: Owner::silent(format!(
                "the process that has the journal {} open",
                directory.display()
            )),
        }),
        Err(TryLockError::Error(error)) => Err(unavailable(error)),
    }
}

/// Opens the journal file of a locked directory for writing.
pub(super) fn open(directory: &Path) -> Result<Opened, JournalError> {
    let path = directory.join(JOURNAL_FILE);
    let named = |error| name_file(&path, error);
    let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let mut connection = Connection::open(&path).map_err(sqlite_error).map_err(named)?;
    // The page size is that of the disk and cannot change once the file has pages.
    connection
        .execute_batch("PRAGMA page_size = 4096;")
        .and_then(|()| set_up(&connection))
        .map_err(sqlite_error)
        .map_err(named)?;
    let id = match identity(&connection).map_err(named)? {
        Some(id) => {
            if bytes <= PAGE_CHECK_BYTES_MAX {
                check_pages(&connection).map_err(named)?;
            }
            id
        }
        None => create(&mut connection).map_err(sqlite_error).map_err(named)?,
    };
    let heads = load_heads(&connection).map_err(named)?;
    Ok(Opened {
        id,
        connection,
        heads,
    })
}

/// A further connection to a journal file that is open: for reading, or for checkpoints.
pub(super) fn open_again(directory: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(directory.join(JOURNAL_FILE))?;
    set_up(&connection)?;
    Ok(connection)
}

/// FULL syncs the WAL in every commit: what is committed survives the loss of power. Checkpoints are made by a
/// thread of their own, so no commit waits for one.
fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = OFF;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA cache_size = -16384;
         PRAGMA temp_store = MEMORY;",
    )
}

/// Identity of the journal; `None` for a new, empty file.
fn identity(connection: &Connection) -> Result<Option<Uuid>, JournalError> {
    let pragma = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i32>(0))
            .map_err(sqlite_error)
    };
    let (application_id, version) = (pragma("application_id")?, pragma("user_version")?);
    if application_id == 0 && version == 0 && pragma("schema_version")? == 0 {
        return Ok(None);
    }
    if application_id != APPLICATION_ID {
        return Err(JournalError::Damaged("not a journal of Onsale".to_owned()));
    }
    if version != SCHEMA_VERSION {
        return Err(JournalError::Damaged(format!(
            "schema version {version}; this release reads {SCHEMA_VERSION}"
        )));
    }
    let id: Option<[u8; 16]> = connection
        .query_row("SELECT id FROM journal_identity", [], |row| row.get(0))
        .optional()
        .map_err(sqlite_error)?;
    match id {
        Some(id) => Ok(Some(Uuid::from_bytes(id))),
        None => Err(JournalError::Damaged("it has no identity".to_owned())),
    }
}

/// Identity of a journal that has been written before.
pub(super) fn written_identity(connection: &Connection) -> Result<Uuid, JournalError> {
    identity(connection)?.ok_or_else(|| JournalError::Damaged("the journal's file is empty".to_owned()))
}

fn create(connection: &mut Connection) -> rusqlite::Result<Uuid> {
    let id = Uuid::now_v7();
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute(
        "INSERT INTO journal_identity (id) VALUES (?1)",
        params![id.as_bytes()],
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()?;
    Ok(id)
}

fn check_pages(connection: &Connection) -> Result<(), JournalError> {
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(sqlite_error)?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(JournalError::Damaged(verdict))
    }
}

pub(super) fn load_heads(connection: &Connection) -> Result<Heads, JournalError> {
    let mut statement = connection
        .prepare(
            "SELECT events.event_no, events.event_id, events.epoch, entries.last_seq, entries.epoch
             FROM events LEFT JOIN entries ON entries.event_no = events.event_no
                 AND entries.first_seq = (
                     SELECT max(first_seq) FROM entries AS own WHERE own.event_no = events.event_no)",
        )
        .map_err(sqlite_error)?;
    let rows = statement
        .query_map([], |row| {
            let event_id = EventId(Uuid::from_bytes(row.get(1)?));
            let head = Head {
                event_no: row.get(0)?,
                epoch: Epoch(row.get(2)?),
                last_seq: seq_in(row.get::<_, Option<i64>>(3)?.unwrap_or(0)),
                acquired: false,
            };
            Ok((event_id, head, row.get::<_, Option<i64>>(4)?))
        })
        .map_err(sqlite_error)?;
    let heads = Heads::default();
    for row in rows {
        let (event_id, head, last_epoch) = row.map_err(sqlite_error)?;
        if last_epoch.is_some_and(|last_epoch| last_epoch > head.epoch.0) {
            return Err(JournalError::Damaged(format!(
                "event {event_id}: an entry is of a later epoch than the event"
            )));
        }
        let route: Route = event_id.route();
        if heads.event_of_route(route).is_some() {
            return Err(JournalError::Damaged(format!(
                "two events have the route {route}"
            )));
        }
        heads.set(event_id, head);
    }
    Ok(heads)
}

/// Adds which file it was, for the operator.
fn name_file(path: &Path, error: JournalError) -> JournalError {
    let named = |detail| format!("{}: {detail}", path.display());
    match error {
        JournalError::Damaged(detail) => JournalError::Damaged(named(detail)),
        JournalError::Unavailable(detail) => JournalError::Unavailable(named(detail)),
        error @ (JournalError::NotFound
        | JournalError::Taken
        | JournalError::OwnedElsewhere { .. }
        | JournalError::Fatal(_)) => error,
    }
}
