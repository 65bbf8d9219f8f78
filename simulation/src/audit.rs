//! The auditor: reads the durable journal as it grows and holds every answer against it.

use std::collections::BTreeMap;

use onsale_domain::codec::decode_records;
use onsale_domain::id::KeyDigest;
use onsale_domain::record::KeyBinding;
use onsale_domain::{HoldId, Inventory, Record, Sequence};
use onsale_engine::port::{Chain, Epoch, JournalEntry};

use crate::books::Books;
use crate::disk::{Disk, is_mark};
use crate::fault::Broken;

/// An answer that reached a client.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) seq: Sequence,
    /// The request's key, where a record answers it.
    pub(crate) key: Option<KeyBinding>,
    /// The record, where the answer is a new one.
    pub(crate) record: Option<Record>,
}

#[derive(Debug, Default)]
pub(crate) struct Auditor {
    /// Bytes of the journal that were read.
    read: usize,
    epoch: Epoch,
    chain: Chain,
    /// The fold of the durable journal.
    pub(crate) inventory: Inventory,
    pub(crate) journal: Vec<Record>,
    books: Books,
    /// The last record of each key.
    keys: BTreeMap<KeyDigest, Sequence>,
    /// The keys that payments began under.
    began: BTreeMap<HoldId, KeyBinding>,
    acknowledged: Vec<Acknowledged>,
    /// Which process acknowledged under which epoch.
    owners: BTreeMap<i64, usize>,
    answers: BTreeMap<KeyDigest, Sequence>,
}

impl Auditor {
    /// Reads what has become durable since the last time (I1, I2, I6, I12, I15, and at most one effect of a key: I5).
    pub(crate) fn read(&mut self, disk: &Disk) -> Result<(), Broken> {
        if disk.synced_bytes() < self.read {
            return Err(Broken::new("I6", "the durable journal became shorter"));
        }
        let (frames, end) = disk.synced_since(self.read, self.chain);
        for frame in &frames {
            if is_mark(frame) {
                if frame.epoch <= self.epoch {
                    return Err(Broken::new(
                        "I6",
                        format!("{:?} follows {:?}", frame.epoch, self.epoch),
                    ));
                }
                self.epoch = frame.epoch;
            } else {
                self.read_entry(frame)?;
            }
        }
        self.read = end;
        if end < disk.synced_bytes() {
            return Err(Broken::new(
                "I6",
                format!("the durable journal is damaged at byte {end}"),
            ));
        }
        Ok(())
    }

    fn read_entry(&mut self, entry: &JournalEntry) -> Result<(), Broken> {
        if entry.epoch != self.epoch {
            let detail = format!(
                "an entry of {:?} was written after {:?} began",
                entry.epoch, self.epoch
            );
            return Err(Broken::new("I14", detail));
        }
        let records = decode_records(&entry.payload).map_err(|error| Broken::new("I6", error.to_string()))?;
        let seq = self.inventory.seq();
        let length = Sequence::try_from(records.len()).unwrap_or(Sequence::MAX);
        if entry.first_seq != seq + 1 || entry.last_seq != seq + length {
            let detail = format!("{} to {} follow {seq}", entry.first_seq, entry.last_seq);
            return Err(Broken::new("I6", detail));
        }
        for record in records {
            self.check_expiry(&record)?;
            self.books.enter(&record)?;
            self.inventory
                .replay(&record)
                .map_err(|violation| Broken::new(violation.invariant, violation.to_string()))?;
            self.note_key(&record)?;
            self.journal.push(record);
        }
        self.books.check_sums()?;
        self.inventory
            .check_invariants()
            .map_err(|violation| Broken::new(violation.invariant, violation.to_string()))?;
        self.chain = entry.chain;
        Ok(())
    }

    /// No hold ends before its deadline (I10).
    fn check_expiry(&self, record: &Record) -> Result<(), Broken> {
        let Record::HoldsExpired { at, holds } = record else {
            return Ok(());
        };
        let is_early = |id| self.inventory.hold(id).is_some_and(|hold| hold.expires_at > *at);
        match holds.iter().find(|expired| is_early(expired.hold_id)) {
            Some(expired) => Err(Broken::new(
                "I10",
                format!("hold {} expired early", expired.hold_id),
            )),
            None => Ok(()),
        }
    }

