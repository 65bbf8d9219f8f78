//! What a comparison finds, as it is written to JSON.

use std::collections::BTreeMap;

use onsale_report::{LatencySummary, Machine};
use serde::Serialize;

use crate::contender::Series;

/// A whole comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Where it ran.
    pub machine: Machine,
    /// Version of Postgres.
    pub postgres: String,
    /// Whether it was the short one.
    pub quick: bool,
    /// When it ended, in milliseconds since the Unix epoch.
    pub ended_at_ms: i64,
    /// What was measured, by workload.
    pub workloads: Vec<Workload>,
    /// What kill -9 left.
    pub crashes: Vec<Crash>,
    /// Checks that failed and rounds that did not end; nothing of it in a good run.
    pub problems: Vec<String>,
}

/// How many events were asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Workload {
    /// Events; 1 is the hot one.
    pub events: usize,
    /// Everybody's figures.
    pub series: Vec<SeriesFigures>,
}

/// Medians of a contender at an operation.
#[derive(Clone, Debug, Serialize)]
pub struct SeriesFigures {
    /// Who, at what.
    #[serde(flatten)]
    pub series: Series,
    /// What tables call it.
    pub label: String,
    /// Connections of a peer to what decides for it: the best of some.
    pub pool: Option<u32>,
    /// Acknowledged a second in a closed loop, by connections.
    pub per_second: BTreeMap<usize, f64>,
    /// The best of them.
    pub ceiling: f64,
    /// Acknowledged a second at the ceiling, of the time until the rows of all were in Postgres.
    pub ceiling_with_rows: f64,
    /// The ceiling as a part of the echo's.
    pub to_echo: f64,
    /// Latency at half the ceiling in an open loop.
    pub half_load: Option<LatencySummary>,
    /// Microseconds of processor time for each acknowledgement, at the ceiling and until everything was drained.
    pub server_us: f64,
    /// The same, of Postgres.
    pub postgres_us: f64,
    /// The same, of Redis.
    pub redis_us: f64,
    /// Until everything acknowledged in a round at the ceiling was in Postgres, in seconds.
    pub drain_seconds: f64,
    /// The server's most memory.
    pub memory_bytes_max: u64,
    /// Refusals and failures by status, in all rounds.
    pub refused: BTreeMap<u16, u64>,
}

/// What a kill -9 in the middle of a sale left.
#[derive(Clone, Debug, Serialize)]
pub struct Crash {
    /// Whose.
    pub label: String,
    /// Whether Redis was killed together with the server.
    pub redis_too: bool,
    /// Tickets on sale.
    pub capacity: u32,
    /// Tickets that clients were told they have.
    pub acknowledged: u64,
    /// Of these, just before the kill.
    pub acknowledged_before: u64,
    /// Of these, by when everything served again.
    pub acknowledged_by_restart: u64,
    /// Whether clients were told that nothing is left.
    pub sold_out: bool,
    /// Requests without an answer, or with one of a server that failed.
    pub outcome_unknown: u64,
    /// What was left.
    pub verdict: Verdict,
}

/// Rows held against acknowledgements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Tickets that are kept.
    pub rows: u64,
    /// Acknowledged tickets that are not.
    pub lost: u64,
    /// Acknowledgements of a ticket that somebody else was told they have.
    pub told_twice: u64,
    /// Tickets, kept or acknowledged, above the capacity.
    pub oversold: u64,
}

impl Crash {
    /// Whether it sold before the kill, and after the restart too or all there was. Nothing can be lost otherwise.
    pub const fn proves_something(&self) -> bool {
        self.acknowledged_before > 0 && (self.sold_out || self.acknowledged > self.acknowledged_by_restart)
    }
}

impl Verdict {
    /// Whether nothing was lost and nothing sold twice.
    pub const fn is_clean(self) -> bool {
        self.lost == 0 && self.told_twice == 0 && self.oversold == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_proves_something_only_if_it_sold_before_and_after() {
        let crash = |before, by_restart, acknowledged, sold_out| Crash {
            label: String::new(),
            redis_too: false,
            capacity: 100,
            acknowledged,
            acknowledged_before: before,
            acknowledged_by_restart: by_restart,
            sold_out,
            outcome_unknown: 0,
            verdict: Verdict {
                rows: acknowledged,
                lost: 0,
                told_twice: 0,
                oversold: 0,
            },
        };
        assert!(crash(50, 52, 90, false).proves_something());
        assert!(crash(50, 100, 100, true).proves_something());
        assert!(!crash(50, 52, 52, false).proves_something());
        assert!(!crash(0, 0, 100, true).proves_something());
    }
}
