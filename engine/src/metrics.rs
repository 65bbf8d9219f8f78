//! The engine's metrics: names as constants, handles looked up once (the macros hash and search on every call).

use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};

/// Requests for holds by outcome: `held`, `replayed`, or the refusal's code.
pub const HOLDS_TOTAL: &str = "onsale_holds_total";
/// Commands under way in all mailboxes.
pub const ACTOR_MAILBOX_DEPTH: &str = "onsale_actor_mailbox_depth";
/// Time to decide one command (one in 64 is timed).
pub const ACTOR_DECISION_DURATION_SECONDS: &str = "onsale_actor_decision_duration_seconds";
/// Time of one group commit.
pub const COMMIT_DURATION_SECONDS: &str = "onsale_commit_duration_seconds";
/// Records in one group commit.
pub const COMMIT_BATCH_RECORDS: &str = "onsale_commit_batch_records";
/// Age of the oldest committed record that is not projected yet.
pub const WRITE_BEHIND_LAG_SECONDS: &str = "onsale_write_behind_lag_seconds";
/// Committed records that are not projected yet.
pub const WRITE_BEHIND_LAG_RECORDS: &str = "onsale_write_behind_lag_records";
/// Actors that ended by a crash or a kill.
pub const ACTOR_RESTARTS_TOTAL: &str = "onsale_actor_restarts_total";
/// Events in memory.
pub const ACTIVE_EVENT_ACTORS: &str = "onsale_active_event_actors";
/// Commands refused before they were decided.
pub const ADMISSION_REJECTED_TOTAL: &str = "onsale_admission_rejected_total";
/// Broken invariants; must stay 0.
pub const INVARIANT_VIOLATIONS_TOTAL: &str = "onsale_invariant_violations_total";

/// Invariants that this process checks while it runs, shown at 0 from the start: a rate over a series that comes into
/// being at its first violation would miss that one.
const CHECKED_INVARIANTS: [&str; 6] = ["I1", "I2", "I6", "I9", "I10", "I13"];

/// Tells the recorder what the metrics are. Call it once, after the recorder is installed.
pub fn describe() {
    describe_counter!(HOLDS_TOTAL, "Requests for holds by outcome.");
    describe_gauge!(ACTOR_MAILBOX_DEPTH, "Commands under way in all mailboxes.");
    describe_histogram!(
        ACTOR_DECISION_DURATION_SECONDS,
        "Time to decide one command (one in 64 is timed)."
    );
    describe_histogram!(COMMIT_DURATION_SECONDS, "Time of one group commit.");
    describe_histogram!(COMMIT_BATCH_RECORDS, "Records in one group commit.");
    describe_gauge!(
        WRITE_BEHIND_LAG_SECONDS,
        "Age of the oldest committed record that is not projected yet."
    );
    describe_gauge!(
        WRITE_BEHIND_LAG_RECORDS,
        "Committed records that are not projected yet."
    );
    describe_counter!(ACTOR_RESTARTS_TOTAL, "Actors that ended by a crash or a kill.");
    describe_gauge!(ACTIVE_EVENT_ACTORS, "Events in memory.");
    describe_counter!(
        ADMISSION_REJECTED_TOTAL,
        "Commands refused before they were decided, by reason."
    );
    describe_counter!(INVARIANT_VIOLATIONS_TOTAL, "Broken invariants; must stay 0.");
    for invariant in CHECKED_INVARIANTS {
        counter!(INVARIANT_VIOLATIONS_TOTAL, "invariant" => invariant).absolute(0);
    }
}

pub(crate) struct Metrics {
    pub(crate) holds_held: Counter,
    pub(crate) holds_replayed: Counter,
    pub(crate) holds_sold_out: Counter,
    pub(crate) mailbox_depth: Gauge,
    pub(crate) decision: Histogram,
    pub(crate) commit: Histogram,
    pub(crate) commit_records: Histogram,
    pub(crate) lag_seconds: Gauge,
    pub(crate) lag_records: Gauge,
    pub(crate) restarts: Counter,
    pub(crate) active_events: Gauge,
}

impl Metrics {
    pub(crate) fn new(journal: &'static str) -> Self {
        Self {
            holds_held: counter!(HOLDS_TOTAL, "outcome" => "held"),
            holds_replayed: counter!(HOLDS_TOTAL, "outcome" => "replayed"),
            holds_sold_out: counter!(HOLDS_TOTAL, "outcome" => "sold_out"),
            mailbox_depth: gauge!(ACTOR_MAILBOX_DEPTH),
            decision: histogram!(ACTOR_DECISION_DURATION_SECONDS),
            commit: histogram!(COMMIT_DURATION_SECONDS, "journal" => journal),
            commit_records: histogram!(COMMIT_BATCH_RECORDS),
            lag_seconds: gauge!(WRITE_BEHIND_LAG_SECONDS),
            lag_records: gauge!(WRITE_BEHIND_LAG_RECORDS),
            restarts: counter!(ACTOR_RESTARTS_TOTAL),
            active_events: gauge!(ACTIVE_EVENT_ACTORS),
        }
    }

    pub(crate) fn hold_refused(&self, code: &'static str) {
        if code == "sold_out" {
            self.holds_sold_out.increment(1);
        } else {
            counter!(HOLDS_TOTAL, "outcome" => code).increment(1);
        }
    }
}

pub(crate) fn rejected(reason: &'static str) {
    counter!(ADMISSION_REJECTED_TOTAL, "reason" => reason).increment(1);
}

pub(crate) fn violated(invariant: &'static str) {
    counter!(INVARIANT_VIOLATIONS_TOTAL, "invariant" => invariant).increment(1);
}
