//! What clients were told.

use std::collections::BTreeMap;
use std::time::Duration;

use onsale_report::Latencies;
use uuid::Uuid;

/// The conflict that all contenders answer when nothing is left.
pub(super) const CONFLICT: u16 = 409;

/// A hold or order that an answer named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    /// Of which event.
    pub event_id: Uuid,
    /// The hold or order.
    pub id: Uuid,
}

/// All that the clients of a round were told.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// Requests that were answered with success.
    pub acknowledged: u64,
    /// What these answers named; nothing of an echo.
    pub tickets: Vec<Ticket>,
    /// Other answers, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Requests without an answer: nobody knows what became of them.
    pub unanswered: u64,
    /// From when a request was due, or sent in a closed loop, to its acknowledgement. A quick refusal is no merit.
    pub latencies: Latencies,
    /// From the first request to the last answer.
    pub lasted: Duration,
}

impl Gathered {
    /// Adds what other clients were told at the same time.
    pub fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.tickets.extend(other.tickets);
        for (status, count) in other.refused {
            *self.refused.entry(status).or_default() += count;
        }
        self.unanswered += other.unanswered;
        self.latencies.add(&other.latencies);
        self.lasted = self.lasted.max(other.lasted);
    }

    /// Whether somebody was told that nothing is left.
    pub fn sold_out(&self) -> bool {
        self.refused.contains_key(&CONFLICT)
    }

    /// Requests of which nobody knows what became: no answer, or one that the server failed.
    pub fn outcome_unknown(&self) -> u64 {
        self.unanswered + self.refused.range(500_u16..).map(|(_, count)| count).sum::<u64>()
    }

    /// Successful answers a second.
    pub fn per_second(&self) -> f64 {
        per_second(self.acknowledged, self.lasted)
    }
}

/// So many in a time, as a rate; 0 in no time.
#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 answers")]
pub fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() {
        return 0.0;
    }
    count as f64 / time.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_failed_leaves_the_outcome_unknown_and_one_that_refused_does_not() {
        let told = Gathered {
            refused: BTreeMap::from([(409, 8), (429, 4), (500, 2), (503, 1)]),
            unanswered: 10,
            ..Gathered::default()
        };
        assert_eq!(told.outcome_unknown(), 13);
    }
}
