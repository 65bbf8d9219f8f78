//! Names and meanings of the metrics of use cases.

use std::time::Duration;

use metrics::{
    Counter, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use onsale_domain::Gateway;
use onsale_persistence::{JobCount, JobKind};

/// Whether this process knows what was revoked: 1, or 0 while it asks Postgres at each request of staff.
pub const ACCESS_SYNCED: &str = "onsale_access_synced";
/// Where the access of accounts was found: `process`, `redis`, `postgres`, or `unsynced` for Postgres because the
/// process does not know what was revoked.
pub const ACCESS_CACHE_TOTAL: &str = "onsale_access_cache_total";
/// Sessions and accounts whose access tokens are refused.
pub const ACCESS_REVOCATIONS: &str = "onsale_access_revocations";

/// How many passwords were hashed, to keep or to compare.
pub const PASSWORD_HASHES_TOTAL: &str = "onsale_password_hashes_total";

/// Attempts to ask a payment provider. Labels: gateway, operation, outcome (`answered`, `rejected`, `unavailable`,
/// `unknown`, or `held_back` by the circuit breaker).
pub const GATEWAY_REQUESTS_TOTAL: &str = "onsale_gateway_requests_total";
/// Seconds that an attempt took. Labels: gateway, operation.
pub const GATEWAY_REQUEST_DURATION_SECONDS: &str = "onsale_gateway_request_duration_seconds";
/// Whether a provider is left alone because it does not answer: 1, or 0. Label: gateway.
pub const GATEWAY_CIRCUIT_OPEN: &str = "onsale_gateway_circuit_open";
/// Webhooks of payment providers. Labels: gateway, outcome (`accepted`, `ignored` where it is about nothing of ours,
/// `forged`, `unreadable`, or `failed` where it could not be kept and the provider has to try again).
pub const WEBHOOKS_TOTAL: &str = "onsale_webhooks_total";
/// Payments that needed a decision. Label: decision (`reclaimed` where a late payment still got its tickets,
/// `undecided_in_time`, `amount_mismatch` where it was quarantined, or the refusal that sent the money back).
pub const PAYMENT_DECISIONS_TOTAL: &str = "onsale_payment_decisions_total";
/// Runs of background jobs, by `kind` and `outcome`: `done`, `later`, `failed` or `dead`.
pub const JOBS_TOTAL: &str = "onsale_jobs_total";
/// Background jobs that wait or are at work, by `kind`; no more than 100,000 are counted.
pub const JOBS_WAITING: &str = "onsale_jobs_waiting";
/// Background jobs that were given up, by `kind`; no more than 100,000 are counted.
pub const JOBS_DEAD: &str = "onsale_jobs_dead";
/// How long a run of a background job took, by `kind`.
pub const JOB_DURATION_SECONDS: &str = "onsale_job_duration_seconds";

/// Scans at the door. Label: outcome (`admitted`, `repeated` where the gate had its answer before, the refusal's code, or
/// `failed` where nothing was decided).
pub const CHECK_INS_TOTAL: &str = "onsale_check_ins_total";

/// Tells the recorder what they mean.
pub fn describe() {
    describe_gauge!(
        ACCESS_SYNCED,
        "1, or 0 while each request of staff is checked in Postgres."
    );
    describe_counter!(ACCESS_CACHE_TOTAL, "Where the access of staff was found.");
    describe_gauge!(
        ACCESS_REVOCATIONS,
        "Sessions and accounts whose access tokens are refused."
    );
    describe_counter!(PASSWORD_HASHES_TOTAL, "Passwords hashed, to keep or to compare.");
    describe_counter!(GATEWAY_REQUESTS_TOTAL, "Attempts to ask a payment provider.");
    describe_histogram!(
        GATEWAY_REQUEST_DURATION_SECONDS,
        "Seconds that an attempt to ask a payment provider took."
    );
    describe_gauge!(
        GATEWAY_CIRCUIT_OPEN,
        "1 while a payment provider is left alone because it does not answer, else 0."
    );
    describe_counter!(WEBHOOKS_TOTAL, "Webhooks of payment providers by outcome.");
    describe_counter!(
        PAYMENT_DECISIONS_TOTAL,
        "Payments that needed a decision, by what was decided."
    );
    describe_counter!(CHECK_INS_TOTAL, "Scans at the door by outcome.");
    describe_counter!(JOBS_TOTAL, "Runs of background jobs.");
    describe_gauge!(JOBS_WAITING, "Background jobs that wait or are at work.");
    describe_gauge!(JOBS_DEAD, "Background jobs that were given up.");
    describe_histogram!(JOB_DURATION_SECONDS, "Time of one run of a background job.");
}

/// A scan at the door ended so.
pub(crate) fn check_in(outcome: &'static str) {
    counter!(CHECK_INS_TOTAL, "outcome" => outcome).increment(1);
}

/// An account's access was looked up.
pub(crate) fn access_found(outcome: &'static str) {
    counter!(ACCESS_CACHE_TOTAL, "outcome" => outcome).increment(1);
}

/// What this process knows of revocations.
pub(crate) fn access_state(is_synced: bool, revocations: usize) {
    gauge!(ACCESS_SYNCED).set(if is_synced { 1.0 } else { 0.0 });
    // Far below what a float holds exactly.
    gauge!(ACCESS_REVOCATIONS).set(u32::try_from(revocations).map_or(f64::INFINITY, f64::from));
}

/// An attempt to ask a provider ended so, after so long where it was made.
pub(crate) fn gateway_request(
    gateway: Gateway,
    operation: &'static str,
    outcome: &'static str,
    took: Option<Duration>,
) {
    let gateway = gateway.as_str();
    counter!(GATEWAY_REQUESTS_TOTAL, "gateway" => gateway, "operation" => operation, "outcome" => outcome)
        .increment(1);
    if let Some(took) = took {
        histogram!(GATEWAY_REQUEST_DURATION_SECONDS, "gateway" => gateway, "operation" => operation)
            .record(took);
    }
}

/// Whether a provider is left alone.
pub(crate) fn gateway_circuit(gateway: Gateway, is_open: bool) {
    gauge!(GATEWAY_CIRCUIT_OPEN, "gateway" => gateway.as_str()).set(if is_open { 1.0 } else { 0.0 });
}

/// A webhook came in.
pub(crate) fn webhook(gateway: Gateway, outcome: &'static str) {
    counter!(WEBHOOKS_TOTAL, "gateway" => gateway.as_str(), "outcome" => outcome).increment(1);
}

/// A payment needed a decision.
pub(crate) fn payment_decided(decision: &'static str) {
    counter!(PAYMENT_DECISIONS_TOTAL, "decision" => decision).increment(1);
}

/// How many jobs there are.
pub(crate) fn jobs_counted(counts: &[JobCount]) {
    // Counted up to a bound far below what a float holds exactly.
    let value = |count: u64| u32::try_from(count).map_or(f64::INFINITY, f64::from);
    for count in counts {
        gauge!(JOBS_WAITING, "kind" => count.kind.as_str()).set(value(count.waiting));
        gauge!(JOBS_DEAD, "kind" => count.kind.as_str()).set(value(count.dead));
    }
}

/// The handles of a kind of job.
pub(crate) struct JobMetrics {
    done: Counter,
    later: Counter,
    failed: Counter,
    dead: Counter,
    duration: Histogram,
}

impl JobMetrics {
    pub(crate) fn of(kind: JobKind) -> Self {
        let kind = kind.as_str();
        let ended = |outcome| counter!(JOBS_TOTAL, "kind" => kind, "outcome" => outcome);
        Self {
            done: ended("done"),
            later: ended("later"),
            failed: ended("failed"),
            dead: ended("dead"),
            duration: histogram!(JOB_DURATION_SECONDS, "kind" => kind),
        }
    }

    /// There was nothing more to do.
    pub(crate) fn done(&self, took: Duration) {
        self.ran(&self.done, took);
    }

    /// It is to be looked at again.
    pub(crate) fn later(&self, took: Duration) {
        self.ran(&self.later, took);
    }

    /// It is tried again.
    pub(crate) fn failed(&self, took: Duration) {
        self.ran(&self.failed, took);
    }

    /// It was given up.
    pub(crate) fn given_up(&self, took: Duration) {
        self.ran(&self.dead, took);
    }

    fn ran(&self, outcome: &Counter, took: Duration) {
        outcome.increment(1);
        self.duration.record(took);
    }
}
