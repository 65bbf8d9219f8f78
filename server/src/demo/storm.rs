//! The storm: sends every buyer at their time, and crashes what is to be crashed midway.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::task::JoinSet;

use super::arrivals;
use super::behaviour;
use super::journey::{self, Shop};
use super::plan::{Crash, Plan};
use super::process::Server;
use super::view::Phase;
use crate::request;

/// How long buyers may take after the last one came: their patience, and holds that come back.
const FINISH_WITHIN: Duration = Duration::from_secs(40);

/// Sends the buyers; returns when all are through.
pub(crate) async fn blow(shop: Arc<Shop>, plan: &Plan) -> anyhow::Result<()> {
    let started = shop.ledger.started;
    let mut visits = JoinSet::new();
    for (index, at) in (0..).zip(arrivals::schedule(plan.buyers, plan.duration, plan.seed)) {
        let due = started + at;
        tokio::time::sleep_until(due.into()).await;
        shop.ledger.counts.offered.fetch_add(1, Ordering::Relaxed);
        let buyer = behaviour::buyer(plan.seed, index, shop.sale.ticket_type_ids.len());
        let shop = Arc::clone(&shop);
        visits.spawn(async move {
            let outcome = journey::run(&shop, buyer, due).await;
            shop.ledger.counts.finished.fetch_add(1, Ordering::Relaxed);
            outcome
        });
        while let Some(visit) = visits.try_join_next() {
            visit.context("a buyer's task")??;
        }
    }
    let finish = async {
        while let Some(visit) = visits.join_next().await {
            visit.context("a buyer's task")??;
        }
        Ok(())
    };
    match tokio::time::timeout(FINISH_WITHIN, finish).await {
        Ok(finished) => finished,
        Err(_) => bail!("buyers still wait {FINISH_WITHIN:?} after the last one came"),
    }
}

/// Waits until half the house is sold, or half the time is over, then crashes. The sale goes on meanwhile.
pub(crate) async fn strike(
    shop: &Shop,
    plan: &Plan,
    server: &mut Server,
    tell: impl Fn(Phase),
) -> anyhow::Result<()> {
    if plan.crash == Crash::None {
        return Ok(());
    }
    let half_sold = u64::from(plan.capacity / 2);
    let half_time = shop.ledger.started + plan.duration / 2;
    while shop.ledger.counts.tickets.load(Ordering::Relaxed) < half_sold && Instant::now() < half_time {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    match plan.crash {
        Crash::None => {}
        Crash::Actor => {
            tell(Phase::KillingActor);
            shop.ledger.crashed();
            let event_id = shop.sale.event_id;
            let path = format!("/internal/drills/events/{event_id}/crash?kind=kill");
            let (status, body) = request::once(server.internal, "POST", &path).await?;
            if !(200..300).contains(&status) {
                bail!("the drill was refused: {status} {body}");
            }
        }
        Crash::Process => {
            tell(Phase::KillingProcess);
            shop.ledger.crashed();
            server.kill().await?;
            server.start().await?;
        }
    }
    tell(Phase::Recovering);
    let until = half_time + plan.duration;
    while shop.ledger.recovered_after().is_none() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tell(match shop.ledger.recovered_after() {
        Some(after) => Phase::Recovered {
            after_ms: after.as_millis(),
        },
        None => Phase::Selling,
    });
    Ok(())
}