    fn note_key(&mut self, record: &Record) -> Result<(), Broken> {
        let Some(KeyBinding { key, .. }) = record.key() else {
            return Ok(());
        };
        if let (Some(hold_id), Some(binding)) = (began(record), record.key()) {
            self.began.insert(hold_id, binding);
        }
        match self.keys.insert(key, self.inventory.seq()) {
            Some(earlier) if !self.record(earlier).is_some_and(|first| decides(first, record)) => Err(
                Broken::new("I5", format!("a key led to record {earlier} and another one")),
            ),
            Some(_) | None => Ok(()),
        }
    }

    fn record(&self, seq: Sequence) -> Option<&Record> {
        self.journal.get(usize::try_from(seq).ok()?.checked_sub(1)?)
    }

    /// Whether a key may have been answered with both: its payment began, and was decided.
    fn are_first_and_final(&self, one: Sequence, other: Sequence) -> bool {
        let (first, last) = (self.record(one.min(other)), self.record(one.max(other)));
        first.zip(last).is_some_and(|(first, last)| decides(first, last))
    }

    /// Notes an answer. `floor` is the highest sequence that any client knew when the request was sent (I4).
    pub(crate) fn note(
        &mut self,
        answer: Acknowledged,
        floor: Sequence,
        (epoch, process): (Epoch, usize),
    ) -> Result<(), Broken> {
        if *self.owners.entry(epoch.0).or_insert(process) != process {
            return Err(Broken::new(
                "I14",
                format!("two processes acknowledged under {epoch:?}"),
            ));
        }
        if answer.record.is_some() && answer.seq <= floor {
            return Err(Broken::new(
                "I4",
                format!("{} answers a request sent after {floor}", answer.seq),
            ));
        }
        let other_key = |record: &Record| record.key() != answer.key;
        if let Some(binding) = answer.key
            && !answer.record.as_ref().is_some_and(other_key)
        {
            let first = *self.answers.entry(binding.key).or_insert(answer.seq);
            if first != answer.seq && !self.are_first_and_final(first, answer.seq) {
                return Err(Broken::new(
                    "I5",
                    format!("a key was answered {first} and {}", answer.seq),
                ));
            }
        }
        if answer.key.is_some() || answer.record.is_some() {
            self.acknowledged.push(answer);
        }
        Ok(())
    }

    pub(crate) fn highest_acknowledged(&self) -> Sequence {
        self.acknowledged
            .iter()
            .map(|answer| answer.seq)
            .max()
            .unwrap_or(0)
    }

    /// Every answer stands in the durable journal (I7).
    pub(crate) fn check_acknowledged(&self) -> Result<(), Broken> {
        for answer in &self.acknowledged {
            let lost = || Broken::new("I7", format!("acknowledged record {} is not durable", answer.seq));
            let durable = self.record(answer.seq).ok_or_else(lost)?;
            if answer.record.as_ref().is_some_and(|record| record != durable) {
                return Err(lost());
            }
            // The outcome of a payment answers the key that it began under, whoever brings it.
            let began = decided(durable).and_then(|hold_id| self.began.get(&hold_id).copied());
            let is_bound = answer.record.is_some() && durable.key() == began;
            if answer.key.is_some() && durable.key() != answer.key && !is_bound {
                return Err(lost());
            }
        }
        Ok(())
    }
}

/// The hold whose payment begins with a record.
fn began(record: &Record) -> Option<HoldId> {
    match record {
        Record::HoldPlaced(placed) => placed.payment.map(|_| placed.hold_id),
        Record::PaymentStarted(started) => Some(started.hold_id),
        _ => None,
    }
}

/// The hold whose payment is decided by a record.
fn decided(record: &Record) -> Option<HoldId> {
    match record {
        Record::HoldConfirmed(order) | Record::HoldReclaimed(order) => Some(order.hold_id),
        Record::HoldReleased(released) => Some(released.hold_id),
        _ => None,
    }
}

/// Whether a record decides the payment that another one began.
fn decides(first: &Record, last: &Record) -> bool {
    began(first).is_some() && began(first) == decided(last)
}
