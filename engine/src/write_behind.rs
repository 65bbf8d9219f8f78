//! Write-behind: what is committed and not projected yet.
//!
//! Lanes hand over what they committed. What does not fit the queue is not kept: the event has a gap then, which the
//! driver (`projector.rs`) reads back from the journal, so memory stays flat however far the database falls behind.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onsale_domain::{EventId, Sequence, UnixMillis};
use tokio::sync::{Notify, mpsc, watch};

use crate::cell::EventCell;
use crate::config::{PROJECTION_BATCH_RECORDS, WRITE_BEHIND_QUEUE_ENTRIES, WRITE_BEHIND_QUEUE_RECORDS};
use crate::port::{Clock, JournalEntry};
use crate::trace::Place;

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
    /// When records up to which sequence were committed, oldest first.
    marks: VecDeque<(Sequence, UnixMillis)>,
}

/// The events that are behind, and those of them that records are missing of from the queue: the driver reads these back,
/// and nothing of them is queued meanwhile. However many there are, finding the next is one look.
#[derive(Default)]
struct Behind {
    events: BTreeMap<EventId, Progress>,
    /// With the round of the projector before which it is left alone, because its last try failed.
    gaps: BTreeMap<EventId, u64>,
    /// Rounds of the projector that are over.
    round: u64,
}

impl Behind {
    /// Opens a gap where there is none. An event that is left alone stays so.
    fn open_gap(&mut self, event_id: EventId) {
        if self.events.contains_key(&event_id) {
            self.gaps.entry(event_id).or_default();
        }
    }
}

/// An event to be read back from the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) event_id: EventId,
    pub(crate) projected: Sequence,
}

/// What a lane has committed of an event, and where the traced requests are that led to it.
pub(crate) struct Committed {
    pub(crate) entry: JournalEntry,
    pub(crate) traced: Vec<Place>,
}

/// The queue to the driver, and how far it is.
pub(crate) struct WriteBehind {
    queue: mpsc::Sender<Committed>,
    queued_records: AtomicU64,
    backlog_records: AtomicU64,
    behind: Mutex<Behind>,
    /// Ticks after every projection.
    pub(crate) projected: watch::Sender<()>,
    pub(crate) hurry: Notify,
    clock: Arc<dyn Clock>,
}

