//! The metrics that this crate records.

use std::sync::LazyLock;

use axum::http::StatusCode;
use onsale_services::metrics::{Counters, Metric};

/// Time of requests.
pub const HTTP_REQUEST_DURATION_SECONDS: Metric = Metric::histogram(
    "onsale_http_request_duration_seconds",
    &["route", "method", "status"],
    "Time from the head of a request to the head of its answer.",
);
/// Answers that are failures.
pub const HTTP_FAILURES_TOTAL: Metric = Metric::counter(
    "onsale_http_failures_total",
    &["status"],
    "Answers of all routes that are failures: 500, or 503. Both are there from the start.",
);
/// Purchases and checkouts.
pub const PURCHASES_TOTAL: Metric = Metric::counter(
    "onsale_purchases_total",
    &["outcome"],
    "Purchases and checkouts by outcome: confirmed, pending at each answer before the payment is decided, replayed, or \
     an error's code.",
);
/// Open connections of the public port.
pub const HTTP_CONNECTIONS: Metric = Metric::gauge(
    "onsale_http_connections",
    &[],
    "Open connections of the public port.",
);
/// Connections that the public port takes.
pub const HTTP_CONNECTIONS_MAX: Metric = Metric::gauge(
    "onsale_http_connections_max",
    &[],
    "Connections that the public port takes at once; more wait in the listener's backlog.",
);

/// All of them.
pub const ALL: [Metric; 5] = [
    PURCHASES_TOTAL,
    HTTP_REQUEST_DURATION_SECONDS,
    HTTP_FAILURES_TOTAL,
    HTTP_CONNECTIONS,
    HTTP_CONNECTIONS_MAX,
];

/// Outcomes of purchases that every sale has, shown at 0 from the start.
const PURCHASE_OUTCOMES: [&str; 6] = [
    "confirmed",
    "pending",
    "replayed",
    "sold_out",
    "all_held",
    "payment_declined",
];

/// Not by route as the times of requests are: a series of those comes into being with its first answer, and a rate over
/// it misses that one.
static FAILURES: LazyLock<Counters> = LazyLock::new(|| Counters::new(HTTP_FAILURES_TOTAL, &["500", "503"]));

/// Tells the recorder what the metrics are. Call it once, after the recorder is installed.
pub fn describe() {
    for metric in ALL {
        metric.describe();
    }
    LazyLock::force(&FAILURES);
    for outcome in PURCHASE_OUTCOMES {
        metrics::counter!(PURCHASES_TOTAL.name, "outcome" => outcome).increment(0);
    }
}

/// An answer is a failure. Problems have no other statuses of failures than these two.
pub(crate) fn failed(status: StatusCode) {
    FAILURES.count(if status == StatusCode::SERVICE_UNAVAILABLE {
        "503"
    } else {
        "500"
    });
}
