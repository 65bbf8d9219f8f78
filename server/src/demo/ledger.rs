//! The clients' own log: what they were told with a final 2xx, and what they saw on the way. The verdict compares
//! it with Postgres.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use uuid::Uuid;

/// An order that a client was told it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    /// The order.
    pub(crate) order_id: Uuid,
    /// Its tickets.
    pub(crate) ticket_ids: Vec<Uuid>,
    /// The idempotency key of the request.
    pub(crate) key: String,
    /// What the client was told it costs.
    pub(crate) total_minor: i64,
}

/// A hold that a client was told it has, whether or not an order came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AcknowledgedHold {
    /// The hold.
    pub(crate) hold_id: Uuid,
    /// What the client was told it will cost.
    pub(crate) total_minor: i64,
}

/// Counts that the live view reads while buyers write.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Buyers who came.
    pub(crate) offered: AtomicU64,
    /// Buyers who are through.
    pub(crate) finished: AtomicU64,
    /// Orders acknowledged.
    pub(crate) orders: AtomicU64,
    /// Tickets acknowledged.
    pub(crate) tickets: AtomicU64,
    /// Requests sent again.
    pub(crate) retries: AtomicU64,
}

#[derive(Debug)]
struct Log {
    acknowledgements: Vec<Acknowledgement>,
    holds: Vec<AcknowledgedHold>,
    /// When each acknowledgement came, from the start.
    at: Vec<Duration>,
    /// From the scheduled arrival to the acknowledgement, in microseconds.
    latency: Histogram<u64>,
    /// The same since the live view last looked.
    latency_recent: Histogram<u64>,
    /// Final answers that were no acknowledgement, by code.
    refusals: BTreeMap<String, u64>,
    crashed_at: Option<Instant>,
    recovered_after: Option<Duration>,
}

/// Shared by all buyers.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Start of the schedule.
    pub(crate) started: Instant,
    /// What the live view shows.
    pub(crate) counts: Counts,
    log: Mutex<Log>,
}

/// What the ledger comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    /// Every acknowledged order.
    pub(crate) acknowledgements: Vec<Acknowledgement>,
    /// Every acknowledged hold that was asked for by itself.
    pub(crate) holds: Vec<AcknowledgedHold>,
    /// Acknowledged orders per second, until 95 % of them were: the last few wait for holds to come back.
    pub(crate) acknowledged_per_second: f64,
    /// From the scheduled arrival to the acknowledgement, retries and crash included.
    pub(crate) p50_ms: f64,
    /// See `p50_ms`.
    pub(crate) p99_ms: f64,
    /// See `p50_ms`.
    pub(crate) p999_ms: f64,
    /// From the crash to the first acknowledgement of a request that was sent after it.
    pub(crate) recovery_ms: Option<f64>,
    /// Final refusals by code.
    pub(crate) refusals: BTreeMap<String, u64>,
}

impl Ledger {
    /// An empty ledger for a schedule that starts now.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let histogram = || Histogram::new_with_bounds(1, 600_000_000, 3);
        Ok(Self {
            started: Instant::now(),
            counts: Counts::default(),
            log: Mutex::new(Log {
                acknowledgements: Vec::new(),
                holds: Vec::new(),
                at: Vec::new(),
                latency: histogram()?,
                latency_recent: histogram()?,
                refusals: BTreeMap::new(),
                crashed_at: None,
                recovered_after: None,
            }),
        })
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A purchase or checkout was answered with 2xx. `due` is when the buyer wanted to send it, `sent` when the
    /// attempt that was answered left.
    pub(crate) fn acknowledge(&self, acknowledgement: Acknowledgement, due: Instant, sent: Instant) {
        let now = Instant::now();
        let tickets = u64::try_from(acknowledgement.ticket_ids.len()).unwrap_or_default();
        self.counts.orders.fetch_add(1, Ordering::Relaxed);
        self.counts.tickets.fetch_add(tickets, Ordering::Relaxed);
        let micros = u64::try_from((now - due).as_micros()).unwrap_or(u64::MAX);
        let mut log = self.log();
        log.at.push(now - self.started);
        log.acknowledgements.push(acknowledgement);
        log.latency.saturating_record(micros);
        log.latency_recent.saturating_record(micros);
        if let Some(crashed_at) = log.crashed_at
            && log.recovered_after.is_none()
            && sent > crashed_at
        {
            log.recovered_after = Some(now - crashed_at);
        }
    }

