//! What is counted of questions to other processes and from them.

use std::sync::LazyLock;

use metrics::{Histogram, histogram};
use onsale_engine::metrics::{Counters, Metric};

/// Questions to other processes.
pub(crate) const PEER_REQUESTS_TOTAL: Metric = Metric::counter(
    "onsale_peer_requests_total",
    &["outcome"],
    "Questions to other processes about events that those own: answered, moved (not the owner any more), unreachable, overloaded, or lost (the outcome is not known).",
);
/// Time of such a question.
pub(crate) const PEER_REQUEST_DURATION_SECONDS: Metric = Metric::histogram(
    "onsale_peer_request_duration_seconds",
    &[],
    "Time of a question to another process, answered or not.",
);
/// Questions of other processes that were not taken.
pub(crate) const PEER_REFUSALS_TOTAL: Metric = Metric::counter(
    "onsale_peer_refusals_total",
    &["reason"],
    "Questions of other processes that were not taken: seal (not made with our secret), time (the clocks are apart), version (of another release), again (it came before), size, slow, overloaded, or starting.",
);

const OUTCOMES: [&str; 5] = ["answered", "moved", "unreachable", "overloaded", "lost"];
const REFUSALS: [&str; 8] = [
    "seal",
    "time",
    "version",
    "again",
    "size",
    "slow",
    "overloaded",
    "starting",
];

static ASKED: LazyLock<Counters> = LazyLock::new(|| Counters::new(PEER_REQUESTS_TOTAL, &OUTCOMES));
static REFUSED: LazyLock<Counters> = LazyLock::new(|| Counters::new(PEER_REFUSALS_TOTAL, &REFUSALS));
static DURATION: LazyLock<Histogram> = LazyLock::new(|| histogram!(PEER_REQUEST_DURATION_SECONDS.name));

/// Shows the metrics from the start. Call it once, after the recorder is installed.
pub(crate) fn show() {
    LazyLock::force(&ASKED);
    LazyLock::force(&REFUSED);
    LazyLock::force(&DURATION);
}

pub(super) fn asked(outcome: &'static str, seconds: f64) {
    ASKED.count(outcome);
    DURATION.record(seconds);
}

pub(super) fn refused(reason: &'static str) {
    REFUSED.count(reason);
}
