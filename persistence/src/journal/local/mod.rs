//! The journal on this machine's own disk: `SQLite` in WAL mode, every commit synced, written by one thread.
//!
//! An event is pinned to the journal that it was created in (`event_owner.journal` in Postgres), and the journal's
//! directory is locked by the process that has it open. So this process is the only writer of its events, whatever
//! happens to Postgres; epochs only order the actors of an event within this journal.
//!
//! Files: `lock`, `journal.sqlite` (with `-wal` and `-shm`), and `snapshots.sqlite`, which is a file of its own so
//! that saving a large state neither blocks nor swells the journal.

mod backup;
mod checkpoint;
mod heads;
mod owner;
mod reader;
mod schema;
mod snapshots;
mod thread;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use onsale_domain::{EventId, Route, Sequence};
use onsale_engine::port::{Acquired, Journal, JournalEntry, JournalError, JournalWriter, Snapshot};
use uuid::Uuid;

pub use self::backup::JournalCopy;
use self::heads::Heads;
use self::reader::Readers;
use self::snapshots::Snapshots;
use self::thread::WriterThread;
use self::writer::LocalWriter;
use crate::Database;

/// One thread writes; a second lane would only wait for it.
const LANES: usize = 1;

/// A journal in a directory. Dropping it closes the files and unlocks the directory.
#[derive(Debug)]
pub struct LocalJournal {
    id: Uuid,
    directory: PathBuf,
    database: Database,
    heads: Arc<Heads>,
    readers: Arc<Readers>,
    snapshots: Arc<Snapshots>,
    thread: WriterThread,
}

impl LocalJournal {
    /// Opens the journal of a directory, and makes both if they are new.
    ///
    /// Errors: [`JournalError::OwnedElsewhere`] when another process has the directory open,
    /// [`JournalError::Damaged`] when its files are not an undamaged journal that this release reads,
    /// [`JournalError::Unavailable`] when they cannot be opened.
    pub async fn open(directory: &Path, database: Database) -> Result<Self, JournalError> {
        let directory = directory.to_path_buf();
        blocking(move || Self::open_blocking(directory, database)).await
    }

    fn open_blocking(directory: PathBuf, database: Database) -> Result<Self, JournalError> {
        let lock = schema::lock(&directory)?;
        let journal = schema::open(&directory)?;
        let heads = Arc::new(journal.heads);
        // Readers and snapshots close before the thread, whose connection tidies up and which holds the lock.
        Ok(Self {
            id: journal.id,
            readers: Arc::new(Readers::new(&directory)),
            snapshots: Arc::new(Snapshots::open(&directory)?),
            thread: WriterThread::start(&directory, journal.connection, Arc::clone(&heads), lock)?,
            heads,
            database,
            directory,
        })
    }

    /// Identity of this journal, as `event_owner.journal` names it after `local:`.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Journal for LocalJournal {
    fn name(&self) -> &'static str {
        "local"
    }

    fn lanes(&self) -> usize {
        LANES
    }

    fn writer(&self) -> BoxFuture<'_, Result<Box<dyn JournalWriter>, JournalError>> {
        let writer: Box<dyn JournalWriter> = Box::new(LocalWriter::new(self.thread.handle()));
        Box::pin(std::future::ready(Ok(writer)))
    }

    fn create(&self, event_id: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>> {
        Box::pin(self.create_event(event_id))
    }

    fn acquire(&self, event_id: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>> {
        Box::pin(self.acquire_event(event_id))
    }

    /// Events of this journal are known without Postgres.
    fn resolve(&self, route: Route) -> BoxFuture<'_, Result<Option<EventId>, JournalError>> {
        Box::pin(async move {
            match self.heads.event_of_route(route) {
                Some(event_id) => Ok(Some(event_id)),
                None => self.database.event_of_route(route).await,
            }
        })
    }

    fn read(
        &self,
        event_id: EventId,
        after: Sequence,
        entries_max: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, JournalError>> {
        let readers = Arc::clone(&self.readers);
        Box::pin(blocking(move || readers.read(event_id, after, entries_max)))
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<(EventId, Sequence)>, JournalError>> {
        Box::pin(std::future::ready(Ok(self.heads.last_seqs())))
    }

    fn load_snapshot(&self, event_id: EventId) -> BoxFuture<'_, Result<Option<Snapshot>, JournalError>> {
        let snapshots = Arc::clone(&self.snapshots);
        Box::pin(blocking(move || snapshots.load(event_id)))
    }

    fn save_snapshot(&self, snapshot: Snapshot) -> BoxFuture<'_, Result<(), JournalError>> {
        let snapshots = Arc::clone(&self.snapshots);
        Box::pin(blocking(move || snapshots.save(&snapshot)))
    }
}

/// Runs file access on the threads that tokio keeps for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, JournalError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(JournalError::Unavailable(error.to_string())))
}

/// An error of `SQLite` outside the writing of records.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn sqlite_error(error: rusqlite::Error) -> JournalError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            JournalError::Damaged(error.to_string())
        }
        _ => JournalError::Unavailable(error.to_string()),
    }
}
