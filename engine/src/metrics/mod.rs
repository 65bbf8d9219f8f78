//! The engine's metrics: a register of them, and handles looked up once (the macros hash and search on every call).

mod counters;
mod register;
mod tally;

use std::sync::LazyLock;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

pub use counters::Counters;
pub use register::{Kind, Metric};
pub(crate) use tally::Tally;

/// Requests for holds by outcome.
pub const HOLDS_TOTAL: Metric = Metric::counter(
    "onsale_holds_total",
    &["outcome"],
    "Requests for holds by outcome: held, replayed, or the refusal's code.",
);
/// Commands under way in all mailboxes.
pub const ACTOR_MAILBOX_DEPTH: Metric = Metric::gauge(
    "onsale_actor_mailbox_depth",
    &[],
    "Commands under way in all mailboxes, from admission to the answer.",
);
/// Time to decide one command.
pub const ACTOR_DECISION_DURATION_SECONDS: Metric = Metric::histogram(
    "onsale_actor_decision_duration_seconds",
    &[],
    "Time to decide one command (the first and one in 64 are timed).",
);
/// Actors that ended by a crash or a kill.
pub const ACTOR_RESTARTS_TOTAL: Metric = Metric::counter(
    "onsale_actor_restarts_total",
    &[],
    "Actors that ended by a crash or a kill; their events are read back from the journal.",
);
/// Events in memory.
pub const ACTIVE_EVENT_ACTORS: Metric = Metric::gauge("onsale_active_event_actors", &[], "Events in memory.");
/// Events that crashed again and again.
pub const QUARANTINED_EVENTS: Metric = Metric::gauge(
    "onsale_quarantined_events",
    &[],
    "Events that are paused because their actor crashed again and again, or their journal is damaged.",
);
/// Time to bring one event into memory.
pub const EVENT_LOAD_DURATION_SECONDS: Metric = Metric::histogram(
    "onsale_event_load_duration_seconds",
    &[],
    "Time to read one event back from snapshot and journal, successful or not.",
);
/// Most permits in use by one event.
pub const ADMISSION_FULLEST_EVENT_RATIO: Metric = Metric::gauge(
    "onsale_admission_fullest_event_ratio",
    &[],
    "Permits in use of the event that has most of its permits in use, from 0 to 1.",
);
/// Commands refused before they were decided.
pub const ADMISSION_REJECTED_TOTAL: Metric = Metric::counter(
    "onsale_admission_rejected_total",
    &["reason"],
    "Commands refused as overload before they were decided, by reason.",
);
/// Time of one group commit.
pub const COMMIT_DURATION_SECONDS: Metric = Metric::histogram(
    "onsale_commit_duration_seconds",
    &["journal"],
    "Time of one group commit.",
);
/// Records in one entry.
pub const COMMIT_BATCH_RECORDS: Metric = Metric::histogram(
    "onsale_commit_batch_records",
    &[],
    "Records of one event in one group commit.",
);
/// Decisions that wait for a commit lane.
pub const COMMIT_QUEUE_DEPTH: Metric = Metric::gauge(
    "onsale_commit_queue_depth",
    &[],
    "Decisions that wait for a commit lane, in all lanes.",
);
/// The fullest queue of a lane.
pub const COMMIT_FULLEST_LANE_RATIO: Metric = Metric::gauge(
    "onsale_commit_fullest_lane_ratio",
    &[],
    "Share of its queue that is taken of the commit lane that has most decisions waiting, from 0 to 1.",
);
/// Writes that a newer owner refused.
pub const COMMIT_FENCED_TOTAL: Metric = Metric::counter(
    "onsale_commit_fenced_total",
    &[],
    "Events whose commit was refused because another process owns them.",
);
/// Committed records by kind.
pub const COMMITTED_RECORDS_TOTAL: Metric = Metric::counter(
    "onsale_committed_records_total",
    &["record"],
    "Records committed, by what they say.",
);
/// Holds that ended by themselves.
pub const HOLDS_EXPIRED_TOTAL: Metric = Metric::counter(
    "onsale_holds_expired_total",
    &[],
    "Holds that ended by themselves; one record may end many.",
);
/// What became of tickets.
pub const TICKETS_TOTAL: Metric = Metric::counter(
    "onsale_tickets_total",
    &["change"],
    "Tickets sold, cancelled with their order, or refunded.",
);
/// What was sold for.
pub const SALES_MINOR_TOTAL: Metric = Metric::counter(
    "onsale_sales_minor_total",
    &["currency"],
    "Totals of confirmed orders in minor units (cents, yen, fils) of the currency.",
);
/// Units of the quotas of events in memory.
pub const INVENTORY_UNITS: Metric = Metric::gauge(
    "onsale_inventory_units",
    &["state"],
    "Units of all quotas of the events in memory: available, held or sold. Their sum is the capacity.",
);
/// Snapshots by outcome.
pub const SNAPSHOTS_TOTAL: Metric = Metric::counter(
    "onsale_snapshots_total",
    &["outcome"],
    "Snapshots of events: saved or failed.",
);
/// Age of the oldest committed record that is not projected yet.
pub const WRITE_BEHIND_LAG_SECONDS: Metric = Metric::gauge(
    "onsale_write_behind_lag_seconds",
    &[],
    "Age of the oldest committed record that is not projected yet.",
);
/// Committed records that are not projected yet.
pub const WRITE_BEHIND_LAG_RECORDS: Metric = Metric::gauge(
    "onsale_write_behind_lag_records",
    &[],
    "Committed records that are not projected yet.",
);
/// Events that are not projected to their end.
pub const WRITE_BEHIND_EVENTS: Metric = Metric::gauge(
    "onsale_write_behind_events",
    &["source"],
    "Events that are not projected to their end: from the queue, or read back from the journal.",
);
/// Records in one projection.
pub const WRITE_BEHIND_BATCH_RECORDS: Metric = Metric::histogram(
    "onsale_write_behind_batch_records",
    &[],
    "Records in one transaction of the projection that succeeded.",
);
/// Time of one projection.
pub const WRITE_BEHIND_DURATION_SECONDS: Metric = Metric::histogram(
    "onsale_write_behind_duration_seconds",
    &[],
    "Time of one transaction of the projection, successful or not.",
);
/// Projections that failed.
pub const WRITE_BEHIND_FAILURES_TOTAL: Metric = Metric::counter(
    "onsale_write_behind_failures_total",
    &[],
    "Transactions of the projection that failed; they are tried again.",
);
/// What became of spans.
pub const TRACE_SPANS_TOTAL: Metric = Metric::counter(
    "onsale_trace_spans_total",
    &["outcome"],
    "Spans of traces: exported, dropped because too many waited, or failed to be taken by the collector.",
);
/// Broken invariants; must stay 0.
pub const INVARIANT_VIOLATIONS_TOTAL: Metric = Metric::counter(
    "onsale_invariant_violations_total",
    &["invariant"],
    "Broken invariants, by their number in docs/INVARIANTS.md; must stay 0.",
);

