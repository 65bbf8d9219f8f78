//! Write-behind: what is committed and not projected yet.
//!
//! Lanes hand over what they committed. What does not fit the queue is not kept: the event has a gap then, which the
//! driver (`projector.rs`) reads back from the journal, so memory stays flat however far the database falls behind.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onsale_domain::{EventId, Sequence, UnixMillis};
use tokio::sync::{Notify, mpsc, watch};

use crate::cell::EventCell;
use crate::config::{PROJECTION_BATCH_RECORDS, WRITE_BEHIND_QUEUE_ENTRIES, WRITE_BEHIND_QUEUE_RECORDS};
use crate::port::{Clock, JournalEntry};

/// Pause between two projections while nobody waits for one: larger transactions cost less for each record.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);
/// Marks of commit times that one event keeps; an outage longer than these cover shows a lag that is too large.
const MARKS_MAX: usize = 4_096;
/// Shortest time between two marks.
const MARK_EVERY_MS: i64 = 100;

/// An event whose projection is behind.
#[derive(Clone, Debug)]
struct Progress {
    projected: Sequence,
    committed: Sequence,
    /// Records are missing from the queue: the driver reads them back, and nothing is queued meanwhile.
    gap: bool,
    /// The last try failed: rounds of the projector before the next one.
    rounds_off: u32,
    /// When records up to which sequence were committed, oldest first.
    marks: VecDeque<(Sequence, UnixMillis)>,
}

/// An event to be read back from the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) event_id: EventId,
    pub(crate) projected: Sequence,
}

/// The queue to the driver, and how far it is.
pub(crate) struct WriteBehind {
    queue: mpsc::Sender<JournalEntry>,
    queued_records: AtomicU64,
    backlog_records: AtomicU64,
    /// Only the events that are behind.
    behind: Mutex<BTreeMap<EventId, Progress>>,
    /// Ticks after every projection.
    pub(crate) projected: watch::Sender<()>,
    pub(crate) hurry: Notify,
    clock: Arc<dyn Clock>,
}

impl WriteBehind {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> (Arc<Self>, mpsc::Receiver<JournalEntry>) {
        let (queue, receiver) = mpsc::channel(WRITE_BEHIND_QUEUE_ENTRIES);
        let write_behind = Self {
            queue,
            queued_records: AtomicU64::new(0),
            backlog_records: AtomicU64::new(0),
            behind: Mutex::default(),
            projected: watch::Sender::new(()),
            hurry: Notify::new(),
            clock,
        };
        (Arc::new(write_behind), receiver)
    }

    /// Takes what a lane committed. Never waits.
    pub(crate) fn committed(&self, cell: &EventCell, entry: JournalEntry) {
        let event_id = cell.event_id;
        if self.note(event_id, entry.first_seq - 1, entry.last_seq, false) {
            return;
        }
        let records = records_of(&entry);
        let queued = self.queued_records.fetch_add(records, Ordering::AcqRel);
        if queued + records > WRITE_BEHIND_QUEUE_RECORDS || self.queue.try_send(entry).is_err() {
            self.queued_records.fetch_sub(records, Ordering::AcqRel);
            self.open_gap(event_id);
        }
    }

    /// Notes that records after `projected` up to `committed` must be read back and projected.
    pub(crate) fn note_behind(&self, event_id: EventId, projected: Sequence, committed: Sequence) {
        self.note(event_id, projected, committed, true);
        self.hurry.notify_one();
    }

    /// Whether the event has a gap, so that nothing of it need be queued.
    fn note(&self, event_id: EventId, projected: Sequence, committed: Sequence, gap: bool) -> bool {
        let now = self.clock.now();
        let mut behind = self.lock();
        let progress = behind.entry(event_id).or_insert_with(|| Progress {
            projected,
            committed: projected,
            gap,
            rounds_off: 0,
            marks: VecDeque::new(),
        });
        progress.gap |= gap;
        let added = committed.saturating_sub(progress.committed);
        progress.committed += added;
        let is_old = |(_, at): &(Sequence, UnixMillis)| now.ms_since(*at) >= MARK_EVERY_MS;
        if progress.marks.back().is_none_or(is_old) && progress.marks.len() < MARKS_MAX {
            progress.marks.push_back((progress.committed, now));
        } else if let Some((seq, _)) = progress.marks.back_mut() {
            *seq = progress.committed;
        }
        self.backlog_records.fetch_add(added, Ordering::AcqRel);
        progress.gap
    }

    /// Records of the event were dropped: they must be read back.
    pub(crate) fn open_gap(&self, event_id: EventId) {
        if let Some(progress) = self.lock().get_mut(&event_id) {
            progress.gap = true;
        }
        self.hurry.notify_one();
    }

