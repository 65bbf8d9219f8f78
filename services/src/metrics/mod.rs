//! The metrics of use cases: a register of them. What records them is in `handles.rs`.

mod handles;

use onsale_domain::money::Currency;
pub use onsale_engine::metrics::{Counters, Kind, Metric};

pub(crate) use handles::{
    Effect, GatewayMetrics, JobMetrics, access_found, access_state, check_in, jobs_counted, money_moved,
    password_hashed, payment_decided, payments_counted, webhook,
};

/// Whether this process knows what was revoked.
pub const ACCESS_SYNCED: Metric = Metric::gauge(
    "onsale_access_synced",
    &[],
    "1, or 0 while each request of staff is checked in Postgres.",
);
/// Where the access of staff was found.
pub const ACCESS_CACHE_TOTAL: Metric = Metric::counter(
    "onsale_access_cache_total",
    &["outcome"],
    "Where the access of staff was found: process, redis, postgres, or unsynced for Postgres because the process does \
     not know what was revoked.",
);
/// Sessions and accounts whose access tokens are refused.
pub const ACCESS_REVOCATIONS: Metric = Metric::gauge(
    "onsale_access_revocations",
    &[],
    "Sessions and accounts whose access tokens are refused.",
);
/// How many passwords were hashed.
pub const PASSWORD_HASHES_TOTAL: Metric = Metric::counter(
    "onsale_password_hashes_total",
    &[],
    "Passwords hashed, to keep or to compare.",
);
/// Attempts to ask a payment provider.
pub const GATEWAY_REQUESTS_TOTAL: Metric = Metric::counter(
    "onsale_gateway_requests_total",
    &["gateway", "operation", "outcome"],
    "Attempts to ask a payment provider: answered, rejected, unavailable, unknown, or held_back by the circuit breaker.",
);
/// Time of an attempt.
pub const GATEWAY_REQUEST_DURATION_SECONDS: Metric = Metric::histogram(
    "onsale_gateway_request_duration_seconds",
    &["gateway", "operation"],
    "Time of an attempt to ask a payment provider.",
);
/// Whether a provider is left alone because it does not answer.
pub const GATEWAY_CIRCUIT_OPEN: Metric = Metric::gauge(
    "onsale_gateway_circuit_open",
    &["gateway"],
    "1 while a payment provider is left alone because it does not answer, else 0.",
);
/// Webhooks of payment providers.
pub const WEBHOOKS_TOTAL: Metric = Metric::counter(
    "onsale_webhooks_total",
    &["gateway", "outcome"],
    "Webhooks of payment providers: accepted, ignored where they are about nothing of ours, forged, unreadable, or \
     failed where they could not be kept and the provider has to try again.",
);
/// Payments that needed a decision.
pub const PAYMENT_DECISIONS_TOTAL: Metric = Metric::counter(
    "onsale_payment_decisions_total",
    &["decision"],
    "Payments that needed a decision: reclaimed where a late payment still got its tickets, undecided_in_time, \
     amount_mismatch where it was quarantined, or the refusal that sent the money back.",
);
/// Payments whose effect is done.
pub const PAYMENTS_SETTLED_TOTAL: Metric = Metric::counter(
    "onsale_payments_settled_total",
    &["effect"],
    "Payments that a provider has captured or voided, and refunds that it has made.",
);
/// Their amounts.
pub const PAYMENTS_SETTLED_MINOR_TOTAL: Metric = Metric::counter(
    "onsale_payments_settled_minor_total",
    &["effect", "currency"],
    "Amounts captured and refunded, in minor units (cents, yen, fils) of the currency.",
);
/// Payments that are not where they are going.
pub const PAYMENTS_OPEN: Metric = Metric::gauge(
    "onsale_payments_open",
    &["status"],
    "Payments of orders that are pending, voiding, refunding or quarantined; no more than 100,000 are counted.",
);
/// Runs of background jobs.
pub const JOBS_TOTAL: Metric = Metric::counter(
    "onsale_jobs_total",
    &["kind", "outcome"],
    "Runs of background jobs: done, later where there is more to do, failed where they are tried again, or dead.",
);
/// Background jobs that wait or are at work.
pub const JOBS_WAITING: Metric = Metric::gauge(
    "onsale_jobs_waiting",
    &["kind"],
    "Background jobs that wait or are at work; no more than 100,000 are counted.",
);
/// Background jobs that were given up.
pub const JOBS_DEAD: Metric = Metric::gauge(
    "onsale_jobs_dead",
    &["kind"],
    "Background jobs that were given up; no more than 100,000 are counted.",
);
/// How late the background work is.
pub const JOBS_OVERDUE_SECONDS: Metric = Metric::gauge(
    "onsale_jobs_overdue_seconds",
    &["kind"],
    "How long the background job that is due longest has been due; 0 where none is.",
);
/// Time of one run.
pub const JOB_DURATION_SECONDS: Metric = Metric::histogram(
    "onsale_job_duration_seconds",
    &["kind"],
    "Time of one run of a background job.",
);
/// Scans at the door.
pub const CHECK_INS_TOTAL: Metric = Metric::counter(
    "onsale_check_ins_total",
    &["outcome"],
    "Scans at the door: admitted, repeated where the gate had its answer before, the refusal's code, or failed where \
     nothing was decided.",
);

/// All of them.
pub const ALL: [Metric; 18] = [
    PAYMENTS_SETTLED_TOTAL,
    PAYMENTS_SETTLED_MINOR_TOTAL,
    PAYMENTS_OPEN,
    PAYMENT_DECISIONS_TOTAL,
    GATEWAY_REQUESTS_TOTAL,
    GATEWAY_REQUEST_DURATION_SECONDS,
    GATEWAY_CIRCUIT_OPEN,
    WEBHOOKS_TOTAL,
    CHECK_INS_TOTAL,
    JOBS_TOTAL,
    JOBS_WAITING,
    JOBS_DEAD,
    JOBS_OVERDUE_SECONDS,
    JOB_DURATION_SECONDS,
    ACCESS_SYNCED,
    ACCESS_CACHE_TOTAL,
    ACCESS_REVOCATIONS,
    PASSWORD_HASHES_TOTAL,
];

/// Tells the recorder what the metrics are, and shows at 0 what has not happened yet. Call it once, after the recorder is
/// installed.
pub fn describe() {
    for metric in ALL {
        metric.describe();
    }
    handles::show();
}

/// Shows at 0 what has not happened yet with money of a currency in which this process sells.
pub fn describe_currency(currency: Currency) {
    handles::show_currency(currency);
}