/// All of them.
pub const ALL: [Metric; 28] = [
    HOLDS_TOTAL,
    HOLDS_EXPIRED_TOTAL,
    TICKETS_TOTAL,
    SALES_MINOR_TOTAL,
    INVENTORY_UNITS,
    ACTOR_MAILBOX_DEPTH,
    ACTOR_DECISION_DURATION_SECONDS,
    ACTOR_RESTARTS_TOTAL,
    ACTIVE_EVENT_ACTORS,
    QUARANTINED_EVENTS,
    EVENT_LOAD_DURATION_SECONDS,
    ADMISSION_FULLEST_EVENT_RATIO,
    ADMISSION_REJECTED_TOTAL,
    COMMIT_DURATION_SECONDS,
    COMMIT_BATCH_RECORDS,
    COMMIT_QUEUE_DEPTH,
    COMMIT_FULLEST_LANE_RATIO,
    COMMIT_FENCED_TOTAL,
    COMMITTED_RECORDS_TOTAL,
    SNAPSHOTS_TOTAL,
    WRITE_BEHIND_LAG_SECONDS,
    WRITE_BEHIND_LAG_RECORDS,
    WRITE_BEHIND_EVENTS,
    WRITE_BEHIND_BATCH_RECORDS,
    WRITE_BEHIND_DURATION_SECONDS,
    WRITE_BEHIND_FAILURES_TOTAL,
    TRACE_SPANS_TOTAL,
    INVARIANT_VIOLATIONS_TOTAL,
];

/// The register of invariants, shown at 0 from the start: a rate over a series that comes into being at its first
/// violation would miss that one.
const INVARIANTS: [&str; 15] = [
    "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13", "I14", "I15",
];
/// Why commands are refused as overload, shown at 0 from the start.
const REJECTIONS: [&str; 7] = [
    "event_mailbox",
    "commit_lane",
    "deadline",
    "write_behind",
    "loading",
    "purchases_in_flight",
    "peers",
];
/// Outcomes of requests for holds that every sale has.
const HOLD_OUTCOMES: [&str; 5] = ["held", "replayed", "sold_out", "all_held", "overloaded"];

