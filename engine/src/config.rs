//! Every bound of the engine, with the relations between them checked when compiling.

/// Commands of one event that may be under way at once: its mailbox is never longer.
pub const PERMITS_PER_EVENT: usize = 4_096;
/// How many of these only confirmations, releases and extensions may take, so that a herd of new holds cannot keep
/// buyers from paying for what they have.
pub const PERMITS_RESERVED_FOR_FINISHING: usize = 1_024;
/// Decisions that may wait for one commit lane.
pub const LANE_QUEUE_MAX: usize = 16_384;
/// Decisions that one group commit takes.
pub const COMMIT_BATCH_MAX: usize = 4_096;
/// Shortest sleep of an actor's timer: a hold outlives its deadline by about this much.
pub const EXPIRY_CHECK_MS: i64 = 50;
/// Longest sleep of an actor's timer.
pub const TIMER_MS_MAX: i64 = 3_600_000;
/// Entries that the write-behind driver keeps in memory; what does not fit is read back from the journal.
pub const WRITE_BEHIND_QUEUE_ENTRIES: usize = 4_096;
/// Records in these entries at most.
pub const WRITE_BEHIND_QUEUE_RECORDS: u64 = 200_000;
/// Records that one projection transaction takes, about.
pub const PROJECTION_BATCH_RECORDS: u64 = 20_000;
/// Entries read back from the journal at once for projection; each has up to [`COMMIT_BATCH_MAX`] records.
pub const CATCH_UP_ENTRIES_MAX: usize = 16;
/// Entries read from the journal at once for recovery.
pub const READ_ENTRIES_MAX: usize = 256;
/// Events that may wait for a snapshot.
pub const SNAPSHOT_QUEUE_MAX: usize = 1_024;
/// Events loaded at once: each reads the journal and the database.
pub const LOADS_MAX: usize = 8;
/// Requests that may wait for events being loaded.
pub const LOAD_WAITERS_MAX: usize = 4_096;
/// Ended spans of traces that wait to be exported; further ones are dropped.
pub const TRACE_QUEUE_SPANS: usize = 8_192;
/// How often the engine looks for events that have something to do and are not in memory.
pub const DUE_CHECK_MS: u64 = 5_000;
/// How long the owner of an event of another process is remembered; below any lease, so that a process which lost an
/// event is not asked about it for long.
pub const OWNER_REMEMBERED_MS: i64 = 2_000;
/// How long an owner that does not answer, and that the journal still names, is not asked again.
pub const OWNER_SPARED_MS: i64 = 250;
/// Events of other processes that are remembered.
pub const ELSEWHERE_MAX: usize = 65_536;
/// Crashes at one sequence after which an event is quarantined.
pub const CRASHES_MAX: u32 = 3;

const _: () = assert!(PERMITS_RESERVED_FOR_FINISHING < PERMITS_PER_EVENT);
const _: () = assert!(
    PERMITS_PER_EVENT < LANE_QUEUE_MAX,
    "one hot event must not fill a lane"
);
const _: () = assert!(OWNER_SPARED_MS < OWNER_REMEMBERED_MS);
const _: () = assert!(COMMIT_BATCH_MAX <= LANE_QUEUE_MAX);

/// What an operator may tune.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// A command that was not decided within this time is refused as overload.
    pub decision_deadline_ms: i64,
    /// A caller whose command was decided, but not committed within this time, is told that the outcome is unknown.
    pub commit_patience_ms: u64,
    /// How long a read waits for the projection to reach what was acknowledged.
    pub projection_patience_ms: u64,
    /// An event that nobody used for this long, and that has no live hold, leaves memory.
    pub idle_after_ms: i64,
    /// Records between two snapshots of an event.
    pub snapshot_every_records: u64,
    /// Committed records that may wait for projection before new holds are refused.
    pub backlog_records_max: u64,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            decision_deadline_ms: 5_000,
            commit_patience_ms: 10_000,
            projection_patience_ms: 5_000,
            idle_after_ms: 600_000,
            snapshot_every_records: 2_000_000,
            backlog_records_max: 5_000_000,
        }
    }
}
