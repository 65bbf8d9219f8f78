//! Names of the metrics that this crate records.

/// Seconds from the first byte of a request's head to the head of its answer. Labels: route, method, status.
pub const HTTP_REQUEST_DURATION_SECONDS: &str = "onsale_http_request_duration_seconds";
/// Purchases and checkouts. Label: outcome (`confirmed`, `replayed` or an error's code).
pub const PURCHASES_TOTAL: &str = "onsale_purchases_total";
/// Open connections of the public port.
pub const HTTP_CONNECTIONS: &str = "onsale_http_connections";
