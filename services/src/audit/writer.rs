//! Audit entries that belong to no transaction of their own: what was refused, what was asked of the sale and what
//! came of it.
//!
//! Entries are appended one transaction after the other, and refusals can come as fast as requests. So they are
//! gathered: while one batch is written, the next one queues up. Nobody is told of success before its entry is
//! durable; where the queue is full, the caller is turned away.

use std::time::Duration;

use onsale_engine::EngineError;
use onsale_persistence::{AuditEntry, AuditOutcome, Database, DatabaseError};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::ServiceError;

/// Entries that may wait to be written.
const QUEUE_MAX: usize = 1_024;
/// Places that refusals leave free: whoever is refused often must not keep staff from their work.
const ROOM_FOR_CHANGES: usize = QUEUE_MAX / 2;
/// Most entries of one transaction.
const BATCH_MAX: usize = 256;
/// Longer than the database's own limits: a connection that is silent for so long does not hold up the next batch.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

struct Queued {
    entry: AuditEntry,
    written: oneshot::Sender<Result<(), DatabaseError>>,
}

/// Where to put entries. Cloning it is cheap.
#[derive(Clone)]
pub struct AuditWriter {
    queue: mpsc::Sender<Queued>,
}

impl AuditWriter {
    /// A writer, and the task that must run for it.
    pub fn new(database: Database) -> (Self, AuditWriterTask) {
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        (Self { queue: sender }, AuditWriterTask { database, queue })
    }

    /// Appends an entry to the audit log and waits until it is durable. Once it is queued it is written also when
    /// the caller stops waiting.
    ///
    /// Errors: [`EngineError::Overloaded`] when too many wait and [`EngineError::ShuttingDown`] at the end of the
    /// process, both without an entry; [`ServiceError::Database`] when it could not be written or, at worst, was
    /// written and the answer got lost.
    pub async fn write(&self, entry: AuditEntry) -> Result<(), ServiceError> {
        if entry.outcome == AuditOutcome::Refused && self.queue.capacity() < ROOM_FOR_CHANGES {
            return Err(too_many().into());
        }
        let (written, outcome) = oneshot::channel();
        self.queue
            .try_send(Queued { entry, written })
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => too_many(),
                mpsc::error::TrySendError::Closed(_) => EngineError::ShuttingDown,
            })?;
        match outcome.await {
            Ok(written) => Ok(written?),
            // The task was cut off in the middle.
            Err(_) => Err(EngineError::ShuttingDown.into()),
        }
    }
}

fn too_many() -> EngineError {
    EngineError::Overloaded {
        reason: "audit_queue",
    }
}

/// Writes what is queued. One runs in each process.
pub struct AuditWriterTask {
    database: Database,
    queue: mpsc::Receiver<Queued>,
}

impl AuditWriterTask {
    /// Works until told to stop, and then until everything that is queued is written. Takes nothing more meanwhile.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            let taking = self.queue.recv_many(&mut batch, BATCH_MAX);
            match shutdown.run_until_cancelled(taking).await {
                // Every writer is gone.
                Some(0) => return,
                Some(_) => self.write(&mut batch).await,
                None => break,
            }
        }
        self.queue.close();
        while self.queue.recv_many(&mut batch, BATCH_MAX).await > 0 {
            self.write(&mut batch).await;
        }
    }

    async fn write(&self, batch: &mut Vec<Queued>) {
        let (entries, waiting): (Vec<_>, Vec<_>) = batch
            .drain(..)
            .map(|queued| (queued.entry, queued.written))
            .unzip();
        let appending = self.database.append_audit(&entries);
        let outcome = tokio::time::timeout(WRITE_TIMEOUT, appending)
            .await
            .unwrap_or_else(|_| Err(DatabaseError::Unavailable("no answer in time".to_owned())));
        if let Err(error) = &outcome {
            tracing::error!(%error, entries = entries.len(), "the audit log could not be written");
        }
        for written in waiting {
            // Who stopped waiting needs no answer.
            let _ = written.send(outcome.clone());
        }
    }
}
