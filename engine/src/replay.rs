//! Reading an event back from its journal: recovery, snapshots and the auditor share this.

use onsale_domain::codec::{self, CodecError};
use onsale_domain::{EventId, Inventory, Sequence};
use thiserror::Error;

use crate::config::READ_ENTRIES_MAX;
use crate::port::{Chain, Epoch, Journal, JournalEntry, JournalError, Snapshot};

/// What is wrong with an event's journal, and where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("event {event_id}, record {seq}: {invariant}: {reason}")]
pub struct Damage {
    /// Which event.
    pub event_id: EventId,
    /// Sequence of the first record that cannot be trusted.
    pub seq: Sequence,
    /// The invariant of the register that does not hold.
    pub invariant: &'static str,
    /// What was found.
    pub reason: String,
}

/// Why an event could not be read back.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The journal's contents are wrong. Reading again will not help.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Folds an event's entries, checking chain, sequence and epoch on the way.
#[derive(Debug)]
pub struct Replayer {
    event_id: EventId,
    inventory: Inventory,
    chain: Chain,
    epoch: Epoch,
}

impl Replayer {
    /// Starts before the first record.
    pub fn new(event_id: EventId) -> Self {
        Self {
            event_id,
            inventory: Inventory::default(),
            chain: Chain::default(),
            epoch: Epoch::default(),
        }
    }

    /// Starts from a snapshot. One of an earlier release is as good as none: the journal is read from its start then.
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Damage> {
        let damage = |reason| Damage {
            event_id: snapshot.event_id,
            seq: snapshot.seq,
            invariant: "I6",
            reason,
        };
        let inventory = match codec::decode_snapshot(&snapshot.state) {
            Ok(inventory) => inventory,
            Err(CodecError::OutdatedSnapshot(_)) => return Ok(Self::new(snapshot.event_id)),
            Err(error) => return Err(damage(error.to_string())),
        };
        if inventory.seq() != snapshot.seq {
            return Err(damage(format!("the snapshot's state is at {}", inventory.seq())));
        }
        Ok(Self {
            event_id: snapshot.event_id,
            inventory,
            chain: snapshot.chain,
            epoch: Epoch::default(),
        })
    }

    /// Folds the next entry.
    pub fn fold(&mut self, entry: &JournalEntry) -> Result<(), Damage> {
        let damage = |invariant, seq, reason: String| {
            Err(Damage {
                event_id: self.event_id,
                seq,
                invariant,
                reason,
            })
        };
        let expected = self.inventory.seq() + 1;
        if entry.first_seq != expected || entry.last_seq < entry.first_seq {
            return damage(
                "I6",
                expected,
                format!("the next entry is {} to {}", entry.first_seq, entry.last_seq),
            );
        }
        if entry.epoch < self.epoch {
            return damage(
                "I6",
                expected,
                format!("the epoch fell from {} to {}", self.epoch.0, entry.epoch.0),
            );
        }
        if entry.chain_after(self.chain) != entry.chain {
            return damage("I6", expected, "the hash chain is broken".to_owned());
        }
        let records = match codec::decode_records(&entry.payload) {
            Ok(records) => records,
            Err(error) => return damage("I6", expected, error.to_string()),
        };
        if u64::try_from(records.len()).ok() != Some(entry.last_seq - entry.first_seq + 1) {
            return damage("I6", expected, format!("the entry has {} records", records.len()));
        }
        for record in &records {
            if let Err(violation) = self.inventory.replay(record) {
                return Err(Damage {
                    event_id: self.event_id,
                    seq: self.inventory.seq() + 1,
                    invariant: violation.invariant,
                    reason: violation.detail.to_owned(),
                });
            }
        }
        self.chain = entry.chain;
        self.epoch = entry.epoch;
        Ok(())
    }

    /// The state after the entries folded so far.
    pub const fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The state and the chain after the entries folded so far.
    pub fn into_parts(self) -> (Inventory, Chain) {
        (self.inventory, self.chain)
    }

    /// A snapshot of the state after the entries folded so far.
    pub fn snapshot(&self) -> Result<Snapshot, CodecError> {
        Ok(Snapshot {
            event_id: self.event_id,
            seq: self.inventory.seq(),
            chain: self.chain,
            state: codec::encode_snapshot(&self.inventory)?.into(),
        })
    }
}

/// Reads an event back from its latest snapshot and the entries after it. Folding runs on the blocking pool.
pub(crate) async fn replay(journal: &dyn Journal, event_id: EventId) -> Result<Replayer, ReplayError> {
    let mut replayer = match journal.load_snapshot(event_id).await? {
        Some(snapshot) => blocking(move || Replayer::from_snapshot(&snapshot)).await?,
        None => Replayer::new(event_id),
    };
    loop {
        let entries = journal
            .read(event_id, replayer.inventory.seq(), READ_ENTRIES_MAX)
            .await?;
        let last_page = entries.len() < READ_ENTRIES_MAX;
        replayer = blocking(move || {
            entries.iter().try_for_each(|entry| replayer.fold(entry))?;
            Ok(replayer)
        })
        .await?;
        if last_page {
            return Ok(replayer);
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Damage> + Send + 'static,
) -> Result<T, ReplayError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(panic) => Err(ReplayError::Journal(JournalError::Damaged(format!(
            "reading back panicked: {panic}"
        )))),
    }
}
