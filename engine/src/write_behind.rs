//! The write-behind driver: projects committed entries after the acknowledgement.
//!
//! Lanes hand over what they committed. What does not fit the queue is not kept: the driver sees the gap and reads
//! it back from the journal, so memory stays flat however far the database falls behind.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use onsale_domain::{EventId, Sequence, UnixMillis};
use tokio::sync::{Notify, mpsc, watch};

use crate::cell::EventCell;
use crate::config::{
    PROJECTION_BATCH_RECORDS, READ_ENTRIES_MAX, WRITE_BEHIND_QUEUE_ENTRIES, WRITE_BEHIND_QUEUE_RECORDS,
};
use crate::lane::count;
use crate::metrics::Metrics;
use crate::port::{Clock, Journal, JournalEntry, ProjectionError, ProjectionSink};

/// Pause between two projections while nobody waits for one: larger transactions cost less for each record.
const PAUSE: Duration = Duration::from_millis(100);
/// How often the driver looks for gaps that no new entry shows.
const IDLE_CHECK: Duration = Duration::from_millis(500);
/// Longest pause between two tries while the database is away.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// An event whose projection is behind.
#[derive(Clone, Copy, Debug)]
struct Progress {
    projected: Sequence,
    committed: Sequence,
    behind_since: UnixMillis,
}

