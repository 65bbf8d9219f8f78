//! kill -9 in the middle of a sale, and what is left when it is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::time::sleep;

use crate::contender::Operation;
use crate::figures::Crash;
use crate::host::Host;
use crate::load::{Buyers, Stop, Target, closed_loop};

const POLL: Duration = Duration::from_millis(1);

/// How to crash.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// Tickets on sale. Half of them are sold when the blow falls, or half the time is over.
    pub capacity: u32,
    /// Longest sale.
    pub within: Duration,
    /// Clients.
    pub connections: usize,
    /// Whether Redis is killed together with the server.
    pub redis_too: bool,
}

/// Sells out a new event of a host that has sold nothing, kills it meanwhile and starts it again; what was left.
pub async fn crash(host: &mut Host, buyers: &Buyers, plot: Plot) -> anyhow::Result<Crash> {
    let sales = host.open_sales(1, plot.capacity, Operation::Hold).await?;
    let target = Target::new(host.address(), Operation::Hold, &sales, buyers);
    let acknowledged = Arc::new(AtomicU64::new(0));
    let stop = Stop::SoldOut {
        within: plot.within,
        acknowledged: Arc::clone(&acknowledged),
    };
    let blow = async {
        let started = Instant::now();
        let half = u64::from(plot.capacity / 2);
        while acknowledged.load(Ordering::Relaxed) < half && started.elapsed() < plot.within / 2 {
            sleep(POLL).await;
        }
        host.kill(plot.redis_too).await?;
        host.restart(plot.redis_too).await
    };
    let (told, killed) = tokio::join!(closed_loop(&target, plot.connections, stop), blow);
    killed?;
    let told = told?;
    host.drained().await?;
    let sale = sales.first().context("no sale")?;
    let rows = host.rows(Operation::Hold);
    Ok(Crash {
        label: host.contender().label().to_owned(),
        redis_too: plot.redis_too,
        capacity: plot.capacity,
        acknowledged: told.acknowledged,
        unanswered: told.unanswered,
        verdict: rows.judge(sale, plot.capacity, &told.ids).await?,
    })
}
