//! How long, how often, on how many connections.

use std::time::Duration;

use crate::contender::{Contender, Operation, Series};

/// Open files of a server beside its clients.
const FILES_BESIDE: usize = 150;

/// What a comparison does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether it is the short one.
    pub quick: bool,
    /// Rounds of each series on each number of connections.
    pub rounds: usize,
    /// Length of a round in a closed loop.
    pub round: Duration,
    /// Length of a round in an open loop.
    pub open_round: Duration,
    /// Rounds in an open loop.
    pub open_rounds: usize,
    /// Fewest connections in an open loop.
    pub open_connections: usize,
    /// Length of a round that only chooses a pool.
    pub trial: Duration,
    /// Buyers with a token each.
    pub buyers: usize,
    /// Longest sale around a crash.
    pub crash_sale: Duration,
    /// Workloads.
    pub stages: Vec<Stage>,
}

/// A workload.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Events that are asked for.
    pub events: usize,
    /// Who takes part.
    pub series: Vec<Series>,
    /// Connections in a closed loop.
    pub connections: Vec<usize>,
    /// Whether latency is measured at half the ceiling.
    pub open: bool,
}

impl Plan {
    /// At most a quarter of an hour.
    pub fn full() -> Self {
        let stage = |events| Stage {
            events,
            series: Series::ALL.to_vec(),
            connections: vec![8, 64, 256, 1_024],
            open: true,
        };
        Self {
            quick: false,
            rounds: 3,
            round: Duration::from_millis(1_500),
            open_round: Duration::from_secs(3),
            open_rounds: 3,
            open_connections: 256,
            trial: Duration::from_millis(700),
            buyers: 1_000,
            crash_sale: Duration::from_secs(4),
            stages: vec![stage(1), stage(1_000)],
        }
    }

    /// Less than three minutes: enough to see who is where.
    pub fn quick() -> Self {
        let holds = Series::ALL
            .into_iter()
            .filter(|series| series.operation != Operation::Purchase);
        let hot = Stage {
            events: 1,
            series: Series::ALL.to_vec(),
            connections: vec![64, 256],
            open: true,
        };
        let spread = Stage {
            events: 1_000,
            series: holds.collect(),
            connections: vec![64],
            open: false,
        };
        Self {
            quick: true,
            round: Duration::from_millis(600),
            open_round: Duration::from_millis(1_500),
            open_rounds: 1,
            open_connections: 64,
            trial: Duration::from_millis(300),
            crash_sale: Duration::from_secs(3),
            stages: vec![hot, spread],
            ..Self::full()
        }
    }

    /// Leaves out what needs more open files than a process may have; the numbers of connections that are left out.
    pub fn fit(&mut self, open_files_max: usize) -> Vec<usize> {
        let fits = |connections: &usize| connections + FILES_BESIDE <= open_files_max;
        let mut left_out = Vec::new();
        for stage in &mut self.stages {
            left_out.extend(stage.connections.extract_if(.., |connections| !fits(connections)));
        }
        left_out.sort_unstable();
        left_out.dedup();
        left_out
    }

    /// Connections to what decides for a contender, to choose the best of; one of no meaning where nothing is to be
    /// chosen.
    pub const fn pools(&self, contender: Contender) -> &'static [u32] {
        match (contender, self.quick) {
            (Contender::Echo | Contender::OnsaleLocal | Contender::OnsalePostgres, _) => &[1],
            (Contender::RowLock | Contender::ConditionalUpdate, true) => &[8, 32],
            (Contender::RowLock | Contender::ConditionalUpdate, false) => &[4, 16, 48],
            (Contender::RedisStream(_), true) => &[1, 8],
            (Contender::RedisStream(_), false) => &[1, 4, 16],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_too_many_files_is_left_out_and_named() {
        let mut plan = Plan::full();
        assert_eq!(plan.fit(1_024), [1_024]);
        assert_eq!(plan.fit(1_024), [0; 0]);
        assert!(plan.stages.iter().all(|stage| stage.connections == [8, 64, 256]));
    }
}
