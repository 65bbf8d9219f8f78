//! One process that owns the event, or believes so: decides in memory, commits in batches, answers what is durable.

use std::collections::VecDeque;

use onsale_domain::codec::{decode_records, decode_snapshot, encode_records, encode_snapshot};
use onsale_domain::{Command, Decision, EventId, Inventory, Record, Refusal, Sequence, UnixMillis};
use onsale_engine::port::{Chain, Epoch, JournalEntry, Snapshot};

use crate::disk::Disk;
use crate::fault::{Broken, Bug};
use crate::mistake;

/// One sending of a client's request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sending {
    pub(crate) request: usize,
    /// The highest sequence that any client knew when it was sent.
    pub(crate) floor: Sequence,
}

/// What a command was answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Recorded(Box<Record>),
    Replayed(Sequence),
    Unchanged,
    Refused,
}

/// A decision whose answer waits for the commit.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) sending: Option<Sending>,
    /// The answer rests on the records up to this one.
    pub(crate) seq: Sequence,
    pub(crate) answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Written,
    /// The answer to the write was lost.
    Unknown,
}

#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) entry: JournalEntry,
    pub(crate) stage: Stage,
}

#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) process: usize,
    pub(crate) epoch: Epoch,
    pub(crate) inventory: Inventory,
    pub(crate) batch: Option<Batch>,
    pub(crate) waiting: VecDeque<Waiting>,
    /// Decided, in no batch yet.
    records: Vec<Record>,
    committed: Sequence,
    /// After the last committed entry.
    chain: Chain,
    bug: Option<Bug>,
}

impl Owner {
    /// Rebuilds the state from the snapshot and the entries after it.
    pub(crate) fn recover(
        process: usize,
        epoch: Epoch,
        disk: &Disk,
        bug: Option<Bug>,
    ) -> Result<Self, Broken> {
        let damaged = |detail: String| Broken::new("I6", format!("recovery: {detail}"));
        let (mut inventory, mut chain) = (Inventory::default(), Chain::default());
        if let Some(snapshot) = disk.snapshot() {
            inventory = decode_snapshot(&snapshot.state).map_err(|error| damaged(error.to_string()))?;
            chain = snapshot.chain;
        }
        let after = inventory.seq();
        for entry in disk.entries().iter().filter(|entry| entry.last_seq > after) {
            if entry.first_seq != inventory.seq() + 1 || entry.chain_after(chain) != entry.chain {
                return Err(damaged(format!(
                    "entry {} does not follow {}",
                    entry.first_seq,
                    inventory.seq()
                )));
            }
            let records = decode_records(&entry.payload).map_err(|error| damaged(error.to_string()))?;
            for record in &records {
                inventory
                    .replay(record)
                    .map_err(|violation| damaged(violation.to_string()))?;
            }
            chain = entry.chain;
        }
        Ok(Self {
            process,
            epoch,
            committed: inventory.seq(),
            inventory,
            batch: None,
            waiting: VecDeque::new(),
            records: Vec::new(),
            chain,
            bug,
        })
    }

    /// Decides a command; the answer waits.
    pub(crate) fn decide(
        &mut self,
        command: &Command,
        now: UnixMillis,
        sending: Option<Sending>,
    ) -> Result<(), Broken> {
        let answer = match self.inventory.apply(command, now) {
            Ok(Decision::Recorded(records)) => {
                let answer = records
                    .last()
                    .cloned()
                    .map_or(Answer::Unchanged, |record| Answer::Recorded(Box::new(record)));
                self.records.extend(records);
                answer
            }
            Ok(Decision::Replayed(seq)) => Answer::Replayed(seq),
            Ok(Decision::Unchanged) => Answer::Unchanged,
            Err(Refusal::Violation(violation)) => {
                return Err(Broken::new(violation.invariant, violation.to_string()));
            }
            Err(refusal) => match mistake::made(self.bug, command, &refusal, &self.inventory, now) {
                Some(record) => {
                    // Rules that forget do not notice either.
                    let _ = self.inventory.replay(&record);
                    self.records.push(record.clone());
                    Answer::Recorded(Box::new(record))
                }
                None => Answer::Refused,
            },
        };
        let seq = self.inventory.seq();
        self.waiting.push_back(Waiting { sending, seq, answer });
        Ok(())
    }

    /// Whether everything decided is committed.
    pub(crate) fn is_settled(&self) -> bool {
        self.records.is_empty() && self.batch.is_none()
    }

    /// The next entry to write: everything decided so far.
    pub(crate) fn next_entry(&mut self, event_id: EventId) -> Result<Option<JournalEntry>, Broken> {
        if self.records.is_empty() {
            return Ok(None);
        }
        let payload =
            encode_records(self.records.iter()).map_err(|error| Broken::new("I6", error.to_string()))?;
        let count = Sequence::try_from(self.records.len()).unwrap_or(Sequence::MAX);
        self.records.clear();
        let mut entry = JournalEntry {
            event_id,
            epoch: self.epoch,
            first_seq: self.committed + 1,
            last_seq: self.committed + count,
            chain: Chain::default(),
            payload: payload.into(),
        };
        entry.chain = entry.chain_after(self.chain);
        Ok(Some(entry))
    }

    /// The batch's entry is durable.
    pub(crate) fn committed(&mut self, entry: &JournalEntry) {
        self.batch = None;
        self.committed = entry.last_seq;
        self.chain = entry.chain;
    }

    /// Takes the answers that may be given: those that rest on committed records only.
    pub(crate) fn due_answers(&mut self, durable: Sequence) -> Vec<Waiting> {
        let mut due = Vec::new();
        while self.waiting.front().is_some_and(|waiting| waiting.seq <= durable) {
            due.extend(self.waiting.pop_front());
        }
        due
    }

    pub(crate) const fn committed_seq(&self) -> Sequence {
        self.committed
    }

    pub(crate) fn snapshot(&self, event_id: EventId) -> Result<Snapshot, Broken> {
        let state = encode_snapshot(&self.inventory).map_err(|error| Broken::new("I6", error.to_string()))?;
        Ok(Snapshot {
            event_id,
            seq: self.inventory.seq(),
            chain: self.chain,
            state: state.into(),
        })
    }
}
