//! Reads an event's journal from the first record to the last.

use anyhow::Context as _;
use onsale_domain::{EventId, Inventory, Record, Sequence, codec};
use onsale_engine::port::{Journal, JournalError, Snapshot};
use onsale_engine::replay::{Damage, Replayer};

use super::Stop;
use super::clients::{self, ToldOrders};
use super::compare::Difference;
use super::expected::Expected;

/// Entries read at once.
const PAGE_ENTRIES: usize = 256;
/// Records between two full recounts; one more follows at the end.
const RECOUNT_EVERY_RECORDS: Sequence = 10_000;

/// What the journal comes to.
pub(super) struct Folded {
    /// Sequence of the last record.
    pub(super) records: Sequence,
    /// The rows that must follow from the records up to the tables' watermark.
    pub(super) expected: Expected,
}

struct Walk {
    event_id: EventId,
    replayer: Replayer,
    watermark: Sequence,
    expected: Expected,
    snapshot: Option<Snapshot>,
    recounted_at: Sequence,
    /// What clients were told of and no record has shown yet.
    told: ToldOrders,
}

/// Folds everything, verifying chain, sequence and epoch of each entry, and the state on the way.
pub(super) async fn fold(
    journal: &dyn Journal,
    event_id: EventId,
    watermark: Sequence,
    told: ToldOrders,
) -> Result<Folded, Stop> {
    let mut walk = Walk {
        event_id,
        replayer: Replayer::new(event_id),
        watermark,
        expected: Expected::default(),
        snapshot: read(event_id, journal.load_snapshot(event_id).await)?,
        recounted_at: 0,
        told,
    };
    loop {
        let after = walk.seq();
        let entries = read(event_id, journal.read(event_id, after, PAGE_ENTRIES).await)?;
        for entry in &entries {
            walk.replayer.fold(entry)?;
            let records = codec::decode_records(&entry.payload).context("decoded once already")?;
            if entry.last_seq <= walk.watermark {
                for (seq, record) in (entry.first_seq..).zip(&records) {
                    let folded = walk.expected.fold(seq, record);
                    folded.map_err(|Difference { invariant, what }| Damage {
                        event_id,
                        seq,
                        invariant,
                        reason: what,
                    })?;
                }
            }
            walk.find(&records)?;
            walk.look()?;
        }
        if entries.is_empty() {
            break;
        }
    }
    walk.recount()?;
    if let Some(snapshot) = &walk.snapshot {
        let what = format!("the snapshot is at {}, where no entry ends", snapshot.seq);
        return Err(walk.damage("I6", what).into());
    }
    if let Some(what) = clients::missing(&walk.told) {
        return Err(walk.damage("I7", what).into());
    }
    Ok(Folded {
        records: walk.seq(),
        expected: walk.expected,
    })
}

/// Damaged bytes are a finding, anything else a failure of the audit.
fn read<T>(event_id: EventId, result: Result<T, JournalError>) -> Result<T, Stop> {
    match result {
        Ok(value) => Ok(value),
        Err(JournalError::Damaged(reason)) => Err(Damage {
            event_id,
            seq: 0,
            invariant: "I6",
            reason,
        }
        .into()),
        Err(error) => Err(Stop::Failed(
            anyhow::Error::new(error).context("cannot read the journal"),
        )),
    }
}

impl Walk {
    const fn seq(&self) -> Sequence {
        self.replayer.inventory().seq()
    }

    fn damage(&self, invariant: &'static str, reason: String) -> Damage {
        Damage {
            event_id: self.event_id,
            seq: self.seq(),
            invariant,
            reason,
        }
    }

    /// Crosses off what clients were told of.
    fn find(&mut self, records: &[Record]) -> Result<(), Damage> {
        for record in records {
            if let Record::HoldConfirmed(confirmed) | Record::HoldReclaimed(confirmed) = record {
                let found = clients::found(&mut self.told, confirmed);
                found.map_err(|what| self.damage("I7", what))?;
            }
        }
        Ok(())
    }

    /// What is due after an entry.
    fn look(&mut self) -> Result<(), Damage> {
        if self.seq() == self.watermark {
            self.expected.count(self.replayer.inventory());
        }
        if let Some(snapshot) = self
            .snapshot
            .take_if(|snapshot| snapshot.seq <= self.replayer.inventory().seq())
        {
            self.compare(&snapshot)?;
        }
        if self.seq() - self.recounted_at >= RECOUNT_EVERY_RECORDS {
            self.recount()?;
        }
        Ok(())
    }

    fn recount(&mut self) -> Result<(), Damage> {
        self.recounted_at = self.seq();
        let counted = self.replayer.inventory().check_invariants();
        counted.map_err(|violation| self.damage(violation.invariant, violation.detail.to_owned()))
    }

    /// The snapshot must be the fold of the records before it.
    fn compare(&self, snapshot: &Snapshot) -> Result<(), Damage> {
        let stored: Inventory = codec::decode_snapshot(&snapshot.state)
            .map_err(|error| self.damage("I6", format!("the snapshot: {error}")))?;
        if stored != *self.replayer.inventory() {
            return Err(self.damage(
                "I6",
                format!("the snapshot at {} is not the fold of the records", snapshot.seq),
            ));
        }
        let here = self
            .replayer
            .snapshot()
            .map_err(|error| self.damage("I6", error.to_string()))?;
        if here.chain != snapshot.chain {
            return Err(self.damage(
                "I6",
                format!("the snapshot at {} has another chain", snapshot.seq),
            ));
        }
        Ok(())
    }
}
