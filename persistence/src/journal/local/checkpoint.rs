//! Moving committed pages from the WAL into the journal file, without a commit waiting for it.
//!
//! A thread of its own does the bulk with a passive checkpoint, which blocks nobody. Commits made meanwhile keep it
//! from finishing, and only a finished checkpoint lets `SQLite` begin the WAL anew. So between two batches, when
//! nobody else writes, the writing thread moves the few pages that are left.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use onsale_engine::port::JournalError;
use rusqlite::Connection;

use super::schema::open_again;

/// Bytes of the WAL at which a checkpoint starts. Small enough to stay in the disk's and the system's caches.
const WAL_BYTES: usize = 16 << 20;
/// What an entry adds to the WAL besides its payload: about three pages.
const ENTRY_BYTES: usize = 3 * 4096;

/// Where the present round stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Idle,
    Running,
}

/// Decides when to checkpoint, and owns the thread that does it.
#[derive(Debug)]
pub(super) struct Checkpointer {
    written_bytes: usize,
    round: Round,
    /// `None` only while being dropped.
    requests: Option<SyncSender<()>>,
    results: Receiver<rusqlite::Result<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(directory: &Path) -> Result<Self, JournalError> {
        let connection = open_again(directory).map_err(super::sqlite_error)?;
        let (requests, requested) = sync_channel(1);
        let (done, results) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("onsale-checkpoint".to_owned())
            .spawn(move || {
                while requested.recv().is_ok() {
                    if done.send(checkpoint(&connection)).is_err() {
                        return;
                    }
                }
            })
            .map_err(|error| JournalError::Unavailable(error.to_string()))?;
        Ok(Self {
            written_bytes: 0,
            round: Round::Idle,
            requests: Some(requests),
            results,
            thread: Some(thread),
        })
    }

    /// Counts an entry that was committed.
    pub(super) const fn written(&mut self, payload_bytes: usize) {
        self.written_bytes += ENTRY_BYTES + payload_bytes;
    }

    /// Starts or finishes a checkpoint if it is time; `connection` is the writing one, with no open transaction.
    ///
    /// Errors: a failed write or sync of the journal file, after which the journal must not be written.
    pub(super) fn tidy(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        match self.round {
            Round::Idle if self.written_bytes >= WAL_BYTES => {
                if let Some(requests) = &self.requests
                    && requests.send(()).is_ok()
                {
                    self.round = Round::Running;
                }
                Ok(())
            }
            Round::Idle => Ok(()),
            Round::Running => match self.results.try_recv() {
                Ok(result) => {
                    self.round = Round::Idle;
                    self.written_bytes = 0;
                    result?;
                    checkpoint(connection)
                }
                Err(_) => Ok(()),
            },
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that checkpoints the journal had died");
        }
    }
}

/// Passive: copies what it can. That it had to leave something is no error.
fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}
