//! Names of the metrics that this crate records.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// Seconds from the first byte of a request's head to the head of its answer. Labels: route, method, status.
pub const HTTP_REQUEST_DURATION_SECONDS: &str = "onsale_http_request_duration_seconds";
/// Purchases and checkouts. Label: outcome (`confirmed`, `replayed` or an error's code).
pub const PURCHASES_TOTAL: &str = "onsale_purchases_total";
/// Open connections of the public port.
pub const HTTP_CONNECTIONS: &str = "onsale_http_connections";

/// Tells the recorder what the metrics are. Call it once, after the recorder is installed.
pub fn describe() {
    describe_histogram!(
        HTTP_REQUEST_DURATION_SECONDS,
        "Seconds from the first byte of a request's head to the head of its answer."
    );
    describe_counter!(PURCHASES_TOTAL, "Purchases and checkouts by outcome.");
    describe_gauge!(HTTP_CONNECTIONS, "Open connections of the public port.");
}