static REJECTED: LazyLock<Counters> = LazyLock::new(|| Counters::new(ADMISSION_REJECTED_TOTAL, &REJECTIONS));
static VIOLATED: LazyLock<Counters> =
    LazyLock::new(|| Counters::new(INVARIANT_VIOLATIONS_TOTAL, &INVARIANTS));

/// Tells the recorder what the metrics are, and shows what must stay at 0. Call it once, after the recorder is installed.
pub fn describe() {
    for metric in ALL {
        metric.describe();
    }
    LazyLock::force(&REJECTED);
    LazyLock::force(&VIOLATED);
    crate::trace::describe();
}

/// A command was refused as overload, for this reason.
pub fn rejected(reason: &'static str) {
    REJECTED.count(reason);
}

pub(crate) fn violated(invariant: &'static str) {
    VIOLATED.count(invariant);
}

/// The engine's handles.
pub(crate) struct Metrics {
    pub(crate) holds_held: Counter,
    pub(crate) holds_replayed: Counter,
    pub(crate) holds_refused: Counters,
    pub(crate) decision: Histogram,
    pub(crate) commit: Histogram,
    pub(crate) commit_records: Histogram,
    pub(crate) fenced: Counter,
    pub(crate) load: Histogram,
    pub(crate) restarts: Counter,
    pub(crate) snapshots_saved: Counter,
    pub(crate) snapshots_failed: Counter,
    pub(crate) projected_records: Histogram,
    pub(crate) projection: Histogram,
    pub(crate) projection_failures: Counter,
    pub(crate) observed: Observed,
}

/// What is read when somebody asks, and not kept up to date meanwhile.
pub(crate) struct Observed {
    pub(crate) mailbox_depth: Gauge,
    pub(crate) active_events: Gauge,
    pub(crate) quarantined: Gauge,
    pub(crate) fullest_event: Gauge,
    pub(crate) commit_queue: Gauge,
    pub(crate) fullest_lane: Gauge,
    pub(crate) available: Gauge,
    pub(crate) held: Gauge,
    pub(crate) sold: Gauge,
    pub(crate) lag_seconds: Gauge,
    pub(crate) lag_records: Gauge,
    pub(crate) behind_queued: Gauge,
    pub(crate) behind_in_journal: Gauge,
}

impl Metrics {
    pub(crate) fn new(journal: &'static str) -> Self {
        let holds_refused = Counters::new(HOLDS_TOTAL, &HOLD_OUTCOMES);
        Self {
            holds_held: counter!(HOLDS_TOTAL.name, "outcome" => "held"),
            holds_replayed: counter!(HOLDS_TOTAL.name, "outcome" => "replayed"),
            holds_refused,
            decision: histogram!(ACTOR_DECISION_DURATION_SECONDS.name),
            commit: histogram!(COMMIT_DURATION_SECONDS.name, "journal" => journal),
            commit_records: histogram!(COMMIT_BATCH_RECORDS.name),
            fenced: counter!(COMMIT_FENCED_TOTAL.name),
            load: histogram!(EVENT_LOAD_DURATION_SECONDS.name),
            restarts: counter!(ACTOR_RESTARTS_TOTAL.name),
            snapshots_saved: counter!(SNAPSHOTS_TOTAL.name, "outcome" => "saved"),
            snapshots_failed: counter!(SNAPSHOTS_TOTAL.name, "outcome" => "failed"),
            projected_records: histogram!(WRITE_BEHIND_BATCH_RECORDS.name),
            projection: histogram!(WRITE_BEHIND_DURATION_SECONDS.name),
            projection_failures: counter!(WRITE_BEHIND_FAILURES_TOTAL.name),
            observed: Observed::new(),
        }
    }
}

impl Observed {
    fn new() -> Self {
        let units = |state| gauge!(INVENTORY_UNITS.name, "state" => state);
        let behind = |source| gauge!(WRITE_BEHIND_EVENTS.name, "source" => source);
        Self {
            mailbox_depth: gauge!(ACTOR_MAILBOX_DEPTH.name),
            active_events: gauge!(ACTIVE_EVENT_ACTORS.name),
            quarantined: gauge!(QUARANTINED_EVENTS.name),
            fullest_event: gauge!(ADMISSION_FULLEST_EVENT_RATIO.name),
            commit_queue: gauge!(COMMIT_QUEUE_DEPTH.name),
            fullest_lane: gauge!(COMMIT_FULLEST_LANE_RATIO.name),
            available: units("available"),
            held: units("held"),
            sold: units("sold"),
            lag_seconds: gauge!(WRITE_BEHIND_LAG_SECONDS.name),
            lag_records: gauge!(WRITE_BEHIND_LAG_RECORDS.name),
            behind_queued: behind("queue"),
            behind_in_journal: behind("journal"),
        }
    }
}
