//! The journal: the durable, ordered log of every event's records.

use bytes::Bytes;
use futures::future::BoxFuture;
use onsale_domain::{EventId, Route, Sequence};
use thiserror::Error;

use super::Owner;

/// Raised by each new owner of an event. A write under an older epoch is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i64);

/// Head of an event's hash chain: each entry's hash covers the one before, so that damage, a swap and a gap show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain(pub [u8; 32]);

/// One group-committed batch of an event's records: the unit that is written, chained and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Whose records.
    pub event_id: EventId,
    /// Epoch of the owner that wrote it.
    pub epoch: Epoch,
    /// Sequence of the first record.
    pub first_seq: Sequence,
    /// Sequence of the last record.
    pub last_seq: Sequence,
    /// Chain after this entry.
    pub chain: Chain,
    /// The records, as `onsale_domain::codec` encodes them.
    pub payload: Bytes,
}

impl JournalEntry {
    /// The chain after an entry with these contents, given the chain before it.
    pub fn chain_after(&self, before: Chain) -> Chain {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&before.0);
        hasher.update(self.event_id.0.as_bytes());
        hasher.update(&self.epoch.0.to_be_bytes());
        hasher.update(&self.first_seq.to_be_bytes());
        hasher.update(&self.last_seq.to_be_bytes());
        hasher.update(&self.payload);
        Chain(*hasher.finalize().as_bytes())
    }
}

/// A whole state at a sequence, so that recovery need not start from the first record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose state.
    pub event_id: EventId,
    /// The state holds the records up to this one.
    pub seq: Sequence,
    /// Chain after that record's entry.
    pub chain: Chain,
    /// The state, as `onsale_domain::codec` encodes it.
    pub state: Bytes,
}

/// An ownership that was gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acquired {
    /// Epoch under which to write.
    pub epoch: Epoch,
}

/// What an append did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Events whose entries were refused because a newer owner exists. All other entries are durable.
    pub fenced: Vec<EventId>,
}

/// Why the journal could not do as asked.
#[derive(Debug, Error)]
pub enum JournalError {
    /// No event has this id or route.
    #[error("no such event")]
    NotFound,
    /// An event with this id or this route exists; make another id.
    #[error("the event id is taken")]
    Taken,
    /// Another live process owns the event, or it is pinned to another local journal.
    #[error("event is owned elsewhere: {owner}")]
    OwnedElsewhere {
        /// Who owns it.
        owner: Owner,
    },
    /// The storage cannot be reached or answered with an error; trying again later is safe.
    #[error("storage unavailable: {0}")]
    Unavailable(String),
    /// Stored bytes are not what was written. Names event and position.
    #[error("journal damaged: {0}")]
    Damaged(String),
    /// A write or sync failed in a way after which nothing may be acknowledged: the process must end.
    #[error("journal write failed: {0}")]
    Fatal(String),
}

/// A journal. Implementations: `postgres` and `local` in the persistence crate, and one in memory in the simulator.
pub trait Journal: Send + Sync + 'static {
    /// Name for metrics and people: `postgres`, `local`.
    fn name(&self) -> &'static str;

    /// How many commit lanes serve this journal well; at least 1.
    fn lanes(&self) -> usize;

    /// Opens the writer of one lane. Called once for each lane; the writer is never shared or cancelled.
    fn writer(&self) -> BoxFuture<'_, Result<Box<dyn JournalWriter>, JournalError>>;

    /// Registers a new event and makes this process its first owner.
    ///
    /// Errors: [`JournalError::Taken`] when the id or its route exists.
    fn create(&self, event_id: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>>;

    /// Makes this process the owner of an existing event, under a higher epoch than any before.
    ///
    /// Errors: [`JournalError::NotFound`], [`JournalError::OwnedElsewhere`] while its owner lives.
    fn acquire(&self, event_id: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>>;

    /// The process that lives and owns the event, where that is not this one. Nothing is acquired.
    fn other_owner(&self, _event_id: EventId) -> BoxFuture<'_, Result<Option<Owner>, JournalError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// The event of a route; `None` when no event has it.
    fn resolve(&self, route: Route) -> BoxFuture<'_, Result<Option<EventId>, JournalError>>;

    /// Entries whose last sequence is greater than `after`, in order, at most `entries_max` of them.
    fn read(
        &self,
        event_id: EventId,
        after: Sequence,
        entries_max: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, JournalError>>;

    /// Last sequence of each event that this process may have to project: its own journal's events.
    fn heads(&self) -> BoxFuture<'_, Result<Vec<(EventId, Sequence)>, JournalError>>;

    /// The latest snapshot of an event.
    fn load_snapshot(&self, event_id: EventId) -> BoxFuture<'_, Result<Option<Snapshot>, JournalError>>;

    /// Keeps a snapshot in place of the event's earlier one.
    fn save_snapshot(&self, snapshot: Snapshot) -> BoxFuture<'_, Result<(), JournalError>>;
}

/// Writes batches of one lane.
pub trait JournalWriter: Send {
    /// Makes the entries durable together. An entry is written only if its event's last sequence is just before
    /// its first and the event's epoch is the entry's.
    ///
    /// Returns only when the outcome is known: a lost connection is resolved from the journal itself, never by
    /// writing blindly again. Errors: [`JournalError::Fatal`], after which the process must end.
    fn append<'a>(&'a mut self, entries: &'a [JournalEntry])
    -> BoxFuture<'a, Result<Appended, JournalError>>;
}