impl WriteBehind {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> (Arc<Self>, mpsc::Receiver<Committed>) {
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
    pub(crate) fn committed(&self, cell: &EventCell, committed: Committed) {
        let event_id = cell.event_id;
        let entry = &committed.entry;
        if self.note(event_id, entry.first_seq - 1, entry.last_seq, false) {
            return;
        }
        let records = records_of(entry);
        let queued = self.queued_records.fetch_add(records, Ordering::AcqRel);
        if queued + records > WRITE_BEHIND_QUEUE_RECORDS || self.queue.try_send(committed).is_err() {
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
        let progress = behind.events.entry(event_id).or_insert_with(|| Progress {
            projected,
            committed: projected,
            marks: VecDeque::new(),
        });
        let added = committed.saturating_sub(progress.committed);
        progress.committed += added;
        let is_old = |(_, at): &(Sequence, UnixMillis)| now.ms_since(*at) >= MARK_EVERY_MS;
        if progress.marks.back().is_none_or(is_old) && progress.marks.len() < MARKS_MAX {
            progress.marks.push_back((progress.committed, now));
        } else if let Some((seq, _)) = progress.marks.back_mut() {
            *seq = progress.committed;
        }
        self.backlog_records.fetch_add(added, Ordering::AcqRel);
        if gap {
            behind.open_gap(event_id);
        }
        behind.gaps.contains_key(&event_id)
    }

    /// Records of the event were dropped: they must be read back.
    pub(crate) fn open_gap(&self, event_id: EventId) {
        self.lock().open_gap(event_id);
        self.hurry.notify_one();
    }

    /// The next event after `last`, in a round, that must be read back and may be tried now. Where little is left,
    /// the gap is closed first: what is committed from then on is queued, and the reading covers the rest.
    pub(crate) fn next_gap(&self, last: Option<EventId>) -> Option<Gap> {
        let mut behind = self.lock();
        let first = last.map_or(Bound::Unbounded, Bound::Excluded);
        let after = behind.gaps.range((first, Bound::Unbounded));
        let (event_id, _) = after
            .chain(&behind.gaps)
            .find(|(_, not_before)| **not_before <= behind.round)?;
        let event_id = *event_id;
        let progress = behind.events.get(&event_id)?;
        let (missing, projected) = (progress.committed - progress.projected, progress.projected);
        if missing <= PROJECTION_BATCH_RECORDS {
            behind.gaps.remove(&event_id);
        }
        Some(Gap { event_id, projected })
    }

    /// Whether some event must be read back, now or later.
    pub(crate) fn has_gaps(&self) -> bool {
        !self.lock().gaps.is_empty()
    }

    /// Leaves the event alone for some rounds; then it is read back.
    pub(crate) fn put_off(&self, event_id: EventId, rounds: u32) {
        let mut behind = self.lock();
        if behind.events.contains_key(&event_id) {
            let not_before = behind.round + u64::from(rounds);
            behind.gaps.insert(event_id, not_before);
        }
    }

    /// A round of the projector is over. Whether some event is to be read back in the next one.
    pub(crate) fn end_round(&self) -> bool {
        let mut behind = self.lock();
        behind.round += 1;
        behind.gaps.values().any(|not_before| *not_before <= behind.round)
    }

    /// Where the next queued entry of an event must start; `None` where entries from the queue are not wanted.
    pub(crate) fn queue_position(&self, event_id: EventId) -> Option<Sequence> {
        let behind = self.lock();
        let is_wanted = !behind.gaps.contains_key(&event_id);
        behind
            .events
            .get(&event_id)
            .filter(|_| is_wanted)
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
        let gaps = behind.gaps.len();
        (behind.events.len() - gaps, gaps)
    }

    /// Age of the oldest committed record that is not projected.
    pub(crate) fn lag_ms(&self) -> u64 {
        let now = self.clock.now();
        let oldest = self
            .lock()
            .events
            .values()
            .filter_map(|progress| progress.marks.front())
            .map(|(_, at)| *at)
            .min();
        oldest.map_or(0, |oldest| u64::try_from(now.ms_since(oldest)).unwrap_or(0))
    }

    /// Waits until everything of the event that is committed now is projected.
    pub(crate) async fn wait_projected(&self, event_id: EventId) {
        let Some(target) = self
            .lock()
            .events
            .get(&event_id)
            .map(|progress| progress.committed)
        else {
            return;
        };
        self.wait_until(|behind| {
            behind
                .events
                .get(&event_id)
                .is_none_or(|progress| progress.projected >= target)
        })
        .await;
    }

    /// Waits until everything that is committed now is projected.
    pub(crate) async fn wait_all_projected(&self) {
        let targets: Vec<(EventId, Sequence)> = self
            .lock()
            .events
            .iter()
            .map(|(event_id, progress)| (*event_id, progress.committed))
            .collect();
        self.wait_until(|behind| {
            targets.iter().all(|(event_id, target)| {
                behind
                    .events
                    .get(event_id)
                    .is_none_or(|progress| progress.projected >= *target)
            })
        })
        .await;
    }

    async fn wait_until(&self, reached: impl Fn(&Behind) -> bool) {
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
        let Some(progress) = behind.events.get_mut(&event_id) else {
            return;
        };
        let went_back = projected < progress.projected;
        if went_back {
            self.backlog_records
                .fetch_add(progress.projected - projected, Ordering::AcqRel);
        } else {
            let done = (projected - progress.projected).min(self.backlog_records());
            self.backlog_records.fetch_sub(done, Ordering::AcqRel);
        }
        progress.projected = projected;
        while progress.marks.front().is_some_and(|(seq, _)| *seq <= projected) {
            progress.marks.pop_front();
        }
        if progress.projected >= progress.committed {
            behind.events.remove(&event_id);
            behind.gaps.remove(&event_id);
            return;
        }
        if went_back {
            behind.open_gap(event_id);
        }
        // It has just been projected: there is no reason to leave it alone.
        if let Some(not_before) = behind.gaps.get_mut(&event_id) {
            *not_before = 0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Behind> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn records_of(entry: &JournalEntry) -> u64 {
    entry.last_seq - entry.first_seq + 1
}
