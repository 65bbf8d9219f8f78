//! kill -9 in the middle of a sale, and what is left when it is over.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::time::sleep;

use crate::contender::Operation;
use crate::figures::Crash;
use crate::host::Host;
use crate::load::{Buyers, Stop, Target, closed_loop};

const POLL: Duration = Duration::from_millis(1);

/// How to crash.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// What clients ask for.
    pub operation: Operation,
    /// Tickets on sale. Half of them are sold when the blow falls, or half of `within` is over.
    pub capacity: u32,
    /// Longest sale after the restart.
    pub within: Duration,
    /// Clients.
    pub connections: usize,
    /// Whether Redis is killed together with the server.
    pub redis_too: bool,
}

/// Sells out a new event of a host that has sold nothing, kills it meanwhile and starts it again; what was left.
pub async fn crash(host: &mut Host, buyers: &Buyers, plot: Plot) -> anyhow::Result<Crash> {
    let sales = host.open_sales(1, plot.capacity, plot.operation).await?;
    let target = Target::new(host.address(), plot.operation, &sales, buyers);
    let (acknowledged, deadline) = (Arc::new(AtomicU64::new(0)), Arc::new(OnceLock::new()));
    let stop = Stop::SoldOut {
        deadline: Arc::clone(&deadline),
        acknowledged: Arc::clone(&acknowledged),
    };
    let blow = async {
        let started = Instant::now();
        let half = u64::from(plot.capacity / 2);
        while acknowledged.load(Ordering::Relaxed) < half && started.elapsed() < plot.within / 2 {
            sleep(POLL).await;
        }
        let before = acknowledged.load(Ordering::Relaxed);
        host.kill(plot.redis_too).await?;
        host.restart(plot.redis_too).await?;
        anyhow::Ok((before, acknowledged.load(Ordering::Relaxed)))
    };
    let blow = async {
        let counted = blow.await;
        // Also where it failed: the clients wait for it.
        let _ = deadline.set(Instant::now() + plot.within);
        counted
    };
    let (told, counted) = tokio::join!(closed_loop(&target, plot.connections, stop), blow);
    let (acknowledged_before, acknowledged_by_restart) = counted?;
    let told = told?;
    ensure!(
        u64::try_from(told.tickets.len())? == told.acknowledged,
        "acknowledgements without an id"
    );
    host.drained().await?;
    let rows = host.rows(plot.operation);
    Ok(Crash {
        label: host.contender().label().to_owned(),
        redis_too: plot.redis_too,
        capacity: plot.capacity,
        acknowledged: told.acknowledged,
        acknowledged_before,
        acknowledged_by_restart,
        sold_out: told.sold_out(),
        outcome_unknown: told.outcome_unknown(),
        verdict: rows.judge(plot.capacity, &told.tickets).await?,
    })
}
