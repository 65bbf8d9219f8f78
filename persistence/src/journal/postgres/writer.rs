//! The writer of one lane: its own connection, and an outcome for every batch.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::BoxFuture;
use onsale_engine::port::{Appended, JournalEntry, JournalError, JournalWriter};
use sqlx::PgConnection;
use uuid::Uuid;

use super::append::{Fate, append, fates};
use crate::{Database, DatabaseError};

/// Longer than the server's own limit for a statement. A connection that is silent for so long is given up, and the
/// outcome is asked for on a new one.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
const BACKOFF_MS_MIN: u64 = 20;
const BACKOFF_MS_MAX: u64 = 1_000;

/// Writes one lane's batches.
#[derive(Debug)]
pub(super) struct PostgresWriter {
    database: Database,
    connection: Option<PgConnection>,
}

impl PostgresWriter {
    pub(super) async fn open(database: Database) -> Result<Self, DatabaseError> {
        let connection = Some(database.dedicated().await?);
        Ok(Self { database, connection })
    }

    /// Tries until each entry's outcome is known. While Postgres is away this waits: the engine's bounded queues
    /// turn buyers away meanwhile.
    async fn append_all(&mut self, entries: &[JournalEntry]) -> Appended {
        let mut open: Vec<&JournalEntry> = entries.iter().collect();
        let mut fenced = Vec::new();
        let mut backoff_ms = BACKOFF_MS_MIN;
        while !open.is_empty() {
            match self.try_append(&open).await {
                Ok(written) => open.retain(|entry| !written.contains(&entry.event_id.0)),
                Err(error) => {
                    tracing::warn!(%error, "a journal write has an open outcome");
                    self.back_off(&mut backoff_ms).await;
                }
            }
            if open.is_empty() {
                break;
            }
            let found = loop {
                match self.try_resolve(&open).await {
                    Ok(found) => break found,
                    Err(error) => {
                        tracing::warn!(%error, "the outcome of a journal write cannot be read yet");
                        self.back_off(&mut backoff_ms).await;
                    }
                }
            };
            let mut found = found.into_iter();
            open.retain(|entry| match found.next() {
                Some(Fate::Fenced) => {
                    fenced.push(entry.event_id);
                    false
                }
                Some(Fate::Committed) => false,
                Some(Fate::Open) | None => true,
            });
        }
        Appended { fenced }
    }

    async fn try_append(&mut self, entries: &[&JournalEntry]) -> Result<HashSet<Uuid>, DatabaseError> {
        let connection = self.connection().await?;
        let written = answer(append(connection, entries)).await?;
        Ok(written.into_iter().collect())
    }

    async fn try_resolve(&mut self, entries: &[&JournalEntry]) -> Result<Vec<Fate>, DatabaseError> {
        let connection = self.connection().await?;
        answer(fates(connection, entries)).await
    }

    async fn connection(&mut self) -> Result<&mut PgConnection, DatabaseError> {
        if self.connection.is_none() {
            let connection = tokio::time::timeout(ANSWER_TIMEOUT, self.database.dedicated())
                .await
                .map_err(|_| silent())??;
            self.connection = Some(connection);
        }
        self.connection.as_mut().ok_or_else(silent)
    }

    /// Gives the connection up and waits between half and all of the backoff, so that lanes do not return in step.
    async fn back_off(&mut self, backoff_ms: &mut u64) {
        // Dropped without a farewell: it may be broken.
        self.connection = None;
        // The low bits of a version 7 id are random.
        let random = u64::from(Uuid::now_v7().as_bytes()[15]);
        let wait_ms = *backoff_ms / 2 + *backoff_ms * random / 512;
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        *backoff_ms = (*backoff_ms * 2).min(BACKOFF_MS_MAX);
    }
}

async fn answer<T>(question: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, DatabaseError> {
    tokio::time::timeout(ANSWER_TIMEOUT, question)
        .await
        .map_err(|_| silent())?
        .map_err(DatabaseError::from)
}

fn silent() -> DatabaseError {
    DatabaseError::Unavailable("no answer in time".to_owned())
}

impl JournalWriter for PostgresWriter {
    /// One statement holds at most one entry of an event. The engine gathers them so; should several of one event come
    /// (two incarnations of its actor, say), then they are written one after the other.
    fn append<'a>(
        &'a mut self,
        entries: &'a [JournalEntry],
    ) -> BoxFuture<'a, Result<Appended, JournalError>> {
        Box::pin(async move {
            let mut appended = Appended::default();
            let mut rest = entries;
            while !rest.is_empty() {
                let (batch, after) = rest.split_at(different_events(rest));
                appended.fenced.extend(self.append_all(batch).await.fenced);
                rest = after;
            }
            Ok(appended)
        })
    }
}

/// How many entries from the first on are of different events.
fn different_events(entries: &[JournalEntry]) -> usize {
    let mut seen = HashSet::with_capacity(entries.len());
    entries
        .iter()
        .take_while(|entry| seen.insert(entry.event_id))
        .count()
}