/// The queue to the driver, and how far it is.
pub(crate) struct WriteBehind {
    queue: mpsc::Sender<JournalEntry>,
    queued_records: AtomicU64,
    backlog_records: AtomicU64,
    /// Only the events that are behind.
    behind: Mutex<HashMap<EventId, Progress>>,
    /// Ticks after every projection.
    projected: watch::Sender<()>,
    hurry: Notify,
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
        self.note_behind(cell.event_id, entry.first_seq - 1, entry.last_seq);
        let records = records_of(&entry);
        let queued = self.queued_records.fetch_add(records, Ordering::AcqRel);
        if queued + records > WRITE_BEHIND_QUEUE_RECORDS || self.queue.try_send(entry).is_err() {
            self.queued_records.fetch_sub(records, Ordering::AcqRel);
        }
    }

    /// Notes that records after `projected` up to `committed` must be projected.
    pub(crate) fn note_behind(&self, event_id: EventId, projected: Sequence, committed: Sequence) {
        let behind_since = self.clock.now();
        let mut behind = self.lock();
        let progress = behind.entry(event_id).or_insert(Progress {
            projected,
            committed: projected,
            behind_since,
        });
        let added = committed.saturating_sub(progress.committed);
        progress.committed += added;
        self.backlog_records.fetch_add(added, Ordering::AcqRel);
    }

    /// Committed records that are not projected.
    pub(crate) fn backlog_records(&self) -> u64 {
        self.backlog_records.load(Ordering::Acquire)
    }

    /// Age of the oldest committed record that is not projected.
    pub(crate) fn lag_ms(&self) -> u64 {
        let now = self.clock.now();
        let oldest = self.lock().values().map(|progress| progress.behind_since).min();
        oldest.map_or(0, |oldest| u64::try_from(now.ms_since(oldest)).unwrap_or(0))
    }

    /// Events that are behind.
    pub(crate) fn events_behind(&self) -> Vec<EventId> {
        self.lock().keys().copied().collect()
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

    async fn wait_until(&self, reached: impl Fn(&HashMap<EventId, Progress>) -> bool) {
        let mut ticks = self.projected.subscribe();
        while !reached(&self.lock()) {
            self.hurry.notify_one();
            if ticks.changed().await.is_err() {
                return;
            }
        }
    }

    fn projected_of(&self, event_id: EventId) -> Option<Sequence> {
        self.lock().get(&event_id).map(|progress| progress.projected)
    }

    fn advance(&self, event_id: EventId, projected: Sequence) {
        let mut behind = self.lock();
        let Some(progress) = behind.get_mut(&event_id) else {
            return;
        };
        let done = projected.saturating_sub(progress.projected);
        progress.projected += done;
        progress.behind_since = self.clock.now();
        self.backlog_records
            .fetch_sub(done.min(self.backlog_records()), Ordering::AcqRel);
        if progress.projected >= progress.committed {
            behind.remove(&event_id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EventId, Progress>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one task that projects. It ends when the engine is gone.
pub(crate) struct Driver {
    pub(crate) write_behind: Weak<WriteBehind>,
    pub(crate) queue: mpsc::Receiver<JournalEntry>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) sink: Arc<dyn ProjectionSink>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Driver {
    pub(crate) async fn run(mut self) {
        let mut retry = Duration::ZERO;
        loop {
            let Some(first) = self.next_entry().await else {
                return;
            };
            let Some(write_behind) = self.write_behind.upgrade() else {
                return;
            };
            let batch = self.batch(&write_behind, first).await;
            if !batch.is_empty() {
                match self.project(&write_behind, batch).await {
                    Ok(()) => retry = Duration::ZERO,
                    Err(error) => {
                        retry = (retry * 2).clamp(PAUSE, RETRY_MAX);
                        tracing::warn!(%error, retry_ms = retry.as_millis(), "projection failed; will try again");
                        tokio::time::sleep(retry).await;
                    }
                }
            }
            self.metrics
                .lag_records
                .set(count(write_behind.backlog_records()));
            self.metrics
                .lag_seconds
                .set(count(write_behind.lag_ms()) / 1_000.0);
            tokio::select! {
                () = write_behind.hurry.notified() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// The next queued entry; `Some(None)` when it is time to look for gaps; `None` when the engine is gone.
    async fn next_entry(&mut self) -> Option<Option<JournalEntry>> {
        let behind = self.write_behind.upgrade()?.backlog_records() > 0;
        match tokio::time::timeout(if behind { PAUSE } else { IDLE_CHECK }, self.queue.recv()).await {
            Ok(Some(entry)) => Some(Some(entry)),
            Ok(None) => None,
            Err(_) if self.write_behind.strong_count() == 0 => None,
            Err(_) => Some(None),
        }
    }

    /// Queued entries that follow each other, or where some are missing, entries read back from the journal.
    async fn batch(&mut self, write_behind: &WriteBehind, first: Option<JournalEntry>) -> Vec<JournalEntry> {
        let mut batch = Vec::new();
        let mut reached: HashMap<EventId, Sequence> = HashMap::new();
        let mut records = 0;
        let mut gaps = first.is_none();
        let mut next = first;
        while let Some(entry) = next {
            write_behind
                .queued_records
                .fetch_sub(records_of(&entry), Ordering::AcqRel);
            let projected = match reached.get(&entry.event_id) {
                Some(seq) => Some(*seq),
                None => write_behind.projected_of(entry.event_id),
            };
            match projected {
                Some(projected) if entry.first_seq == projected + 1 => {
                    records += records_of(&entry);
                    reached.insert(entry.event_id, entry.last_seq);
                    batch.push(entry);
                }
                Some(projected) if entry.first_seq > projected => gaps = true,
                // Projected already, after having been read back.
                Some(_) | None => {}
            }
            next = if records < PROJECTION_BATCH_RECORDS {
                self.queue.try_recv().ok()
            } else {
                None
            };
        }
        if batch.is_empty() && gaps {
            self.read_back(write_behind).await
        } else {
            batch
        }
    }

    async fn read_back(&self, write_behind: &WriteBehind) -> Vec<JournalEntry> {
        let mut batch = Vec::new();
        let mut records = 0;
        for event_id in write_behind.events_behind() {
            let Some(mut after) = write_behind.projected_of(event_id) else {
                continue;
            };
            while records < PROJECTION_BATCH_RECORDS {
                let entries = match self.journal.read(event_id, after, READ_ENTRIES_MAX).await {
                    Ok(entries) => entries,
                    Err(error) => {
                        tracing::warn!(%event_id, %error, "could not read back for projection");
                        break;
                    }
                };
                let Some(last) = entries.last() else { break };
                after = last.last_seq;
                records += entries.iter().map(records_of).sum::<u64>();
                batch.extend(entries);
            }
        }
        batch
    }

    async fn project(
        &self,
        write_behind: &WriteBehind,
        batch: Vec<JournalEntry>,
    ) -> Result<(), ProjectionError> {
        match self.sink.project(&batch).await {
            Ok(()) => {
                for entry in &batch {
                    write_behind.advance(entry.event_id, entry.last_seq);
                }
            }
            // The answer to an earlier commit was lost, or an earlier owner projected: go on from where it stands.
            Err(ProjectionError::WatermarkMoved {
                event_id,
                watermark,
                expected,
            }) if watermark > expected => {
                write_behind.advance(event_id, watermark);
            }
            Err(error) => return Err(error),
        }
        write_behind.projected.send_replace(());
        Ok(())
    }
}

fn records_of(entry: &JournalEntry) -> u64 {
    entry.last_seq - entry.first_seq + 1
}
