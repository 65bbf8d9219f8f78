//! What records the metrics of use cases. Handles are looked up once where requests pass; the macros, which hash and
//! search on every call, are used only in the background.

use std::sync::LazyLock;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use onsale_domain::money::Currency;
use onsale_domain::{Gateway, Money, UnixMillis};
use onsale_persistence::{JobCount, JobKind, OpenPayments};

use super::{
    ACCESS_CACHE_TOTAL, ACCESS_REVOCATIONS, ACCESS_SYNCED, CHECK_INS_TOTAL, Counters, GATEWAY_CIRCUIT_OPEN,
    GATEWAY_REQUEST_DURATION_SECONDS, GATEWAY_REQUESTS_TOTAL, JOB_DURATION_SECONDS, JOBS_DEAD,
    JOBS_OVERDUE_SECONDS, JOBS_TOTAL, JOBS_WAITING, PASSWORD_HASHES_TOTAL, PAYMENT_DECISIONS_TOTAL,
    PAYMENTS_OPEN, PAYMENTS_SETTLED_MINOR_TOTAL, PAYMENTS_SETTLED_TOTAL, WEBHOOKS_TOTAL,
};

/// What is asked of a payment provider.
const OPERATIONS: [&str; 5] = ["start", "status", "capture", "void", "refund"];
/// How an attempt ends.
const ATTEMPTS: [&str; 5] = ["answered", "rejected", "unavailable", "unknown", "held_back"];
/// What becomes of a webhook.
const HEARD: [&str; 5] = ["accepted", "ignored", "forged", "unreadable", "failed"];

static CHECK_INS: LazyLock<Counters> =
    LazyLock::new(|| Counters::new(CHECK_INS_TOTAL, &["admitted", "repeated", "failed"]));
static ACCESS: LazyLock<Counters> =
    LazyLock::new(|| Counters::new(ACCESS_CACHE_TOTAL, &["process", "redis", "postgres", "unsynced"]));
static DECISIONS: LazyLock<Counters> = LazyLock::new(|| {
    let usual = ["reclaimed", "undecided_in_time", "amount_mismatch"];
    Counters::new(PAYMENT_DECISIONS_TOTAL, &usual)
});
static SETTLED: LazyLock<Counters> =
    LazyLock::new(|| Counters::new(PAYMENTS_SETTLED_TOTAL, &["captured", "voided", "refunded"]));
static PASSWORDS: LazyLock<Counter> = LazyLock::new(|| counter!(PASSWORD_HASHES_TOTAL.name));

/// Shows at 0 what has not happened yet.
pub(super) fn show() {
    for counters in [&CHECK_INS, &ACCESS, &DECISIONS, &SETTLED] {
        LazyLock::force(counters);
    }
    LazyLock::force(&PASSWORDS);
}

/// Shows at 0 what providers do with money of a currency.
pub(super) fn show_currency(currency: Currency) {
    for effect in ["captured", "refunded"] {
        counter!(PAYMENTS_SETTLED_MINOR_TOTAL.name, "effect" => effect, "currency" => currency.code())
            .increment(0);
    }
}

/// A scan at the door ended so.
pub(crate) fn check_in(outcome: &'static str) {
    CHECK_INS.count(outcome);
}

/// An account's access was looked up.
pub(crate) fn access_found(outcome: &'static str) {
    ACCESS.count(outcome);
}

/// A password was hashed.
pub(crate) fn password_hashed() {
    PASSWORDS.increment(1);
}

/// What this process knows of revocations.
pub(crate) fn access_state(is_synced: bool, revocations: usize) {
    gauge!(ACCESS_SYNCED.name).set(flag(is_synced));
    gauge!(ACCESS_REVOCATIONS.name).set(number(u64::try_from(revocations).unwrap_or(u64::MAX)));
}

/// A webhook came in.
pub(crate) fn webhook(gateway: Gateway, outcome: &'static str) {
    counter!(WEBHOOKS_TOTAL.name, "gateway" => gateway.as_str(), "outcome" => outcome).increment(1);
}

/// A payment needed a decision.
pub(crate) fn payment_decided(decision: &'static str) {
    DECISIONS.count(decision);
}

