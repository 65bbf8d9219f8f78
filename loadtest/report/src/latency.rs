//! Latencies without coordinated omission, as long as callers time from the moment that a request was due.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longest latency that is told apart: one minute.
const LONGEST_US: u64 = 60_000_000;

/// Latencies of many requests, to three digits.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

/// The percentiles that are told, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LatencySummary {
    /// Half were faster.
    pub p50_ms: f64,
    /// One of a hundred was slower.
    pub p99_ms: f64,
    /// One of a thousand was slower.
    pub p999_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the bounds are constants that the library takes"
        )]
        Self(Histogram::new_with_max(LONGEST_US, 3).expect("bounds in order"))
    }
}

impl Latencies {
    /// Counts a request. Longer ones than a minute count as a minute.
    pub fn record(&mut self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        self.0.saturating_record(us.clamp(1, LONGEST_US));
    }

    /// Adds those of another client.
    pub fn add(&mut self, other: &Self) {
        // Both have the same bounds, so nothing can be out of them.
        let _ = self.0.add(&other.0);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The percentiles; 0 where nothing was counted.
    pub fn summary(&self) -> LatencySummary {
        let at = |quantile| ms(self.0.value_at_quantile(quantile));
        LatencySummary {
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: ms(self.0.max()),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a minute in microseconds is exact")]
fn ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_all_clients() {
        let (mut fast, mut slow) = (Latencies::default(), Latencies::default());
        (0..99).for_each(|_| fast.record(Duration::from_millis(1)));
        slow.record(Duration::from_secs(90));
        fast.add(&slow);
        let summary = fast.summary();
        assert_eq!(fast.count(), 100);
        assert!((summary.p50_ms - 1.0).abs() < 0.01, "{summary:?}");
        assert!((summary.max_ms - 60_000.0).abs() < 100.0, "{summary:?}");
    }

    #[test]
    fn nothing_counted_is_zero() {
        assert_eq!(Latencies::default().summary(), LatencySummary::default());
    }
}
