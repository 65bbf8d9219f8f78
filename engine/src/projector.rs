//! The projector: the one task that writes behind.
//!
//! Each round projects what is queued, then reads back the gap of a few events, so that neither starves the other.
//! An event that fails is tried alone and put off: it must not hold up the rest.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use onsale_domain::{EventId, Sequence};
use tokio::sync::mpsc;

use crate::config::{CATCH_UP_ENTRIES_MAX, PROJECTION_BATCH_RECORDS};
use crate::lane::count;
use crate::metrics::Metrics;
use crate::port::clock::Stopwatch;
use crate::port::{Journal, JournalEntry, JournalError, ProjectionError, ProjectionSink};
use crate::trace::{OpenSpan, Place};
use crate::write_behind::{Committed, Gap, PAUSE, WriteBehind, records_of};

/// Most events whose gap is read back in one round.
const GAPS_PER_ROUND: usize = 64;
/// Most rounds that an event which failed is left alone: about five seconds.
const ROUNDS_OFF_MAX: u32 = 50;

/// The task's parts. It ends when the engine is gone.
pub(crate) struct Projector {
    pub(crate) write_behind: Weak<WriteBehind>,
    pub(crate) queue: mpsc::Receiver<Committed>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) sink: Arc<dyn ProjectionSink>,
    pub(crate) metrics: Arc<Metrics>,
    /// Where the round through the gaps stands.
    pub(crate) last_gap: Option<EventId>,
    /// Failures in a row of events that fail.
    pub(crate) failures: HashMap<EventId, u32>,
}

