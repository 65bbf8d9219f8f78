//! Commit lanes: group commit, and the answers that wait for it.
//!
//! A lane is one task with its own writer. It takes everything that is queued, writes one entry for each event in
//! one commit, and only then moves the committed view and lets the answers go. Nothing cancels it.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use onsale_domain::inventory::Records;
use onsale_domain::{Availability, EventId, Record, Refusal, Sequence, codec};
use tokio::sync::{mpsc, oneshot};

use crate::actor::{Answered, Asker};
use crate::cell::{EventCell, Head};
use crate::config::COMMIT_BATCH_MAX;
use crate::error::EngineError;
use crate::look::Found;
use crate::metrics::{Metrics, Tally};
use crate::port::clock::Stopwatch;
use crate::port::{Chain, JournalEntry, JournalWriter, Owner};
use crate::trace::{OpenSpan, Place};
use crate::write_behind::{Committed, WriteBehind, records_of};

/// What a decision answers, once it may.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The last of the decision's records; the lane puts it in.
    Recorded,
    /// The record that the lane has put in.
    Record(Box<Record>),
    /// The record at this sequence answered the same key before.
    Replayed(Sequence),
    /// Nothing needed to be done.
    Unchanged,
    /// A rule refused.
    Refused(Refusal),
    /// What was looked up.
    Found(Box<Found>),
}

impl Verdict {
    pub(crate) fn into_answer(self, seq: Sequence) -> Result<Answered, EngineError> {
        match self {
            Self::Refused(refusal) => Err(EngineError::Refused(refusal)),
            verdict @ (Self::Recorded
            | Self::Record(_)
            | Self::Replayed(_)
            | Self::Unchanged
            | Self::Found(_)) => Ok(Answered { seq, verdict }),
        }
    }
}

/// A decision on its way to the journal.
pub(crate) struct Decided {
    pub(crate) cell: Arc<EventCell>,
    /// The state's sequence after the decision.
    pub(crate) seq: Sequence,
    pub(crate) records: Records,
    /// The counts after the decision; `None` where it made no records.
    pub(crate) availability: Option<Availability>,
    pub(crate) verdict: Verdict,
    pub(crate) asker: Option<Asker>,
}

/// What a lane is sent.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every message is the large one, and a box would cost each"
)]
pub(crate) enum LaneMessage {
    /// Commit, then answer.
    Decided(Decided),
    /// Answer when everything sent before is committed.
    Flush(oneshot::Sender<()>),
}

/// Decisions of one incarnation in one commit.
struct Group {
    cell: Arc<EventCell>,
    decisions: Vec<Decided>,
}

pub(crate) struct Lane {
    pub(crate) writer: Box<dyn JournalWriter>,
    pub(crate) write_behind: Arc<WriteBehind>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tally: Tally,
    pub(crate) snapshots: mpsc::Sender<EventId>,
    pub(crate) snapshot_every_records: u64,
}

impl Lane {
    /// Runs until every sender is gone.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<LaneMessage>) {
        let mut messages = Vec::with_capacity(COMMIT_BATCH_MAX);
        while queue.recv_many(&mut messages, COMMIT_BATCH_MAX).await > 0 {
            // The first message woke this task: let the actor that sent it go on, and take what it decides meanwhile.
            tokio::task::yield_now().await;
            while messages.len() < COMMIT_BATCH_MAX
                && let Ok(message) = queue.try_recv()
            {
                messages.push(message);
            }
            let mut flushes = Vec::new();
            let groups = group(messages.drain(..), &mut flushes);
            self.commit(groups).await;
            for flush in flushes {
                let _ = flush.send(());
            }
        }
    }

    async fn commit(&mut self, groups: Vec<Group>) {
        let mut entries = Vec::with_capacity(groups.len());
        for group in &groups {
            entries.extend(group.entry());
        }
        let spans = begin_spans(&groups, &entries);
        let mut fenced = Vec::new();
        if !entries.is_empty() {
            let stopwatch = Stopwatch::start();
            match self.writer.append(&entries).await {
                Ok(appended) => fenced = appended.fenced,
                Err(error) => abort(&error.to_string()),
            }
            self.metrics.commit.record(stopwatch.seconds());
        }
        drop(spans);
        let mut entries = entries.into_iter().peekable();
        for group in groups {
            let entry = entries.next_if(|entry| entry.event_id == group.cell.event_id);
            if fenced.contains(&group.cell.event_id) {
                group.cell.fence();
                self.metrics.fenced.increment(1);
            }
            if group.cell.is_fenced() {
                group.refuse();
                continue;
            }
            if let Some(entry) = entry {
                let records = entry.last_seq - entry.first_seq + 1;
                self.metrics.commit_records.record(count(records));
                group.cell.set_head(Head {
                    seq: entry.last_seq,
                    chain: entry.chain,
                });
                group.publish();
                self.tally.count(group.records());
                let traced = group.traced();
                self.write_behind
                    .committed(&group.cell, Committed { entry, traced });
                if group.cell.is_snapshot_due(records, self.snapshot_every_records) {
                    // With the queue full, the next time will do.
                    let _ = self.snapshots.try_send(group.cell.event_id);
                }
            }
            group.answer();
        }
    }
}

