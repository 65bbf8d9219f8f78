//! Where committed records are written behind.

use futures::future::BoxFuture;
use onsale_domain::{EventId, Sequence, UnixMillis};
use thiserror::Error;

use super::JournalEntry;

/// Why a projection did not happen, or is not known to have happened. The watermark tells; trying again is safe.
#[derive(Debug, Error)]
pub enum ProjectionError {
    /// The database cannot be reached or answered with an error.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// The event's watermark is not just before the batch's first record: somebody else projected, or records are missing.
    #[error("watermark of event {event_id} is {watermark}, not {expected}")]
    WatermarkMoved {
        /// Which event.
        event_id: EventId,
        /// Where it stands.
        watermark: Sequence,
        /// Where it would have to stand: just before the batch's first record.
        expected: Sequence,
    },
    /// An entry holds bytes that are not records.
    #[error("unreadable entry: {0}")]
    Damaged(String),
}

/// Folds committed records into relational tables. Implementations: Postgres in the persistence crate, and one in
/// memory for tests and the simulator.
pub trait ProjectionSink: Send + Sync + 'static {
    /// Writes the entries' rows and the events' watermarks in one transaction. Entries of one event follow each
    /// other without a gap, starting right after its watermark.
    fn project<'a>(&'a self, entries: &'a [JournalEntry]) -> BoxFuture<'a, Result<(), ProjectionError>>;

    /// Watermarks of the given events; events without one stand at 0 and are left out.
    fn watermarks<'a>(
        &'a self,
        event_ids: &'a [EventId],
    ) -> BoxFuture<'a, Result<Vec<(EventId, Sequence)>, ProjectionError>>;

    /// Events that have something to do at `now` whether anybody asks or not, as far as they are projected: live
    /// holds, whose ends must be recorded, or a sales window that has opened or closed; and events whose owner is gone
    /// and has left records that nobody projects.
    fn events_due(&self, now: UnixMillis) -> BoxFuture<'_, Result<Vec<EventId>, ProjectionError>>;
}
