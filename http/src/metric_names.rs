//! The metrics that this crate records.

use onsale_services::metrics::Metric;

/// Time of requests.
pub const HTTP_REQUEST_DURATION_SECONDS: Metric = Metric::histogram(
    "onsale_http_request_duration_seconds",
    &["route", "method", "status"],
    "Time from the head of a request to the head of its answer.",
);
/// Purchases and checkouts.
pub const PURCHASES_TOTAL: Metric = Metric::counter(
    "onsale_purchases_total",
    &["outcome"],
    "Purchases and checkouts by outcome: confirmed, replayed, or an error's code.",
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
pub const ALL: [Metric; 4] = [
    PURCHASES_TOTAL,
    HTTP_REQUEST_DURATION_SECONDS,
    HTTP_CONNECTIONS,
    HTTP_CONNECTIONS_MAX,
];

/// Outcomes of purchases that every sale has, shown at 0 from the start.
const PURCHASE_OUTCOMES: [&str; 5] = [
    "confirmed",
    "replayed",
    "sold_out",
    "all_held",
    "payment_declined",
];

/// Tells the recorder what the metrics are. Call it once, after the recorder is installed.
pub fn describe() {
    for metric in ALL {
        metric.describe();
    }
    for outcome in PURCHASE_OUTCOMES {
        metrics::counter!(PURCHASES_TOTAL.name, "outcome" => outcome).increment(0);
    }
}