/// What a provider has done with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Taken.
    Captured,
    /// Let go before it was taken.
    Voided,
    /// Given back.
    Refunded,
}

/// A provider has done something with money.
pub(crate) fn money_moved(effect: Effect, amount: Money) {
    let name = match effect {
        Effect::Captured => "captured",
        Effect::Voided => "voided",
        Effect::Refunded => "refunded",
    };
    SETTLED.count(name);
    if effect != Effect::Voided {
        let currency = amount.currency.code();
        counter!(PAYMENTS_SETTLED_MINOR_TOTAL.name, "effect" => name, "currency" => currency)
            .increment(u64::try_from(amount.amount_minor).unwrap_or(0));
    }
}

/// How many payments stand where they should not stay.
pub(crate) fn payments_counted(counts: &[OpenPayments]) {
    for count in counts {
        gauge!(PAYMENTS_OPEN.name, "status" => count.status.as_str()).set(number(count.number));
    }
}

/// How many jobs there are.
pub(crate) fn jobs_counted(counts: &[JobCount], now: UnixMillis) {
    for count in counts {
        let kind = count.kind.as_str();
        let overdue_ms = count.due_at.map_or(0, |due_at| now.ms_since(due_at).max(0));
        gauge!(JOBS_WAITING.name, "kind" => kind).set(number(count.waiting));
        gauge!(JOBS_DEAD.name, "kind" => kind).set(number(count.dead));
        gauge!(JOBS_OVERDUE_SECONDS.name, "kind" => kind).set(number(overdue_ms.unsigned_abs()) / 1_000.0);
    }
}

/// Metrics are floats; what is counted here is far below what one holds exactly.
fn number(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}

fn flag(is_set: bool) -> f64 {
    if is_set { 1.0 } else { 0.0 }
}

/// The handles of a payment provider.
pub(crate) struct GatewayMetrics {
    operations: [Operation; OPERATIONS.len()],
    circuit: Gauge,
}

struct Operation {
    attempts: [Counter; ATTEMPTS.len()],
    duration: Histogram,
}

impl GatewayMetrics {
    pub(crate) fn of(gateway: Gateway) -> Self {
        let gateway = gateway.as_str();
        for outcome in HEARD {
            counter!(WEBHOOKS_TOTAL.name, "gateway" => gateway, "outcome" => outcome).increment(0);
        }
        let attempts = |operation| {
            ATTEMPTS.map(|outcome| {
                counter!(
                    GATEWAY_REQUESTS_TOTAL.name,
                    "gateway" => gateway, "operation" => operation, "outcome" => outcome
                )
            })
        };
        let duration = |operation| {
            histogram!(
                GATEWAY_REQUEST_DURATION_SECONDS.name,
                "gateway" => gateway, "operation" => operation
            )
        };
        let metrics = Self {
            operations: OPERATIONS.map(|operation| Operation {
                attempts: attempts(operation),
                duration: duration(operation),
            }),
            circuit: gauge!(GATEWAY_CIRCUIT_OPEN.name, "gateway" => gateway),
        };
        metrics.circuit(false);
        metrics
    }

    /// An attempt ended so, after so long where it was made. Words that are not in the lists above count nothing.
    pub(crate) fn attempt(&self, operation: &'static str, outcome: &'static str, took: Option<Duration>) {
        let position = |words: &[&str], word| words.iter().position(|known| *known == word);
        let Some(operation) = position(&OPERATIONS, operation).and_then(|index| self.operations.get(index))
        else {
            return;
        };
        if let Some(counter) = position(&ATTEMPTS, outcome).and_then(|index| operation.attempts.get(index)) {
            counter.increment(1);
        }
        if let Some(took) = took {
            operation.duration.record(took);
        }
    }

    /// Whether it is left alone.
    pub(crate) fn circuit(&self, is_open: bool) {
        self.circuit.set(flag(is_open));
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
        let ended = |outcome| counter!(JOBS_TOTAL.name, "kind" => kind, "outcome" => outcome);
        Self {
            done: ended("done"),
            later: ended("later"),
            failed: ended("failed"),
            dead: ended("dead"),
            duration: histogram!(JOB_DURATION_SECONDS.name, "kind" => kind),
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
