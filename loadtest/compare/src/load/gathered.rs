//! What clients were told.

use std::collections::BTreeMap;
use std::time::Duration;

use onsale_report::Latencies;
use uuid::Uuid;

/// All that the clients of a round were told.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// Requests that were answered with success.
    pub acknowledged: u64,
    /// The holds or orders that these answers named.
    pub ids: Vec<Uuid>,
    /// Other answers, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Requests without an answer: nobody knows what became of them.
    pub unanswered: u64,
    /// From when a request was due, or sent in a closed loop, to its answer.
    pub latencies: Latencies,
    /// From the first request to the last answer.
    pub lasted: Duration,
}

impl Gathered {
    /// Adds what other clients were told at the same time.
    pub fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.ids.extend(other.ids);
        for (status, count) in other.refused {
            *self.refused.entry(status).or_default() += count;
        }
        self.unanswered += other.unanswered;
        self.latencies.add(&other.latencies);
        self.lasted = self.lasted.max(other.lasted);
    }

    /// Successful answers a second.
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 answers")]
    pub fn per_second(&self) -> f64 {
        if self.lasted.is_zero() {
            return 0.0;
        }
        self.acknowledged as f64 / self.lasted.as_secs_f64()
    }
}
