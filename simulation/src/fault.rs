//! What goes wrong, what is deliberately broken, and what a run reports.

use std::collections::BTreeMap;

use onsale_domain::Record;

/// Something that goes wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// An owner died with decisions that it had not written.
    CrashAfterDecide,
    /// An owner died between its write and the sync.
    CrashAfterWrite,
    /// An owner died when its batch was durable and nobody was told.
    CrashAfterSync,
    /// An owner died right after its answers.
    CrashAfterReply,
    /// A write failed; its process ended itself.
    WriteFailed,
    /// The answer to a write was lost, which had become durable.
    AnswerLostWritten,
    /// The answer to a write was lost, which was undone.
    AnswerLostUndone,
    /// The machine lost its power: every owner died, bytes that were not synced were lost.
    PowerLost,
    /// The lost bytes held at least one whole entry.
    TailLost,
    /// The bytes that survived ended in the middle of an entry.
    TailTorn,
    /// Another process took the event while its owner lived.
    Superseded,
    /// A superseded owner came back and wrote: the write was refused.
    StaleWriteRefused,
    /// A recovery was killed before its owner served.
    RecoveryKilled,
    /// A snapshot was killed before it was kept.
    SnapshotKilled,
    /// A projection was killed before its transaction committed.
    ProjectionKilled,
    /// The answer to a projection's commit was lost; it was tried again.
    ProjectionAnswerLost,
    /// An answer did not reach its client.
    ReplyLost,
    /// A request was sent again while its first sending was still being worked on.
    ConcurrentRepeat,
    /// A request that had been answered was sent again.
    LateRepeat,
}

impl Fault {
    /// Every fault: each must have fired in a set of runs that claims to survive it.
    pub const ALL: [Self; 19] = [
        Self::CrashAfterDecide,
        Self::CrashAfterWrite,
        Self::CrashAfterSync,
        Self::CrashAfterReply,
        Self::WriteFailed,
        Self::AnswerLostWritten,
        Self::AnswerLostUndone,
        Self::PowerLost,
        Self::TailLost,
        Self::TailTorn,
        Self::Superseded,
        Self::StaleWriteRefused,
        Self::RecoveryKilled,
        Self::SnapshotKilled,
        Self::ProjectionKilled,
        Self::ProjectionAnswerLost,
        Self::ReplyLost,
        Self::ConcurrentRepeat,
        Self::LateRepeat,
    ];
}

/// A deliberate mistake. A simulator that does not catch these proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Answers are sent when the batch is written, before it is synced.
    AcknowledgeBeforeSync,
    /// Answers without a record (repeats, refusals) do not wait for the state that they rest on.
    AnswerUncommitted,
    /// The journal's compare-and-swap looks at the sequence only.
    IgnoreEpoch,
    /// The journal's compare-and-swap looks at the epoch only, and a write whose answer was lost is written again.
    RetryBlindly,
    /// A new owner writes under the epoch of the one before.
    KeepEpoch,
    /// A snapshot is taken of decisions that are not committed.
    SnapshotUncommitted,
    /// The projection's rows and its watermark are written apart.
    ProjectTwice,
    /// An owner takes a refused write for done.
    IgnoreFence,
    /// The door forgets that a ticket has let somebody in.
    ForgetScan,
    /// A payment that succeeds late takes units that are not free.
    ReclaimTaken,
}

impl Bug {
    /// Every deliberate mistake.
    pub const ALL: [Self; 10] = [
        Self::AcknowledgeBeforeSync,
        Self::AnswerUncommitted,
        Self::IgnoreEpoch,
        Self::RetryBlindly,
        Self::KeepEpoch,
        Self::SnapshotUncommitted,
        Self::ProjectTwice,
        Self::IgnoreFence,
        Self::ForgetScan,
        Self::ReclaimTaken,
    ];
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How often each fault fired.
    pub faults: BTreeMap<Fault, u32>,
    /// Records in the journal at the end.
    pub records: u64,
    /// Answers that reached a client.
    pub answers: u32,
    /// Among them, records (the others are repeats and refusals).
    pub acknowledged: u32,
    /// Recoveries from snapshot and journal.
    pub recoveries: u32,
    /// Among them, those that began with a snapshot.
    pub from_snapshot: u32,
    /// Holds that ended by themselves.
    pub expired: u32,
    /// Payments that began.
    pub started: u32,
    /// Orders of payments that succeeded late.
    pub reclaimed: u32,
    /// Refunds.
    pub refunded: u32,
    /// Transfers.
    pub transferred: u32,
    /// Scans that let somebody through.
    pub scanned: u32,
}

impl Report {
    pub(crate) fn fired(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// Counts a record of the journal.
    pub(crate) fn count(&mut self, record: &Record) {
        match record {
            Record::HoldsExpired { holds, .. } => {
                self.expired += u32::try_from(holds.len()).unwrap_or(u32::MAX);
            }
            Record::HoldPlaced(placed) => self.started += u32::from(placed.payment.is_some()),
            Record::PaymentStarted(_) => self.started += 1,
            Record::HoldReclaimed(_) => self.reclaimed += 1,
            Record::TicketsRefunded(_) => self.refunded += 1,
            Record::TicketTransferred(_) => self.transferred += 1,
            Record::TicketScanned(_) => self.scanned += 1,
            Record::EventCreated { .. }
            | Record::EventEdited { .. }
            | Record::QuotaSet { .. }
            | Record::TicketTypeSet { .. }
            | Record::StatusChanged { .. }
            | Record::HoldExtended { .. }
            | Record::HoldReleased(_)
            | Record::HoldConfirmed(_)
            | Record::OrderCancelled { .. } => {}
        }
    }

    /// Adds another run's numbers.
    pub fn add(&mut self, other: &Self) {
        for (fault, times) in &other.faults {
            *self.faults.entry(*fault).or_default() += times;
        }
        self.records += other.records;
        self.answers += other.answers;
        self.acknowledged += other.acknowledged;
        self.recoveries += other.recoveries;
        self.from_snapshot += other.from_snapshot;
        self.expired += other.expired;
        self.started += other.started;
        self.reclaimed += other.reclaimed;
        self.refunded += other.refunded;
        self.transferred += other.transferred;
        self.scanned += other.scanned;
    }
}

/// A broken invariant, with what is needed to see it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Number in `docs/INVARIANTS.md`.
    pub invariant: &'static str,
    /// What was found.
    pub detail: String,
}

impl Broken {
    pub(crate) fn new(invariant: &'static str, detail: impl Into<String>) -> Self {
        Self {
            invariant,
            detail: detail.into(),
        }
    }
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The seed to run again.
    pub seed: u64,
    /// The step after which it showed.
    pub step: usize,
    /// What broke.
    pub broken: Broken,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, step, broken } = self;
        write!(
            f,
            "{}: {} (seed {seed}, after step {step}; SEED={seed} cargo test -p onsale-simulation replay)",
            broken.invariant, broken.detail
        )
    }
}

impl std::error::Error for Failure {}