impl Projector {
    pub(crate) async fn run(mut self) {
        while let Some(first) = self.wait().await {
            let Some(write_behind) = self.write_behind.upgrade() else {
                return;
            };
            let (batch, traced) = self.queued(&write_behind, first);
            if !batch.is_empty() {
                self.project(&write_behind, batch, &traced).await;
            }
            let batch = self.read_back(&write_behind).await;
            if !batch.is_empty() {
                self.project(&write_behind, batch, &[]).await;
            }
            if write_behind.end_round() {
                continue;
            }
            tokio::select! {
                () = write_behind.hurry.notified() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// The next queued entry; `Some(None)` when there may be gaps to read back; `None` when the engine is gone.
    async fn wait(&mut self) -> Option<Option<Committed>> {
        if self.write_behind.upgrade()?.has_gaps() {
            return match tokio::time::timeout(Duration::from_millis(1), self.queue.recv()).await {
                Ok(entry) => entry.map(Some),
                Err(_) => Some(None),
            };
        }
        // A gap opens with a commit or a load. The first has just had its turn here, so a short look is enough.
        match tokio::time::timeout(PAUSE, self.queue.recv()).await {
            Ok(entry) => entry.map(Some),
            Err(_) => Some(None),
        }
    }

    /// Queued entries that continue their events' projection, and where the traced requests are that led to them. What
    /// is read back from the journal belongs to no trace any more.
    fn queued(
        &mut self,
        write_behind: &WriteBehind,
        first: Option<Committed>,
    ) -> (Vec<JournalEntry>, Vec<Place>) {
        let (mut batch, mut traced) = (Vec::new(), Vec::new());
        let mut reached: HashMap<EventId, Sequence> = HashMap::new();
        let mut records = 0;
        let mut next = first;
        while let Some(committed) = next {
            let entry = committed.entry;
            write_behind.unqueued(&entry);
            let wanted = reached.get(&entry.event_id).copied();
            match wanted.or_else(|| write_behind.queue_position(entry.event_id)) {
                Some(projected) if entry.first_seq == projected + 1 => {
                    records += records_of(&entry);
                    reached.insert(entry.event_id, entry.last_seq);
                    batch.push(entry);
                    traced.extend(committed.traced);
                }
                Some(projected) if entry.first_seq > projected => write_behind.open_gap(entry.event_id),
                // Read back and projected already, or about to be.
                Some(_) | None => {}
            }
            next = if records < PROJECTION_BATCH_RECORDS {
                self.queue.try_recv().ok()
            } else {
                None
            };
        }
        (batch, traced)
    }

    /// What is missing of the next events with a gap, as far as it fits a batch: many small gaps cost one transaction.
    async fn read_back(&mut self, write_behind: &WriteBehind) -> Vec<JournalEntry> {
        let mut batch = Vec::new();
        let mut records = 0;
        let mut events = HashSet::new();
        while events.len() < GAPS_PER_ROUND && records < PROJECTION_BATCH_RECORDS {
            let Some(gap) = write_behind.next_gap(self.last_gap) else {
                break;
            };
            // Its entries would not continue those that the batch has of it.
            if !events.insert(gap.event_id) {
                write_behind.open_gap(gap.event_id);
                break;
            }
            self.last_gap = Some(gap.event_id);
            match self.read_gap(write_behind, gap, &mut records).await {
                Ok(entries) if entries.is_empty() => {
                    self.put_off(
                        write_behind,
                        gap.event_id,
                        &"the journal ends before what was committed",
                    );
                }
                Ok(entries) => batch.extend(entries),
                Err(error) => self.put_off(write_behind, gap.event_id, &error),
            }
        }
        batch
    }

    /// What is missing of one event, as far as a batch of so many `records` has room, which it counts.
    async fn read_gap(
        &self,
        write_behind: &WriteBehind,
        gap: Gap,
        records: &mut u64,
    ) -> Result<Vec<JournalEntry>, JournalError> {
        let mut missing: Vec<JournalEntry> = Vec::new();
        loop {
            let after = missing.last().map_or(gap.projected, |entry| entry.last_seq);
            let entries = self
                .journal
                .read(gap.event_id, after, CATCH_UP_ENTRIES_MAX)
                .await?;
            if entries.is_empty() {
                return Ok(missing);
            }
            for entry in entries {
                if *records >= PROJECTION_BATCH_RECORDS {
                    write_behind.open_gap(gap.event_id);
                    return Ok(missing);
                }
                *records += records_of(&entry);
                missing.push(entry);
            }
        }
    }

    /// Projects a batch as a whole, or where that fails, each of its events alone.
    /// The trace of a request shows the first try.
    async fn project(&mut self, write_behind: &WriteBehind, batch: Vec<JournalEntry>, traced: &[Place]) {
        let mut spans: Vec<OpenSpan> = traced.iter().map(|place| place.child("project")).collect();
        let projected = self.try_project(write_behind, &batch).await;
        for span in &mut spans {
            span.set("onsale.projection.entries", batch.len());
            if projected.is_err() {
                span.fail();
            }
        }
        drop(spans);
        if projected.is_err() {
            let mut by_event: HashMap<EventId, Vec<JournalEntry>> = HashMap::new();
            for entry in batch {
                by_event.entry(entry.event_id).or_default().push(entry);
            }
            for (event_id, entries) in by_event {
                if let Err(error) = self.try_project(write_behind, &entries).await {
                    self.put_off(write_behind, event_id, &error);
                }
            }
        }
        write_behind.projected.send_replace(());
    }

    async fn try_project(
        &mut self,
        write_behind: &WriteBehind,
        entries: &[JournalEntry],
    ) -> Result<(), ProjectionError> {
        let stopwatch = Stopwatch::start();
        let projected = self.sink.project(entries).await;
        self.metrics.projection.record(stopwatch.seconds());
        match projected {
            Ok(()) => {
                self.metrics
                    .projected_records
                    .record(count(entries.iter().map(records_of).sum()));
                for entry in entries {
                    write_behind.set_projected(entry.event_id, entry.last_seq);
                    self.failures.remove(&entry.event_id);
                }
                Ok(())
            }
            // The answer to an earlier commit was lost, another owner projected, or the database lost what it had
            // not synced: go on from where it stands. The other events of the batch are read back.
            Err(ProjectionError::WatermarkMoved {
                event_id, watermark, ..
            }) => {
                for entry in entries {
                    write_behind.open_gap(entry.event_id);
                }
                write_behind.set_projected(event_id, watermark);
                Ok(())
            }
            Err(error) => {
                self.metrics.projection_failures.increment(1);
                Err(error)
            }
        }
    }

    fn put_off(&mut self, write_behind: &WriteBehind, event_id: EventId, error: &dyn std::fmt::Display) {
        let failures = self.failures.entry(event_id).or_default();
        *failures = failures.saturating_add(1);
        let rounds = (1 << (*failures).min(6)).min(ROUNDS_OFF_MAX);
        tracing::warn!(%event_id, %error, rounds, "projection failed; will try again");
        write_behind.put_off(event_id, rounds);
    }
}
