//! How the engine is: its status, and its gauges. Both are read when somebody asks, so that nothing on the way of a command
//! keeps them up to date.

use metrics::counter;
use onsale_domain::money::Currency;

use crate::config::{LANE_QUEUE_MAX, PERMITS_PER_EVENT};
use crate::handle::Engine;
use crate::lane::count;
use crate::metrics::SALES_MINOR_TOTAL;

/// Sums over the events in memory.
#[derive(Default)]
struct Sums {
    events: u64,
    under_way: u64,
    fullest: u64,
    available: u64,
    held: u64,
    sold: u64,
    /// Few: one process sells in few.
    currencies: Vec<Currency>,
}

/// How the engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineStatus {
    /// Everything that an earlier process left is loaded.
    pub recovered: bool,
    /// Age of the oldest committed record that is not projected.
    pub write_behind_lag_ms: u64,
    /// Committed records that are not projected.
    pub write_behind_lag_records: u64,
    /// Events in memory.
    pub active_events: usize,
}

impl Engine {
    /// How the engine is.
    pub fn status(&self) -> EngineStatus {
        EngineStatus {
            recovered: self.lifecycle.is_recovered(),
            write_behind_lag_ms: self.shared.write_behind.lag_ms(),
            write_behind_lag_records: self.shared.write_behind.backlog_records(),
            active_events: self.shared.all_present().len(),
        }
    }

    /// Sets the gauges to how the engine is now. It looks at each event in memory: call it before the metrics are told,
    /// not more often.
    ///
    /// Gives the currencies that the events in memory sell in: what is counted by currency is to be there at 0 before
    /// its first count.
    pub fn observe(&self) -> Vec<Currency> {
        let mut sums = Sums::default();
        for running in self.shared.all_present() {
            let in_use = number(running.cell.admission.in_use());
            sums.events += 1;
            sums.under_way += in_use;
            sums.fullest = sums.fullest.max(in_use);
            running.cell.peek(|availability| {
                let currency = availability.definition.details.currency;
                if !sums.currencies.contains(&currency) {
                    sums.currencies.push(currency);
                }
                for quota in &availability.quotas {
                    sums.available += u64::from(quota.available());
                    sums.held += u64::from(quota.held);
                    sums.sold += u64::from(quota.sold);
                }
            });
        }
        let shared = &self.shared;
        let (mut queued, mut fullest_lane) = (0_u64, 0_u64);
        for lane in &shared.lanes {
            let waiting = number(lane.max_capacity() - lane.capacity());
            queued += waiting;
            fullest_lane = fullest_lane.max(waiting);
        }
        let (behind_queued, behind_in_journal) = shared.write_behind.events_behind();
        let gauges = &shared.metrics.observed;
        gauges.active_events.set(count(sums.events));
        gauges.mailbox_depth.set(count(sums.under_way));
        gauges
            .fullest_event
            .set(count(sums.fullest) / count(number(PERMITS_PER_EVENT)));
        gauges.available.set(count(sums.available));
        gauges.held.set(count(sums.held));
        gauges.sold.set(count(sums.sold));
        gauges.commit_queue.set(count(queued));
        gauges
            .fullest_lane
            .set(count(fullest_lane) / count(number(LANE_QUEUE_MAX)));
        gauges.quarantined.set(count(number(shared.quarantined())));
        gauges
            .lag_records
            .set(count(shared.write_behind.backlog_records()));
        gauges
            .lag_seconds
            .set(count(shared.write_behind.lag_ms()) / 1_000.0);
        gauges.behind_queued.set(count(number(behind_queued)));
        gauges.behind_in_journal.set(count(number(behind_in_journal)));
        for currency in &sums.currencies {
            counter!(SALES_MINOR_TOTAL.name, "currency" => currency.code()).increment(0);
        }
        sums.currencies
    }
}

fn number(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