impl Group {
    fn records(&self) -> impl Iterator<Item = &Record> {
        self.decisions.iter().flat_map(|decided| &decided.records)
    }

    /// Where the traced requests are that made the records.
    fn traced(&self) -> Vec<Place> {
        self.decisions
            .iter()
            .filter(|decided| !decided.records.is_empty())
            .filter_map(|decided| decided.asker.as_ref()?.place.clone())
            .collect()
    }

    /// The group's records as the next entry of the event's journal; `None` where it only has answers that waited.
    fn entry(&self) -> Option<JournalEntry> {
        let records: Vec<&Record> = self.records().collect();
        if records.is_empty() || self.cell.is_fenced() {
            return None;
        }
        let head = self.cell.head();
        let payload = match codec::encode_records(records.iter().copied()) {
            Ok(payload) => Bytes::from(payload),
            Err(error) => abort(&error.to_string()),
        };
        let mut entry = JournalEntry {
            event_id: self.cell.event_id,
            epoch: self.cell.epoch,
            first_seq: head.seq + 1,
            last_seq: head.seq + u64::try_from(records.len()).unwrap_or(u64::MAX),
            chain: Chain::default(),
            payload,
        };
        entry.chain = entry.chain_after(head.chain);
        Some(entry)
    }

    /// Moves the committed view to this commit's last decision.
    fn publish(&self) {
        let last = self
            .decisions
            .iter()
            .rev()
            .find_map(|decided| decided.availability.as_ref());
        if let Some(availability) = last {
            self.cell.publish(availability.clone());
        }
    }

    fn answer(self) {
        for mut decided in self.decisions {
            let Some(asker) = decided.asker else {
                continue;
            };
            let verdict = match (decided.verdict, decided.records.pop()) {
                (Verdict::Recorded, Some(record)) => Verdict::Record(Box::new(record)),
                (verdict, _) => verdict,
            };
            asker.answer(verdict.into_answer(decided.seq));
        }
    }

    /// A newer owner exists: what was decided here never happened.
    fn refuse(self) {
        let owner = Arc::new(Owner::silent("a newer owner"));
        for asker in self.decisions.into_iter().filter_map(|decided| decided.asker) {
            let owner = Arc::clone(&owner);
            asker.answer(Err(EngineError::OwnedElsewhere { owner }));
        }
    }
}

fn group(messages: impl Iterator<Item = LaneMessage>, flushes: &mut Vec<oneshot::Sender<()>>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut index: HashMap<*const EventCell, usize> = HashMap::new();
    let mut last = 0;
    for message in messages {
        match message {
            LaneMessage::Flush(done) => flushes.push(done),
            LaneMessage::Decided(decided) => {
                if !groups
                    .get(last)
                    .is_some_and(|group| Arc::ptr_eq(&group.cell, &decided.cell))
                {
                    last = *index.entry(Arc::as_ptr(&decided.cell)).or_insert_with(|| {
                        groups.push(Group {
                            cell: Arc::clone(&decided.cell),
                            decisions: Vec::new(),
                        });
                        groups.len() - 1
                    });
                }
                groups[last].decisions.push(decided);
            }
        }
    }
    groups
}

/// A span of this commit in the trace of each traced request: the commit is part of what each of them waited for, and a
/// trace is read by itself.
fn begin_spans(groups: &[Group], entries: &[JournalEntry]) -> Vec<OpenSpan> {
    let places = groups
        .iter()
        .flat_map(|group| &group.decisions)
        .filter_map(|decided| decided.asker.as_ref()?.place.as_ref());
    let records: u64 = entries.iter().map(records_of).sum();
    let begin = |place: &Place| {
        let mut span = place.child("commit");
        span.set("onsale.commit.events", entries.len());
        span.set("onsale.commit.records", records);
        span
    };
    places.map(begin).collect()
}

/// A write or sync failed: nothing may be acknowledged any more, and a second try would lie (a failed sync drops the
/// dirty pages). The process ends; recovery reads what is durable.
fn abort(reason: &str) -> ! {
    tracing::error!(
        reason,
        "journal write failed: aborting so that nothing unsaved is acknowledged"
    );
    std::process::abort()
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
pub(crate) fn count(number: u64) -> f64 {
    number as f64
}
