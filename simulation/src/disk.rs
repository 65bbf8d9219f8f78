//! The storage: a file of frames that a power loss may cut, and the fence in front of it.
//!
//! What is written can be read at once (the page cache), but only what is synced survives a power loss. A frame is
//! one journal entry, or a mark of a new owner: an entry without records.

use onsale_domain::{EventId, Sequence};
use onsale_engine::port::{Chain, Epoch, JournalEntry, Snapshot};

use crate::fault::Bug;
use crate::rng::Rng;

/// Bytes of a frame before its payload: payload length, epoch, first and last sequence, chain.
const HEADER_BYTES: usize = 4 + 8 + 8 + 8 + 32;
const SECTOR_BYTES: usize = 64;

/// Where the journal stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) epoch: Epoch,
    pub(crate) last_seq: Sequence,
    pub(crate) chain: Chain,
}

/// What a fenced write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Done,
    Fenced,
}

/// What a power loss took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lost {
    pub(crate) whole_entries: bool,
    pub(crate) torn: bool,
}

#[derive(Debug)]
pub(crate) struct Disk {
    event_id: EventId,
    bytes: Vec<u8>,
    synced: usize,
    head: Head,
    snapshot: Option<Snapshot>,
    bug: Option<Bug>,
}

impl Disk {
    pub(crate) fn new(event_id: EventId, bug: Option<Bug>) -> Self {
        Self {
            event_id,
            bytes: Vec::new(),
            synced: 0,
            head: Head::default(),
            snapshot: None,
            bug,
        }
    }

    pub(crate) const fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    pub(crate) fn keep_snapshot(&mut self, snapshot: Snapshot) {
        self.snapshot = Some(snapshot);
    }

    /// A new owner's epoch, durable. Syncing it syncs everything before it.
    pub(crate) fn acquire(&mut self) -> Epoch {
        let Head { epoch, last_seq, .. } = self.head;
        let epoch = match self.bug {
            Some(Bug::KeepEpoch) if epoch.0 > 0 => epoch,
            _ => Epoch(epoch.0 + 1),
        };
        let mut mark = JournalEntry {
            event_id: self.event_id,
            epoch,
            first_seq: last_seq + 1,
            last_seq,
            chain: Chain::default(),
            payload: Vec::new().into(),
        };
        mark.chain = mark.chain_after(self.head.chain);
        self.bytes.extend(frame(&mark));
        self.head.epoch = epoch;
        self.sync();
        epoch
    }

    /// Writes an entry if its epoch and its previous sequence are the journal's.
    pub(crate) fn append(&mut self, entry: &JournalEntry) -> Write {
        let epoch_matches = entry.epoch == self.head.epoch || self.bug == Some(Bug::IgnoreEpoch);
        let seq_matches = entry.first_seq == self.head.last_seq + 1 || self.bug == Some(Bug::RetryBlindly);
        if !epoch_matches || !seq_matches {
            return Write::Fenced;
        }
        self.bytes.extend(frame(entry));
        self.head.last_seq = entry.last_seq;
        self.head.chain = entry.chain;
        Write::Done
    }

    pub(crate) const fn sync(&mut self) {
        self.synced = self.bytes.len();
    }

    /// Undoes an entry that is not synced, as a transaction is that never committed. Whether there was one.
    pub(crate) fn undo(&mut self, entry: &JournalEntry) -> bool {
        let is_last = self.bytes.len() > self.synced && self.head.chain == entry.chain;
        if is_last {
            self.bytes.truncate(self.synced);
            self.read_head();
        }
        is_last
    }

    /// Power loss: any sectors of the tail that was not synced may be gone, and its end may be torn. Whatever does
    /// not read as entries in order is cut off, which is what opening the journal again does.
    pub(crate) fn lose_power(&mut self, rng: &mut Rng) -> Lost {
        let written = self.entries().len();
        let tail = self.bytes.len() - self.synced;
        self.bytes.truncate(self.synced + rng.below(tail + 1));
        if rng.once_in(3) {
            for sector in self.bytes[self.synced..].chunks_mut(SECTOR_BYTES) {
                if rng.once_in(4) {
                    sector.fill(0);
                }
            }
        }
        let survived = self.bytes.len();
        let (frames, valid) = scan(self.event_id, &self.bytes);
        self.bytes.truncate(valid);
        self.read_head();
        self.sync();
        Lost {
            whole_entries: frames.iter().filter(|frame| !is_mark(frame)).count() < written,
            torn: valid < survived,
        }
    }

    /// The entries that can be read, synced or not.
    pub(crate) fn entries(&self) -> Vec<JournalEntry> {
        let (mut frames, _) = scan(self.event_id, &self.bytes);
        frames.retain(|frame| !is_mark(frame));
        frames
    }

    /// Synced frames from a byte on, and where they end.
    pub(crate) fn synced_since(&self, from: usize, before: Chain) -> (Vec<JournalEntry>, usize) {
        let (frames, length) = scan_after(self.event_id, &self.bytes[from..self.synced], before);
        (frames, from + length)
    }

    pub(crate) const fn synced_bytes(&self) -> usize {
        self.synced
    }

    fn read_head(&mut self) {
        self.head = Head::default();
        for frame in scan(self.event_id, &self.bytes).0 {
            self.head.epoch = self.head.epoch.max(frame.epoch);
            if !is_mark(&frame) {
                self.head.last_seq = frame.last_seq;
                self.head.chain = frame.chain;
            }
        }
    }
}

/// Whether a frame is a mark of a new owner and no entry.
pub(crate) const fn is_mark(frame: &JournalEntry) -> bool {
    frame.last_seq < frame.first_seq
}

fn frame(entry: &JournalEntry) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + entry.payload.len());
    bytes.extend(
        u32::try_from(entry.payload.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes(),
    );
    bytes.extend(entry.epoch.0.to_be_bytes());
    bytes.extend(entry.first_seq.to_be_bytes());
    bytes.extend(entry.last_seq.to_be_bytes());
    bytes.extend(entry.chain.0);
    bytes.extend_from_slice(&entry.payload);
    bytes
}

fn scan(event_id: EventId, bytes: &[u8]) -> (Vec<JournalEntry>, usize) {
    scan_after(event_id, bytes, Chain::default())
}

/// The frames that read well, and how many bytes they take.
fn scan_after(event_id: EventId, bytes: &[u8], mut chain: Chain) -> (Vec<JournalEntry>, usize) {
    let mut frames = Vec::new();
    let mut at = 0;
    while let Some((frame, length)) = read_frame(event_id, &bytes[at..]) {
        if frame.chain_after(chain) != frame.chain {
            break;
        }
        if !is_mark(&frame) {
            chain = frame.chain;
        }
        at += length;
        frames.push(frame);
    }
    (frames, at)
}

fn read_frame(event_id: EventId, bytes: &[u8]) -> Option<(JournalEntry, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (epoch, rest) = rest.split_first_chunk::<8>()?;
    let (first_seq, rest) = rest.split_first_chunk::<8>()?;
    let (last_seq, rest) = rest.split_first_chunk::<8>()?;
    let (chain, rest) = rest.split_first_chunk::<32>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let payload = rest.get(..length)?;
    let entry = JournalEntry {
        event_id,
        epoch: Epoch(i64::from_be_bytes(*epoch)),
        first_seq: Sequence::from_be_bytes(*first_seq),
        last_seq: Sequence::from_be_bytes(*last_seq),
        chain: Chain(*chain),
        payload: payload.to_vec().into(),
    };
    Some((entry, HEADER_BYTES + length))
}
