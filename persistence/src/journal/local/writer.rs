//! Writing to the journal file: fencing, gaplessness, and one synced commit for each batch.

use std::sync::Arc;

use futures::future::BoxFuture;
use onsale_domain::EventId;
use onsale_engine::port::{Appended, Epoch, JournalEntry, JournalError, JournalWriter, Owner};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::checkpoint::Checkpointer;
use super::heads::{Head, Heads};
use super::thread::Handle;
use crate::convert::seq_out;

/// The engine's side of the lane.
#[derive(Debug)]
pub(super) struct LocalWriter {
    handle: Handle,
}

impl LocalWriter {
    pub(super) const fn new(handle: Handle) -> Self {
        Self { handle }
    }
}

impl JournalWriter for LocalWriter {
    fn append<'a>(
        &'a mut self,
        entries: &'a [JournalEntry],
    ) -> BoxFuture<'a, Result<Appended, JournalError>> {
        Box::pin(self.handle.append(entries.to_vec()))
    }
}

/// The thread's side.
pub(super) struct Writer {
    connection: Connection,
    heads: Arc<Heads>,
    checkpointer: Checkpointer,
    /// The first failed write. After a failed sync a later one may succeed without having written anything, so
    /// nothing is written ever again.
    broken: Option<String>,
}

impl Writer {
    pub(super) const fn new(connection: Connection, heads: Arc<Heads>, checkpointer: Checkpointer) -> Self {
        Self {
            connection,
            heads,
            checkpointer,
            broken: None,
        }
    }

    pub(super) fn append(&mut self, entries: &[JournalEntry]) -> Result<Appended, JournalError> {
        self.check_unbroken()?;
        let result = insert(&mut self.connection, &self.heads, entries);
        let (appended, ends) = self.or_break(result)?;
        for (event_id, head) in ends {
            self.heads.set(event_id, head);
        }
        for entry in entries {
            self.checkpointer.written(entry.payload.len());
        }
        Ok(appended)
    }

    pub(super) fn own(&mut self, event_id: EventId, epoch: Epoch) -> Result<(), JournalError> {
        self.check_unbroken()?;
        let known = self.heads.get(event_id);
        if known.is_some_and(|head| head.epoch >= epoch) {
            return Err(JournalError::OwnedElsewhere {
                owner: Owner::silent("a later owner in this process"),
            });
        }
        let result = store_epoch(&self.connection, event_id, epoch);
        let event_no = self.or_break(result)?;
        let head = Head {
            event_no,
            epoch,
            last_seq: known.map_or(0, |head| head.last_seq),
            acquired: true,
        };
        self.heads.set(event_id, head);
        Ok(())
    }

    /// What may be done between two batches.
    pub(super) fn tidy(&mut self) {
        if let Err(error) = self.checkpointer.tidy(&self.connection) {
            self.broken.get_or_insert(error.to_string());
        }
    }

    fn check_unbroken(&self) -> Result<(), JournalError> {
        match &self.broken {
            Some(detail) => Err(JournalError::Fatal(detail.clone())),
            None => Ok(()),
        }
    }

    fn or_break<T>(&mut self, result: rusqlite::Result<T>) -> Result<T, JournalError> {
        result.map_err(|error| {
            let detail = error.to_string();
            self.broken = Some(detail.clone());
            JournalError::Fatal(detail)
        })
    }
}

/// Inserts what is not fenced, in one synced transaction; answers the new ends of the events.
fn insert(
    connection: &mut Connection,
    heads: &Heads,
    entries: &[JournalEntry],
) -> rusqlite::Result<(Appended, Vec<(EventId, Head)>)> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut appended = Appended::default();
    let mut ends: Vec<(EventId, Head)> = Vec::with_capacity(entries.len());
    for entry in entries {
        let head = ends
            .iter()
            .rfind(|(event_id, _)| *event_id == entry.event_id)
            .map(|(_, head)| *head)
            .or_else(|| heads.get(entry.event_id));
        match head {
            Some(head) if head.epoch == entry.epoch && head.last_seq + 1 == entry.first_seq => {
                insert_entry(&transaction, head.event_no, entry)?;
                let last_seq = entry.last_seq;
                ends.push((entry.event_id, Head { last_seq, ..head }));
            }
            Some(head) if is_stored(&transaction, head.event_no, entry)? => {}
            Some(_) | None => appended.fenced.push(entry.event_id),
        }
    }
    if !ends.is_empty() {
        transaction.commit()?;
    }
    Ok((appended, ends))
}

fn insert_entry(transaction: &Transaction<'_>, event_no: i64, entry: &JournalEntry) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO entries (event_no, first_seq, last_seq, epoch, chain, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            event_no,
            seq_out(entry.first_seq),
            seq_out(entry.last_seq),
            entry.epoch.0,
            entry.chain.0,
            &entry.payload[..],
        ])?;
    Ok(())
}

/// Whether this very entry is durable already: the chain covers all that it holds.
fn is_stored(transaction: &Transaction<'_>, event_no: i64, entry: &JournalEntry) -> rusqlite::Result<bool> {
    let chain: Option<[u8; 32]> = transaction
        .prepare_cached("SELECT chain FROM entries WHERE event_no = ?1 AND first_seq = ?2")?
        .query_row(params![event_no, seq_out(entry.first_seq)], |row| row.get(0))
        .optional()?;
    Ok(chain == Some(entry.chain.0))
}

fn store_epoch(connection: &Connection, event_id: EventId, epoch: Epoch) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO events (event_id, epoch) VALUES (?1, ?2)
             ON CONFLICT (event_id) DO UPDATE SET epoch = excluded.epoch
             RETURNING event_no",
        )?
        .query_row(params![event_id.0.as_bytes(), epoch.0], |row| row.get(0))
}
