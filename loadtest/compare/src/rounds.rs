//! One round: clients ask, everything is drained, and rows are counted.

use std::collections::BTreeMap;
use std::time::Duration;

use onsale_report::Latencies;

use crate::contender::{Sale, Series};
use crate::host::Host;
use crate::load::{Buyers, Stop, Target, closed_loop, open_loop};

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
    /// Acknowledged a second.
    pub per_second: f64,
    /// Latencies.
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
        self.acknowledged == self.rows
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
    let rows = if keeps {
        rows.count().await?.saturating_sub(rows_before)
    } else {
        told.acknowledged
    };
    host.forget_jobs().await?;
    Ok(Round {
        acknowledged: told.acknowledged,
        rows,
        per_second: told.per_second(),
        latencies: told.latencies,
        refused: told.refused,
        drained,
        processor_us,
    })
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 answers")]
fn us_each(spent: Duration, count: u64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    spent.as_secs_f64() * 1e6 / count as f64
}