    /// The next event after `last`, in a round, that must be read back and may be tried now. Where little is left,
    /// the gap is closed first: what is committed from then on is queued, and the reading covers the rest.
    pub(crate) fn next_gap(&self, last: Option<EventId>) -> Option<Gap> {
        let mut behind = self.lock();
        let is_due = |progress: &Progress| progress.gap && progress.rounds_off == 0;
        let after = |event_id: &EventId| last.is_none_or(|last| *event_id > last);
        let due = || {
            behind
                .iter()
                .filter(|(_, progress)| is_due(progress))
                .map(|(event_id, _)| *event_id)
        };
        let event_id = due().find(after).or_else(|| due().next())?;
        let progress = behind.get_mut(&event_id)?;
        if progress.committed - progress.projected <= PROJECTION_BATCH_RECORDS {
            progress.gap = false;
        }
        Some(Gap {
            event_id,
            projected: progress.projected,
        })
    }

    /// Whether some event must be read back, now or later.
    pub(crate) fn has_gaps(&self) -> bool {
        self.lock().values().any(|progress| progress.gap)
    }

    /// Leaves the event alone for some rounds; then it is read back.
    pub(crate) fn put_off(&self, event_id: EventId, rounds: u32) {
        if let Some(progress) = self.lock().get_mut(&event_id) {
            progress.gap = true;
            progress.rounds_off = rounds;
        }
    }

    /// A round of the projector is over. Whether some event is to be read back in the next one.
    pub(crate) fn end_round(&self) -> bool {
        let mut due = false;
        for progress in self.lock().values_mut().filter(|progress| progress.gap) {
            progress.rounds_off = progress.rounds_off.saturating_sub(1);
            due |= progress.rounds_off == 0;
        }
        due
    }

    /// Where the next queued entry of an event must start; `None` where entries from the queue are not wanted.
    pub(crate) fn queue_position(&self, event_id: EventId) -> Option<Sequence> {
        self.lock()
            .get(&event_id)
            .filter(|progress| !progress.gap)
            .map(|progress| progress.projected)
    }

    /// Called when an entry has left the queue.
    pub(crate) fn unqueued(&self, entry: &JournalEntry) {
        self.queued_records.fetch_sub(records_of(entry), Ordering::AcqRel);
    }

    /// Committed records that are not projected.
    pub(crate) fn backlog_records(&self) -> u64 {
        self.backlog_records.load(Ordering::Acquire)
    }

    /// How many events are behind: with their records in the queue, and with a gap that is read back from the journal.
    pub(crate) fn events_behind(&self) -> (usize, usize) {
        let behind = self.lock();
        let gaps = behind.values().filter(|progress| progress.gap).count();
        (behind.len() - gaps, gaps)
    }

    /// Age of the oldest committed record that is not projected.
    pub(crate) fn lag_ms(&self) -> u64 {
        let now = self.clock.now();
        let oldest = self
            .lock()
            .values()
            .filter_map(|progress| progress.marks.front())
            .map(|(_, at)| *at)
            .min();
        oldest.map_or(0, |oldest| u64::try_from(now.ms_since(oldest)).unwrap_or(0))
    }

    /// Waits until everything of the event that is committed now is projected.
    pub(crate) async fn wait_projected(&self, event_id: EventId) {
        let Some(target) = self.lock().get(&event_id).map(|progress| progress.committed) else {
            return;
        };
        self.wait_until(|behind| {
            behind
                .get(&event_id)
                .is_none_or(|progress| progress.projected >= target)
        })
        .await;
    }

    /// Waits until everything that is committed now is projected.
    pub(crate) async fn wait_all_projected(&self) {
        let targets: Vec<(EventId, Sequence)> = self
            .lock()
            .iter()
            .map(|(event_id, progress)| (*event_id, progress.committed))
            .collect();
        self.wait_until(|behind| {
            targets.iter().all(|(event_id, target)| {
                behind
                    .get(event_id)
                    .is_none_or(|progress| progress.projected >= *target)
            })
        })
        .await;
    }

    async fn wait_until(&self, reached: impl Fn(&BTreeMap<EventId, Progress>) -> bool) {
        let mut ticks = self.projected.subscribe();
        while !reached(&self.lock()) {
            self.hurry.notify_one();
            if ticks.changed().await.is_err() {
                return;
            }
        }
    }

    /// Moves an event's watermark to where the database has it: forward after a projection, and also back where the
    /// database lost what it had not synced.
    pub(crate) fn set_projected(&self, event_id: EventId, projected: Sequence) {
        let mut behind = self.lock();
        let Some(progress) = behind.get_mut(&event_id) else {
            return;
        };
        if projected >= progress.projected {
            let done = (projected - progress.projected).min(self.backlog_records());
            self.backlog_records.fetch_sub(done, Ordering::AcqRel);
        } else {
            self.backlog_records
                .fetch_add(progress.projected - projected, Ordering::AcqRel);
            progress.gap = true;
        }
        progress.projected = projected;
        progress.rounds_off = 0;
        while progress.marks.front().is_some_and(|(seq, _)| *seq <= projected) {
            progress.marks.pop_front();
        }
        if progress.projected >= progress.committed {
            behind.remove(&event_id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<EventId, Progress>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn records_of(entry: &JournalEntry) -> u64 {
    entry.last_seq - entry.first_seq + 1
}