    /// A hold was answered with 2xx.
    pub(crate) fn hold(&self, hold: AcknowledgedHold) {
        self.log().holds.push(hold);
    }

    /// A buyer was turned away for good.
    pub(crate) fn refuse(&self, code: &str) {
        let mut log = self.log();
        if let Some(count) = log.refusals.get_mut(code) {
            *count += 1;
        } else {
            log.refusals.insert(code.to_owned(), 1);
        }
    }

    /// The crash happened now.
    pub(crate) fn crashed(&self) {
        self.log().crashed_at = Some(Instant::now());
    }

    /// Time from the crash to the first acknowledgement after it, once there was one.
    pub(crate) fn recovered_after(&self) -> Option<Duration> {
        self.log().recovered_after
    }

    /// p50 and p99 in milliseconds since this was last asked; `None` when nothing was acknowledged.
    pub(crate) fn recent_latency(&self) -> Option<(f64, f64)> {
        let mut log = self.log();
        let recent = &mut log.latency_recent;
        let quantiles = (!recent.is_empty()).then(|| (millis(recent, 0.5), millis(recent, 0.99)));
        recent.reset();
        quantiles
    }

    /// What it all comes to.
    pub(crate) fn summary(&self) -> Summary {
        let mut log = self.log();
        log.at.sort_unstable();
        let most = log.at.len() * 95 / 100;
        let acknowledged_per_second = match log.at.get(most.saturating_sub(1)) {
            Some(at) if !at.is_zero() => count(most.max(1)) / at.as_secs_f64(),
            Some(_) | None => 0.0,
        };
        Summary {
            acknowledgements: log.acknowledgements.clone(),
            holds: log.holds.clone(),
            acknowledged_per_second,
            p50_ms: millis(&log.latency, 0.5),
            p99_ms: millis(&log.latency, 0.99),
            p999_ms: millis(&log.latency, 0.999),
            recovery_ms: log.recovered_after.map(|after| after.as_secs_f64() * 1_000.0),
            refusals: log.refusals.clone(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds below 2^53")]
fn millis(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
const fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn order() -> Acknowledgement {
        Acknowledgement {
            order_id: Uuid::now_v7(),
            ticket_ids: vec![Uuid::now_v7(), Uuid::now_v7()],
            key: "key".to_owned(),
            total_minor: 100,
        }
    }

    #[test]
    fn only_a_request_sent_after_the_crash_ends_the_outage() {
        let ledger = Ledger::new().unwrap();
        let before = Instant::now();
        std::thread::sleep(Duration::from_millis(2));
        ledger.crashed();
        ledger.acknowledge(order(), before, before);
        assert_eq!(ledger.recovered_after(), None);
        std::thread::sleep(Duration::from_millis(2));
        ledger.acknowledge(order(), before, Instant::now());
        assert!(ledger.recovered_after().unwrap() >= Duration::from_millis(2));
    }

    #[test]
    fn latency_counts_from_when_the_request_was_due() {
        let ledger = Ledger::new().unwrap();
        let due = Instant::now();
        std::thread::sleep(Duration::from_millis(20));
        ledger.acknowledge(order(), due, Instant::now());
        let summary = ledger.summary();
        assert!(summary.p50_ms >= 20.0, "{}", summary.p50_ms);
        assert_eq!(ledger.counts.tickets.load(Ordering::Relaxed), 2);
        assert_eq!(summary.recovery_ms, None);
    }
}
