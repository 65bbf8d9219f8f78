//! A line each second, on stderr.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::shop::Shop;

const EVERY: Duration = Duration::from_secs(1);

/// Tells how it goes until it is aborted.
pub(crate) fn tell(shop: &Arc<Shop>) -> JoinHandle<()> {
    let shop = Arc::clone(shop);
    tokio::spawn(async move {
        let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut sold_before = 0;
        loop {
            ticks.tick().await;
            let (line, sold) = line(&shop, sold_before);
            sold_before = sold;
            eprintln!("{line}");
        }
    })
}

fn line(shop: &Shop, sold_before: usize) -> (String, usize) {
    let opens_in = shop.opens.saturating_duration_since(Instant::now());
    if !opens_in.is_zero() {
        return (format!("opens in {:.1} s", opens_in.as_secs_f64()), sold_before);
    }
    let log = shop.ledger.log();
    let sold = log.sales.len();
    let line = format!(
        "{:>4} s  {sold} sold (+{})  {} refused  {} errors  {} retries  p99 of sales {:.1} ms",
        shop.opens.elapsed().as_secs(),
        sold - sold_before,
        log.refused(),
        log.failed(),
        log.retries,
        log.sale_latency.summary().p99_ms,
    );
    (line, sold)
}
