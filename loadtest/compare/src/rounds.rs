//! One round: clients ask, everything is drained, and rows are counted.

use std::collections::BTreeMap;
use std::time::Duration;

use onsale_report::Latencies;

use crate::contender::{Sale, Series};
use crate::host::Host;
use crate::load::{Buyers, Stop, Target, closed_loop, open_loop, per_second};

/// Tickets of an event that is not to sell out.
pub const PLENTY: u32 = 10_000_000;

/// How clients ask.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Each connection again as soon as it is answered.
    Closed {
        /// Connections.
        connections: usize,
        /// How long.
        time: Duration,
    },
    /// At a fixed rate.
    Open {
        /// Connections.
        connections: usize,
        /// How long.
        time: Duration,
        /// Requests a second.
        per_second: f64,
    },
}

/// What a round found.
#[derive(Clone, Debug)]
pub struct Round {
    /// Acknowledged.
    pub acknowledged: u64,
    /// Rows that are new in Postgres; the acknowledged ones of an echo, which keeps nothing.
    pub rows: u64,
    /// Acknowledged tickets without a row; none of an echo.
    pub missing: u64,
    /// Acknowledged a second.
    pub per_second: f64,
    /// The same, of the time until everything was in Postgres.
    pub with_rows_per_second: f64,
    /// Latencies of the acknowledged.
    pub latencies: Latencies,
    /// Other answers, by status.
    pub refused: BTreeMap<u16, u64>,
    /// From the last answer until everything was in Postgres.
    pub drained: Duration,
    /// Microseconds for each acknowledgement: of the server, of Postgres, of Redis.
    pub processor_us: [f64; 3],
}

impl Round {
    /// Whether every acknowledged ticket has its row, and no other has.
    pub const fn adds_up(&self) -> bool {
        self.acknowledged == self.rows && self.missing == 0
    }
}

/// Runs one. The sales are the only ones that this host sells meanwhile.
pub async fn round(
    host: &Host,
    series: Series,
    sales: &[Sale],
    buyers: &Buyers,
    shape: Shape,
) -> anyhow::Result<Round> {
    let target = Target::new(host.address(), series.operation, sales, buyers);
    let rows = host.rows(series.operation);
    let keeps = host.contender() != crate::Contender::Echo;
    let rows_before = if keeps { rows.count().await? } else { 0 };
    // What others left to write is not this one's to pay.
    host.checkpoint().await?;
    let before = host.used()?;
    let told = match shape {
        Shape::Closed { connections, time } => closed_loop(&target, connections, Stop::After(time)).await?,
        Shape::Open {
            connections,
            time,
            per_second,
        } => open_loop(&target, connections, per_second, time).await?,
    };
    let drained = host.drained().await?;
    let after = host.used()?;
    let each = |before: Duration, after: Duration| us_each(after.saturating_sub(before), told.acknowledged);
    let processor_us = [
        each(before.server, after.server),
        each(before.postgres, after.postgres),
        each(before.redis, after.redis),
    ];
    let (rows, missing) = if keeps {
        let new = rows.count().await?.saturating_sub(rows_before);
        (new, rows.missing(&told.tickets).await?)
    } else {
        (told.acknowledged, 0)
    };
    host.forget_jobs().await?;
    Ok(Round {
        acknowledged: told.acknowledged,
        rows,
        missing,
        per_second: told.per_second(),
        with_rows_per_second: per_second(told.acknowledged, told.lasted + drained),
        latencies: told.latencies,
        refused: told.refused,
        drained,
        processor_us,
    })
}

/// In which order entrants have their round: another begins each time, and in odd rounds they go backwards, so that
/// nobody always comes after the same.
pub fn turns(number: usize, entrants: usize) -> Vec<usize> {
    let turn = |position: usize| {
        let step = if number.is_multiple_of(2) {
            position
        } else {
            entrants - position
        };
        (number + step) % entrants
    };
    (0..entrants).map(turn).collect()
}

/// The one in the middle, or the mean of the two in the middle; 0 of nothing.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let Some(last) = figures.len().checked_sub(1) else {
        return 0.0;
    };
    f64::midpoint(figures[last / 2], figures[last.div_ceil(2)])
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 answers")]
fn us_each(spent: Duration, count: u64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    spent.as_secs_f64() * 1e6 / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_turn_and_neighbours_and_beginners_change() {
        assert_eq!(turns(0, 4), [0, 1, 2, 3]);
        assert_eq!(turns(1, 4), [1, 0, 3, 2]);
        assert_eq!(turns(2, 4), [2, 3, 0, 1]);
        assert_eq!(turns(7, 4), [3, 2, 1, 0]);
        assert_eq!(turns(3, 1), [0]);
        assert_eq!(turns(3, 0), [0; 0]);
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        let is = |figures: &[f64], expected: f64| {
            (median(figures.iter().copied()) - expected).abs() < f64::EPSILON
        };
        assert!(is(&[], 0.0));
        assert!(is(&[7.0], 7.0));
        assert!(is(&[9.0, 0.0, 4.0], 4.0));
        assert!(is(&[9.0, 1.0, 2.0, 5.0], 3.5));
    }
}
